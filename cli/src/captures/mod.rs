//! The captures in a deployment's bucket: records and markers, found by filter or by name, read many at a time.
//!
//! A record is read as the text that it is, with a [`Summary`] of what lists and filters need: what this version does not know
//! is printed all the same.

mod export;
mod filter;
mod find;
mod listing;
mod summary;
mod when;

pub(crate) use export::Export;
pub(crate) use filter::Filter;
pub(crate) use find::{Capture, SessionArgument};
pub(crate) use summary::Summary;

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use bytes::Bytes;
use crash_capture::layout::{self, RecordName};
use crash_capture::record::Marker;
use crash_capture::service::{Fault, ServiceError};
use crash_capture::session::SessionName;
use crash_capture::store::Store;
use futures_util::stream::{self, Stream, StreamExt as _, TryStreamExt as _};

use crate::failure::Failure;
use crate::output::note;

/// How many objects are read at a time. At some 20 ms each, that is three thousand a second.
const READS: usize = 64;

/// A deployment's bucket.
#[derive(Debug, Clone)]
pub(crate) struct Captures {
    s3: Client,
    bucket: String,
}

/// A record, as it lies in the index.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    /// What its key tells.
    pub(crate) name: RecordName,
    /// What lists and filters need of it.
    pub(crate) summary: Summary,
    /// All of it: one JSON object.
    pub(crate) text: Bytes,
}

/// The marker of a session that is not settled.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    pub(crate) marker: Marker,
    /// All of it: one JSON object.
    pub(crate) text: Bytes,
}

impl Captures {
    /// The captures in a bucket that exists.
    pub(crate) fn new(config: &SdkConfig, bucket: String) -> Self {
        Self { s3: Client::new(config), bucket }
    }

    /// The library's way into the bucket.
    pub(crate) fn store(&self) -> Store {
        Store::new(self.s3.clone(), &self.bucket)
    }

    /// S3, for what the library has no call for.
    pub(crate) fn s3(&self) -> &Client {
        &self.s3
    }

    /// The bucket's name.
    pub(crate) fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The records that a filter takes: the newest day first, within a day in the order of their keys. Only the keys of the
    /// days, applications and groups in question are listed; 64 records are read at a time, and no more are held. What is no
    /// record is told of on standard error, and left out.
    pub(crate) fn records<'a>(
        &'a self,
        filter: &'a Filter,
    ) -> impl Stream<Item = Result<Recorded, Failure>> + 'a {
        let days = stream::once(self.days(filter)).map_ok(|days| stream::iter(days).map(Ok)).try_flatten();
        let keys = self.record_keys(days, filter);
        let reads = keys.map(async |name| self.recorded(name?).await).buffered(READS);
        reads.try_filter_map(async |read| Ok(read.filter(|read| filter.takes(read))))
    }

    /// The markers that a filter takes, in the order of their keys: also of sessions that were settled some minutes ago.
    pub(crate) fn markers<'a>(
        &'a self,
        filter: &'a Filter,
    ) -> impl Stream<Item = Result<Open, Failure>> + 'a {
        let names = self.marker_names(filter);
        let reads = names.map(async |name| self.marker(&name?).await).buffered(READS);
        reads.try_filter_map(async |read| Ok(read.filter(|read| filter.takes_open(&read.marker))))
    }

    /// Those of sessions that are not settled.
    pub(crate) fn open<'a>(&'a self, filter: &'a Filter) -> impl Stream<Item = Result<Open, Failure>> + 'a {
        let captures = self.markers(filter).map_ok(|open| self.settled_or_open(open)).try_buffered(READS);
        captures.try_filter_map(async |capture| {
            Ok(if let Capture::Open(open) = capture { Some(*open) } else { None })
        })
    }

    /// A record; nothing if it has gone, or cannot be read.
    pub(crate) async fn recorded(&self, name: RecordName) -> Result<Option<Recorded>, Failure> {
        let key = layout::record_key(name.date, &name.application, &name.session);
        let Some(text) = Box::pin(self.read(&key)).await? else { return Ok(None) };
        Ok(parsed(&key, &text).map(|summary| Recorded { name, summary, text }))
    }

    /// A session's marker; nothing if it has none, or it cannot be read.
    pub(crate) async fn marker(&self, session: &SessionName) -> Result<Option<Open>, Failure> {
        let key = layout::marker_key(session);
        let Some(text) = Box::pin(self.read(&key)).await? else { return Ok(None) };
        Ok(parsed(&key, &text).map(|marker| Open { marker, text }))
    }

    /// A small object; nothing if there is none.
    pub(crate) async fn read(&self, key: &str) -> Result<Option<Bytes>, Failure> {
        let answer = self.s3.get_object().bucket(&self.bucket).key(key).send().await;
        let body = match answer {
            Ok(answer) => answer.body.collect().await,
            Err(error) => {
                let error = ServiceError::new("GetObject", &error);
                return if error.code == "NoSuchKey" { Ok(None) } else { Err(self.explained(error)) };
            }
        };
        let body = body.map_err(|error| ServiceError::broken_body("GetObject", &error))?;
        Ok(Some(body.into_bytes()))
    }

    /// A failure of S3, with what it means here.
    pub(crate) fn explained(&self, error: ServiceError) -> Failure {
        if error.fault == Fault::NotFound && error.code == "NoSuchBucket" {
            return Failure::not_found(format!("there is no bucket {}", self.bucket));
        }
        error.into()
    }
}

fn parsed<T: serde::de::DeserializeOwned>(key: &str, text: &[u8]) -> Option<T> {
    serde_json::from_slice(text).inspect_err(|error| note(format!("{key} is left out: {error}"))).ok()
}
