//! Buckets with a KMS key: who writes or reads an object has to be allowed to use the key. Nothing is encrypted here.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>, "Permissions".

use super::store::Store;
use crate::iam::{Denied, Iam, Principal};

/// Whether the principal may use the bucket's key for what it does to an object, if the bucket has one.
pub(super) fn authorize(
    (iam, store, region): (&Iam, &Store, &str),
    principal: &Principal,
    action: &str,
    bucket: &str,
) -> Result<(), Denied> {
    let action = match action {
        "s3:PutObject" => "kms:GenerateDataKey",
        "s3:GetObject" | "s3:GetObjectVersion" => "kms:Decrypt",
        _ => return Ok(()),
    };
    let Ok(Some(key)) = store.with_bucket(bucket, |bucket| bucket.kms_key().map(str::to_owned)) else {
        return Ok(());
    };
    let service = format!("s3.{region}.amazonaws.com");
    iam.authorize(principal, action, &key, &[("kms:ViaService", &service)])
}
