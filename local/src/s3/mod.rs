//! Amazon S3, as far as Crash Capture and those who try it out need it: on the crate `s3s`, which speaks the protocol
//! (`SigV4` with presigned URLs, XML, streaming uploads), over plain HTTP on loopback.
//!
//! Objects are files that a person can look at; what else S3 knows of them lives in memory. Buckets are not versioned.
//! Each write, deletion and change of tags sends S3's event to EventBridge, if the bucket has that switched on, and
//! each request over HTTP is in an [access log](S3::access_log), failed ones too.
//!
//! Who may do what is [`Iam`]'s affair. Without `s3:ListBucket` an object that is not there is answered with 403.
//!
//! In its place may stand an S3 that others wrote ([`S3::of_others`]), behind the same access log and the same events:
//! the module `foreign`. It knows nothing of policies.
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
mod foreign;
mod gate;
pub mod lifecycle;
mod listing;
mod multipart;
mod object;
mod operations;
mod permissions;
mod range;
mod server;
mod shape;
mod store;
mod tags;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use s3s::service::S3ServiceBuilder;

pub use self::access_log::{AccessLog, AccessLogEntry, Mark};
pub use self::body::Body;
pub use self::error::{Error, Refusal};
pub use self::server::Endpoint;
pub use self::shape::Shape;
pub use self::store::BucketOptions;

use self::conditions::WriteCondition;
use self::events::{Announcer, Origin, TagChange};
use self::exchange::Service;
use self::files::Files;
use self::foreign::Foreign;
use self::gate::{Gate, Keys};
use self::object::Headers;
pub use self::object::Object;
use self::operations::Operations;
use self::shape::Shaper;
use self::store::{Store, Write};
use crate::account::{Account, EventSender};
use crate::faults::Fault;
use crate::iam::{Iam, Principal};

/// S3 of one account in one Region. Clones are the same S3.
#[derive(Debug, Clone)]
pub struct S3 {
    account: Account,
    backing: Backing,
    keys: Keys,
    log: Arc<AccessLog>,
    shaper: Arc<Shaper>,
    iam: Iam,
}

/// Who keeps the objects.
#[derive(Debug, Clone)]
enum Backing {
    Own(Arc<Store>),
    Foreign(Arc<Foreign>),
}

impl S3 {
    /// An S3 without buckets, whose objects will lie in the folder `root`. Files that are in it already are no objects.
    pub fn new(root: &Path, account: Account, events: EventSender) -> io::Result<Self> {
        let store = Arc::new(Store::new(Files::new(root)?, Announcer::new(events)));
        Ok(Self::with(Backing::Own(store), account))
    }

    /// The S3 at this endpoint, which others wrote. Whatever it is asked goes to it over HTTP; only the access log and
    /// the events are our own.
    pub fn of_others(endpoint: &str, account: Account, events: EventSender) -> io::Result<Self> {
        let foreign = Foreign::new(endpoint, &account, Announcer::new(events))?;
        Ok(Self::with(Backing::Foreign(Arc::new(foreign)), account))
    }

    fn with(backing: Backing, account: Account) -> Self {
        Self {
            account,
            backing,
            keys: Keys::default(),
            log: Arc::default(),
            shaper: Arc::default(),
            iam: Iam::default(),
        }
    }

    /// The same with policies, for requests over HTTP and [`Self::put_as`].
    #[must_use]
    pub fn with_policies(self, iam: Iam) -> Self {
        Self { iam, ..self }
    }

    /// Makes a bucket.
    pub async fn create_bucket(&self, name: &str, options: BucketOptions) -> Result<(), Error> {
        match &self.backing {
            Backing::Own(store) => store.create_bucket(name, options),
            Backing::Foreign(foreign) => foreign.create_bucket(name, options).await,
        }
    }

    /// Changes a bucket's settings, as somebody does by hand. Not on an S3 that others wrote.
    pub fn configure(&self, bucket: &str, change: impl FnOnce(&mut BucketOptions)) -> Result<(), Error> {
        match &self.backing {
            Backing::Own(store) => store.with_bucket(bucket, |bucket| change(&mut bucket.options)),
            Backing::Foreign(_) => Err(Error::Foreign("buckets are not set up here".to_owned())),
        }
    }

    /// Where a person finds a bucket: its folder, or its URL.
    #[must_use]
    pub fn place(&self, bucket: &str) -> String {
        match &self.backing {
            Backing::Own(store) => store.files.bucket(bucket).display().to_string(),
            Backing::Foreign(foreign) => foreign.url(bucket),
        }
    }

    /// Accepts requests that are signed with this access key. An S3 that others wrote accepts whom it likes.
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
    ) -> Result<(), Error> {
        let origin = Origin {
            requester: requester.to_owned(),
            request_id: exchange::request_id(),
            source_ip: Ipv4Addr::LOCALHOST.to_string(),
        };
        let store = match &self.backing {
            Backing::Own(store) => Arc::clone(store),
            Backing::Foreign(foreign) => return foreign.put(bucket, key, body.into(), &origin).await,
        };
        let body = body.into();
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
            store.write(write, &WriteCondition::default(), &origin).map(drop)
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
    ) -> Result<(), Error> {
        self.iam.authorize(caller, "s3:PutObject", &permissions::object_arn(bucket, key), &[])?;
        // An S3 that others wrote has no key of ours.
        if let Backing::Own(store) = &self.backing {
            let place = (&self.iam, &**store, self.account.region.as_str());
            encryption::authorize(place, caller, "s3:PutObject", bucket)?;
        }
        self.put(bucket, key, body, &self.account.id).await
    }

    /// Makes an object look as if it had been written this much earlier. An S3 that others wrote does not lie.
    pub fn backdate(&self, bucket: &str, key: &str, by: Duration) -> Result<(), Error> {
        match &self.backing {
            Backing::Own(store) => store.backdate(bucket, key, by),
            Backing::Foreign(_) => Err(Error::Foreign("times of objects cannot be changed here".to_owned())),
        }
    }

    /// An object, if there is one with this key; an S3 that others wrote shows its objects over HTTP alone.
    #[must_use]
    pub fn object(&self, bucket: &str, key: &str) -> Option<Arc<Object>> {
        match &self.backing {
            Backing::Own(store) => store.object(bucket, key).ok(),
            Backing::Foreign(_) => None,
        }
    }

    /// An object's tags.
    pub async fn tags(&self, bucket: &str, key: &str) -> Result<BTreeMap<String, String>, Error> {
        match &self.backing {
            Backing::Own(store) => Ok(store.object(bucket, key)?.tags.clone()),
            Backing::Foreign(foreign) => foreign.tags(bucket, key).await,
        }
    }

    /// An object's content, whole: for tests, and for what is known to be small.
    pub async fn read(&self, bucket: &str, key: &str) -> Result<Bytes, Error> {
        use tokio::io::AsyncReadExt as _;
        let (_, file) = match &self.backing {
            Backing::Own(store) => store.open(bucket, key)?,
            Backing::Foreign(foreign) => return foreign.read(bucket, key).await,
        };
        let mut content = Vec::new();
        tokio::fs::File::from_std(file).read_to_end(&mut content).await?;
        Ok(content.into())
    }

    /// The keys that begin with `prefix`, in their order.
    pub async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<String>, Error> {
        let store = match &self.backing {
            Backing::Own(store) => store,
            Backing::Foreign(foreign) => return foreign.list(bucket, prefix).await,
        };
        store.with_bucket(bucket, |bucket| {
            let from = bucket.objects.range(prefix.to_owned()..);
            from.map(|(key, _)| key.clone()).take_while(|key| key.starts_with(prefix)).collect()
        })
    }

    /// Asks the script about each request over HTTP from now on, as it arrives: what it gives becomes of the request.
    pub fn inject(&self, script: impl Fn(&AccessLogEntry) -> Option<Fault<Refusal>> + Send + Sync + 'static) {
        self.log.faults.script(script);
    }

    /// Adds tags to an object as somebody does beside us. Not on an S3 that others wrote.
    pub fn add_tags(&self, bucket: &str, key: &str, added: &[(&str, &str)]) -> Result<(), Error> {
        let Backing::Own(store) = &self.backing else {
            return Err(Error::Foreign("objects are not tagged here but over HTTP".to_owned()));
        };
        let mut tags = store.object(bucket, key)?.tags.clone();
        tags.extend(added.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        store.set_tags(bucket, key, tags, TagChange::Put, &self.own_origin())
    }

    fn own_origin(&self) -> Origin {
        Origin {
            requester: self.account.id.clone(),
            request_id: exchange::request_id(),
            source_ip: Ipv4Addr::LOCALHOST.to_string(),
        }
    }

    /// Answers requests over HTTP as slowly as this from now on, or as fast as possible again.
    pub fn shape(&self, shape: Option<Shape>) {
        self.shaper.set(shape);
    }

    /// Deletes an object as another AWS service does, if there is one with this key. Not on an S3 that others wrote.
    pub fn delete(&self, bucket: &str, key: &str) -> Result<(), Error> {
        let Backing::Own(store) = &self.backing else {
            return Err(Error::Foreign("objects are not deleted here but over HTTP".to_owned()));
        };
        store.delete(bucket, key, &WriteCondition::default(), &self.own_origin())
    }

    /// The requests that came over HTTP.
    #[must_use]
    pub fn access_log(&self) -> &AccessLog {
        &self.log
    }

    /// Listens on a free port of 127.0.0.1, until the endpoint is dropped.
    pub async fn serve(&self) -> io::Result<Endpoint> {
        let service = match &self.backing {
            Backing::Own(store) => {
                let operations = Operations::new(self.account.clone(), Arc::clone(store));
                let mut builder = S3ServiceBuilder::new(operations);
                builder.set_auth(self.keys.clone());
                let Account { id: account_id, region, .. } = self.account.clone();
                let store = Arc::clone(store);
                builder.set_access(Gate { account_id, region, iam: self.iam.clone(), store });
                Service::Own(builder.build())
            }
            Backing::Foreign(foreign) => Service::Foreign(Arc::clone(foreign)),
        };
        server::serve(service, Arc::clone(&self.log), Arc::clone(&self.shaper)).await
    }
}
