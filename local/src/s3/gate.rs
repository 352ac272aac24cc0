//! Who may come in. Each request passes [`Gate::check`] when its signature has been verified, and before S3 does
//! anything about it: there are its operation, bucket, key and caller.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};

use super::exchange::Exchange;

/// The access keys that are accepted, with their secrets.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    secrets: Arc<RwLock<HashMap<String, SecretKey>>>,
}

impl Keys {
    pub(super) fn allow(&self, access_key_id: &str, secret: &str) {
        let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        secrets.insert(access_key_id.to_owned(), secret.into());
    }
}

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        secrets.get(access_key).cloned().ok_or_else(|| {
            s3_error!(InvalidAccessKeyId, "The AWS Access Key Id you provided does not exist in our records.")
        })
    }
}

/// The door to all operations.
#[derive(Debug)]
pub(super) struct Gate {
    /// The account that owns all buckets.
    pub(super) account_id: String,
}

#[async_trait::async_trait]
impl S3Access for Gate {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        let record = Arc::clone(&Exchange::of(request.extensions_mut()).record);
        record.set_operation(request.s3_op().name());
        let known = request.credentials().is_some();
        let expected_owner = request.headers().get("x-amz-expected-bucket-owner");
        if !known || expected_owner.is_some_and(|owner| *owner != *self.account_id) {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
        Ok(())
    }
}
