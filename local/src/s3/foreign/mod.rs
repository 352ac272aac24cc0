//! An S3 that others wrote, in place of our own: what works on both owes nothing to a mistake of ours.
//!
//! Callers' requests go to it as they are, past the same access log. The Object Created events are made here, of what it
//! answered: those of others are odd. It has no other events, and whether it verifies signatures is its own affair.

mod operation;
mod proxy;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use hyper::Uri;
use s3s::Body as HttpBody;

use self::proxy::HttpClient;
use super::body::Body;
use super::error::Error;
use super::events::{Announcer, Created, Origin};
use super::store::BucketOptions;
use crate::account::Account;

/// The other S3.
#[derive(Debug)]
pub(super) struct Foreign {
    account_id: String,
    endpoint: Uri,
    /// For callers' requests.
    http: HttpClient<HttpBody>,
    /// For what is asked in this process, which is in no access log.
    client: Client,
    announcer: Announcer,
    buckets: Mutex<BTreeMap<String, BucketOptions>>,
}

impl Foreign {
    /// The S3 at `endpoint`, such as `http://127.0.0.1:5000`.
    pub(super) fn new(endpoint: &str, account: &Account, announcer: Announcer) -> io::Result<Self> {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .region(Region::new(account.region.clone()))
            .credentials_provider(Credentials::new("AKIALOCALCLOUD", "secret", None, None, "local cloud"))
            .endpoint_url(endpoint)
            .force_path_style(true);
        Ok(Self {
            account_id: account.id.clone(),
            endpoint: endpoint.parse().map_err(io::Error::other)?,
            http: proxy::client(),
            client: Client::from_conf(config.build()),
            announcer,
            buckets: Mutex::default(),
        })
    }

    pub(super) fn url(&self, bucket: &str) -> String {
        format!("{}{bucket}", self.endpoint)
    }

    /// Its buckets are everybody's who uses it: the name has to be one of its own.
    pub(super) async fn create_bucket(&self, name: &str, options: BucketOptions) -> Result<(), Error> {
        let region = self.client.config().region().map(ToString::to_string).unwrap_or_default();
        let place = aws_sdk_s3::types::CreateBucketConfiguration::builder()
            .location_constraint(region.as_str().into())
            .build();
        let create = self.client.create_bucket().bucket(name).create_bucket_configuration(place);
        create.send().await.map_err(|error| refused(name, "", error))?;
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), options);
        Ok(())
    }

    pub(super) async fn put(
        &self,
        bucket: &str,
        key: &str,
        body: Body,
        origin: &Origin,
    ) -> Result<(), Error> {
        let (content, file) = match body {
            Body::Bytes(bytes) => (bytes, None),
            Body::File(path) => (tokio::fs::read(&path).await?.into(), Some(path)),
        };
        let size = content.len() as u64;
        let put = self.client.put_object().bucket(bucket).key(key).body(ByteStream::from(content));
        let output = put.send().await.map_err(|error| refused(bucket, key, error))?;
        if let Some(path) = file {
            tokio::fs::remove_file(path).await?;
        }
        let created = Created {
            key,
            size,
            etag: output.e_tag().unwrap_or_default().trim_matches('"'),
            version_id: output.version_id(),
        };
        self.announce(bucket, &created, "PutObject", origin);
        Ok(())
    }

    pub(super) async fn read(&self, bucket: &str, key: &str) -> Result<Bytes, Error> {
        let get = self.client.get_object().bucket(bucket).key(key);
        let output = get.send().await.map_err(|error| refused(bucket, key, error))?;
        Ok(output.body.collect().await.map_err(io::Error::other)?.into_bytes())
    }

    pub(super) async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<String>, Error> {
        let list = self.client.list_objects_v2().bucket(bucket).prefix(prefix);
        let mut pages = list.into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refused(bucket, prefix, error))?;
            keys.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
        }
        Ok(keys)
    }

    pub(super) async fn tags(&self, bucket: &str, key: &str) -> Result<BTreeMap<String, String>, Error> {
        let get = self.client.get_object_tagging().bucket(bucket).key(key);
        let output = get.send().await.map_err(|error| refused(bucket, key, error))?;
        Ok(output.tag_set().iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect())
    }

    async fn head(&self, bucket: &str, key: &str) -> Result<HeadObjectOutput, Error> {
        let head = self.client.head_object().bucket(bucket).key(key);
        head.send().await.map_err(|error| refused(bucket, key, error))
    }

    fn announce(&self, bucket: &str, created: &Created<'_>, reason: &str, origin: &Origin) {
        let buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.get(bucket).is_some_and(|options| options.eventbridge) {
            self.announcer.created(bucket, created, reason, origin);
        }
    }
}

fn refused<E>(bucket: &str, key: &str, error: SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match error.code() {
        Some("NoSuchKey" | "NotFound") => Error::NoSuchKey(key.to_owned()),
        Some("NoSuchBucket") => Error::NoSuchBucket(bucket.to_owned()),
        _ => Error::Foreign(DisplayErrorContext(error).to_string()),
    }
}
