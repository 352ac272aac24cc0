//! Objects, written and deleted.

use std::collections::BTreeMap;

use s3s::dto::{
    Checksum, ChecksumType, CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource,
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    ETagCondition, Error as ListedError, Metadata, MetadataDirective, PutObjectInput, PutObjectOutput,
    StreamingBlob, TaggingDirective,
};
use s3s::{Body, S3Error, S3Request, S3Result, s3_error};

use super::{Operations, checksum_of, set_checksum};
use crate::s3::body::{receive, send};
use crate::s3::checksums::{Algorithm, Claims, hex};
use crate::s3::conditions::{ReadConditions, WriteCondition};
use crate::s3::events::Origin;
use crate::s3::object::Headers;
use crate::s3::store::Write;
use crate::s3::tags;

/// Bytes that one PUT takes at most.
const LARGEST_PUT: i64 = 5 * 1024 * 1024 * 1024;

/// The most keys of one `DeleteObjects`.
const MOST_DELETIONS: usize = 1000;

pub(super) async fn put_object(
    operations: &Operations,
    request: S3Request<PutObjectInput>,
) -> S3Result<PutObjectOutput> {
    let origin = operations.origin(&request.extensions);
    let mut input = request.input;
    let trailer = input.checksum_algorithm.clone().zip(request.trailing_headers);
    let claims = Claims::new(input.content_md5.as_deref(), &checksum_of!(input), trailer)?;
    let condition = WriteCondition::new(input.if_match.take(), input.if_none_match.as_ref())?;
    let tags = input.tagging.as_deref().map(tags::from_header).transpose()?.unwrap_or_default();
    refuse_oversize(input.content_length)?;
    operations.store.with_bucket(&input.bucket, |_| ())?;

    let body = input.body.take().unwrap_or_else(|| StreamingBlob::from(Body::empty()));
    let received = receive(&operations.store.files, body, claims.algorithm()).await?;
    claims.verify(&received.digests)?;
    let write = Write {
        bucket: &input.bucket,
        key: &input.key,
        content: received.path,
        size: received.size,
        etag: hex(&received.digests.md5),
        checksum: full_object(received.digests.checksum),
        headers: Headers {
            content_type: input.content_type,
            content_disposition: input.content_disposition,
            content_encoding: lasting_encoding(input.content_encoding),
            content_language: input.content_language,
            cache_control: input.cache_control,
            metadata: user_metadata(input.metadata),
        },
        tags,
        upload_id: None,
        reason: "PutObject",
    };
    let object = operations.store.write(write, &condition, &origin)?;
    let mut output = PutObjectOutput {
        e_tag: Some(object.etag_header()),
        checksum_type: object.checksum.checksum_type.clone(),
        ..Default::default()
    };
    set_checksum!(output, object.checksum.clone());
    Ok(output)
}

pub(super) async fn copy_object(
    operations: &Operations,
    request: S3Request<CopyObjectInput>,
) -> S3Result<CopyObjectOutput> {
    let origin = operations.origin(&request.extensions);
    let input = request.input;
    let CopySource::Bucket { bucket, key, .. } = &input.copy_source else {
        return Err(s3_error!(NotImplemented, "The local S3 copies from buckets only"));
    };
    let (source, file) = operations.store.open(bucket, key)?;
    let conditions = ReadConditions {
        if_match: input.copy_source_if_match,
        if_none_match: input.copy_source_if_none_match,
        if_modified_since: input.copy_source_if_modified_since,
        if_unmodified_since: input.copy_source_if_unmodified_since,
    };
    conditions.check_copy_source(&source)?;
    let new_headers = input.metadata_directive.is_some_and(|it| it.as_str() == MetadataDirective::REPLACE);
    let new_tags = input.tagging_directive.is_some_and(|it| it.as_str() == TaggingDirective::REPLACE);
    if **bucket == *input.bucket && **key == *input.key && !new_headers {
        return Err(s3_error!(
            InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing the \
             object's metadata, storage class, website redirect location or encryption attributes."
        ));
    }
    operations.store.with_bucket(&input.bucket, |_| ())?;

    let algorithm = match &input.checksum_algorithm {
        Some(name) => Some(Algorithm::parse(name)?),
        None => Algorithm::set_in(&source.checksum).map(|(algorithm, _)| algorithm),
    };
    let body = send(file, 0, source.size).await.map_err(S3Error::internal_error)?;
    let received = receive(&operations.store.files, body, algorithm).await?;
    let headers = Headers {
        content_type: input.content_type,
        content_disposition: input.content_disposition,
        content_encoding: input.content_encoding,
        content_language: input.content_language,
        cache_control: input.cache_control,
        metadata: user_metadata(input.metadata),
    };
    let tags = if new_tags {
        tags::from_header(input.tagging.as_deref().unwrap_or_default())?
    } else {
        source.tags.clone()
    };
    let write = Write {
        bucket: &input.bucket,
        key: &input.key,
        content: received.path,
        size: received.size,
        etag: hex(&received.digests.md5),
        checksum: full_object(received.digests.checksum),
        headers: if new_headers { headers } else { source.headers.clone() },
        tags,
        upload_id: None,
        reason: "CopyObject",
    };
    let object = operations.store.write(write, &WriteCondition::default(), &origin)?;
    let mut result = CopyObjectResult {
        e_tag: Some(object.etag_header()),
        last_modified: Some(object.last_modified_header()),
        checksum_type: object.checksum.checksum_type.clone(),
        ..Default::default()
    };
    set_checksum!(result, object.checksum.clone());
    Ok(CopyObjectOutput { copy_object_result: Some(result), ..Default::default() })
}

pub(super) fn delete_object(
    operations: &Operations,
    request: S3Request<DeleteObjectInput>,
) -> S3Result<DeleteObjectOutput> {
    let origin = operations.origin(&request.extensions);
    let input = request.input;
    let condition = WriteCondition::new(input.if_match, None)?;
    operations.store.delete(&input.bucket, &input.key, &condition, &origin)?;
    Ok(DeleteObjectOutput::default())
}

/// Each key succeeds or fails by itself.
pub(super) fn delete_objects(
    operations: &Operations,
    request: S3Request<DeleteObjectsInput>,
) -> S3Result<DeleteObjectsOutput> {
    let origin = operations.origin(&request.extensions);
    let input = request.input;
    if !(1..=MOST_DELETIONS).contains(&input.delete.objects.len()) {
        return Err(s3_error!(
            MalformedXML,
            "The XML you provided was not well-formed or did not validate against our published schema"
        ));
    }
    operations.store.with_bucket(&input.bucket, |_| ())?;
    let quiet = input.delete.quiet.unwrap_or_default();
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for object in input.delete.objects {
        let condition = object.e_tag.map(ETagCondition::ETag);
        match delete_one(operations, &input.bucket, &object.key, condition, &origin) {
            Ok(()) if quiet => {}
            Ok(()) => deleted.push(DeletedObject { key: Some(object.key), ..Default::default() }),
            Err(error) => errors.push(ListedError {
                code: Some(error.code().as_str().to_owned()),
                message: error.message().map(str::to_owned),
                key: Some(object.key),
                version_id: None,
            }),
        }
    }
    Ok(DeleteObjectsOutput {
        deleted: (!deleted.is_empty()).then_some(deleted),
        errors: (!errors.is_empty()).then_some(errors),
        ..Default::default()
    })
}

fn delete_one(
    operations: &Operations,
    bucket: &str,
    key: &str,
    if_match: Option<ETagCondition>,
    origin: &Origin,
) -> S3Result<()> {
    let condition = WriteCondition::new(if_match, None)?;
    Ok(operations.store.delete(bucket, key, &condition, origin)?)
}

/// A body's length is known before it comes.
pub(super) fn refuse_oversize(content_length: Option<i64>) -> S3Result<()> {
    if content_length.is_some_and(|length| length > LARGEST_PUT) {
        return Err(s3_error!(EntityTooLarge, "Your proposed upload exceeds the maximum allowed size"));
    }
    Ok(())
}

/// A `Content-Encoding` without `aws-chunked`, which ends with the upload.
pub(super) fn lasting_encoding(encoding: Option<String>) -> Option<String> {
    let encoding = encoding?;
    let lasting: Vec<_> =
        encoding.split(',').map(str::trim).filter(|it| !matches!(*it, "" | "aws-chunked")).collect();
    (!lasting.is_empty()).then(|| lasting.join(","))
}

pub(super) fn user_metadata(metadata: Option<Metadata>) -> BTreeMap<String, String> {
    metadata.unwrap_or_default().into_iter().collect()
}

/// The checksum of content that came in one piece.
fn full_object(checksum: Checksum) -> Checksum {
    let kind = Algorithm::set_in(&checksum).map(|_| ChecksumType::from_static(ChecksumType::FULL_OBJECT));
    Checksum { checksum_type: kind, ..checksum }
}
