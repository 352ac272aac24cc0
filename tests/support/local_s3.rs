//! The library's own store on a local S3, for what no handler can be made to do at a given moment.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test file uses its part")]

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_smithy_http_client::Builder as HttpClient;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use crash_capture::store::Store;
use crash_capture_local::account::{Account, EventSender};
use crash_capture_local::s3::{BucketOptions, Endpoint, S3};

pub(crate) const BUCKET: &str = "captures";

/// A local S3 with a bucket, and clients of it.
pub(crate) struct LocalS3 {
    pub(crate) s3: S3,
    pub(crate) client: Client,
    pub(crate) store: Store,
    _folder: tempfile::TempDir,
    _endpoint: Endpoint,
}

impl LocalS3 {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (events, _) = EventSender::new(Account::default());
        let s3 = S3::new(folder.path(), Account::default(), events).unwrap();
        s3.create_bucket(BUCKET, BucketOptions::default()).await.unwrap();
        s3.allow("AKIDTESTS", "secret");
        let endpoint = s3.serve().await.unwrap();
        let config = Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .http_client(HttpClient::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https())
            .region(Region::new("us-west-2"))
            .credentials_provider(Credentials::new("AKIDTESTS", "secret", None, None, "tests"))
            .endpoint_url(endpoint.url());
        let client = Client::from_conf(config.build());
        let store = Store::new(client.clone(), BUCKET);
        Self { s3, client, store, _folder: folder, _endpoint: endpoint }
    }

    /// Writes an object.
    pub(crate) async fn put(&self, key: &str, content: Vec<u8>) {
        self.s3.put(BUCKET, key, content, "111122223333").await.unwrap();
    }
}
