//! The roles for people: who may see records and reports, and who may open the files of sessions.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;

use support::Cloud;
use support::clients::s3_client;
use support::exports::crashed;

const RECORD: &str = "index/v1/dt=2026-11-23/a-9ZY8X7Wv6/sg-1AB2C3De4/ABC123def4567.json";
const EXPORT: &str = "exports/a-9ZY8X7Wv6/sg-1AB2C3De4/2026-11-23/ABC123def4567.zip";

/// A cloud in which a crash was captured.
async fn cloud() -> Cloud {
    let cloud = Cloud::start().await;
    cloud.s3.put(&cloud.bucket, EXPORT, crashed(0), "111122223333").await.unwrap();
    cloud.bus.settled().await;
    cloud
}

/// `None` if it is read, else the error's code.
async fn read(client: &Client, cloud: &Cloud, key: &str) -> Option<String> {
    let answer = client.get_object().bucket(&cloud.bucket).key(key).send().await;
    answer.err().map(|error| error.code().unwrap().to_owned())
}

async fn write(client: &Client, cloud: &Cloud, key: &str) -> Option<String> {
    let answer = client.put_object().bucket(&cloud.bucket).key(key).body(b"{}".to_vec().into()).send().await;
    answer.err().map(|error| error.code().unwrap().to_owned())
}

#[tokio::test]
async fn who_reads_records_gets_no_file_of_a_session() {
    let cloud = cloud().await;
    cloud.will_refuse("s3:GetObject");
    let client = s3_client(&cloud.assume("RecordReaderRole").unwrap());
    assert_eq!(read(&client, &cloud, RECORD).await, None);
    assert_eq!(read(&client, &cloud, EXPORT).await.as_deref(), Some("AccessDenied"));
    // What is not there is not denied: lists show the names.
    assert_eq!(read(&client, &cloud, "reports/none.html").await.as_deref(), Some("NoSuchKey"));
}

#[tokio::test]
async fn who_reads_files_gets_records_too() {
    let cloud = cloud().await;
    let client = s3_client(&cloud.assume("FileReaderRole").unwrap());
    for key in [RECORD, EXPORT] {
        assert_eq!(read(&client, &cloud, key).await, None, "{key}");
    }
}

#[tokio::test]
async fn no_reader_changes_what_was_captured() {
    let cloud = cloud().await;
    for action in ["s3:PutObject", "s3:DeleteObject", "s3:PutObjectTagging"] {
        cloud.will_refuse(action);
    }
    let before = cloud.contents().await;
    for role in ["RecordReaderRole", "FileReaderRole"] {
        let client = s3_client(&cloud.assume(role).unwrap());
        for key in [RECORD, EXPORT, "reindex/x.json", "open/x.json", "signatures/x.json", "state/x.json"] {
            assert_eq!(write(&client, &cloud, key).await.as_deref(), Some("AccessDenied"), "{role}: {key}");
        }
        let deleted = client.delete_object().bucket(&cloud.bucket).key(EXPORT).send().await;
        assert_eq!(deleted.unwrap_err().code(), Some("AccessDenied"));
        let tags = aws_sdk_s3::types::Tagging::builder().set_tag_set(Some(Vec::new())).build().unwrap();
        let tagged = client.put_object_tagging().bucket(&cloud.bucket).key(EXPORT).tagging(tags).send().await;
        assert_eq!(tagged.unwrap_err().code(), Some("AccessDenied"));
    }
    assert_eq!(cloud.contents().await, before);
}

#[tokio::test]
async fn nobody_gets_into_the_role_of_a_function() {
    let cloud = Cloud::start().await;
    cloud.will_refuse("sts:AssumeRole");
    for role in ["StartExportRole", "IndexExportRole"] {
        let denied = cloud.assume(role).unwrap_err();
        assert_eq!(denied.action, "sts:AssumeRole");
    }
}
