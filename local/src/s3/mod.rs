//! Amazon S3, as far as Crash Capture and those who try it out need it: on the crate `s3s`, which speaks the protocol
//! (`SigV4` with presigned URLs, XML, streaming uploads), over plain HTTP on loopback.
//!
//! Objects are files that a person can look at; what else S3 knows of them lives in memory. Buckets are not versioned.
//! Each write, deletion and change of tags sends S3's event to EventBridge, if the bucket has that switched on, and
//! each request over HTTP is in an [access log](S3::access_log), failed ones too.
//!
//! Who may do what is [`Iam`]'s affair. Without `s3:ListBucket` an object that is not there is answered with 403.
//!
//! Not here: versions, ACLs, encryption, deletion by lifecycle rules, `ListObjects` version 1, `UploadPartCopy`, the
//! parts of finished objects, checksums of XML requests beyond the signed SHA-256. A write without a checksum gets none
//! (S3 computes a CRC64NVME), and a malformed `Range` is an error (S3 ignores it).
//!
//! s3s logs each refusal as an error of target `s3s`.

mod access_log;
mod body;
mod checksums;
mod conditions;
mod encryption;
mod error;
mod events;
mod exchange;
mod files;
mod gate;
pub mod lifecycle;
mod listing;
mod multipart;
mod object;
mod operations;
mod permissions;
mod range;
mod server;
mod store;
mod tags;
#[cfg(test)]
mod tests;

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use s3s::service::S3ServiceBuilder;

pub use self::access_log::{AccessLog, AccessLogEntry, Mark};
pub use self::body::Body;
pub use self::error::Error;
pub use self::object::{Headers, Object};
pub use self::server::Endpoint;
pub use self::store::BucketOptions;

use self::conditions::WriteCondition;
use self::events::{Announcer, Origin};
use self::files::Files;
use self::gate::{Gate, Keys};
use self::operations::Operations;
use self::store::{Store, Write};
use crate::account::{Account, EventSender};
use crate::iam::{Iam, Principal};

/// S3 of one account in one Region. Clones are the same S3.
#[derive(Debug, Clone)]
pub struct S3 {
    account: Account,
    store: Arc<Store>,
    keys: Keys,
    log: Arc<AccessLog>,
    iam: Iam,
}

impl S3 {
    /// An S3 without buckets, whose objects will lie in the folder `root`. Files that are in it already are no objects.
    pub fn new(root: &Path, account: Account, events: EventSender) -> io::Result<Self> {
        let store = Arc::new(Store::new(Files::new(root)?, Announcer::new(events)));
        Ok(Self { account, store, keys: Keys::default(), log: Arc::default(), iam: Iam::default() })
    }

    /// The same with policies, for requests over HTTP and [`Self::put_as`].
    #[must_use]
    pub fn with_policies(self, iam: Iam) -> Self {
        Self { iam, ..self }
    }

    /// Makes a bucket.
    pub fn create_bucket(&self, name: &str, options: BucketOptions) -> Result<(), Error> {
        self.store.create_bucket(name, options)
    }

    /// Accepts requests that are signed with this access key.
    pub fn allow(&self, access_key_id: &str, secret_access_key: &str) {
        self.keys.allow(access_key_id, secret_access_key);
    }

    /// Writes an object as another AWS service does, which does not come over HTTP and is not in the access log.
    /// `requester`, an account's id or a service's principal, stands in the Object Created event. A file is moved into
    /// S3 only if the bucket exists.
    pub async fn put(
        &self,
        bucket: &str,
        key: &str,
        body: impl Into<Body>,
        requester: &str,
    ) -> Result<Arc<Object>, Error> {
        let origin = Origin {
            requester: requester.to_owned(),
            request_id: exchange::request_id(),
            source_ip: Ipv4Addr::LOCALHOST.to_string(),
        };
        let (store, body) = (Arc::clone(&self.store), body.into());
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        let put = move || {
            store.with_bucket(&bucket, |_| ())?;
            let received = body::take_over(&store.files, body)?;
            let write = Write {
                bucket: &bucket,
                key: &key,
                etag: checksums::hex(&received.digests.md5),
                content: received.path,
                size: received.size,
                checksum: received.digests.checksum,
                headers: Headers::default(),
                tags: tags::Tags::new(),
                upload_id: None,
                reason: "PutObject",
            };
            store.write(write, &WriteCondition::default(), &origin)
        };
        tokio::task::spawn_blocking(put).await.map_err(io::Error::other)?
    }

    /// The same in the name of a caller, who has to be allowed to `s3:PutObject`.
    pub async fn put_as(
        &self,
        caller: &Principal,
        bucket: &str,
        key: &str,
        body: impl Into<Body>,
    ) -> Result<Arc<Object>, Error> {
        self.iam.authorize(caller, "s3:PutObject", &permissions::object_arn(bucket, key), &[])?;
        let place = (&self.iam, &*self.store, self.account.region.as_str());
        encryption::authorize(place, caller, "s3:PutObject", bucket)?;
        self.put(bucket, key, body, &self.account.id).await
    }

    /// Makes an object look as if it had been written this much earlier.
    pub fn backdate(&self, bucket: &str, key: &str, by: Duration) -> Result<(), Error> {
        self.store.backdate(bucket, key, by)
    }

    /// An object, if there is one with this key.
    #[must_use]
    pub fn object(&self, bucket: &str, key: &str) -> Option<Arc<Object>> {
        self.store.object(bucket, key).ok()
    }

    /// An object's content, whole: for tests, and for what is known to be small.
    pub async fn read(&self, bucket: &str, key: &str) -> Result<Bytes, Error> {
        use tokio::io::AsyncReadExt as _;
        let (_, file) = self.store.open(bucket, key)?;
        let mut content = Vec::new();
        tokio::fs::File::from_std(file).read_to_end(&mut content).await?;
        Ok(content.into())
    }

    /// The objects whose keys begin with `prefix`, in the order of their keys.
    pub fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<Arc<Object>>, Error> {
        self.store.with_bucket(bucket, |bucket| {
            let from = bucket.objects.range(prefix.to_owned()..);
            from.take_while(|(key, _)| key.starts_with(prefix))
                .map(|(_, object)| Arc::clone(object))
                .collect()
        })
    }

    /// The requests that came over HTTP.
    #[must_use]
    pub fn access_log(&self) -> &AccessLog {
        &self.log
    }

    /// Listens on a free port of 127.0.0.1, until the endpoint is dropped.
    pub async fn serve(&self) -> io::Result<Endpoint> {
        let mut builder =
            S3ServiceBuilder::new(Operations::new(self.account.clone(), Arc::clone(&self.store)));
        builder.set_auth(self.keys.clone());
        let Account { id: account_id, region, .. } = self.account.clone();
        let store = Arc::clone(&self.store);
        builder.set_access(Gate { account_id, region, iam: self.iam.clone(), store });
        server::serve(builder.build(), Arc::clone(&self.log)).await
    }
}
