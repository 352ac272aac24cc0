//! Our own S3 in the part of one that others wrote: what passes between the two.

use aws_sdk_s3::Client;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{BUCKET, Fixture, config, refusal, refused};
use crate::account::{Account, EventSender};
use crate::s3::{BucketOptions, Endpoint, Error, S3};

/// An S3 that stands in front of the fixture's, with a bucket there.
struct Front {
    s3: S3,
    client: Client,
    events: UnboundedReceiver<Value>,
    _endpoint: Endpoint,
    _behind: Fixture,
}

const BUCKET_THERE: &str = "there";

impl Front {
    async fn new() -> Self {
        let behind = Fixture::new().await;
        behind.s3.allow("AKIALOCALCLOUD", "secret");
        let (sender, events) = EventSender::new(Account::default());
        let s3 = S3::of_others(behind.endpoint.url(), Account::default(), sender).unwrap();
        s3.create_bucket(BUCKET_THERE, BucketOptions { eventbridge: true, ..BucketOptions::default() })
            .await
            .unwrap();
        let endpoint = s3.serve().await.unwrap();
        let client = Client::from_conf(config("AKIDTESTS", "secret", endpoint.url()).build());
        Self { s3, client, events, _endpoint: endpoint, _behind: behind }
    }

    /// Type, key, size and reason of the events since the last call.
    fn created(&mut self) -> Vec<Value> {
        let events = std::iter::from_fn(|| self.events.try_recv().ok());
        let told = events.map(|event| {
            let (object, detail) = (&event["detail"]["object"], &event["detail"]);
            json!([event["detail-type"], object["key"], object["size"], object["etag"], detail["reason"]])
        });
        told.collect()
    }
}

#[tokio::test]
async fn requests_reach_it_and_each_new_object_is_told() {
    let mut front = Front::new().await;
    let (client, key) = (front.client.clone(), "exports/a b+c.zip");
    let put = client.put_object().bucket(BUCKET_THERE).key(key).body(b"hello".to_vec().into());
    let etag = put.send().await.unwrap().e_tag.unwrap();
    let md5 = "5d41402abc4b2a76b9719d911017c592";
    assert_eq!(etag.trim_matches('"'), md5);
    let got = client.get_object().bucket(BUCKET_THERE).key(key).range("bytes=-2").send().await.unwrap();
    assert_eq!(got.content_range(), Some("bytes 3-4/5"));
    assert_eq!(got.body.collect().await.unwrap().into_bytes(), "lo");
    let copy = client.copy_object().bucket(BUCKET_THERE).key("copy");
    copy.copy_source(format!("{BUCKET_THERE}/exports/a%20b%2Bc.zip")).send().await.unwrap();
    assert_eq!(
        front.created(),
        [
            json!(["Object Created", key, 5, md5, "PutObject"]),
            json!(["Object Created", "copy", 5, md5, "CopyObject"]),
        ]
    );
    let log = front.s3.access_log().entries();
    let log: Vec<_> =
        log.iter().map(|entry| (entry.operation.as_str(), entry.status, entry.bytes_sent > 0)).collect();
    assert_eq!(log[0], ("PutObject", Some(200), false));
    assert_eq!(log[1], ("GetObject", Some(206), true));
    assert_eq!(log[2].0, "CopyObject");
}

#[tokio::test]
async fn what_is_asked_in_this_process_is_answered_by_it_too() {
    let mut front = Front::new().await;
    front.s3.put(BUCKET_THERE, "p/b", "2", "gameliftstreams.amazonaws.com").await.unwrap();
    front.s3.put(BUCKET_THERE, "p/a", "1", "gameliftstreams.amazonaws.com").await.unwrap();
    assert_eq!(front.created().len(), 2);
    assert_eq!(front.s3.read(BUCKET_THERE, "p/b").await.unwrap(), "2");
    assert_eq!(front.s3.list(BUCKET_THERE, "p/").await.unwrap(), ["p/a", "p/b"]);
    assert!(front.s3.tags(BUCKET_THERE, "p/a").await.unwrap().is_empty());
    assert!(matches!(front.s3.read(BUCKET_THERE, "none").await, Err(Error::NoSuchKey(_))));
    assert!(front.s3.access_log().entries().is_empty());
}

#[tokio::test]
async fn what_it_refuses_is_refused_and_nothing_is_told() {
    let mut front = Front::new().await;
    let put = || front.client.put_object().bucket(BUCKET_THERE).key("a").if_none_match("*");
    put().send().await.unwrap();
    assert_eq!(refusal(put().send().await), refused(412, "PreconditionFailed"));
    let get = front.client.get_object().bucket(BUCKET_THERE).key("none").send().await;
    assert_eq!(refusal(get), refused(404, "NoSuchKey"));
    assert_eq!(front.s3.access_log().entries()[1].error_code.as_deref(), Some("PreconditionFailed"));
    assert_eq!(front.created().len(), 1);
}

#[tokio::test]
async fn a_bucket_of_somebody_else_is_no_business_of_ours() {
    let mut front = Front::new().await;
    front.client.put_object().bucket(BUCKET).key("a").send().await.unwrap();
    assert!(front.created().is_empty());
}

#[tokio::test]
async fn when_it_is_gone_requests_fail() {
    let Front { s3, client, _behind: behind, _endpoint: endpoint, .. } = Front::new().await;
    drop(behind);
    let gone = async || client.list_objects_v2().bucket(BUCKET_THERE).send().await;
    // The other's end takes effect when the runtime comes round to it.
    while gone().await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert_eq!(refusal(gone().await).0, 502);
    assert!(matches!(s3.list(BUCKET_THERE, "").await, Err(Error::Foreign(_))));
    drop(endpoint);
}
