//! An export is read by ranges, over HTTP, and nothing but the object that was announced.

#[path = "support/local_s3.rs"]
mod local_s3;

use crash_capture::archive::{Archive, ArchiveError, Body, Source, Span, Target};
use crash_capture::store::{ExportReader, ReadError};
use crash_capture_local::zips::sessions;

use local_s3::LocalS3;

const KEY: &str = "exports/a.zip";

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
    let fixture = LocalS3::start().await;
    fixture.put(KEY, b"the old object".to_vec()).await;
    let reader = fixture.store.export_reader(KEY, None, None);
    // The first answer tells which object is read.
    assert_eq!(bytes(&reader, Span::Suffix(6)).await.unwrap(), b"object");
    fixture.put(KEY, b"the new object".to_vec()).await;
    assert_eq!(bytes(&reader, Span::Range(4..7)).await, Err(ReadError::Gone));
    assert_eq!((reader.requests(), reader.bytes(), reader.size()), (2, 6, Some(14)));
}

#[tokio::test]
async fn an_object_that_is_not_the_announced_one_is_not_read_at_all() {
    let fixture = LocalS3::start().await;
    fixture.put(KEY, b"the old object".to_vec()).await;
    let reader = fixture.store.export_reader(KEY, None, None);
    bytes(&reader, Span::Suffix(6)).await.unwrap();
    let old = reader.etag();
    fixture.put(KEY, b"the new object".to_vec()).await;
    let reader = fixture.store.export_reader(KEY, None, old.as_deref());
    assert_eq!(bytes(&reader, Span::Suffix(6)).await, Err(ReadError::Gone));
    let reader = fixture.store.export_reader("exports/nothing.zip", None, None);
    assert_eq!(bytes(&reader, Span::Suffix(6)).await, Err(ReadError::Gone));
}

#[tokio::test]
async fn an_object_that_is_replaced_between_directory_and_contents_ends_the_reading() {
    let fixture = LocalS3::start().await;
    let zip = sessions::a().to_bytes().to_vec();
    let size = zip.len() as u64;
    fixture.put(KEY, zip).await;
    let reader = fixture.store.export_reader(KEY, None, None);
    let mut entries = Vec::new();
    let archive =
        Archive::open(&reader, Some(size), None, |entry| entries.push(entry.clone())).await.unwrap();
    fixture.put(KEY, vec![0; 100]).await;
    let mut reads = archive.reads();
    reads.add(Target::head(entries.swap_remove(0), u64::MAX, u64::MAX, Vec::new()));
    assert_eq!(reads.next().await.unwrap().err(), Some(ArchiveError::Source(ReadError::Gone)));
}
