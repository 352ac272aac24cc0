//! All buckets and objects. Files and metadata change together, under one lock, so that each request sees an object
//! whole, as it was before or after a write, and of two conditional writes one wins.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use s3s::dto;
use tempfile::TempPath;

use super::conditions::WriteCondition;
use super::error::Error;
use super::events::{Announcer, Origin, TagChange};
use super::files::Files;
use super::lifecycle::LifecycleRule;
use super::multipart::Upload;
use super::object::{Headers, Object};
use super::tags::Tags;

/// The longest key, in bytes of UTF-8.
const LONGEST_KEY: usize = 1024;

/// What can be set about a bucket.
#[derive(Debug, Clone, Default)]
pub struct BucketOptions {
    /// Whether the bucket's events go to EventBridge. S3's own default is no.
    pub eventbridge: bool,
    /// The ARN of the KMS key that its objects are encrypted with. Without one it takes S3's own.
    pub kms_key: Option<String>,
    /// Whether all of "Block public access" is on.
    pub blocks_public_access: bool,
    /// Its policy, as JSON: what is shown. [`Iam`](crate::iam::Iam) enforces its own copy.
    pub policy: Option<String>,
    /// Its lifecycle rules.
    pub lifecycle: Vec<LifecycleRule>,
}

#[derive(Debug)]
pub(super) struct Store {
    pub(super) files: Files,
    announcer: Announcer,
    buckets: Mutex<BTreeMap<String, Bucket>>,
}

#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) created: Timestamp,
    pub(super) objects: BTreeMap<String, Arc<Object>>,
    /// Multipart uploads in progress, by id.
    pub(super) uploads: HashMap<String, Upload>,
    pub(super) options: BucketOptions,
}

/// A finished upload that is to become an object.
#[derive(Debug)]
pub(super) struct Write<'a> {
    pub(super) bucket: &'a str,
    pub(super) key: &'a str,
    pub(super) content: TempPath,
    pub(super) size: u64,
    pub(super) etag: String,
    pub(super) checksum: dto::Checksum,
    pub(super) headers: Headers,
    pub(super) tags: Tags,
    /// The multipart upload that ends with this write.
    pub(super) upload_id: Option<&'a str>,
    /// For the event: the operation's name.
    pub(super) reason: &'static str,
}

impl Store {
    pub(super) fn new(files: Files, announcer: Announcer) -> Self {
        Self { files, announcer, buckets: Mutex::default() }
    }

    pub(super) fn create_bucket(&self, name: &str, options: BucketOptions) -> Result<(), Error> {
        if !s3s::path::check_bucket_name(name) {
            return Err(Error::InvalidBucketName(name.to_owned()));
        }
        let mut buckets = self.lock();
        if buckets.contains_key(name) {
            return Err(Error::BucketAlreadyOwnedByYou(name.to_owned()));
        }
        self.files.create_bucket(name)?;
        let created = this_second();
        let bucket = Bucket { created, objects: BTreeMap::new(), uploads: HashMap::new(), options };
        buckets.insert(name.to_owned(), bucket);
        Ok(())
    }

    /// Names and creation times, by name.
    pub(super) fn buckets(&self) -> Vec<(String, Timestamp)> {
        self.lock().iter().map(|(name, bucket)| (name.clone(), bucket.created)).collect()
    }

    /// Looks at, or changes, one bucket. Objects change only by [`write`](Self::write), [`delete`](Self::delete) and
    /// [`set_tags`](Self::set_tags).
    pub(super) fn with_bucket<T>(&self, name: &str, look: impl FnOnce(&mut Bucket) -> T) -> Result<T, Error> {
        find(&mut self.lock(), name).map(look)
    }

    pub(super) fn object(&self, bucket: &str, key: &str) -> Result<Arc<Object>, Error> {
        self.with_bucket(bucket, |bucket| bucket.object(key))?
    }

    /// An object with its content, which stays what it is when the object is replaced or deleted meanwhile.
    pub(super) fn open(&self, bucket: &str, key: &str) -> Result<(Arc<Object>, File), Error> {
        self.with_bucket(bucket, |bucket| {
            let object = bucket.object(key)?;
            let file = File::open(&object.path)?;
            Ok((object, file))
        })?
    }

    /// Makes an upload an object, in place of the one that has the key.
    pub(super) fn write(
        &self,
        write: Write<'_>,
        condition: &WriteCondition,
        origin: &Origin,
    ) -> Result<Arc<Object>, Error> {
        let mut buckets = self.lock();
        let bucket = find(&mut buckets, write.bucket)?;
        if !(1..=LONGEST_KEY).contains(&write.key.len()) {
            return Err(Error::KeyLength(write.key.len()));
        }
        if let Some(id) = write.upload_id.filter(|id| !bucket.uploads.contains_key(*id)) {
            return Err(Error::NoSuchUpload(id.to_owned()));
        }
        let previous = bucket.objects.get(write.key).map(Arc::as_ref);
        condition.check(write.key, previous)?;
        let previous = previous.map(|object| object.path.as_path());
        let path = self.files.place(write.content, write.bucket, write.key, previous)?;
        let object = Arc::new(Object {
            key: write.key.to_owned(),
            size: write.size,
            etag: write.etag,
            last_modified: this_second(),
            tags: write.tags,
            headers: write.headers,
            path,
            checksum: write.checksum,
        });
        bucket.objects.insert(write.key.to_owned(), Arc::clone(&object));
        if let Some(id) = write.upload_id {
            bucket.uploads.remove(id);
        }
        if bucket.options.eventbridge {
            self.announcer.created(write.bucket, &object.as_ref().into(), write.reason, origin);
        }
        Ok(object)
    }

    /// Deletes an object if there is one: S3 does not complain about a key that is not there.
    pub(super) fn delete(
        &self,
        bucket_name: &str,
        key: &str,
        condition: &WriteCondition,
        origin: &Origin,
    ) -> Result<(), Error> {
        let mut buckets = self.lock();
        let bucket = find(&mut buckets, bucket_name)?;
        condition.check(key, bucket.objects.get(key).map(Arc::as_ref))?;
        let Some(object) = bucket.objects.remove(key) else { return Ok(()) };
        if bucket.options.eventbridge {
            self.announcer.deleted(bucket_name, key, origin);
        }
        Ok(self.files.remove(bucket_name, &object.path)?)
    }

    /// Replaces all tags of an object.
    pub(super) fn set_tags(
        &self,
        bucket_name: &str,
        key: &str,
        tags: Tags,
        change: TagChange,
        origin: &Origin,
    ) -> Result<(), Error> {
        let mut buckets = self.lock();
        let bucket = find(&mut buckets, bucket_name)?;
        let object = bucket.objects.get_mut(key).ok_or_else(|| Error::NoSuchKey(key.to_owned()))?;
        Arc::make_mut(object).tags = tags;
        if bucket.options.eventbridge {
            self.announcer.tags_changed(bucket_name, object, change, origin);
        }
        Ok(())
    }

    /// Moves the time of an object's writing into the past.
    pub(super) fn backdate(&self, bucket: &str, key: &str, by: Duration) -> Result<(), Error> {
        self.with_bucket(bucket, |bucket| {
            let object = bucket.objects.get_mut(key).ok_or_else(|| Error::NoSuchKey(key.to_owned()))?;
            let earlier = object.last_modified.saturating_sub(by).unwrap_or(Timestamp::MIN);
            Arc::make_mut(object).last_modified = earlier;
            Ok(())
        })?
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    /// The ARN of its KMS key.
    pub(super) fn kms_key(&self) -> Option<&str> {
        self.options.kms_key.as_deref()
    }

    fn object(&self, key: &str) -> Result<Arc<Object>, Error> {
        self.objects.get(key).cloned().ok_or_else(|| Error::NoSuchKey(key.to_owned()))
    }
}

fn find<'a>(buckets: &'a mut BTreeMap<String, Bucket>, name: &str) -> Result<&'a mut Bucket, Error> {
    buckets.get_mut(name).ok_or_else(|| Error::NoSuchBucket(name.to_owned()))
}

/// S3 keeps times in whole seconds.
pub(super) fn this_second() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
