//! Conditional requests: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>.

use hyper::header::{ETAG, HeaderMap, HeaderValue, LAST_MODIFIED};
use s3s::dto::{ETagCondition, Timestamp, TimestampFormat};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use super::error::Error;
use super::object::Object;

/// What a reader asks of the object before it takes it.
#[derive(Debug, Default)]
#[expect(clippy::struct_field_names, reason = "they are the headers' names")]
pub(super) struct ReadConditions {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
    pub(super) if_modified_since: Option<Timestamp>,
    pub(super) if_unmodified_since: Option<Timestamp>,
}

impl ReadConditions {
    /// 412 where the object is not the one that was meant, 304 where the reader has it already. The conditions on
    /// `ETags` win over those on times, as in RFC 9110.
    pub(super) fn check(&self, object: &Object) -> S3Result<()> {
        let modified = object.last_modified_header();
        let wanted = match &self.if_match {
            Some(condition) => matches(condition, object),
            None => self.if_unmodified_since.as_ref().is_none_or(|since| modified <= *since),
        };
        if !wanted {
            return Err(Error::PreconditionFailed.into());
        }
        let known = match &self.if_none_match {
            Some(condition) => matches(condition, object),
            None => self.if_modified_since.as_ref().is_some_and(|since| modified <= *since),
        };
        if known { Err(not_modified(object)) } else { Ok(()) }
    }

    /// The same for the source of a copy, where 304 has no place.
    pub(super) fn check_copy_source(&self, object: &Object) -> S3Result<()> {
        self.check(object).map_err(|_| Error::PreconditionFailed.into())
    }
}

/// What a writer asks of the object that it replaces.
#[derive(Debug, Default)]
pub(super) struct WriteCondition {
    if_match: Option<ETagCondition>,
    create_only: bool,
}

impl WriteCondition {
    /// S3 takes no `ETag` in a writer's `If-None-Match`, only `*`.
    pub(super) fn new(
        if_match: Option<ETagCondition>,
        if_none_match: Option<&ETagCondition>,
    ) -> S3Result<Self> {
        match if_none_match {
            Some(ETagCondition::ETag(_)) => Err(s3_error!(
                NotImplemented,
                "A header you provided implies functionality that is not implemented"
            )),
            Some(ETagCondition::Any) => Ok(Self { if_match, create_only: true }),
            None => Ok(Self { if_match, create_only: false }),
        }
    }

    /// Whether the write may replace `current`, the object that has the key now.
    pub(super) fn check(&self, key: &str, current: Option<&Object>) -> Result<(), Error> {
        match (&self.if_match, current) {
            (Some(_), None) => return Err(Error::NoSuchKey(key.to_owned())),
            (Some(condition), Some(object)) if !matches(condition, object) => {
                return Err(Error::PreconditionFailed);
            }
            _ => {}
        }
        if self.create_only && current.is_some() { Err(Error::PreconditionFailed) } else { Ok(()) }
    }
}

fn matches(condition: &ETagCondition, object: &Object) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(etag) => etag.value() == object.etag,
    }
}

/// 304 carries the validators, so that the reader knows what it is that has not changed.
fn not_modified(object: &Object) -> S3Error {
    let mut headers = HeaderMap::new();
    headers.extend(object.etag_header().to_http_header().ok().map(|etag| (ETAG, etag)));
    let mut time = Vec::new();
    if object.last_modified_header().format(TimestampFormat::HttpDate, &mut time).is_ok() {
        headers.extend(HeaderValue::from_bytes(&time).ok().map(|time| (LAST_MODIFIED, time)));
    }
    let mut error = S3Error::with_message(S3ErrorCode::NotModified, "Not Modified");
    error.set_headers(headers);
    error
}
