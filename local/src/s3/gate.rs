//! Who may come in. Each request passes [`Gate::check`] when its signature has been verified, and before S3 does
//! anything about it: there are its operation, bucket, key and caller.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::dto::{CopyObjectInput, CopySource, DeleteObjectsInput};
use s3s::{S3Error, S3Request, S3Result, s3_error};

use super::encryption;
use super::error::Error;
use super::exchange::Exchange;
use super::permissions::{Asked, bucket_arn, object_arn};
use super::store::Store;
use crate::iam::{Denied, Iam, Principal};

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
    /// Where they are.
    pub(super) region: String,
    /// Who may do what.
    pub(super) iam: Iam,
    pub(super) store: Arc<Store>,
}

#[async_trait::async_trait]
impl S3Access for Gate {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        let record = Arc::clone(&Exchange::of(request.extensions_mut()).record);
        record.set_operation(request.s3_op().name());
        let expected_owner = request.headers().get("x-amz-expected-bucket-owner");
        let Some(credentials) = request.credentials() else { return Err(anonymous()) };
        if expected_owner.is_some_and(|owner| *owner != *self.account_id) {
            return Err(anonymous());
        }
        let principal = self.iam.principal(&credentials.access_key);
        self.admit(&principal, &Asked::by(request))
    }

    /// The source is an object of its own.
    async fn copy_object(&self, request: &mut S3Request<CopyObjectInput>) -> S3Result<()> {
        let principal = self.caller(request)?;
        let CopySource::Bucket { bucket, key, .. } = &request.input.copy_source else { return Ok(()) };
        let source = Asked {
            actions: vec!["s3:GetObject".to_owned()],
            resource: object_arn(bucket, key),
            object: Some((bucket.to_string(), key.to_string())),
            context: Vec::new(),
        };
        self.admit(&principal, &source)
    }

    /// S3 refuses single keys; here a request is refused as a whole.
    async fn delete_objects(&self, request: &mut S3Request<DeleteObjectsInput>) -> S3Result<()> {
        let principal = self.caller(request)?;
        let bucket = &request.input.bucket;
        request.input.delete.objects.iter().try_for_each(|object| {
            let resource = object_arn(bucket, &object.key);
            // A version takes both (API reference, `DeleteObjects`).
            let version = object.version_id.as_ref().map(|_| "s3:DeleteObjectVersion");
            ["s3:DeleteObject"].into_iter().chain(version).try_for_each(|action| {
                self.iam.authorize(&principal, action, &resource, &[]).map_err(|error| denied(&error))
            })
        })
    }
}

impl Gate {
    fn caller<T>(&self, request: &S3Request<T>) -> S3Result<Principal> {
        let credentials = request.credentials.as_ref().ok_or_else(anonymous)?;
        Ok(self.iam.principal(&credentials.access_key))
    }

    fn admit(&self, principal: &Principal, asked: &Asked) -> S3Result<()> {
        let context: Vec<_> = asked.context.iter().map(|(key, value)| (*key, value.as_str())).collect();
        for action in &asked.actions {
            let authorized = self.iam.authorize(principal, action, &asked.resource, &context);
            authorized.map_err(|error| denied(&error))?;
        }
        // Whether an object is there is told to those alone who may list the bucket.
        if let Some((bucket, key)) = &asked.object
            && let Err(Error::NoSuchKey(_)) = self.store.object(bucket, key)
        {
            let listed = self.iam.authorize(principal, "s3:ListBucket", &bucket_arn(bucket), &[]);
            return listed.map_err(|error| denied(&error));
        }
        let bucket = asked.resource.trim_start_matches("arn:aws:s3:::").split('/').next().unwrap_or_default();
        let place = (&self.iam, &*self.store, self.region.as_str());
        let mut actions = asked.actions.iter();
        actions
            .try_for_each(|action| encryption::authorize(place, principal, action, bucket))
            .map_err(|error| denied(&error))
    }
}

fn anonymous() -> S3Error {
    s3_error!(AccessDenied, "Access Denied")
}

fn denied(error: &Denied) -> S3Error {
    s3_error!(AccessDenied, "{error}")
}
