//! What S3 refuses, for callers in this process, and the same as S3's error codes for those that come over HTTP.

use std::io;

use hyper::StatusCode;
use s3s::{S3Error, S3ErrorCode, s3_error};

use crate::iam::Denied;

/// Why S3 did not do what it was asked. Most variants are named after S3's error codes.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name breaks S3's naming rules for buckets.
    #[error("{0:?} cannot be a bucket's name")]
    InvalidBucketName(String),
    /// `create_bucket` for a bucket that exists.
    #[error("there is already a bucket {0:?}")]
    BucketAlreadyOwnedByYou(String),
    /// No bucket has this name.
    #[error("there is no bucket {0:?}")]
    NoSuchBucket(String),
    /// The key is empty, or longer than 1024 bytes of UTF-8.
    #[error("a key has 1 to 1024 bytes, this one {0}")]
    KeyLength(usize),
    /// No object has this key.
    #[error("there is no object {0:?}")]
    NoSuchKey(String),
    /// No multipart upload in progress has this id and key.
    #[error("there is no multipart upload {0:?}")]
    NoSuchUpload(String),
    /// `If-Match` or `If-None-Match` did not hold.
    #[error("the object's state is not the one that the request asked for")]
    PreconditionFailed,
    /// The caller may not do this.
    #[error(transparent)]
    AccessDenied(#[from] Denied),
    /// The S3 that others wrote said something else, or nothing at all.
    #[error("{0}")]
    Foreign(String),
    /// The folder that holds the objects could not be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What S3 answers instead of doing what it was asked, now and then: errors that a fault can be.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// 500: "We encountered an internal error. Please try again."
    InternalError,
    /// 503: "Please reduce your request rate."
    SlowDown,
    /// 409, of a conditional write: "a conflicting conditional operation is ongoing".
    ConditionalRequestConflict,
    /// 412, of a conditional request: what is there was changed meanwhile, by whomever.
    PreconditionFailed,
}

impl Refusal {
    /// The status of the answer, and its code.
    pub(super) fn answer(self) -> (StatusCode, &'static str) {
        match self {
            Self::InternalError => (StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
            Self::SlowDown => (StatusCode::SERVICE_UNAVAILABLE, "SlowDown"),
            Self::ConditionalRequestConflict => (StatusCode::CONFLICT, "ConditionalRequestConflict"),
            Self::PreconditionFailed => (StatusCode::PRECONDITION_FAILED, "PreconditionFailed"),
        }
    }
}

impl From<Error> for S3Error {
    /// The messages are S3's own: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidBucketName(_) => s3_error!(InvalidBucketName, "The specified bucket is not valid."),
            Error::BucketAlreadyOwnedByYou(_) => s3_error!(
                BucketAlreadyOwnedByYou,
                "Your previous request to create the named bucket succeeded and you already own it."
            ),
            Error::NoSuchBucket(_) => s3_error!(NoSuchBucket, "The specified bucket does not exist"),
            Error::KeyLength(_) => s3_error!(KeyTooLongError, "Your key is too long"),
            Error::NoSuchKey(_) => s3_error!(NoSuchKey, "The specified key does not exist."),
            Error::NoSuchUpload(_) => s3_error!(
                NoSuchUpload,
                "The specified upload does not exist. The upload ID may be invalid, or the upload may have been \
                 aborted or completed."
            ),
            Error::PreconditionFailed => {
                s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold")
            }
            Error::AccessDenied(denied) => s3_error!(AccessDenied, "{denied}"),
            Error::Foreign(message) => S3Error::with_message(S3ErrorCode::InternalError, message),
            Error::Io(source) => S3Error::internal_error(source),
        }
    }
}

/// A refusal with status 400 and a code that s3s does not list.
pub(super) fn bad_request(code: &'static str, message: &'static str) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    error.set_status_code(StatusCode::BAD_REQUEST);
    error
}
