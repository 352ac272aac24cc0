use std::time::{Duration, SystemTime};

use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::{Delete, ObjectIdentifier, Tagging};
use bytes::Bytes;

use super::super::permissions::{bucket_arn, object_arn};
use super::wire::http_get;
use super::{BUCKET, Fixture, config, refusal, refused};
use crate::iam::{Attachment, Effect, Holder, Iam, Principal, StatementParts};

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

/// A client of a role that may do these actions on these resources of the bucket, which are keys, or nothing for the bucket
/// itself.
async fn role(grants: &[(&str, &str)]) -> (Fixture, aws_sdk_s3::Client, Iam) {
    const ROLE: &str = "arn:aws:iam::111122223333:role/indexer";
    let statements = grants.iter().flat_map(|(action, key)| {
        let resource = if key.is_empty() { bucket_arn(BUCKET) } else { object_arn(BUCKET, key) };
        let parts = StatementParts {
            policy: "Role".into(),
            statement: "It".into(),
            effect: Effect::Allow,
            principals: None,
            actions: (false, vec![(*action).to_owned()]),
            resources: Some((false, vec![resource])),
            conditions: Vec::new(),
        };
        parts.take_apart().unwrap()
    });
    let holder = Holder::Role(ROLE.into());
    let iam = Iam::new(
        statements.map(|statement| Attachment { holder: holder.clone(), statement }).collect(),
        false,
    );
    iam.know("AKIDROLE", Principal::Role { role: ROLE.into(), session: "indexer".into() });
    let fixture = Fixture::with(iam.clone()).await;
    fixture.s3.allow("AKIDROLE", "secret");
    let client = fixture.client_of("AKIDROLE", "secret");
    (fixture, client, iam)
}

/// The actions that were refused since the last call.
fn refused_actions(iam: &Iam, known: &mut usize) -> Vec<String> {
    let refusals = iam.ledger().refusals;
    let new = refusals.iter().skip(std::mem::replace(known, refusals.len()));
    new.map(|refusal| refusal.denied.action.clone()).collect()
}

#[tokio::test]
async fn an_object_that_is_not_there_is_told_to_those_who_may_list() {
    let all = [("s3:GetObject*", "*"), ("s3:PutObject*", "*"), ("s3:DeleteObject*", "*")];
    for may_list in [true, false] {
        let grants: Vec<_> = all.into_iter().chain(may_list.then_some(("s3:ListBucket", ""))).collect();
        let (_fixture, client, _iam) = role(&grants).await;
        let expected = if may_list { refused(404, "NoSuchKey") } else { refused(403, "AccessDenied") };
        let get = client.get_object().bucket(BUCKET).key("a").send().await;
        assert_eq!(refusal(get), expected);
        let head = client.head_object().bucket(BUCKET).key("a").send().await;
        assert_eq!(refusal(head).0, expected.0);
        let tags = client.get_object_tagging().bucket(BUCKET).key("a").send().await;
        assert_eq!(refusal(tags), expected);
        let tagging = Tagging::builder().set_tag_set(Some(Vec::new())).build().unwrap();
        let tags = client.put_object_tagging().bucket(BUCKET).key("a").tagging(tagging).send().await;
        assert_eq!(refusal(tags), expected);
        let replace = client.put_object().bucket(BUCKET).key("a").if_match("\"e\"").send().await;
        assert_eq!(refusal(replace), expected);
        let copy =
            client.copy_object().bucket(BUCKET).key("b").copy_source(format!("{BUCKET}/a")).send().await;
        assert_eq!(refusal(copy), expected);
        // These do not ask whether there is one.
        client.delete_object().bucket(BUCKET).key("a").send().await.unwrap();
        client.put_object().bucket(BUCKET).key("a").if_none_match("*").send().await.unwrap();
        client.get_object().bucket(BUCKET).key("a").send().await.unwrap();
    }
}

#[tokio::test]
async fn each_operation_takes_the_actions_that_it_takes_on_aws() {
    let (fixture, client, iam) = role(&[("s3:PutObject", "mine/*"), ("s3:GetObject", "mine/b")]).await;
    fixture.put("a", "hello").await;
    let mut known = 0;
    macro_rules! takes {
        ($operation:ident $(.$setter:ident($value:expr))* => $($action:expr),+) => {{
            let result = client.$operation()$(.$setter($value))*.send().await;
            assert_eq!(refusal(result).0, 403);
            assert_eq!(refused_actions(&iam, &mut known), [$($action),+]);
        }};
    }
    takes!(get_object.bucket(BUCKET).key("a") => "s3:GetObject");
    takes!(get_object.bucket(BUCKET).key("a").version_id("v") => "s3:GetObjectVersion");
    takes!(get_object_tagging.bucket(BUCKET).key("a") => "s3:GetObjectTagging");
    takes!(get_object_tagging.bucket(BUCKET).key("a").version_id("v") => "s3:GetObjectVersionTagging");
    takes!(delete_object_tagging.bucket(BUCKET).key("a") => "s3:DeleteObjectTagging");
    takes!(put_object.bucket(BUCKET).key("a") => "s3:PutObject");
    takes!(put_object.bucket(BUCKET).key("mine/a").tagging("a=b") => "s3:PutObjectTagging");
    takes!(put_object.bucket(BUCKET).key("mine/a").if_match("\"e\"") => "s3:GetObject");
    takes!(copy_object.bucket(BUCKET).key("mine/c").copy_source(format!("{BUCKET}/x")) => "s3:GetObject");
    takes!(delete_object.bucket(BUCKET).key("a") => "s3:DeleteObject");
    takes!(create_multipart_upload.bucket(BUCKET).key("b") => "s3:PutObject");
    takes!(abort_multipart_upload.bucket(BUCKET).key("b").upload_id("u") => "s3:AbortMultipartUpload");
    takes!(list_parts.bucket(BUCKET).key("b").upload_id("u") => "s3:ListMultipartUploadParts");
    takes!(list_objects_v2.bucket(BUCKET) => "s3:ListBucket");
    takes!(list_buckets => "s3:ListAllMyBuckets");
    takes!(create_bucket.bucket("another") => "s3:CreateBucket");
    client.put_object().bucket(BUCKET).key("mine/a").send().await.unwrap();
    assert!(refused_actions(&iam, &mut known).is_empty());
}

#[tokio::test]
async fn a_deletion_of_many_keys_takes_the_permission_for_each() {
    let (_fixture, client, iam) = role(&[("s3:DeleteObject", "open/*")]).await;
    let delete = async |keys: &[&str]| {
        let keys = keys.iter().map(|key| ObjectIdentifier::builder().key(*key).build().unwrap());
        let keys = Delete::builder().set_objects(Some(keys.collect())).build().unwrap();
        client.delete_objects().bucket(BUCKET).delete(keys).send().await
    };
    delete(&["open/a", "open/b"]).await.unwrap();
    assert_eq!(refusal(delete(&["open/a", "index/b"]).await), refused(403, "AccessDenied"));
    let resources: Vec<_> = iam.ledger().refusals.into_iter().map(|it| it.denied.resource).collect();
    assert_eq!(resources, [object_arn(BUCKET, "index/b")]);
}
