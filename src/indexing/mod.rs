//! `index-export`: reads an export, decides what happened, writes the record and merges the tags.
//!
//! Record before tags, and each step can be repeated: the record is the truth, the tags follow the record that won.
//!
//! - `input`: which objects an event tells of
//! - `capture`: one export, step by step; `known`: what is known of its session beside its files
//! - `answer`: what is published; `metrics`: what is counted

mod answer;
mod capture;
mod input;
mod known;
mod metrics;

pub use answer::{Announced, Answer, Ignored, Several};
pub use capture::{Capture, Cost};

use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::time::Instant;

use crate::config::Config;
use crate::error::Error;
use crate::layout;
use crate::retention::Retention;
use crate::store::Store;
use crate::streams::Streams;
use crate::triage::Rules;

use self::input::{Input, ObjectRef};

/// The function `index-export`.
#[derive(Debug, Clone)]
pub struct IndexExport {
    streams: Streams,
    store: Store,
    retention: Option<Retention>,
    /// The dimension `Stack` of the metrics.
    stack: String,
    rules: Rules,
}

/// How long before the deadline reading stops: time to judge, and to write record and tags. Of a shorter invocation, half.
const RESERVED: Duration = Duration::from_secs(20);

/// One invocation of the function.
struct Invocation<'a> {
    request_id: &'a str,
    reading_ends: Instant,
}

/// When reading has to stop.
fn reading_ends(deadline: SystemTime) -> Instant {
    let remaining = deadline.duration_since(SystemTime::now()).unwrap_or_default();
    Instant::now() + remaining.saturating_sub(RESERVED.min(remaining / 2))
}

impl IndexExport {
    /// The function, with its clients.
    #[must_use]
    pub fn new(streams: Streams, store: Store, config: Config, rules: Rules) -> Self {
        let Config { retention, stack, .. } = config;
        Self { streams, store, retention, stack, rules }
    }

    /// Indexes the exports that an event tells of. One that fails does not keep the others from being indexed. Lambda ends
    /// the invocation at the `deadline`; reading stops in time before it, and what is known by then is recorded.
    pub async fn handle(
        &self,
        event: &Value,
        request_id: &str,
        deadline: SystemTime,
    ) -> Result<Answer, Error> {
        let invocation = Invocation { request_id, reading_ends: reading_ends(deadline) };
        let objects = match Input::parse(event)? {
            Input::Objects(objects) => objects,
            Input::TestEvent => Vec::new(),
        };
        let (mut captures, mut ignored, mut first_error) = (Vec::new(), Vec::new(), None);
        for object in objects {
            let key = object.key.clone();
            let indexed = self.index(object, &invocation).await;
            if let Ok(capture) = &indexed
                && let Err(error) = metrics::write(&self.stack, capture)
            {
                tracing::warn!(%error, "the metrics could not be written");
            }
            match indexed {
                Ok(Capture::Indexed(announced, _)) => captures.push(*announced),
                Ok(Capture::Ignored(code)) => {
                    tracing::warn!(key, code, "not indexed");
                    ignored.push(Ignored { key, code });
                }
                Err(error) => {
                    tracing::error!(key, code = error.code(), %error, "an export could not be indexed");
                    first_error.get_or_insert(error);
                }
            }
        }
        match first_error {
            Some(error) => Err(error),
            None => Ok(Answer::of(captures, ignored)),
        }
    }

    async fn index(&self, object: ObjectRef, invocation: &Invocation<'_>) -> Result<Capture, Error> {
        if object.bucket != self.store.bucket() {
            return Ok(Capture::Ignored("not-ours"));
        }
        let object = match layout::parse_reindex_key(&object.key) {
            Some(export) => ObjectRef::named(object.bucket, export),
            None => object,
        };
        if !layout::is_export(&object.key) {
            return Ok(Capture::Ignored("not-ours"));
        }
        let Some(name) = layout::parse_export_key(&object.key) else {
            return Ok(Capture::Ignored("unknown-key"));
        };
        Box::pin(self.capture(&object, &name, invocation)).await
    }
}
