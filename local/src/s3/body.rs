//! The bytes of objects, on their way in and out: streamed, a piece at a time, whatever an object's size.

use std::fs::File;
use std::io::{self, Read as _, SeekFrom};
use std::path::PathBuf;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, Stream, StreamExt as _};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3Result, StdError, s3_error};
use tempfile::TempPath;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};

use super::checksums::{Algorithm, Digests, Hasher};
use super::error::bad_request;
use super::files::Files;

/// What a GET reads from disk, and hands to the connection, at a time.
const PIECE: usize = 128 * 1024;

/// The content of an object that is written in this process.
#[derive(Debug, Clone)]
pub enum Body {
    /// Content in memory.
    Bytes(Bytes),
    /// A finished file, which S3 takes over: it is moved, or copied and deleted from another file system.
    File(PathBuf),
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::Bytes(text.into())
    }
}

impl From<PathBuf> for Body {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

/// Content that has arrived whole, and is not an object yet. It is deleted if it never becomes one.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) path: TempPath,
    pub(super) size: u64,
    pub(super) digests: Digests,
}

/// Writes a body to a staged file.
pub(super) async fn receive<S>(files: &Files, mut body: S, algorithm: Option<Algorithm>) -> S3Result<Received>
where
    S: Stream<Item = Result<Bytes, StdError>> + Unpin,
{
    let (file, path) = files.stage().map_err(S3Error::internal_error)?;
    let mut file = tokio::fs::File::from_std(file);
    let mut hasher = Hasher::new(algorithm);
    let mut size = 0;
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| refused_body(&error))?;
        hasher.update(&piece);
        size += piece.len() as u64;
        file.write_all(&piece).await.map_err(S3Error::internal_error)?;
    }
    file.flush().await.map_err(S3Error::internal_error)?;
    Ok(Received { path, size, digests: hasher.finish() })
}

/// Takes over content of this process.
pub(super) fn take_over(files: &Files, body: Body) -> io::Result<Received> {
    let path = match body {
        Body::File(path) => files.adopt(&path)?,
        Body::Bytes(bytes) => {
            let (mut file, path) = files.stage()?;
            io::Write::write_all(&mut file, &bytes)?;
            path
        }
    };
    let mut hasher = Hasher::new(None);
    let mut file = File::open(&path)?;
    let mut buffer = vec![0; PIECE];
    let mut size = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        size += read as u64;
    }
    Ok(Received { path, size, digests: hasher.finish() })
}

/// `length` bytes of a file, from `start`.
pub(super) async fn send(file: File, start: u64, length: u64) -> io::Result<StreamingBlob> {
    let mut file = tokio::fs::File::from_std(file);
    file.seek(SeekFrom::Start(start)).await?;
    let pieces = stream::try_unfold(file.take(length), |mut file| async move {
        let mut piece = BytesMut::with_capacity(PIECE);
        let read = file.read_buf(&mut piece).await?;
        Ok::<_, io::Error>((read > 0).then(|| (piece.freeze(), file)))
    });
    Ok(StreamingBlob::wrap(pieces))
}

/// S3's error for a body that broke off or is not what was signed. s3s has no public types for these errors, so their
/// text has to tell them apart.
fn refused_body(error: &StdError) -> S3Error {
    let text = error.to_string();
    if text.contains("Sha256Mismatch") {
        bad_request(
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )
    } else if text.contains("SignatureMismatch") {
        s3_error!(
            SignatureDoesNotMatch,
            "The request signature we calculated does not match the signature you provided. Check your key and signing method."
        )
    } else {
        s3_error!(
            IncompleteBody,
            "You did not provide the number of bytes specified by the Content-Length HTTP header: {text}"
        )
    }
}
