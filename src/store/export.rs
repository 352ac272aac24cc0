//! An export's bytes, by ranges, and nothing but the object that was announced.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use jiff::Timestamp;

use crate::archive::{Body, Opened, Source, Span};
use crate::service::{Fault, ServiceError};

use super::Store;

/// Reads one export by ranges. No HEAD, and `If-Match` on every GET: an object that is replaced meanwhile is not read
/// half old and half new.
#[derive(Debug)]
pub struct ExportReader {
    client: Client,
    bucket: String,
    key: String,
    /// In a versioned bucket, as the event has it.
    announced_version: Option<String>,
    /// The same, as the first answer has it.
    version_id: OnceLock<String>,
    /// With its quotes, as it goes into `If-Match`. Known from the event, else from the first answer.
    etag: OnceLock<String>,
    size: OnceLock<u64>,
    written_at: OnceLock<Timestamp>,
    requests: AtomicU64,
    bytes: Arc<AtomicU64>,
}

/// An answer's bytes, counted as they arrive.
#[derive(Debug)]
pub struct ExportBody {
    stream: ByteStream,
    received: Arc<AtomicU64>,
}

/// Why an export's bytes could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is not there any more, or another object took its place, of which an event of its own tells.
    #[error("the export is gone or was replaced")]
    Gone,
    /// S3 failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl Store {
    /// A reader of an export. `etag` may be given with or without quotes. It reads the present version of the object, whichever was
    /// announced: by its `ETag` that is known to be the same, and an older one is nobody's export any more.
    #[must_use]
    pub fn export_reader(&self, key: &str, version_id: Option<&str>, etag: Option<&str>) -> ExportReader {
        let quoted = etag.map(|etag| format!("\"{}\"", etag.trim_matches('"')));
        ExportReader {
            client: self.client.clone(),
            bucket: self.bucket.clone(),
            key: key.to_owned(),
            announced_version: version_id.map(ToOwned::to_owned),
            version_id: OnceLock::new(),
            etag: quoted.map(OnceLock::from).unwrap_or_default(),
            size: OnceLock::new(),
            written_at: OnceLock::new(),
            requests: AtomicU64::new(0),
            bytes: Arc::default(),
        }
    }
}

impl ExportReader {
    /// The `ETag` of the object that is read, without quotes, once it is known.
    #[must_use]
    pub fn etag(&self) -> Option<String> {
        self.etag.get().map(|etag| etag.trim_matches('"').to_owned())
    }

    /// The version of the object that is read, in a versioned bucket.
    #[must_use]
    pub fn version_id(&self) -> Option<String> {
        self.version_id.get().or(self.announced_version.as_ref()).cloned()
    }

    /// The object's size in bytes, once a request was answered.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.size.get().copied()
    }

    /// When the object was written, once a request was answered.
    #[must_use]
    pub fn written_at(&self) -> Option<Timestamp> {
        self.written_at.get().copied()
    }

    /// GET requests made, retries by the SDK not counted.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Bytes of the object received.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Source for ExportReader {
    type Error = ReadError;
    type Body = ExportBody;

    async fn open(&self, span: Span) -> Result<Opened<ExportBody>, ReadError> {
        let (range, asked) = match span {
            Span::Suffix(length) => (format!("bytes=-{length}"), 0),
            Span::Range(range) => {
                (format!("bytes={}-{}", range.start, range.end.saturating_sub(1)), range.start)
            }
        };
        self.requests.fetch_add(1, Ordering::Relaxed);
        let answer = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(&self.key)
            .set_if_match(self.etag.get().cloned())
            .range(range)
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return self.refused(ServiceError::new("GetObject", &error), asked),
        };
        if let Some(etag) = answer.e_tag() {
            self.etag.get_or_init(|| etag.to_owned());
        }
        if let Some(version_id) = answer.version_id() {
            self.version_id.get_or_init(|| version_id.to_owned());
        }
        if let Some(at) = answer.last_modified().and_then(|at| Timestamp::from_second(at.secs()).ok()) {
            self.written_at.get_or_init(|| at);
        }
        let length = answer.content_length().and_then(|length| u64::try_from(length).ok()).unwrap_or(0);
        // An answer without a range is the whole object.
        let (offset, size) = answer.content_range().and_then(parse_content_range).unwrap_or((0, length));
        self.size.get_or_init(|| size);
        Ok(Opened { offset, size, body: self.body(answer.body) })
    }
}

impl Body for ExportBody {
    type Error = ReadError;

    async fn piece(&mut self) -> Result<Option<Bytes>, ReadError> {
        let piece = self.stream.try_next().await;
        let piece = piece.map_err(|error| ServiceError::broken_body("GetObject", &error))?;
        let length = piece.as_ref().map_or(0, Bytes::len) as u64;
        self.received.fetch_add(length, Ordering::Relaxed);
        Ok(piece)
    }
}

impl ExportReader {
    fn body(&self, stream: ByteStream) -> ExportBody {
        ExportBody { stream, received: Arc::clone(&self.bytes) }
    }

    /// 404 and 412: it is not the object that we are to read. 416: it has no bytes there.
    fn refused(&self, error: ServiceError, asked: u64) -> Result<Opened<ExportBody>, ReadError> {
        match (error.fault, error.code.as_str()) {
            (Fault::PreconditionFailed, _) | (Fault::NotFound, "NoSuchKey" | "NoSuchVersion") => {
                Err(ReadError::Gone)
            }
            (_, "InvalidRange") => {
                let size = *self.size.get_or_init(|| asked);
                Ok(Opened { offset: size, size, body: self.body(ByteStream::default()) })
            }
            _ => Err(error.into()),
        }
    }
}

/// First byte and whole size out of `bytes 5-9/10`.
fn parse_content_range(header: &str) -> Option<(u64, u64)> {
    let (range, size) = header.strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, size.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_range_tells_first_byte_and_size() {
        assert_eq!(parse_content_range("bytes 5-9/10"), Some((5, 10)));
        assert_eq!(parse_content_range("bytes */10"), None);
        assert_eq!(parse_content_range("items 5-9/10"), None);
    }
}
