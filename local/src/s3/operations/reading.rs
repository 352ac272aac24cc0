//! Objects, read.

use s3s::dto::{
    ChecksumMode, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, PartNumber,
};
use s3s::{S3Error, S3Request, S3Result, s3_error};

use super::{Operations, set_checksum};
use crate::s3::body::send;
use crate::s3::conditions::ReadConditions;
use crate::s3::range::Span;

/// What S3 answers as `Content-Type` where the writer gave none.
const DEFAULT_CONTENT_TYPE: &str = "binary/octet-stream";

/// The headers that GET and HEAD have in common. A checksum is that of the whole object, and comes only with it.
macro_rules! describe {
    ($output:ident, $object:expr, $span:expr, $checksum_mode:expr) => {{
        let mut output = $output {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: $object.headers.cache_control.clone(),
            content_disposition: $object.headers.content_disposition.clone(),
            content_encoding: $object.headers.content_encoding.clone(),
            content_language: $object.headers.content_language.clone(),
            content_length: i64::try_from($span.length).ok(),
            content_range: $span.content_range.clone(),
            content_type: Some(
                $object.headers.content_type.clone().unwrap_or_else(|| DEFAULT_CONTENT_TYPE.into()),
            ),
            e_tag: Some($object.etag_header()),
            last_modified: Some($object.last_modified_header()),
            metadata: Some($object.headers.metadata.clone().into_iter().collect()),
            ..Default::default()
        };
        let wanted = $checksum_mode.as_ref().is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED);
        if wanted && $span.is_whole() {
            set_checksum!(output, $object.checksum.clone());
            output.checksum_type = $object.checksum.checksum_type.clone();
        }
        output
    }};
}

pub(super) async fn get_object(
    operations: &Operations,
    request: S3Request<GetObjectInput>,
) -> S3Result<GetObjectOutput> {
    let input = request.input;
    refuse_part_number(input.part_number)?;
    let (object, file) = operations.store.open(&input.bucket, &input.key)?;
    let conditions = ReadConditions {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
    };
    conditions.check(&object)?;
    let span = Span::of(input.range.as_ref(), object.size)?;
    let mut output = describe!(GetObjectOutput, object, span, input.checksum_mode);
    // S3 leaves the header away where there are no tags.
    output.tag_count = i32::try_from(object.tags.len()).ok().filter(|count| *count > 0);
    output.body = Some(send(file, span.start, span.length).await.map_err(S3Error::internal_error)?);
    Ok(output)
}

pub(super) fn head_object(
    operations: &Operations,
    request: S3Request<HeadObjectInput>,
) -> S3Result<HeadObjectOutput> {
    let input = request.input;
    refuse_part_number(input.part_number)?;
    let object = operations.store.object(&input.bucket, &input.key)?;
    let conditions = ReadConditions {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
    };
    conditions.check(&object)?;
    let span = Span::of(input.range.as_ref(), object.size)?;
    Ok(describe!(HeadObjectOutput, object, span, input.checksum_mode))
}

/// The parts of an upload are not kept apart, so that nobody can ask for one.
fn refuse_part_number(part_number: Option<PartNumber>) -> S3Result<()> {
    match part_number {
        None => Ok(()),
        Some(_) => Err(s3_error!(NotImplemented, "The local S3 does not know partNumber")),
    }
}
