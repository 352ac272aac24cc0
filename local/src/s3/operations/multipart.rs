//! Multipart uploads.

use std::collections::BTreeMap;
use std::sync::Arc;

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm, ChecksumType,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, ListPartsInput, ListPartsOutput, Part as ListedPart, StorageClass,
    StreamingBlob, UploadPartInput, UploadPartOutput,
};
use s3s::{Body, S3Error, S3Request, S3Result, s3_error};
use uuid::Uuid;

use super::writing::{lasting_encoding, refuse_oversize, user_metadata};
use super::{Operations, checksum_of, set_checksum};
use crate::s3::body::receive;
use crate::s3::checksums::{Algorithm, Claims};
use crate::s3::conditions::WriteCondition;
use crate::s3::error::Error;
use crate::s3::multipart::{PART_NUMBERS, Part, PartChecksums, Upload, assemble, chosen_parts};
use crate::s3::object::{Headers, timestamp};
use crate::s3::store::{Bucket, Write, this_second};
use crate::s3::tags;

/// The most parts in one answer of `ListParts`.
const LARGEST_PAGE: usize = 1000;

pub(super) fn create_multipart_upload(
    operations: &Operations,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<CreateMultipartUploadOutput> {
    let input = request.input;
    let checksum = part_checksums(input.checksum_algorithm.as_ref(), input.checksum_type.as_ref())?;
    let upload = Upload {
        key: input.key.clone(),
        headers: Headers {
            content_type: input.content_type,
            content_disposition: input.content_disposition,
            content_encoding: lasting_encoding(input.content_encoding),
            content_language: input.content_language,
            cache_control: input.cache_control,
            metadata: user_metadata(input.metadata),
        },
        tags: input.tagging.as_deref().map(tags::from_header).transpose()?.unwrap_or_default(),
        checksum,
        parts: BTreeMap::new(),
    };
    let id = Uuid::new_v4().simple().to_string();
    operations.store.with_bucket(&input.bucket, |bucket| bucket.uploads.insert(id.clone(), upload))?;
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        checksum_algorithm: checksum.map(|it| it.algorithm.dto()),
        checksum_type: checksum.map(PartChecksums::kind),
        ..Default::default()
    })
}

/// SHAs have no full-object checksum, and CRC64NVME has no other:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>.
fn part_checksums(
    algorithm: Option<&ChecksumAlgorithm>,
    kind: Option<&ChecksumType>,
) -> S3Result<Option<PartChecksums>> {
    let Some(algorithm) = algorithm.map(Algorithm::parse).transpose()? else { return Ok(None) };
    let full_object = match kind.map(ChecksumType::as_str) {
        Some(kind) => kind == ChecksumType::FULL_OBJECT,
        None => algorithm == Algorithm::Crc64Nvme,
    };
    let possible = match algorithm {
        Algorithm::Crc32 | Algorithm::Crc32c => true,
        Algorithm::Crc64Nvme => full_object,
        Algorithm::Sha1 | Algorithm::Sha256 => !full_object,
    };
    if !possible {
        return Err(s3_error!(
            InvalidRequest,
            "The {} checksum type cannot be used with the {} checksum algorithm.",
            if full_object { ChecksumType::FULL_OBJECT } else { ChecksumType::COMPOSITE },
            algorithm.name()
        ));
    }
    Ok(Some(PartChecksums { algorithm, full_object }))
}

pub(super) async fn upload_part(
    operations: &Operations,
    request: S3Request<UploadPartInput>,
) -> S3Result<UploadPartOutput> {
    let mut input = request.input;
    if !PART_NUMBERS.contains(&input.part_number) {
        return Err(s3_error!(
            InvalidArgument,
            "Part number must be an integer between 1 and 10000, inclusive"
        ));
    }
    refuse_oversize(input.content_length)?;
    let trailer = input.checksum_algorithm.clone().zip(request.trailing_headers);
    let claims = Claims::new(input.content_md5.as_deref(), &checksum_of!(input), trailer)?;
    let (bucket, key, id) = (&input.bucket, &input.key, &input.upload_id);
    let upload_algorithm = operations.store.with_bucket(bucket, |bucket| {
        upload(bucket, id, key).map(|it| it.checksum.map(|it| it.algorithm))
    })??;
    if let (Some(one), Some(other)) = (upload_algorithm, claims.algorithm())
        && one != other
    {
        return Err(s3_error!(
            InvalidRequest,
            "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
            one.name().to_lowercase(),
            other.name().to_lowercase()
        ));
    }

    let body = input.body.take().unwrap_or_else(|| StreamingBlob::from(Body::empty()));
    let received = receive(&operations.store.files, body, upload_algorithm.or(claims.algorithm())).await?;
    claims.verify(&received.digests)?;
    let part = Arc::new(Part {
        content: received.path,
        size: received.size,
        digests: received.digests,
        last_modified: this_second(),
    });
    let mut output = UploadPartOutput { e_tag: Some(part.etag_header()), ..Default::default() };
    set_checksum!(output, part.digests.checksum.clone());
    operations.store.with_bucket(bucket, |bucket| {
        upload(bucket, id, key).map(|it| it.parts.insert(input.part_number, part))
    })??;
    Ok(output)
}

pub(super) async fn complete_multipart_upload(
    operations: &Operations,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<CompleteMultipartUploadOutput> {
    let origin = operations.origin(&request.extensions);
    let input = request.input;
    let condition = WriteCondition::new(input.if_match.clone(), input.if_none_match.as_ref())?;
    let (bucket, key, id) = (&input.bucket, &input.key, &input.upload_id);
    let upload = operations.store.with_bucket(bucket, |bucket| upload(bucket, id, key).cloned())??;
    let list = input.multipart_upload.as_ref().and_then(|it| it.parts.as_deref()).unwrap_or_default();
    let parts = chosen_parts(&upload, list)?;

    let (store, checksums) = (Arc::clone(&operations.store), upload.checksum);
    let assembling = tokio::task::spawn_blocking(move || assemble(&store.files, &parts, checksums));
    let assembled = assembling.await.map_err(S3Error::internal_error)?.map_err(S3Error::internal_error)?;
    let claimed = checksum_of!(input);
    if let Some((algorithm, claimed)) = Algorithm::set_in(&claimed)
        && algorithm.value_in(&assembled.checksum) != Some(claimed)
    {
        return Err(s3_error!(
            BadDigest,
            "The {} you specified did not match the calculated checksum.",
            algorithm.name()
        ));
    }
    let write = Write {
        bucket,
        key,
        content: assembled.content,
        size: assembled.size,
        etag: assembled.etag,
        checksum: assembled.checksum,
        headers: upload.headers,
        tags: upload.tags,
        upload_id: Some(id),
        reason: "CompleteMultipartUpload",
    };
    let object = operations.store.write(write, &condition, &origin)?;
    let mut output = CompleteMultipartUploadOutput {
        e_tag: Some(object.etag_header()),
        location: Some(format!("https://{bucket}.s3.{}.amazonaws.com/{key}", operations.account.region)),
        checksum_type: object.checksum.checksum_type.clone(),
        ..Default::default()
    };
    set_checksum!(output, object.checksum.clone());
    output.bucket = Some(input.bucket);
    output.key = Some(input.key);
    Ok(output)
}

pub(super) fn abort_multipart_upload(
    operations: &Operations,
    request: S3Request<AbortMultipartUploadInput>,
) -> S3Result<AbortMultipartUploadOutput> {
    let input = request.input;
    operations.store.with_bucket(&input.bucket, |bucket| {
        upload(bucket, &input.upload_id, &input.key)?;
        bucket.uploads.remove(&input.upload_id);
        Ok::<_, Error>(())
    })??;
    Ok(AbortMultipartUploadOutput::default())
}

pub(super) fn list_parts(
    operations: &Operations,
    request: S3Request<ListPartsInput>,
) -> S3Result<ListPartsOutput> {
    let input = request.input;
    let upload = operations
        .store
        .with_bucket(&input.bucket, |bucket| upload(bucket, &input.upload_id, &input.key).cloned())??;
    let marker = input.part_number_marker.unwrap_or_default();
    let most =
        input.max_parts.and_then(|most| usize::try_from(most).ok()).unwrap_or(LARGEST_PAGE).min(LARGEST_PAGE);
    let mut behind = upload.parts.range(marker.saturating_add(1)..);
    let parts: Vec<_> = behind.by_ref().take(most).map(|(number, part)| listed(*number, part)).collect();
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        part_number_marker: Some(marker),
        next_part_number_marker: parts.last().and_then(|part| part.part_number),
        max_parts: i32::try_from(most).ok(),
        is_truncated: Some(behind.next().is_some()),
        parts: Some(parts),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        checksum_algorithm: upload.checksum.map(|it| it.algorithm.dto()),
        checksum_type: upload.checksum.map(PartChecksums::kind),
        ..Default::default()
    })
}

fn listed(number: i32, part: &Part) -> ListedPart {
    let mut listed = ListedPart {
        part_number: Some(number),
        size: i64::try_from(part.size).ok(),
        e_tag: Some(part.etag_header()),
        last_modified: Some(timestamp(part.last_modified)),
        ..Default::default()
    };
    set_checksum!(listed, part.digests.checksum.clone());
    listed
}

/// An upload that is in progress for this key.
fn upload<'a>(bucket: &'a mut Bucket, id: &str, key: &str) -> Result<&'a mut Upload, Error> {
    let upload = bucket.uploads.get_mut(id).filter(|upload| upload.key == key);
    upload.ok_or_else(|| Error::NoSuchUpload(id.to_owned()))
}
