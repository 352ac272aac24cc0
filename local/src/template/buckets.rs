//! The stack's buckets.

use super::error::{Problem, TemplateError};
use super::node::Node;
use super::stack::{Bucket, Resource};
use crate::s3::lifecycle::LifecycleRule;

/// Reads an `AWS::S3::Bucket`, with its policy among the stack's resources.
pub(super) fn bucket(resource: &Resource, resources: &[Resource]) -> Result<Bucket, TemplateError> {
    let properties = resource.properties();
    let mut event_bridge = false;
    if let Some(notifications) = properties.get("NotificationConfiguration")? {
        if notifications.map()?.keys().any(|key| key != "EventBridgeConfiguration") {
            return Err(notifications.fail(Problem::Unsupported("the local S3 notifies EventBridge alone")));
        }
        if let Some(config) = notifications.get("EventBridgeConfiguration")? {
            event_bridge = config.get("EventBridgeEnabled")?.map_or(Ok(true), |enabled| enabled.boolean())?;
        }
    }
    let mut kms_key = None;
    if let Some(encryption) = properties.get("BucketEncryption")? {
        for rule in encryption.require("ServerSideEncryptionConfiguration")?.items()? {
            let default = rule.require("ServerSideEncryptionByDefault")?;
            kms_key = default.get("KMSMasterKeyID")?.map(|key| key.string()).transpose()?;
        }
    }
    let mut lifecycle = Vec::new();
    if let Some(config) = properties.get("LifecycleConfiguration")? {
        for rule in config.require("Rules")?.items()? {
            lifecycle.extend(lifecycle_rule(&rule)?);
        }
    }
    Ok(Bucket {
        logical_id: resource.logical_id.clone(),
        name: resource.name.clone(),
        event_bridge,
        kms_key,
        lifecycle,
        blocks_public_access: blocks_public_access(&properties)?,
        policy: policy(resource, resources)?,
    })
}

/// The four switches together.
fn blocks_public_access(properties: &Node<'_>) -> Result<bool, TemplateError> {
    let Some(block) = properties.get("PublicAccessBlockConfiguration")? else { return Ok(false) };
    let switches = ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];
    block.only(&[&switches])?;
    let is_on = |name: &str| block.get(name)?.map_or(Ok(false), |switch| switch.boolean());
    switches.into_iter().try_fold(true, |all, name| Ok(all && is_on(name)?))
}

/// The document of the policy that is about this bucket.
fn policy(bucket: &Resource, resources: &[Resource]) -> Result<Option<String>, TemplateError> {
    for resource in resources.iter().filter(|resource| resource.kind == "AWS::S3::BucketPolicy") {
        let properties = resource.properties();
        if properties.require("Bucket")?.string()? == bucket.name {
            return Ok(Some(properties.require("PolicyDocument")?.value.to_string()));
        }
    }
    Ok(None)
}

/// The rule, if it is enabled.
fn lifecycle_rule(rule: &Node<'_>) -> Result<Option<LifecycleRule>, TemplateError> {
    rule.only(&[
        &["AbortIncompleteMultipartUpload", "ExpiredObjectDeleteMarker", "NoncurrentVersionExpiration"],
        &["ExpirationInDays", "Id", "Prefix", "Status", "TagFilters"],
    ])?;
    let status = rule.require("Status")?;
    match status.string()?.as_str() {
        "Enabled" => {}
        "Disabled" => return Ok(None),
        _ => return Err(status.fail(Problem::expected("Enabled or Disabled", status.value))),
    }
    let mut tags = Vec::new();
    for tag in rule.get("TagFilters")?.map_or(Ok(Vec::new()), |tags| tags.items())? {
        tag.only(&[&["Key", "Value"]])?;
        tags.push((tag.require("Key")?.string()?, tag.require("Value")?.string()?));
    }
    let days_of = |days: Option<Node<'_>>| {
        let days = days.map(|days| days.integer(1, i32::MAX.into())).transpose()?;
        Ok::<_, TemplateError>(days.and_then(|days| i32::try_from(days).ok()))
    };
    let below = |action: &str, days: &str| match rule.get(action)? {
        Some(action) => days_of(action.get(days)?),
        None => Ok(None),
    };
    Ok(Some(LifecycleRule {
        id: rule.require("Id")?.string()?,
        prefix: rule.get("Prefix")?.map_or(Ok(String::new()), |prefix| prefix.string())?,
        tags,
        days: days_of(rule.get("ExpirationInDays")?)?,
        unfinished_days: below("AbortIncompleteMultipartUpload", "DaysAfterInitiation")?,
        noncurrent_days: below("NoncurrentVersionExpiration", "NoncurrentDays")?,
    }))
}
