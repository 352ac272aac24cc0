//! S3 as the AWS SDK for Rust sees it, over HTTP.

mod access;
mod buckets;
mod events;
mod faults;
mod foreign;
mod listing;
mod multipart;
mod reading;
mod storage;
mod tagging;
mod wire;
mod writing;

use std::fmt::Debug;
use std::path::PathBuf;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use bytes::Bytes;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedReceiver;

use super::{BucketOptions, Endpoint, S3};
use crate::account::{Account, EventSender};
use crate::iam::Iam;

/// The bucket that each fixture has; its events go to EventBridge.
const BUCKET: &str = "captures";

/// An S3 with one bucket, and a client of it.
struct Fixture {
    s3: S3,
    client: Client,
    endpoint: Endpoint,
    events: UnboundedReceiver<Value>,
    /// Holds nothing but `root`, so that a test can see whether anything left it.
    folder: TempDir,
}

impl Fixture {
    async fn new() -> Self {
        Self::with(Iam::default()).await
    }

    async fn with(iam: Iam) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (sender, events) = EventSender::new(Account::default());
        let s3 = S3::new(&folder.path().join("root"), Account::default(), sender).unwrap();
        let s3 = s3.with_policies(iam);
        let options = BucketOptions { eventbridge: true, ..BucketOptions::default() };
        s3.create_bucket(BUCKET, options).await.unwrap();
        s3.allow("AKIDTESTS", "secret");
        let endpoint = s3.serve().await.unwrap();
        let client = Client::from_conf(config("AKIDTESTS", "secret", endpoint.url()).build());
        Self { s3, client, endpoint, events, folder }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    /// A client with other credentials.
    fn client_of(&self, access_key_id: &str, secret: &str) -> Client {
        Client::from_conf(config(access_key_id, secret, self.endpoint.url()).build())
    }

    /// Writes an object over HTTP, and returns its `ETag` with quotes.
    async fn put(&self, key: &str, content: impl Into<Bytes>) -> String {
        let put = self.client.put_object().bucket(BUCKET).key(key).body(content.into().into());
        put.send().await.unwrap().e_tag.unwrap()
    }

    /// Reads an object over HTTP.
    async fn get(&self, key: &str) -> Bytes {
        let got = self.client.get_object().bucket(BUCKET).key(key).send().await.unwrap();
        got.body.collect().await.unwrap().into_bytes()
    }

    /// The events since the last call.
    fn new_events(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.events.try_recv().ok()).collect()
    }
}

fn config(access_key_id: &str, secret: &str, url: &str) -> Builder {
    aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .region(Region::new("us-west-2"))
        .credentials_provider(Credentials::new(access_key_id, secret, None, None, "tests"))
        .retry_config(RetryConfig::disabled())
        .endpoint_url(url)
}

/// The status and S3's error code of a request that has to fail. An answer to HEAD has no body, and so no code.
fn refusal<T: Debug, E: ProvideErrorMetadata + Debug>(result: Result<T, SdkError<E>>) -> (u16, String) {
    let error = result.expect_err("the request has to fail");
    let status = error.raw_response().expect("an answer").status().as_u16();
    (status, error.code().unwrap_or_default().to_owned())
}

/// What [`refusal`] has to be.
fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}
