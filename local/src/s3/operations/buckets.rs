//! Buckets.

use s3s::dto::{
    Bucket, BucketLocationConstraint, CreateBucketInput, CreateBucketOutput, GetBucketLocationInput,
    GetBucketLocationOutput, HeadBucketInput, HeadBucketOutput, ListBucketsInput, ListBucketsOutput, Owner,
};
use s3s::{S3Request, S3Result, s3_error};

use super::Operations;
use crate::s3::object::timestamp;
use crate::s3::store::BucketOptions;

/// The Region that has no location constraint.
const CLASSIC_REGION: &str = "us-east-1";

/// A bucket must be made in the Region of the endpoint, and named so everywhere but in us-east-1.
pub(super) fn create_bucket(
    operations: &Operations,
    request: S3Request<CreateBucketInput>,
) -> S3Result<CreateBucketOutput> {
    let input = request.input;
    let constraint = input.create_bucket_configuration.and_then(|it| it.location_constraint);
    let region = &operations.account.region;
    match constraint.as_ref().map(BucketLocationConstraint::as_str) {
        Some(constraint) if constraint != region => {
            return Err(s3_error!(
                IllegalLocationConstraintException,
                "The {constraint} location constraint is incompatible for the region specific endpoint this request \
                 was sent to."
            ));
        }
        None if region != CLASSIC_REGION => {
            return Err(s3_error!(
                IllegalLocationConstraintException,
                "The unspecified location constraint is incompatible for the region specific endpoint this request \
                 was sent to."
            ));
        }
        _ => {}
    }
    operations.store.create_bucket(&input.bucket, BucketOptions::default())?;
    Ok(CreateBucketOutput { location: Some(format!("/{}", input.bucket)) })
}

pub(super) fn head_bucket(
    operations: &Operations,
    request: &S3Request<HeadBucketInput>,
) -> S3Result<HeadBucketOutput> {
    operations.store.with_bucket(&request.input.bucket, |_| ())?;
    Ok(HeadBucketOutput { bucket_region: Some(operations.account.region.clone()), ..Default::default() })
}

pub(super) fn list_buckets(
    operations: &Operations,
    request: S3Request<ListBucketsInput>,
) -> ListBucketsOutput {
    let prefix = request.input.prefix;
    let buckets = operations.store.buckets().into_iter();
    let buckets = buckets.filter(|(name, _)| prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix)));
    let buckets = buckets.map(|(name, created)| Bucket {
        name: Some(name),
        creation_date: Some(timestamp(created)),
        bucket_region: Some(operations.account.region.clone()),
    });
    ListBucketsOutput {
        buckets: Some(buckets.collect()),
        owner: Some(Owner { display_name: None, id: Some(operations.account.id.clone()) }),
        prefix,
        ..Default::default()
    }
}

pub(super) fn get_bucket_location(
    operations: &Operations,
    request: &S3Request<GetBucketLocationInput>,
) -> S3Result<GetBucketLocationOutput> {
    operations.store.with_bucket(&request.input.bucket, |_| ())?;
    let region = &operations.account.region;
    let constraint = (region != CLASSIC_REGION).then(|| BucketLocationConstraint::from(region.clone()));
    Ok(GetBucketLocationOutput { location_constraint: constraint })
}
