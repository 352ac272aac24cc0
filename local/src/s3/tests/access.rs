use std::time::{Duration, SystemTime};

use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::presigning::PresigningConfig;
use bytes::Bytes;

use super::wire::http_get;
use super::{BUCKET, Fixture, config, refusal, refused};

#[tokio::test]
async fn each_caller_has_a_key_of_its_own() {
    let fixture = Fixture::new().await;
    fixture.put("a", "hello").await;
    fixture.s3.allow("AKIDINDEXER", "other secret");
    let get =
        |id: &str, secret: &str| fixture.client_of(id, secret).get_object().bucket(BUCKET).key("a").send();
    get("AKIDINDEXER", "other secret").await.unwrap();
    assert_eq!(refusal(get("AKIDINDEXER", "secret").await), refused(403, "SignatureDoesNotMatch"));
    assert_eq!(refusal(get("AKIDNOBODY", "secret").await), refused(403, "InvalidAccessKeyId"));
    let log = fixture.s3.access_log().entries();
    let callers: Vec<_> = log.iter().filter_map(|entry| entry.access_key_id.as_deref()).collect();
    assert_eq!(callers, ["AKIDTESTS", "AKIDINDEXER", "AKIDINDEXER", "AKIDNOBODY"]);
    assert_eq!(log[3].error_code.as_deref(), Some("InvalidAccessKeyId"));
    assert_eq!((log[3].operation.as_str(), log[3].key.as_deref()), ("REST.GET.OBJECT", Some("a")));
}

#[tokio::test]
async fn nobody_comes_in_without_a_signature_or_to_somebody_elses_bucket() {
    let fixture = Fixture::new().await;
    fixture.put("a", "hello").await;
    let (status, body) = http_get(&format!("{}/{BUCKET}/a", fixture.endpoint.url())).await;
    assert!(status == 403 && body.contains("<Code>AccessDenied</Code>"), "{status} {body}");
    let theirs = fixture.client.get_object().bucket(BUCKET).key("a").expected_bucket_owner("444455556666");
    assert_eq!(refusal(theirs.send().await), refused(403, "AccessDenied"));
    let ours = fixture.client.get_object().bucket(BUCKET).key("a").expected_bucket_owner("111122223333");
    ours.send().await.unwrap();
}

#[tokio::test]
async fn a_presigned_url_opens_one_object_for_a_while() {
    let fixture = Fixture::new().await;
    fixture.put("a b/ü", "hello").await;
    let presign = async |start: SystemTime| {
        let config =
            PresigningConfig::builder().start_time(start).expires_in(Duration::from_mins(1)).build().unwrap();
        let presigned =
            fixture.client.get_object().bucket(BUCKET).key("a b/ü").presigned(config).await.unwrap();
        presigned.uri().to_owned()
    };
    let url = presign(SystemTime::now()).await;
    assert_eq!(http_get(&url).await, (200, "hello".to_owned()));
    let (status, body) = http_get(&url.replace("/a%20b/", "/a%20c/")).await;
    assert!(status == 403 && body.contains("<Code>SignatureDoesNotMatch</Code>"), "{status} {body}");
    let (status, body) = http_get(&presign(SystemTime::now() - Duration::from_secs(61)).await).await;
    assert!(status == 403 && body.contains("<Code>AccessDenied</Code>"), "{status} {body}");
    let log = fixture.s3.access_log().entries();
    assert!(log.iter().all(|entry| entry.access_key_id.as_deref() == Some("AKIDTESTS")));
}

#[tokio::test]
async fn the_log_counts_the_bytes_of_each_request() {
    let fixture = Fixture::new().await;
    let plain = config("AKIDTESTS", "secret", fixture.endpoint.url())
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
    let plain = aws_sdk_s3::Client::from_conf(plain.build());
    let content = Bytes::from(vec![b'x'; 1_000_000]);
    plain.put_object().bucket(BUCKET).key("a").body(content.into()).send().await.unwrap();
    let mark = fixture.s3.access_log().mark();
    fixture.get("a").await;
    let tail =
        fixture.client.get_object().bucket(BUCKET).key("a").range("bytes=-70000").send().await.unwrap();
    tail.body.collect().await.unwrap();
    fixture.client.head_object().bucket(BUCKET).key("a").send().await.unwrap();
    fixture.client.get_object().bucket(BUCKET).key("b").send().await.unwrap_err();

    let log = fixture.s3.access_log().entries();
    assert_eq!(
        (log[0].operation.as_str(), log[0].bytes_received, log[0].bytes_sent),
        ("PutObject", 1_000_000, 0)
    );
    let log = fixture.s3.access_log().since(mark);
    let operations: Vec<_> = log.iter().map(|entry| (entry.operation.as_str(), entry.status)).collect();
    let expected = [("GetObject", 200), ("GetObject", 206), ("HeadObject", 200), ("GetObject", 404)];
    assert_eq!(operations, expected.map(|(operation, status)| (operation, Some(status))));
    assert_eq!(log[0].bytes_sent, 1_000_000);
    assert_eq!((log[1].bytes_sent, log[1].range.as_deref()), (70_000, Some("bytes=-70000")));
    assert_eq!(log[2].bytes_sent, 0);
    assert_eq!((log[3].error_code.as_deref(), log[3].key.as_deref()), (Some("NoSuchKey"), Some("b")));
    assert!(log.iter().all(|entry| entry.bucket.as_deref() == Some(BUCKET) && entry.bytes_received == 0));
}

#[tokio::test]
async fn a_dropped_endpoint_stops_serving() {
    let fixture = Fixture::new().await;
    fixture.put("a", "hello").await;
    drop(fixture.endpoint);
    let get = async || fixture.client.get_object().bucket(BUCKET).key("a").send().await;
    // The abort takes effect when the runtime comes round to it.
    tokio::time::timeout(Duration::from_secs(10), async { while get().await.is_ok() {} }).await.unwrap();
}
