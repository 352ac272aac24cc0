//! What S3 tells EventBridge.
//!
//! Source of the fields: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>. Keys are not encoded,
//! `ETags` have no quotes, and a bucket without versions has no `version-id`.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::object::Object;
use crate::account::EventSender;

/// Who asked for a change, and how.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// An account's id, or a service's principal.
    pub(super) requester: String,
    /// The request id that the answer carries as well.
    pub(super) request_id: String,
    /// The caller's IP address.
    pub(super) source_ip: String,
}

/// What an event tells of an object that was made.
#[derive(Debug)]
pub(super) struct Created<'a> {
    pub(super) key: &'a str,
    /// Bytes.
    pub(super) size: u64,
    /// Without quotes.
    pub(super) etag: &'a str,
    /// Only in a bucket with versions.
    pub(super) version_id: Option<&'a str>,
}

impl<'a> From<&'a Object> for Created<'a> {
    fn from(object: &'a Object) -> Self {
        Self { key: &object.key, size: object.size, etag: &object.etag, version_id: None }
    }
}

/// Sends S3's events.
#[derive(Debug)]
pub(super) struct Announcer {
    events: EventSender,
    last_sequencer: AtomicU64,
}

impl Announcer {
    pub(super) fn new(events: EventSender) -> Self {
        Self { events, last_sequencer: AtomicU64::new(0) }
    }

    /// `reason` is the operation that made the object: `PutObject`, `CopyObject` or `CompleteMultipartUpload`.
    pub(super) fn created(&self, bucket: &str, created: &Created<'_>, reason: &str, origin: &Origin) {
        let Created { key, size, etag, version_id } = created;
        let mut object = json!({"key": key, "size": size, "etag": etag, "sequencer": self.sequencer()});
        if let Some(version_id) = version_id {
            object["version-id"] = json!(version_id);
        }
        self.send(bucket, "Object Created", &object, origin, &json!({"reason": reason}));
    }

    pub(super) fn deleted(&self, bucket: &str, key: &str, origin: &Origin) {
        let object = json!({"key": key, "sequencer": self.sequencer()});
        let more = json!({"reason": "DeleteObject", "deletion-type": "Permanently Deleted"});
        self.send(bucket, "Object Deleted", &object, origin, &more);
    }

    /// Tag events carry neither size nor sequencer nor reason.
    pub(super) fn tags_changed(&self, bucket: &str, object: &Object, change: TagChange, origin: &Origin) {
        let detail_type = match change {
            TagChange::Put => "Object Tags Added",
            TagChange::Delete => "Object Tags Deleted",
        };
        let object = json!({"key": object.key, "etag": object.etag});
        self.send(bucket, detail_type, &object, origin, &json!({}));
    }

    fn send(&self, bucket: &str, detail_type: &str, object: &Value, origin: &Origin, more: &Value) {
        let mut detail = json!({
            "version": "0",
            "bucket": {"name": bucket},
            "object": object,
            "request-id": origin.request_id,
            "requester": origin.requester,
            "source-ip-address": origin.source_ip,
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            detail[name] = value.clone();
        }
        self.events.put("aws.s3", detail_type, &[format!("arn:aws:s3:::{bucket}")], &detail);
    }

    /// A hexadecimal number that grows with every change, as long as S3's own.
    fn sequencer(&self) -> String {
        let now = u64::try_from(Timestamp::now().as_nanosecond()).unwrap_or_default();
        let previous = self.last_sequencer.fetch_max(now, Ordering::Relaxed);
        let sequencer =
            if now > previous { now } else { self.last_sequencer.fetch_add(1, Ordering::Relaxed) + 1 };
        format!("{sequencer:018X}")
    }
}

/// How an object's tags were changed after it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TagChange {
    /// `PutObjectTagging`
    Put,
    /// `DeleteObjectTagging`
    Delete,
}
