//! An object: what S3 knows of it, and where its bytes lie.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

use jiff::Timestamp;
use s3s::dto::{self, ETag};

/// An object as it stands now. Its bytes are the file at `path`, until the object is replaced or deleted.
#[derive(Debug, Clone)]
pub struct Object {
    /// The key, as S3 knows it: neither encoded nor escaped.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// Without quotes: the content's MD5 in hex or, after a multipart upload of N parts, `{md5}-{N}`.
    pub etag: String,
    /// In whole seconds, as S3 keeps it.
    pub last_modified: Timestamp,
    /// Object tags.
    pub tags: BTreeMap<String, String>,
    /// What the writer said about the content.
    pub(super) headers: Headers,
    /// The file that holds the content.
    pub(super) path: PathBuf,
    /// The checksum that the writer chose, if it chose one.
    pub(super) checksum: dto::Checksum,
}

impl Object {
    /// The `ETag` as s3s wants it, which adds the quotes.
    pub(super) fn etag_header(&self) -> ETag {
        ETag::Strong(self.etag.clone())
    }

    /// The time of the last write as s3s wants it.
    pub(super) fn last_modified_header(&self) -> dto::Timestamp {
        timestamp(self.last_modified)
    }
}

/// Headers that S3 keeps with an object and gives back with it.
#[derive(Debug, Clone, Default)]
pub(super) struct Headers {
    /// S3 answers `binary/octet-stream` where the writer gave none.
    pub(super) content_type: Option<String>,
    /// `Content-Disposition`.
    pub(super) content_disposition: Option<String>,
    /// `Content-Encoding`, without `aws-chunked`, which is about the upload alone.
    pub(super) content_encoding: Option<String>,
    /// `Content-Language`.
    pub(super) content_language: Option<String>,
    /// `Cache-Control`.
    pub(super) cache_control: Option<String>,
    /// User metadata: `x-amz-meta-` headers, by name without that prefix.
    pub(super) metadata: BTreeMap<String, String>,
}

/// A time as s3s wants it.
pub(super) fn timestamp(time: Timestamp) -> dto::Timestamp {
    SystemTime::try_from(time).expect("the clock was in range").into()
}
