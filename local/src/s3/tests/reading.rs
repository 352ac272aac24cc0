use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType};
use bytes::Bytes;

use super::{BUCKET, Fixture, refusal, refused};

async fn get_range(
    fixture: &Fixture,
    key: &str,
    range: &str,
) -> Result<GetObjectOutput, SdkError<GetObjectError>> {
    fixture.client.get_object().bucket(BUCKET).key(key).range(range).send().await
}

#[tokio::test]
async fn an_object_comes_back_with_all_that_its_writer_said() {
    let fixture = Fixture::new().await;
    let put =
        fixture.client.put_object().bucket(BUCKET).key("a/b c+ü.txt").body(Bytes::from("0123456789").into());
    put.content_type("text/plain")
        .content_disposition("attachment")
        .cache_control("no-cache")
        .content_language("en")
        .content_encoding("gzip")
        .metadata("Build", "42")
        .tagging("a=1&b=2")
        .send()
        .await
        .unwrap();
    let got = fixture.client.get_object().bucket(BUCKET).key("a/b c+ü.txt").send().await.unwrap();
    assert_eq!(got.content_type(), Some("text/plain"));
    assert_eq!(got.content_disposition(), Some("attachment"));
    assert_eq!(got.cache_control(), Some("no-cache"));
    assert_eq!(got.content_language(), Some("en"));
    // Not `aws-chunked`, which the SDK sent as well.
    assert_eq!(got.content_encoding(), Some("gzip"));
    assert_eq!(got.metadata().unwrap()["build"], "42");
    assert_eq!(got.tag_count(), Some(2));
    assert_eq!(got.content_length(), Some(10));
    assert_eq!(got.e_tag(), Some("\"781e5e245d69b566979b86e28d23f2c7\""));
    assert_eq!(got.accept_ranges(), Some("bytes"));
    assert_eq!(got.body.collect().await.unwrap().into_bytes(), "0123456789");
}

#[tokio::test]
async fn head_says_what_get_would() {
    let fixture = Fixture::new().await;
    let etag = fixture.put("a", "0123456789").await;
    let head = fixture.client.head_object().bucket(BUCKET).key("a").send().await.unwrap();
    assert_eq!((head.content_length(), head.e_tag()), (Some(10), Some(etag.as_str())));
    let part = fixture.client.head_object().bucket(BUCKET).key("a").range("bytes=-3").send().await.unwrap();
    assert_eq!((part.content_length(), part.content_range()), (Some(3), Some("bytes 7-9/10")));
    assert_eq!(fixture.s3.access_log().entries().last().unwrap().status, Some(206));
    let missing = fixture.client.head_object().bucket(BUCKET).key("b").send().await;
    assert_eq!(refusal(missing), refused(404, "NotFound"));
}

#[tokio::test]
async fn content_of_no_known_type_is_binary() {
    let fixture = Fixture::new().await;
    fixture.s3.put(BUCKET, "a", "x", "test").await.unwrap();
    let head = fixture.client.head_object().bucket(BUCKET).key("a").send().await.unwrap();
    assert_eq!(head.content_type(), Some("binary/octet-stream"));
}

#[tokio::test]
async fn a_range_is_206_with_the_place_of_its_bytes() {
    let fixture = Fixture::new().await;
    fixture.put("a", "0123456789").await;
    for (range, content, place) in [
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=5-", "56789", "bytes 5-9/10"),
        ("bytes=9-99", "9", "bytes 9-9/10"),
        ("bytes=-3", "789", "bytes 7-9/10"),
        // A suffix range longer than the object is all of it.
        ("bytes=-500", "0123456789", "bytes 0-9/10"),
    ] {
        let got = get_range(&fixture, "a", range).await.unwrap();
        assert_eq!(got.content_range(), Some(place), "{range}");
        assert_eq!(got.body.collect().await.unwrap().into_bytes(), content, "{range}");
    }
    let log = fixture.s3.access_log().entries();
    assert_eq!(log.last().unwrap().status, Some(206));
}

#[tokio::test]
async fn a_range_without_a_byte_of_the_object_is_416() {
    let fixture = Fixture::new().await;
    fixture.put("a", "0123456789").await;
    fixture.put("empty", "").await;
    for (key, range) in [("a", "bytes=10-"), ("a", "bytes=-0"), ("empty", "bytes=0-"), ("empty", "bytes=-0")]
    {
        let got = get_range(&fixture, key, range).await;
        assert_eq!(refusal(got), refused(416, "InvalidRange"), "{key} {range}");
    }
}

#[tokio::test]
async fn the_last_bytes_of_an_empty_object_are_all_of_it() {
    let fixture = Fixture::new().await;
    fixture.put("empty", "").await;
    let got = get_range(&fixture, "empty", "bytes=-5").await.unwrap();
    assert_eq!((got.content_length(), got.content_range()), (Some(0), None));
    assert_eq!(fixture.s3.access_log().entries().last().unwrap().status, Some(200));
}

#[tokio::test]
async fn if_match_comes_before_the_range() {
    let fixture = Fixture::new().await;
    let etag = fixture.put("a", "0123456789").await;
    let get = |if_match: &str| fixture.client.get_object().bucket(BUCKET).key("a").if_match(if_match);
    get(&etag).send().await.unwrap();
    get("*").send().await.unwrap();
    let changed = refused(412, "PreconditionFailed");
    assert_eq!(refusal(get("\"other\"").send().await), changed);
    assert_eq!(refusal(get("\"other\"").range("bytes=10-").send().await), changed);
    let missing = fixture.client.get_object().bucket(BUCKET).key("b").if_match(etag).send().await;
    assert_eq!(refusal(missing), refused(404, "NoSuchKey"));
}

#[tokio::test]
async fn a_reader_that_has_the_object_already_gets_304_without_a_body() {
    let fixture = Fixture::new().await;
    let etag = fixture.put("a", "0123456789").await;
    let get = || fixture.client.get_object().bucket(BUCKET).key("a");
    let unchanged = get().if_none_match(&etag).send().await.expect_err("not modified");
    let answer = unchanged.raw_response().unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers().get("etag")), (304, Some(etag.as_str())));
    assert_eq!(fixture.s3.access_log().entries().last().unwrap().bytes_sent, 0);
    get().if_none_match("\"other\"").send().await.unwrap();

    let modified = get().send().await.unwrap().last_modified.unwrap();
    assert_eq!(refusal(get().if_modified_since(modified).send().await).0, 304);
    let before = DateTime::from_secs(modified.secs() - 1);
    get().if_modified_since(before).send().await.unwrap();
    assert_eq!(refusal(get().if_unmodified_since(before).send().await), refused(412, "PreconditionFailed"));
    // The ETag decides where there are both.
    get().if_match(&etag).if_unmodified_since(before).send().await.unwrap();
}

#[tokio::test]
async fn a_checksum_comes_with_the_whole_object_alone() {
    let fixture = Fixture::new().await;
    fixture.put("a", "hello").await;
    let get = || fixture.client.get_object().bucket(BUCKET).key("a").checksum_mode(ChecksumMode::Enabled);
    let whole = get().send().await.unwrap();
    assert_eq!(whole.checksum_crc32(), Some("NhCmhg=="));
    assert_eq!(whole.checksum_type(), Some(&ChecksumType::FullObject));
    assert_eq!(get().range("bytes=0-1").send().await.unwrap().checksum_crc32(), None);
}

#[tokio::test]
async fn an_overwrite_does_not_disturb_a_get_in_flight() {
    let fixture = Fixture::new().await;
    // More than the sockets' buffers hold.
    let size = 48 * 1024 * 1024;
    fixture.s3.put(BUCKET, "a", vec![b'1'; size], "test").await.unwrap();
    let mut got = fixture.client.get_object().bucket(BUCKET).key("a").send().await.unwrap();
    let mut read = got.body.next().await.unwrap().unwrap().len();
    fixture.put("a", "2").await;
    fixture.client.delete_object().bucket(BUCKET).key("a").send().await.unwrap();
    while let Some(piece) = got.body.next().await {
        let piece = piece.unwrap();
        assert!(piece.iter().all(|byte| *byte == b'1'));
        read += piece.len();
    }
    assert_eq!(read, size);
}
