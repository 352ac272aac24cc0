//! What clients asked for, as the server saw it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;

use super::error::Refusal;
use crate::faults::Faults;

/// One request over HTTP, answered or not, allowed or refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessLogEntry {
    /// When it arrived.
    pub time: Timestamp,
    /// `x-amz-request-id` of the answer, and `request-id` of the events that came of it.
    pub request_id: String,
    /// The API's name, for example `GetObject`. A request that was refused before S3 looked at what it wanted (a wrong
    /// signature, a malformed URL) has method and resource instead, as in S3's own logs: `REST.GET.OBJECT`.
    pub operation: String,
    /// The bucket, if the path names one.
    pub bucket: Option<String>,
    /// The key, if the path names one, decoded.
    pub key: Option<String>,
    /// The `Range` header as it was sent.
    pub range: Option<String>,
    /// The answer's HTTP status; `None` until there is one, and for ever if the client left before.
    pub status: Option<u16>,
    /// S3's error code.
    pub error_code: Option<String>,
    /// Bytes of the answer's body that were given to the connection. Where the client hangs up, the last of them may
    /// not have reached it.
    pub bytes_sent: u64,
    /// Bytes of the request's body that were read, encoded as they came.
    pub bytes_received: u64,
    /// Who the request says sent it; the signature is right unless `error_code` says otherwise.
    pub access_key_id: Option<String>,
}

/// A place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(usize);

/// The requests of all clients, in the order in which they arrived.
#[derive(Debug, Default)]
pub struct AccessLog {
    records: Mutex<Vec<Arc<Record>>>,
    /// What tests do to requests.
    pub(super) faults: Faults<AccessLogEntry, Refusal>,
}

impl AccessLog {
    /// All requests so far.
    #[must_use]
    pub fn entries(&self) -> Vec<AccessLogEntry> {
        self.since(Mark(0))
    }

    /// The present end of the log, for [`since`](Self::since).
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark(self.records().len())
    }

    /// The requests that arrived after `mark` was taken.
    #[must_use]
    pub fn since(&self, mark: Mark) -> Vec<AccessLogEntry> {
        self.records()[mark.0..].iter().map(|record| record.entry()).collect()
    }

    /// Enters a request that has arrived.
    pub(super) fn enter(&self, arrived: AccessLogEntry) -> Arc<Record> {
        let record = Arc::new(Record {
            arrived,
            operation: OnceLock::new(),
            answer: OnceLock::new(),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
        });
        self.records().push(Arc::clone(&record));
        record
    }

    fn records(&self) -> MutexGuard<'_, Vec<Arc<Record>>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request while it is being answered: what it was on arrival, and what has become known of it since.
#[derive(Debug)]
pub(super) struct Record {
    arrived: AccessLogEntry,
    operation: OnceLock<String>,
    answer: OnceLock<(u16, Option<String>)>,
    sent: AtomicU64,
    received: AtomicU64,
}

impl Record {
    pub(super) fn request_id(&self) -> &str {
        &self.arrived.request_id
    }

    pub(super) fn set_operation(&self, name: &str) {
        self.operation.set(name.to_owned()).ok();
    }

    pub(super) fn set_answer(&self, status: u16, error_code: Option<String>) {
        self.answer.set((status, error_code)).ok();
    }

    pub(super) fn add_sent(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn add_received(&self, bytes: u64) {
        self.received.fetch_add(bytes, Ordering::Relaxed);
    }

    fn entry(&self) -> AccessLogEntry {
        let mut entry = self.arrived.clone();
        if let Some(operation) = self.operation.get() {
            entry.operation.clone_from(operation);
        }
        if let Some((status, error_code)) = self.answer.get() {
            entry.status = Some(*status);
            entry.error_code.clone_from(error_code);
        }
        entry.bytes_sent = self.sent.load(Ordering::Relaxed);
        entry.bytes_received = self.received.load(Ordering::Relaxed);
        entry
    }
}
