//! `ListObjectsV2`, and `ListObjectVersions` of buckets that have none.

use s3s::dto::{
    CommonPrefix, EncodingType, ListObjectVersionsInput, ListObjectVersionsOutput, ListObjectsV2Input,
    ListObjectsV2Output, Object as ListedObject, ObjectStorageClass, ObjectVersion,
    ObjectVersionStorageClass,
};
use s3s::{S3Request, S3Result, s3_error};

use super::Operations;
use crate::s3::checksums::Algorithm;
use crate::s3::listing::{Entry, LARGEST_PAGE, Page, Position, Query, page, url_encode};
use crate::s3::object::Object;

pub(super) fn list_objects_v2(
    operations: &Operations,
    request: S3Request<ListObjectsV2Input>,
) -> S3Result<ListObjectsV2Output> {
    let input = request.input;
    let query = query(&input)?;
    let page = operations.store.with_bucket(&input.bucket, |bucket| page(&bucket.objects, &query))?;
    Ok(answer(input, page))
}

/// In a bucket that is not versioned each object has one version, called `null`.
pub(super) fn list_object_versions(
    operations: &Operations,
    request: S3Request<ListObjectVersionsInput>,
) -> S3Result<ListObjectVersionsOutput> {
    let input = request.input;
    let query = Query {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: None,
        after: input.key_marker.clone().map(Position::Key),
        max_keys: page_size(input.max_keys)?,
    };
    let page = operations.store.with_bucket(&input.bucket, |bucket| page(&bucket.objects, &query))?;
    let encoded = input.encoding_type.as_ref().is_some_and(|encoding| encoding.as_str() == EncodingType::URL);
    let encode = |text: &str| if encoded { url_encode(text) } else { text.to_owned() };
    let is_truncated = page.next.is_some();
    let objects: Vec<_> = page.entries.into_iter().filter_map(Entry::object).collect();
    let next = objects.last().filter(|_| is_truncated).map(|object| encode(&object.key));
    let versions = objects.iter().map(|object| ObjectVersion {
        key: Some(encode(&object.key)),
        version_id: Some("null".to_owned()),
        is_latest: Some(true),
        size: i64::try_from(object.size).ok(),
        e_tag: Some(object.etag_header()),
        last_modified: Some(object.last_modified_header()),
        storage_class: Some(ObjectVersionStorageClass::from_static(ObjectVersionStorageClass::STANDARD)),
        ..Default::default()
    });
    Ok(ListObjectVersionsOutput {
        versions: Some(versions.collect()),
        name: Some(input.bucket),
        prefix: Some(encode(input.prefix.as_deref().unwrap_or_default())),
        max_keys: Some(input.max_keys.unwrap_or(1000).min(1000)),
        is_truncated: Some(is_truncated),
        next_version_id_marker: next.is_some().then(|| "null".to_owned()),
        next_key_marker: next,
        encoding_type: input.encoding_type,
        ..Default::default()
    })
}

fn page_size(asked: Option<i32>) -> S3Result<usize> {
    let asked = asked.map_or(Ok(LARGEST_PAGE), usize::try_from).map_err(|_| {
        s3_error!(InvalidArgument, "Argument maxKeys must be an integer between 0 and 2147483647")
    })?;
    Ok(asked.min(LARGEST_PAGE))
}

fn query(input: &ListObjectsV2Input) -> S3Result<Query<'_>> {
    let after = match (&input.continuation_token, &input.start_after) {
        (Some(token), _) => Some(
            Position::from_token(token)
                .ok_or_else(|| s3_error!(InvalidArgument, "The continuation token provided is incorrect"))?,
        ),
        (None, start_after) => start_after.clone().map(Position::Key),
    };
    Ok(Query {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: input.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty()),
        after,
        max_keys: page_size(input.max_keys)?,
    })
}

fn answer(input: ListObjectsV2Input, page: Page) -> ListObjectsV2Output {
    let encoded = input.encoding_type.as_ref().is_some_and(|encoding| encoding.as_str() == EncodingType::URL);
    let encode = |text: &str| if encoded { url_encode(text) } else { text.to_owned() };
    let key_count = i32::try_from(page.entries.len()).unwrap_or(i32::MAX);
    let (mut contents, mut common_prefixes) = (Vec::new(), Vec::new());
    for entry in page.entries {
        match entry {
            Entry::Object(object) => contents.push(listed(&object, encode(&object.key))),
            Entry::CommonPrefix(prefix) => {
                common_prefixes.push(CommonPrefix { prefix: Some(encode(&prefix)) });
            }
        }
    }
    ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(encode(input.prefix.as_deref().unwrap_or_default())),
        delimiter: input.delimiter.as_deref().map(encode),
        start_after: input.start_after.as_deref().map(encode),
        max_keys: Some(input.max_keys.unwrap_or(1000).min(1000)),
        key_count: Some(key_count),
        is_truncated: Some(page.next.is_some()),
        continuation_token: input.continuation_token,
        next_continuation_token: page.next.as_ref().map(Position::to_token),
        contents: (!contents.is_empty()).then_some(contents),
        common_prefixes: (!common_prefixes.is_empty()).then_some(common_prefixes),
        encoding_type: input.encoding_type,
        ..Default::default()
    }
}

fn listed(object: &Object, key: String) -> ListedObject {
    let algorithm = Algorithm::set_in(&object.checksum).map(|(algorithm, _)| vec![algorithm.dto()]);
    ListedObject {
        key: Some(key),
        size: i64::try_from(object.size).ok(),
        e_tag: Some(object.etag_header()),
        last_modified: Some(object.last_modified_header()),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        checksum_algorithm: algorithm,
        checksum_type: object.checksum.checksum_type.clone(),
        ..Default::default()
    }
}
