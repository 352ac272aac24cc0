//! The export of a session's files: where it goes, and how it comes about.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::Offset;
use tokio::time::sleep;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::books::Entry;
use super::delivery::Upload;
use super::error::ServiceError;
use super::folders::{Folders, Snapshot};
use super::service::Service;
use super::session::{ExportStatus, StreamSession};
use super::switches::{ExportAfterError, GeneratedName};

/// `StatusReason` holds no more characters than this.
const LONGEST_REASON: usize = 1024;

/// From this size on, in bytes, an entry is written as ZIP64: its compressed form might not fit into 32 bits.
const LARGE: u64 = 0xf000_0000;

/// What an `OutputUri` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Destination {
    /// This very object.
    Object { bucket: String, key: String },
    /// An object with a generated name, below a prefix that ends with `/` or is empty.
    Folder { bucket: String, prefix: String },
}

impl Destination {
    /// Reads an `OutputUri` that matches the model's pattern.
    pub(super) fn read(uri: &str) -> Result<Self, ServiceError> {
        let invalid =
            || ServiceError::Validation(format!("OutputUri {uri} does not name an S3 bucket and a key"));
        let (bucket, key) =
            uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/')).ok_or_else(invalid)?;
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        if bucket.is_empty() {
            Err(invalid())
        } else if key.is_empty() || key.ends_with('/') {
            Ok(Self::Folder { bucket, prefix: key })
        } else {
            Ok(Self::Object { bucket, key })
        }
    }

    /// The bucket and the key of a session's zip.
    fn object(self, session: &StreamSession, stamp: Timestamp) -> (String, String) {
        match self {
            Self::Object { bucket, key } => (bucket, key),
            Self::Folder { bucket, prefix } => {
                let stamp = stamp.strftime("%Y%m%d-%H%M%S");
                let (application, id) = (&session.application_id, &session.id);
                let name = format!("{stamp}-{application}-{}-{}.zip", id.stream_group_id, id.id);
                (bucket, prefix + &name)
            }
        }
    }
}

/// Exports an ended session's files, if that was requested.
pub(super) async fn settle(service: &Service, entry: &Entry, folders: &Folders, before: Snapshot) {
    let session = entry.session();
    let Some(export) = &session.export else { return };
    sleep(service.timings.export_takes).await;
    let delivered = match entry.export_failure() {
        Some(reason) => Err(reason.to_owned()),
        None => deliver(service, &session, &export.output_uri, &export.access_key_id, folders, before).await,
    };
    sleep(service.switches.pending_after_delivery).await;
    settle_as(entry, delivered);
}

/// The same for a session that ended in `ERROR`.
pub(super) async fn settle_after_error(
    service: &Service,
    entry: &Entry,
    folders: &Folders,
    before: Snapshot,
) {
    match service.switches.export_after_error {
        ExportAfterError::Exported => settle(service, entry, folders, before).await,
        ExportAfterError::Fails => settle_as(entry, Err("The stream session ended in status ERROR".into())),
        ExportAfterError::StaysPending => {}
    }
}

fn settle_as(entry: &Entry, outcome: Result<(), String>) {
    entry.update(|session| {
        if let Some(export) = &mut session.export {
            export.status = if outcome.is_ok() { ExportStatus::Succeeded } else { ExportStatus::Failed };
            export.status_reason = outcome.err().map(|reason| reason.chars().take(LONGEST_REASON).collect());
        }
    });
}

async fn deliver(
    service: &Service,
    session: &StreamSession,
    output_uri: &str,
    access_key_id: &str,
    folders: &Folders,
    before: Snapshot,
) -> Result<(), String> {
    let stamp = match service.switches.generated_name {
        GeneratedName::Created => session.created_at,
        GeneratedName::Ended => session.last_updated_at,
    };
    let destination = Destination::read(output_uri).map_err(|error| error.to_string())?;
    let (bucket, key) = destination.object(session, stamp);
    let zip = folders.zip();
    let (source, target) = (folders.clone(), zip.clone());
    let written = tokio::task::spawn_blocking(move || write_zip(&target, &source, &before));
    written.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    let upload = Upload { bucket, key, zip: zip.clone(), access_key_id: access_key_id.to_owned() };
    let delivered = service.delivery.deliver(upload).await;
    if let Err(error) = fs::remove_file(&zip) {
        tracing::warn!(%error, zip = %zip.display(), "a delivered zip stays behind");
    }
    delivered
}

/// Writes the changed files into a zip, file by file, whatever their sizes.
fn write_zip(path: &Path, folders: &Folders, before: &Snapshot) -> Result<(), ZipError> {
    let mut zip = ZipWriter::new(BufWriter::new(File::create(path)?));
    for (name, path) in folders.changed_since(before)? {
        let mut file = File::open(&path)?;
        let metadata = file.metadata()?;
        let mut options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .large_file(metadata.len() >= LARGE);
        if let Some(modified) = metadata.modified().ok().and_then(|time| dos_time(time.try_into().ok()?)) {
            options = options.last_modified_time(modified);
        }
        zip.start_file(name, options)?;
        io::copy(&mut file, &mut zip)?;
    }
    Ok(zip.finish()?.flush()?)
}

fn dos_time(time: Timestamp) -> Option<DateTime> {
    let civil = Offset::UTC.to_datetime(time);
    let small = |part: i8| u8::try_from(part).ok();
    let year = u16::try_from(civil.year()).ok()?;
    DateTime::from_date_and_time(
        year,
        small(civil.month())?,
        small(civil.day())?,
        small(civil.hour())?,
        small(civil.minute())?,
        small(civil.second())?,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_uri_names_an_object_or_a_folder() {
        let object = |bucket: &str, key: &str| Destination::Object { bucket: bucket.into(), key: key.into() };
        let folder =
            |bucket: &str, prefix: &str| Destination::Folder { bucket: bucket.into(), prefix: prefix.into() };
        assert_eq!(Destination::read("s3://b/one.zip"), Ok(object("b", "one.zip")));
        assert_eq!(Destination::read("s3://b/p/ONE.ZIP"), Ok(object("b", "p/ONE.ZIP")));
        assert_eq!(Destination::read("s3://b/p/q/"), Ok(folder("b", "p/q/")));
        assert_eq!(Destination::read("s3://b/"), Ok(folder("b", "")));
    }

    #[test]
    fn an_output_uri_needs_a_bucket_and_a_key() {
        assert!(Destination::read("s3:///one.zip").is_err());
        assert!(Destination::read("s3://one.zip").is_err());
    }
}
