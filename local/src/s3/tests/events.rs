use aws_sdk_s3::operation::RequestId as _;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier, Tag, Tagging};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{BUCKET, Fixture};
use crate::s3::BucketOptions;

/// `detail-type`, key and reason of each event.
fn summary(events: &[Value]) -> Vec<(&str, &str, &str)> {
    events
        .iter()
        .map(|event| {
            let detail = &event["detail"];
            let reason = detail["reason"].as_str().unwrap_or_default();
            (event["detail-type"].as_str().unwrap(), detail["object"]["key"].as_str().unwrap(), reason)
        })
        .collect()
}

#[tokio::test]
async fn a_put_is_announced_with_the_fields_of_s3() {
    let mut fixture = Fixture::new().await;
    let put = fixture.client.put_object().bucket(BUCKET).key("a b/ü+1").body(Bytes::from("hello").into());
    let answer = put.send().await.unwrap();
    let [event] = fixture.new_events().try_into().unwrap();
    assert_eq!(event["source"], "aws.s3");
    assert_eq!(event["detail-type"], "Object Created");
    assert_eq!(event["resources"], json!(["arn:aws:s3:::captures"]));
    assert_eq!((&event["account"], &event["region"]), (&json!("111122223333"), &json!("us-west-2")));
    let sequencer = event["detail"]["object"]["sequencer"].as_str().unwrap();
    assert!(u128::from_str_radix(sequencer, 16).is_ok());
    let expected = json!({
        "version": "0",
        "bucket": {"name": "captures"},
        "object": {"key": "a b/ü+1", "size": 5, "etag": "5d41402abc4b2a76b9719d911017c592", "sequencer": sequencer},
        "request-id": answer.request_id().unwrap(),
        "requester": "111122223333",
        "source-ip-address": "127.0.0.1",
        "reason": "PutObject",
    });
    assert_eq!(event["detail"], expected);
}

#[tokio::test]
async fn every_way_to_write_gives_its_reason() {
    let mut fixture = Fixture::new().await;
    let client = &fixture.client;
    fixture.put("put", "x").await;
    client.copy_object().bucket(BUCKET).key("copy").copy_source("captures/put").send().await.unwrap();
    let create = client.create_multipart_upload().bucket(BUCKET).key("multipart").send().await.unwrap();
    let id = create.upload_id.unwrap();
    let part = client.upload_part().bucket(BUCKET).key("multipart").upload_id(&id).part_number(1).send();
    let part = CompletedPart::builder().part_number(1).set_e_tag(part.await.unwrap().e_tag).build();
    let parts = CompletedMultipartUpload::builder().parts(part).build();
    let complete = client.complete_multipart_upload().bucket(BUCKET).key("multipart").upload_id(&id);
    complete.multipart_upload(parts).send().await.unwrap();
    let events = fixture.new_events();
    assert_eq!(
        summary(&events),
        [
            ("Object Created", "put", "PutObject"),
            ("Object Created", "copy", "CopyObject"),
            ("Object Created", "multipart", "CompleteMultipartUpload"),
        ]
    );
}

#[tokio::test]
async fn deletions_and_tags_are_announced() {
    let mut fixture = Fixture::new().await;
    fixture.put("a", "x").await;
    fixture.put("b", "x").await;
    let tag = Tag::builder().key("k").value("v").build().unwrap();
    let tagging = Tagging::builder().tag_set(tag).build().unwrap();
    let client = &fixture.client;
    client.put_object_tagging().bucket(BUCKET).key("a").tagging(tagging).send().await.unwrap();
    client.delete_object_tagging().bucket(BUCKET).key("a").send().await.unwrap();
    client.delete_object().bucket(BUCKET).key("a").send().await.unwrap();
    client.delete_object().bucket(BUCKET).key("not there").send().await.unwrap();
    let b = ObjectIdentifier::builder().key("b").build().unwrap();
    let delete = Delete::builder().objects(b).build().unwrap();
    client.delete_objects().bucket(BUCKET).delete(delete).send().await.unwrap();
    let events = fixture.new_events();
    assert_eq!(
        summary(&events)[2..],
        [
            ("Object Tags Added", "a", ""),
            ("Object Tags Deleted", "a", ""),
            ("Object Deleted", "a", "DeleteObject"),
            ("Object Deleted", "b", "DeleteObject"),
        ]
    );
    assert_eq!(
        events[2]["detail"]["object"],
        json!({"key": "a", "etag": "9dd4e461268c8034f5c8564e155c67a6"})
    );
    assert_eq!(events[4]["detail"]["deletion-type"], "Permanently Deleted");
}

#[tokio::test]
async fn a_service_in_this_process_announces_as_who_it_is() {
    let mut fixture = Fixture::new().await;
    fixture.s3.put(BUCKET, "exports/x.zip", "zip", "gameliftstreams.amazonaws.com").await.unwrap();
    let [event] = fixture.new_events().try_into().unwrap();
    assert_eq!(event["detail"]["requester"], "gameliftstreams.amazonaws.com");
    assert_eq!(event["detail"]["reason"], "PutObject");
    assert_eq!(event["detail"]["object"]["size"], 3);
}

#[tokio::test]
async fn sequencers_of_a_key_grow_as_text() {
    let mut fixture = Fixture::new().await;
    for _ in 0..50 {
        fixture.s3.put(BUCKET, "a", "x", "test").await.unwrap();
    }
    let events = fixture.new_events();
    let sequencers: Vec<_> =
        events.iter().filter_map(|it| it["detail"]["object"]["sequencer"].as_str()).collect();
    assert_eq!(sequencers.len(), 50);
    assert!(sequencers.is_sorted_by(|one, next| one < next));
}

#[tokio::test]
async fn what_is_refused_or_has_eventbridge_off_is_not_announced() {
    let mut fixture = Fixture::new().await;
    fixture.s3.create_bucket("quiet", BucketOptions::default()).await.unwrap();
    fixture.s3.put("quiet", "a", "x", "test").await.unwrap();
    let put = fixture.client.put_object().bucket(BUCKET).key("a").body(Bytes::from("x").into());
    put.if_match("\"x\"").send().await.unwrap_err();
    assert_eq!(fixture.new_events(), Vec::<Value>::new());
}
