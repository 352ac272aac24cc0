//! The stack's buckets.

use super::error::{Problem, TemplateError};
use super::node::Node;
use super::stack::{Bucket, Resource};
use crate::s3::lifecycle::LifecycleRule;

/// Reads an `AWS::S3::Bucket`.
pub(super) fn bucket(resource: &Resource) -> Result<Bucket, TemplateError> {
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
    })
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
    let days = |node: Option<Node<'_>>| -> Result<Option<i32>, TemplateError> {
        let days = node.map(|days| days.integer(1, i32::MAX.into())).transpose()?;
        Ok(days.and_then(|days| i32::try_from(days).ok()))
    };
    let abort = rule.get("AbortIncompleteMultipartUpload")?;
    Ok(Some(LifecycleRule {
        id: rule.require("Id")?.string()?,
        prefix: rule.get("Prefix")?.map_or(Ok(String::new()), |prefix| prefix.string())?,
        tags,
        days: days(rule.get("ExpirationInDays")?)?,
        abort_uploads_after: match abort {
            Some(abort) => days(Some(abort.require("DaysAfterInitiation")?))?,
            None => None,
        },
    }))
}
