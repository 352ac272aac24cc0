use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, Delete, MetadataDirective, ObjectIdentifier, TaggingDirective};
use bytes::Bytes;

use super::wire::file;
use super::{BUCKET, Fixture, refusal, refused};

#[tokio::test]
async fn create_only_writes_do_not_replace() {
    let fixture = Fixture::new().await;
    let create = |content: &'static str| {
        let put = fixture.client.put_object().bucket(BUCKET).key("a").body(Bytes::from(content).into());
        put.if_none_match("*").send()
    };
    create("first").await.unwrap();
    assert_eq!(refusal(create("second").await), refused(412, "PreconditionFailed"));
    assert_eq!(fixture.get("a").await, "first");
    let by_etag = fixture.client.put_object().bucket(BUCKET).key("a").if_none_match("\"x\"").send().await;
    assert_eq!(refusal(by_etag), refused(501, "NotImplemented"));
}

#[tokio::test]
async fn a_write_with_if_match_replaces_that_object_only() {
    let fixture = Fixture::new().await;
    let put = |if_match: &str| {
        let put = fixture.client.put_object().bucket(BUCKET).key("a").body(Bytes::from("new").into());
        put.if_match(if_match).send()
    };
    assert_eq!(refusal(put("\"x\"").await), refused(404, "NoSuchKey"));
    let etag = fixture.put("a", "old").await;
    assert_eq!(refusal(put("\"x\"").await), refused(412, "PreconditionFailed"));
    assert_eq!(fixture.get("a").await, "old");
    put(&etag).await.unwrap();
    assert_eq!(fixture.get("a").await, "new");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_concurrent_conditional_writes_one_wins() {
    let fixture = Fixture::new().await;
    for round in 0..20 {
        let key = format!("create/{round}");
        let writers = (0..8).map(|n| {
            let put =
                fixture.client.put_object().bucket(BUCKET).key(&key).body(Bytes::from(n.to_string()).into());
            tokio::spawn(put.if_none_match("*").send())
        });
        assert_eq!(winners(writers.collect()).await, 1, "If-None-Match");

        let etag = fixture.put(&key, "start").await;
        let writers = (0..8).map(|n| {
            let put =
                fixture.client.put_object().bucket(BUCKET).key(&key).body(Bytes::from(n.to_string()).into());
            tokio::spawn(put.if_match(&etag).send())
        });
        assert_eq!(winners(writers.collect()).await, 1, "If-Match");
    }
}

async fn winners<T, E>(writers: Vec<tokio::task::JoinHandle<Result<T, E>>>) -> usize {
    let mut winners = 0;
    for writer in writers {
        winners += usize::from(writer.await.unwrap().is_ok());
    }
    winners
}

#[tokio::test]
async fn checksums_of_all_kinds_are_computed_from_what_arrived() {
    let fixture = Fixture::new().await;
    let file = file("hello");
    for streamed in [false, true] {
        let put = async |algorithm: ChecksumAlgorithm| {
            let body = if streamed {
                ByteStream::from_path(file.path()).await.unwrap()
            } else {
                ByteStream::from_static(b"hello")
            };
            let put = fixture.client.put_object().bucket(BUCKET).key("a").body(body);
            put.checksum_algorithm(algorithm).send().await.unwrap()
        };
        assert_eq!(put(ChecksumAlgorithm::Crc32).await.checksum_crc32(), Some("NhCmhg=="));
        assert_eq!(put(ChecksumAlgorithm::Crc32C).await.checksum_crc32_c(), Some("mnG7TA=="));
        assert_eq!(put(ChecksumAlgorithm::Crc64Nvme).await.checksum_crc64_nvme(), Some("M3eFcAZSQlc="));
        assert_eq!(put(ChecksumAlgorithm::Sha1).await.checksum_sha1(), Some("qvTGHdzF6KLavt4PO0gs2a6pQ00="));
        let sha256 = put(ChecksumAlgorithm::Sha256).await.checksum_sha256;
        assert_eq!(sha256.as_deref(), Some("LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="));
    }
    assert_eq!(fixture.get("a").await, "hello");
}

#[tokio::test]
async fn a_wrong_checksum_is_a_bad_digest_and_nothing_is_written() {
    let fixture = Fixture::new().await;
    let put = || fixture.client.put_object().bucket(BUCKET).key("a").body(Bytes::from("hello").into());
    let bad = refused(400, "BadDigest");
    assert_eq!(refusal(put().checksum_crc32("AAAAAA==").send().await), bad);
    assert_eq!(refusal(put().checksum_crc32_c("AAAAAA==").send().await), bad);
    assert_eq!(refusal(put().checksum_crc64_nvme("AAAAAAAAAAA=").send().await), bad);
    assert_eq!(refusal(put().checksum_sha1("AAAAAAAAAAAAAAAAAAAAAAAAAAA=").send().await), bad);
    assert_eq!(
        refusal(put().checksum_sha256("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=").send().await),
        bad
    );
    assert_eq!(refusal(put().content_md5("1B2M2Y8AsgTpgAmY7PhCfg==").send().await), bad);
    assert_eq!(refusal(put().content_md5("no MD5").send().await), refused(400, "InvalidDigest"));
    assert_eq!(refusal(put().checksum_crc32("AAAA").send().await), refused(400, "InvalidRequest"));
    let two = put().checksum_crc32("NhCmhg==").checksum_crc32_c("mnG7TA==").send().await;
    assert_eq!(refusal(two), refused(400, "InvalidRequest"));
    assert!(fixture.s3.object(BUCKET, "a").is_none());
    put().checksum_crc32("NhCmhg==").content_md5("XUFAKrxLKna5cZ2REBfFkg==").send().await.unwrap();
}

#[tokio::test]
async fn a_copy_takes_headers_and_tags_along_unless_told_otherwise() {
    let fixture = Fixture::new().await;
    let put = fixture.client.put_object().bucket(BUCKET).key("a b/ü").body(Bytes::from("hello").into());
    put.content_type("text/plain").tagging("a=1").send().await.unwrap();
    let source = format!("{BUCKET}/a%20b/%C3%BC");
    let copy = |key: &str| fixture.client.copy_object().bucket(BUCKET).key(key).copy_source(&source);
    let etag = copy("same").send().await.unwrap().copy_object_result.unwrap().e_tag;
    assert_eq!(etag.as_deref(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    let same = fixture.s3.object(BUCKET, "same").unwrap();
    assert_eq!((same.headers.content_type.as_deref(), same.tags.len()), (Some("text/plain"), 1));
    let new = copy("new").metadata_directive(MetadataDirective::Replace).content_type("text/html");
    new.tagging_directive(TaggingDirective::Replace).tagging("b=1&c=2").send().await.unwrap();
    let new = fixture.s3.object(BUCKET, "new").unwrap();
    assert_eq!((new.headers.content_type.as_deref(), new.tags.len()), (Some("text/html"), 2));
    assert_eq!(fixture.get("new").await, "hello");
}

#[tokio::test]
async fn a_copy_onto_itself_or_of_nothing_is_refused() {
    let fixture = Fixture::new().await;
    fixture.put("a", "hello").await;
    let copy = |from: &str, to: &str| {
        fixture.client.copy_object().bucket(BUCKET).key(to).copy_source(format!("{BUCKET}/{from}"))
    };
    assert_eq!(refusal(copy("a", "a").send().await), refused(400, "InvalidRequest"));
    assert_eq!(refusal(copy("b", "c").send().await), refused(404, "NoSuchKey"));
    let other = copy("a", "c").copy_source_if_match("\"x\"").send().await;
    assert_eq!(refusal(other), refused(412, "PreconditionFailed"));
}

#[tokio::test]
async fn deleting_succeeds_whether_or_not_there_is_an_object() {
    let fixture = Fixture::new().await;
    fixture.put("a", "hello").await;
    for _ in 0..2 {
        fixture.client.delete_object().bucket(BUCKET).key("a").send().await.unwrap();
        assert!(fixture.s3.object(BUCKET, "a").is_none());
    }
    let got = fixture.client.get_object().bucket(BUCKET).key("a").send().await;
    assert_eq!(refusal(got), refused(404, "NoSuchKey"));
}

#[tokio::test]
async fn many_keys_are_deleted_each_by_itself() {
    let fixture = Fixture::new().await;
    let etag = fixture.put("a", "hello").await;
    fixture.put("b", "hello").await;
    let key = |key: &str| ObjectIdentifier::builder().key(key);
    let objects = [key("a").e_tag(etag), key("b").e_tag("\"x\""), key("c")];
    let objects = objects.into_iter().map(|object| object.build().unwrap()).collect();
    let delete = Delete::builder().set_objects(Some(objects)).build().unwrap();
    let answer = fixture.client.delete_objects().bucket(BUCKET).delete(delete).send().await.unwrap();
    let deleted: Vec<_> = answer.deleted().iter().filter_map(|object| object.key()).collect();
    assert_eq!(deleted, ["a", "c"]);
    assert_eq!(
        (answer.errors()[0].key(), answer.errors()[0].code()),
        (Some("b"), Some("PreconditionFailed"))
    );
    assert_eq!(fixture.s3.list(BUCKET, "").await.unwrap().len(), 1);
}
