//! A session's zip: where it is, and how it is read.

use crash_capture::archive::ArchiveError;
use crash_capture::service::{Fault, ServiceError};
use crash_capture::session::Id;
use crash_capture::store::{ExportReader, ReadError, Store};
use jiff::civil::Date;

use crate::failure::Failure;

use super::{Capture, Captures, SessionArgument};

/// The zip of a session that is indexed.
#[derive(Debug)]
pub(crate) struct Export {
    /// The session's id.
    pub(crate) session: Id,
    pub(crate) bucket: String,
    pub(crate) key: String,
    expires_on: Option<Date>,
}

/// The object, as it is now.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    /// Its `ETag`, with quotes.
    pub(crate) etag: String,
    /// Its size in bytes.
    pub(crate) size: u64,
}

impl Export {
    /// The reader of the object that is there now, whichever it is.
    pub(crate) fn reader(&self, captures: &Captures, head: Option<&Head>) -> ExportReader {
        let store = Store::new(captures.s3().clone(), &self.bucket);
        store.export_reader(&self.key, None, head.map(|head| head.etag.as_str()))
    }

    /// Whether it is there still.
    pub(crate) async fn head(&self, captures: &Captures) -> Result<Head, Failure> {
        let request = captures.s3().head_object().bucket(&self.bucket).key(&self.key);
        let answer = Box::pin(request.send()).await.map_err(|error| {
            let error = ServiceError::new("HeadObject", &error);
            if error.fault == Fault::NotFound { self.gone() } else { error.into() }
        })?;
        let size = answer.content_length().and_then(|length| u64::try_from(length).ok()).unwrap_or(0);
        Ok(Head { etag: answer.e_tag.unwrap_or_default(), size })
    }

    /// What kept it from being read.
    pub(crate) fn failure(&self, error: ArchiveError<ReadError>) -> Failure {
        match error {
            ArchiveError::Source(ReadError::Gone) => self.gone(),
            ArchiveError::Source(ReadError::Service(error)) => error.into(),
            error => Failure::reading(error).about(&self.key),
        }
    }

    /// It was there, as its record says.
    pub(crate) fn gone(&self) -> Failure {
        let until = self.expires_on.map(|day| format!("; it was to be kept until {day}")).unwrap_or_default();
        Failure::not_found(format!("the zip of {} is gone, or was replaced just now{until}", self.session))
    }
}

impl Captures {
    /// A session's zip, as its record says. It may have expired.
    pub(crate) async fn export(&self, session: &SessionArgument) -> Result<Export, Failure> {
        let record = match self.find(session).await? {
            Capture::Settled(record) => record,
            Capture::Open(open) => {
                let id = &open.marker.session.id;
                return Err(Failure::not_found(format!(
                    "{id} has no zip yet: it is written when the session ends. crash-capture show {id} tells more"
                )));
            }
        };
        let id = record.name.session.id.clone();
        let Some(export) = record.summary.export else {
            return Err(Failure::not_found(format!("{id} has no zip: {}", record.summary.title())));
        };
        Ok(Export { session: id, bucket: export.bucket, key: export.key, expires_on: export.expires_on })
    }
}
