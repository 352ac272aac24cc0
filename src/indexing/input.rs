//! Which objects an event tells of.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use aws_lambda_events::event::s3::S3Event;
use serde::Deserialize;
use serde_json::Value;

use crate::error::Error;

/// An object that was announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ObjectRef {
    pub(super) bucket: String,
    /// As it is in S3: decoded.
    pub(super) key: String,
    pub(super) version_id: Option<String>,
    /// Without quotes, where it is known.
    pub(super) etag: Option<String>,
    /// In bytes, where it is known.
    pub(super) size: Option<u64>,
}

/// What an event tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    /// These objects.
    Objects(Vec<ObjectRef>),
    /// Nothing: S3 tries out a new notification configuration.
    TestEvent,
}

impl ObjectRef {
    /// An object of which only the name is known.
    pub(super) fn named(bucket: String, key: &str) -> Self {
        Self { bucket, key: key.to_owned(), version_id: None, etag: None, size: None }
    }
}

impl Input {
    /// Reads an event: S3's `Object Created` through EventBridge, S3's own notification, its test event, or
    /// `{"bucket", "key"}` directly.
    pub(super) fn parse(event: &Value) -> Result<Self, Error> {
        let text = |name: &str| event.get(name).and_then(Value::as_str);
        if event.get("detail-type").is_some() {
            return Ok(Self::Objects(vec![from_eventbridge(event)?]));
        }
        if event.get("Records").is_some() {
            return from_notification(event).map(Self::Objects);
        }
        if text("Event") == Some("s3:TestEvent") {
            return Ok(Self::TestEvent);
        }
        match (text("bucket"), text("key")) {
            (Some(bucket), Some(key)) => Ok(Self::Objects(vec![ObjectRef::named(bucket.to_owned(), key)])),
            _ => Err(unknown_shape(event)),
        }
    }
}

/// The detail of `Object Created`, which `aws_lambda_events` does not model (S3 user guide, "Event message structure").
#[derive(Deserialize)]
struct Detail {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
    size: Option<u64>,
    etag: Option<String>,
    #[serde(rename = "version-id")]
    version_id: Option<String>,
}

fn from_eventbridge(event: &Value) -> Result<ObjectRef, Error> {
    let wrong =
        |error: serde_json::Error| Error::Event(format!("not an Object Created of S3: {error}; {KNOWN}"));
    let event: EventBridgeEvent<Value> = Deserialize::deserialize(event).map_err(wrong)?;
    if (event.source.as_str(), event.detail_type.as_str()) != ("aws.s3", "Object Created") {
        let (kind, source) = (&event.detail_type, &event.source);
        return Err(Error::Event(format!(
            "an event {kind:?} of source {source:?} tells of no export: {KNOWN}"
        )));
    }
    let Detail { bucket, object } = serde_json::from_value(event.detail).map_err(wrong)?;
    Ok(ObjectRef {
        bucket: bucket.name,
        key: object.key,
        version_id: object.version_id,
        etag: object.etag,
        size: object.size,
    })
}

fn from_notification(event: &Value) -> Result<Vec<ObjectRef>, Error> {
    let event = S3Event::deserialize(event)
        .map_err(|error| Error::Event(format!("not a notification of S3: {error}; {KNOWN}")))?;
    event
        .records
        .into_iter()
        .map(|record| {
            let object = record.s3.object;
            let (Some(bucket), Some(key)) = (record.s3.bucket.name, object.key) else {
                return Err(Error::Event("a notification of S3 that names no bucket or no key".to_owned()));
            };
            Ok(ObjectRef {
                bucket,
                key: form_decoded(&key)?,
                version_id: object.version_id,
                etag: object.e_tag,
                size: object.size.and_then(|size| u64::try_from(size).ok()),
            })
        })
        .collect()
}

/// Keys in S3's own notifications are form-encoded: `red flower.zip` comes as `red+flower.zip` (S3 user guide,
/// "Event message structure").
fn form_decoded(key: &str) -> Result<String, Error> {
    let spaces = key.replace('+', " ");
    percent_encoding::percent_decode_str(&spaces)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|error| Error::Event(format!("the key {key:?} is not form-encoded UTF-8: {error}")))
}

const KNOWN: &str = "expected an Object Created of aws.s3 through EventBridge, a notification of S3 with Records, an \
                     s3:TestEvent, or {\"bucket\", \"key\"}";

fn unknown_shape(event: &Value) -> Error {
    let fields: Vec<_> =
        event.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).take(12).collect();
    Error::Event(format!("an event with the fields {fields:?} is none that index-export knows: {KNOWN}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_notifications_key_is_form_decoded_and_eventbridges_is_not() {
        let notification = json!({"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-west-2",
            "eventTime": "2026-11-23T10:15:02.000Z", "eventName": "ObjectCreated:Put", "userIdentity": {},
            "requestParameters": {}, "responseElements": {}, "s3": {"bucket": {"name": "b"},
            "object": {"key": "exports/a+b%2B%C3%A4.zip", "size": 3_000_000_000_u64, "eTag": "e"}}}]});
        let Input::Objects(objects) = Input::parse(&notification).unwrap() else { panic!() };
        assert_eq!((objects[0].key.as_str(), objects[0].size), ("exports/a b+ä.zip", Some(3_000_000_000)));
        let event = json!({"detail-type": "Object Created", "source": "aws.s3",
            "detail": {"bucket": {"name": "b"}, "object": {"key": "exports/a+b%2B.zip"}}});
        let Input::Objects(objects) = Input::parse(&event).unwrap() else { panic!() };
        assert_eq!(objects[0].key, "exports/a+b%2B.zip");
    }

    #[test]
    fn what_tells_of_no_object_is_refused_with_what_was_expected() {
        for event in [
            json!(null),
            json!([1]),
            json!({"hello": "world"}),
            json!({"detail-type": "Object Created", "source": "aws.ec2", "detail": {}}),
            json!({"detail-type": "Object Deleted", "source": "aws.s3", "detail": {}}),
            json!({"detail-type": "Object Created", "source": "aws.s3", "detail": {"bucket": {"name": "b"}}}),
            json!({"Records": "x"}),
            json!({"bucket": "b"}),
        ] {
            let error = Input::parse(&event).unwrap_err();
            assert_eq!(error.code(), "unknown-event");
            assert!(error.to_string().contains("expected an Object Created"), "{error}");
        }
        assert_eq!(Input::parse(&json!({"Event": "s3:TestEvent", "Bucket": "b"})).unwrap(), Input::TestEvent);
    }
}
