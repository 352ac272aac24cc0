//! The tags of objects.

use s3s::dto::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetObjectTaggingInput, GetObjectTaggingOutput,
    PutObjectTaggingInput, PutObjectTaggingOutput,
};
use s3s::{S3Request, S3Result};

use super::Operations;
use crate::s3::events::TagChange;
use crate::s3::tags::{self, Tags};

pub(super) fn get_object_tagging(
    operations: &Operations,
    request: &S3Request<GetObjectTaggingInput>,
) -> S3Result<GetObjectTaggingOutput> {
    let object = operations.store.object(&request.input.bucket, &request.input.key)?;
    Ok(GetObjectTaggingOutput { tag_set: tags::to_xml(&object.tags), version_id: None })
}

pub(super) fn put_object_tagging(
    operations: &Operations,
    request: S3Request<PutObjectTaggingInput>,
) -> S3Result<PutObjectTaggingOutput> {
    let origin = operations.origin(&request.extensions);
    let input = request.input;
    let tags = tags::from_xml(input.tagging)?;
    operations.store.set_tags(&input.bucket, &input.key, tags, TagChange::Put, &origin)?;
    Ok(PutObjectTaggingOutput::default())
}

pub(super) fn delete_object_tagging(
    operations: &Operations,
    request: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<DeleteObjectTaggingOutput> {
    let origin = operations.origin(&request.extensions);
    let input = request.input;
    operations.store.set_tags(&input.bucket, &input.key, Tags::new(), TagChange::Delete, &origin)?;
    Ok(DeleteObjectTaggingOutput::default())
}
