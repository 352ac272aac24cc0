//! The capture bucket: markers, records, exports and their tags. The whole state of the system.
//!
//! Writers may run twice, at once, late and out of order: every first write is conditional on there being nothing, every
//! other on the object being the one that was read (S3 user guide, "Conditional writes").

mod export;
mod markers;
mod reports;
mod resolutions;
mod signatures;
mod state;
mod tags;

pub use export::{ExportReader, ReadError};
pub use resolutions::{KnownBuild, Resolution, Resolved};
pub use signatures::FirstSight;
pub use state::{HourlyLook, Rest};
pub use tags::{PresentTags, VERDICT};

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::put_object::PutObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::layout;
use crate::record::{Record, State};
use crate::service::{Fault, ServiceError};
use crate::session::{Id, SessionName};

/// How often a conditional write is tried before the invocation gives up and is retried as a whole.
pub(crate) const ATTEMPTS: u32 = 8;

/// Bytes. What we write has a hundredth of it.
const LARGEST: i64 = 4 << 20;

/// The capture bucket.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    bucket: String,
}

/// An object that was read, and which version of it that was.
#[derive(Debug, Clone)]
pub struct Stored<T> {
    /// What it holds.
    pub value: T,
    /// When it was last written.
    pub written_at: Option<Timestamp>,
    etag: String,
}

/// What became of a record that was to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordWrite {
    /// It is in the index now, in the place of this one if there was one.
    Written(Option<Box<Record>>),
    /// The index holds one already that says the same, or that outranks it: this one.
    Kept(Box<Record>),
}

/// What is there under a key of ours.
enum Look<T> {
    Nothing,
    Whole(Stored<T>),
    /// Something else than what we write there.
    Broken {
        etag: String,
        detail: String,
    },
}

/// What a conditional write came to.
enum Condition {
    Held,
    Failed,
}

impl Store {
    /// A bucket, by the name of one that exists.
    #[must_use]
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self { client, bucket: bucket.into() }
    }

    /// The bucket's name.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The `s3://` URI of a key.
    #[must_use]
    pub fn uri(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    /// A session's record, if it has one. Its key holds the date of the session's creation and the application.
    pub async fn record(
        &self,
        date: jiff::civil::Date,
        application: &Id,
        session: &SessionName,
    ) -> Result<Option<Stored<Record>>, Error> {
        self.read(&layout::record_key(date, application, session)).await
    }

    /// The record of this key, if there is one that can be read.
    pub async fn record_at(&self, key: &str) -> Result<Option<Stored<Record>>, Error> {
        self.read_whole(key).await
    }

    /// Writes a record, unless the index holds one that says the same or outranks it.
    pub async fn put_record(&self, key: &str, record: &Record) -> Result<RecordWrite, Error> {
        for _ in 0..ATTEMPTS {
            if let Condition::Held = self.create(key, record).await? {
                return Ok(RecordWrite::Written(None));
            }
            let existing = match self.look_at::<Record>(key).await? {
                Look::Nothing => continue,
                Look::Whole(existing) => existing,
                // The export tells all of it again; of a session without one, nothing would.
                Look::Broken { etag, detail } if record.state == State::Indexed => {
                    tracing::warn!(key, detail, "a record that cannot be read is written anew");
                    match self.replace(key, record, &etag).await? {
                        Condition::Held => return Ok(RecordWrite::Written(None)),
                        Condition::Failed => continue,
                    }
                }
                Look::Broken { detail, .. } => return Err(Error::Object { key: key.to_owned(), detail }),
            };
            if existing.value.says_the_same(record) || !record.may_replace(&existing.value) {
                return Ok(RecordWrite::Kept(Box::new(existing.value)));
            }
            if let Condition::Held = self.replace(key, record, &existing.etag).await? {
                return Ok(RecordWrite::Written(Some(Box::new(existing.value))));
            }
        }
        Err(Error::Contended { key: key.to_owned(), attempts: ATTEMPTS })
    }

    /// Asks `index-export` to index an export again: the object's event reaches it as an export's own does. Expires in a
    /// day.
    pub async fn request_reindex(&self, export_key: &str) -> Result<(), Error> {
        let request = self.client.put_object().bucket(&self.bucket).key(layout::reindex_key(export_key));
        let put = request.content_type(JSON).body(ByteStream::from_static(b"{}\n")).send().await;
        put.map_err(|error| ServiceError::new("PutObject", &error))?;
        Ok(())
    }

    /// The keys below a prefix, page by page.
    async fn each_key(&self, prefix: &str, mut take: impl FnMut(&str)) -> Result<(), Error> {
        let mut pages =
            self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ServiceError::new("ListObjectsV2", &error))?;
            page.contents().iter().filter_map(|object| object.key()).for_each(&mut take);
        }
        Ok(())
    }

    /// An object of ours, if there is one. One that cannot be read is an error.
    async fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<Stored<T>>, Error> {
        match self.look_at(key).await? {
            Look::Nothing => Ok(None),
            Look::Whole(stored) => Ok(Some(stored)),
            Look::Broken { detail, .. } => Err(Error::Object { key: key.to_owned(), detail }),
        }
    }

    /// An object of ours, if there is one. One that cannot be read, because somebody has edited it, counts as none.
    async fn read_whole<T: DeserializeOwned>(&self, key: &str) -> Result<Option<Stored<T>>, Error> {
        match self.look_at(key).await? {
            Look::Nothing => Ok(None),
            Look::Whole(stored) => Ok(Some(stored)),
            Look::Broken { detail, .. } => {
                tracing::warn!(key, detail, "an object is not what this version writes");
                Ok(None)
            }
        }
    }

    async fn look_at<T: DeserializeOwned>(&self, key: &str) -> Result<Look<T>, Error> {
        let output = match self.client.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(output) => output,
            Err(error) => {
                let error = ServiceError::new("GetObject", &error);
                return if error.fault == Fault::NotFound { Ok(Look::Nothing) } else { Err(error.into()) };
            }
        };
        let etag = output.e_tag().unwrap_or_default().to_owned();
        let written_at = output.last_modified().and_then(|at| Timestamp::from_second(at.secs()).ok());
        if let Some(bytes) = output.content_length().filter(|bytes| *bytes > LARGEST) {
            return Ok(Look::Broken { etag, detail: format!("it has {bytes} bytes") });
        }
        let body =
            output.body.collect().await.map_err(|error| ServiceError::broken_body("GetObject", &error))?;
        Ok(match serde_json::from_slice(&body.into_bytes()) {
            Ok(value) => Look::Whole(Stored { value, written_at, etag }),
            Err(error) => Look::Broken { etag, detail: error.to_string() },
        })
    }

    /// Writes an object that does not exist yet.
    async fn create<T: Serialize>(&self, key: &str, value: &T) -> Result<Condition, Error> {
        let put = self.client.put_object().if_none_match("*");
        conditional(put.bucket(&self.bucket).key(key).content_type(JSON).body(line(key, value)?).send().await)
    }

    /// Writes an object, whether or not there is one. Of two writers the last one wins.
    async fn overwrite<T: Serialize>(&self, key: &str, value: &T) -> Result<(), Error> {
        let put = self.client.put_object().bucket(&self.bucket).key(key).content_type(JSON);
        put.body(line(key, value)?).send().await.map_err(|error| ServiceError::new("PutObject", &error))?;
        Ok(())
    }

    /// Writes an object in place of the one that was read.
    async fn replace<T: Serialize>(&self, key: &str, value: &T, etag: &str) -> Result<Condition, Error> {
        let put = self.client.put_object().if_match(etag);
        conditional(put.bucket(&self.bucket).key(key).content_type(JSON).body(line(key, value)?).send().await)
    }
}

const JSON: &str = "application/json";

/// One JSON object on one line: what Athena's JSON readers ask for.
fn line<T: Serialize>(key: &str, value: &T) -> Result<ByteStream, Error> {
    let mut line = serde_json::to_vec(value)
        .map_err(|error| Error::Object { key: key.to_owned(), detail: error.to_string() })?;
    line.push(b'\n');
    Ok(line.into())
}

/// 412: the condition does not hold. 409: somebody else writes at this moment. 404 on `If-Match`: it is gone. All the
/// same to a writer that looks again.
fn conditional<E>(
    result: Result<PutObjectOutput, aws_sdk_s3::error::SdkError<E, aws_sdk_s3::config::http::HttpResponse>>,
) -> Result<Condition, Error>
where
    E: aws_sdk_s3::error::ProvideErrorMetadata + std::error::Error + 'static,
{
    match result.map_err(|error| ServiceError::new("PutObject", &error)) {
        Ok(_) => Ok(Condition::Held),
        Err(error) => match (error.fault, error.code.as_str()) {
            (Fault::PreconditionFailed | Fault::Conflict, _) | (Fault::NotFound, "NoSuchKey") => {
                Ok(Condition::Failed)
            }
            _ => Err(error.into()),
        },
    }
}
