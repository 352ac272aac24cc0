//! What is set about a bucket. It can be asked, not changed: [`S3::configure`](crate::s3::S3::configure) does that.

use s3s::dto::{
    AbortIncompleteMultipartUpload, EventBridgeConfiguration, ExpirationStatus, GetBucketEncryptionInput,
    GetBucketEncryptionOutput, GetBucketLifecycleConfigurationInput, GetBucketLifecycleConfigurationOutput,
    GetBucketNotificationConfigurationInput, GetBucketNotificationConfigurationOutput, GetBucketPolicyInput,
    GetBucketPolicyOutput, GetPublicAccessBlockInput, GetPublicAccessBlockOutput, LifecycleExpiration,
    LifecycleRule, LifecycleRuleAndOperator, LifecycleRuleFilter, NoncurrentVersionExpiration,
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Tag,
};
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::Operations;
use crate::s3::lifecycle;
use crate::s3::store::BucketOptions;

fn options(operations: &Operations, bucket: &str) -> S3Result<BucketOptions> {
    Ok(operations.store.with_bucket(bucket, |bucket| bucket.options.clone())?)
}

fn none(code: &'static str, message: &'static str) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    error.set_status_code(hyper::StatusCode::NOT_FOUND);
    error
}

pub(super) fn get_public_access_block(
    operations: &Operations,
    input: &GetPublicAccessBlockInput,
) -> S3Result<GetPublicAccessBlockOutput> {
    if !options(operations, &input.bucket)?.blocks_public_access {
        let message = "The public access block configuration was not found";
        return Err(none("NoSuchPublicAccessBlockConfiguration", message));
    }
    let configuration = PublicAccessBlockConfiguration {
        block_public_acls: Some(true),
        block_public_policy: Some(true),
        ignore_public_acls: Some(true),
        restrict_public_buckets: Some(true),
    };
    Ok(GetPublicAccessBlockOutput { public_access_block_configuration: Some(configuration) })
}

/// Without a key it is S3's own: every bucket has been encrypted since January 2023.
pub(super) fn get_bucket_encryption(
    operations: &Operations,
    input: &GetBucketEncryptionInput,
) -> S3Result<GetBucketEncryptionOutput> {
    let key = options(operations, &input.bucket)?.kms_key;
    let algorithm = if key.is_some() { ServerSideEncryption::AWS_KMS } else { ServerSideEncryption::AES256 };
    let rule = ServerSideEncryptionRule {
        bucket_key_enabled: Some(key.is_some()),
        apply_server_side_encryption_by_default: Some(ServerSideEncryptionByDefault {
            kms_master_key_id: key,
            sse_algorithm: ServerSideEncryption::from_static(algorithm),
        }),
    };
    let configuration = ServerSideEncryptionConfiguration { rules: vec![rule] };
    Ok(GetBucketEncryptionOutput { server_side_encryption_configuration: Some(configuration) })
}

pub(super) fn get_bucket_policy(
    operations: &Operations,
    input: &GetBucketPolicyInput,
) -> S3Result<GetBucketPolicyOutput> {
    let policy = options(operations, &input.bucket)?.policy;
    let policy = policy.ok_or_else(|| none("NoSuchBucketPolicy", "The bucket policy does not exist"))?;
    Ok(GetBucketPolicyOutput { policy: Some(policy) })
}

pub(super) fn get_bucket_notification_configuration(
    operations: &Operations,
    input: &GetBucketNotificationConfigurationInput,
) -> S3Result<GetBucketNotificationConfigurationOutput> {
    let eventbridge = options(operations, &input.bucket)?.eventbridge;
    Ok(GetBucketNotificationConfigurationOutput {
        event_bridge_configuration: eventbridge.then(EventBridgeConfiguration::default),
        ..Default::default()
    })
}

pub(super) fn get_bucket_lifecycle_configuration(
    operations: &Operations,
    input: &GetBucketLifecycleConfigurationInput,
) -> S3Result<GetBucketLifecycleConfigurationOutput> {
    let rules = options(operations, &input.bucket)?.lifecycle;
    if rules.is_empty() {
        let message = "The lifecycle configuration does not exist";
        return Err(none("NoSuchLifecycleConfiguration", message));
    }
    let rules = rules.into_iter().map(rule).collect();
    Ok(GetBucketLifecycleConfigurationOutput { rules: Some(rules), ..Default::default() })
}

fn rule(rule: lifecycle::LifecycleRule) -> LifecycleRule {
    let mut tags: Vec<_> =
        rule.tags.into_iter().map(|(key, value)| Tag { key: Some(key), value: Some(value) }).collect();
    // One condition stands by itself, several stand in an `And`.
    let filter = match (rule.prefix, tags.len()) {
        (prefix, 0) => LifecycleRuleFilter { prefix: Some(prefix), ..Default::default() },
        (prefix, 1) if prefix.is_empty() => LifecycleRuleFilter { tag: tags.pop(), ..Default::default() },
        (prefix, _) => {
            let and =
                LifecycleRuleAndOperator { prefix: Some(prefix), tags: Some(tags), ..Default::default() };
            LifecycleRuleFilter { and: Some(and), ..Default::default() }
        }
    };
    LifecycleRule {
        id: Some(rule.id),
        status: ExpirationStatus::from_static(ExpirationStatus::ENABLED),
        filter: Some(filter),
        expiration: rule.days.map(|days| LifecycleExpiration { days: Some(days), ..Default::default() }),
        abort_incomplete_multipart_upload: rule
            .unfinished_days
            .map(|days| AbortIncompleteMultipartUpload { days_after_initiation: Some(days) }),
        noncurrent_version_expiration: rule
            .noncurrent_days
            .map(|days| NoncurrentVersionExpiration { noncurrent_days: Some(days), ..Default::default() }),
        noncurrent_version_transitions: None,
        prefix: None,
        transitions: None,
    }
}
