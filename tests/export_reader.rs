//! An export is read by ranges, over HTTP, and nothing but the object that was announced.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_smithy_http_client::Builder as HttpClient;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use crash_capture::archive::{Archive, ArchiveError, Body, Source, Span, Target};
use crash_capture::store::{ExportReader, ReadError, Store};
use crash_capture_local::account::{Account, EventSender};
use crash_capture_local::s3::{BucketOptions, Endpoint, S3};
use crash_capture_local::zips::sessions;

const BUCKET: &str = "captures";
const KEY: &str = "exports/a.zip";

struct Fixture {
    s3: S3,
    store: Store,
    _folder: tempfile::TempDir,
    _endpoint: Endpoint,
}

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (events, _) = EventSender::new(Account::default());
        let s3 = S3::new(folder.path(), Account::default(), events).unwrap();
        s3.create_bucket(BUCKET, BucketOptions::default()).unwrap();
        s3.allow("AKIDTESTS", "secret");
        let endpoint = s3.serve().await.unwrap();
        let config = Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .http_client(HttpClient::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https())
            .region(Region::new("us-west-2"))
            .credentials_provider(Credentials::new("AKIDTESTS", "secret", None, None, "tests"))
            .endpoint_url(endpoint.url());
        let store = Store::new(Client::from_conf(config.build()), BUCKET);
        Self { s3, store, _folder: folder, _endpoint: endpoint }
    }

    /// Writes the object, and gives its `ETag`.
    async fn put(&self, content: Vec<u8>) -> String {
        self.s3.put(BUCKET, KEY, content, "111122223333").await.unwrap();
        self.s3.object(BUCKET, KEY).unwrap().etag.clone()
    }
}

async fn bytes(reader: &ExportReader, span: Span) -> Result<Vec<u8>, ReadError> {
    let mut opened = reader.open(span).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = opened.body.piece().await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

#[tokio::test]
async fn an_object_that_is_replaced_while_it_is_read_is_not_read_half_old_and_half_new() {
    let fixture = Fixture::new().await;
    fixture.put(b"the old object".to_vec()).await;
    let reader = fixture.store.export_reader(KEY, None, None);
    // The first answer tells which object is read.
    assert_eq!(bytes(&reader, Span::Suffix(6)).await.unwrap(), b"object");
    fixture.put(b"the new object".to_vec()).await;
    assert_eq!(bytes(&reader, Span::Range(4..7)).await, Err(ReadError::Gone));
    assert_eq!((reader.requests(), reader.bytes(), reader.size()), (2, 6, Some(14)));
}

#[tokio::test]
async fn an_object_that_is_not_the_announced_one_is_not_read_at_all() {
    let fixture = Fixture::new().await;
    let old = fixture.put(b"the old object".to_vec()).await;
    fixture.put(b"the new object".to_vec()).await;
    let reader = fixture.store.export_reader(KEY, None, Some(&old));
    assert_eq!(bytes(&reader, Span::Suffix(6)).await, Err(ReadError::Gone));
    let reader = fixture.store.export_reader("exports/nothing.zip", None, None);
    assert_eq!(bytes(&reader, Span::Suffix(6)).await, Err(ReadError::Gone));
}

#[tokio::test]
async fn an_object_that_is_replaced_between_directory_and_contents_ends_the_reading() {
    let fixture = Fixture::new().await;
    let zip = sessions::a().to_bytes().to_vec();
    let size = zip.len() as u64;
    fixture.put(zip).await;
    let reader = fixture.store.export_reader(KEY, None, None);
    let mut entries = Vec::new();
    let archive = Archive::open(&reader, Some(size), None, |entry| entries.push(entry)).await.unwrap();
    fixture.put(vec![0; 100]).await;
    let mut reads = archive.reads();
    reads.add(Target::head(entries.swap_remove(0), u64::MAX, u64::MAX, Vec::new()));
    assert_eq!(reads.next().await.unwrap().err(), Some(ArchiveError::Source(ReadError::Gone)));
}
