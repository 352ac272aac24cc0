//! The part of an object that a `Range` header asks for.

use s3s::dto::Range;
use s3s::{S3Result, s3_error};

/// A stretch of an object.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u64,
    pub(super) length: u64,
    /// `Content-Range`, where the request had a `Range`.
    pub(super) content_range: Option<String>,
}

impl Span {
    /// The whole object without a range; 416 if the object has none of the bytes that the range asks for. A suffix that
    /// is longer than the object is the whole object: of an empty one, S3 answers as if there were no range
    /// (<https://github.com/apache/arrow-rs-object-store/issues/846>, <https://github.com/getmoto/moto/pull/6778>).
    pub(super) fn of(range: Option<&Range>, size: u64) -> S3Result<Self> {
        let is_empty_suffix = size == 0 && matches!(range, Some(Range::Suffix { length: 1.. }));
        let Some(range) = range.filter(|_| !is_empty_suffix) else {
            return Ok(Self { start: 0, length: size, content_range: None });
        };
        let bytes = range.check(size).ok().filter(|bytes| !bytes.is_empty());
        let bytes = bytes.ok_or_else(|| s3_error!(InvalidRange, "The requested range is not satisfiable"))?;
        Ok(Self {
            start: bytes.start,
            length: bytes.end - bytes.start,
            content_range: Some(format!("bytes {}-{}/{size}", bytes.start, bytes.end - 1)),
        })
    }

    /// Whether it is all of an object, asked for without a range.
    pub(super) fn is_whole(&self) -> bool {
        self.content_range.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(range: &str, size: u64) -> Option<(u64, u64)> {
        let range = Range::parse(range).expect("a range");
        Span::of(Some(&range), size).ok().map(|span| (span.start, span.length))
    }

    #[test]
    fn ranges_are_cut_at_the_end_of_the_object() {
        assert_eq!(span("bytes=2-4", 10), Some((2, 3)));
        assert_eq!(span("bytes=2-", 10), Some((2, 8)));
        assert_eq!(span("bytes=9-100", 10), Some((9, 1)));
        assert_eq!(span("bytes=-4", 10), Some((6, 4)));
    }

    #[test]
    fn a_suffix_range_longer_than_the_object_is_all_of_it() {
        assert_eq!(span("bytes=-11", 10), Some((0, 10)));
        assert_eq!(span("bytes=-5", 0), Some((0, 0)));
    }

    #[test]
    fn a_range_without_a_byte_of_the_object_is_refused() {
        assert_eq!(span("bytes=10-", 10), None);
        assert_eq!(span("bytes=-0", 10), None);
        assert_eq!(span("bytes=0-", 0), None);
        assert_eq!(span("bytes=-0", 0), None);
    }
}
