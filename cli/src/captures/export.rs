//! A session's zip: where it is, and how it is read.

use crash_capture::archive::ArchiveError;
use crash_capture::service::{Fault, ServiceError};
use crash_capture::session::Id;
use crash_capture::store::{ExportReader, ReadError};

use crate::failure::Failure;

use super::{Capture, Captures, SessionArgument, summary};

/// The zip of a session that is indexed, as it is now.
#[derive(Debug)]
pub(crate) struct Export {
    /// The session's id.
    pub(crate) session: Id,
    pub(crate) key: String,
    /// Its `ETag`, with quotes.
    pub(crate) etag: String,
    /// Its size in bytes.
    pub(crate) size: u64,
}

impl Captures {
    /// A session's zip, which is there.
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
        self.as_it_is(id, export).await
    }

    async fn as_it_is(&self, session: Id, export: summary::Export) -> Result<Export, Failure> {
        let summary::Export { key, expires_on } = export;
        let request = self.s3().head_object().bucket(self.bucket()).key(&key);
        let answer = Box::pin(request.send()).await.map_err(|error| {
            let error = ServiceError::new("HeadObject", &error);
            if error.fault != Fault::NotFound {
                return error.into();
            }
            let until = expires_on.map(|day| format!("; it was to be kept until {day}")).unwrap_or_default();
            Failure::not_found(format!("the zip of {session} is gone{until}"))
        })?;
        let size = answer.content_length().and_then(|length| u64::try_from(length).ok()).unwrap_or(0);
        Ok(Export { session, key, etag: answer.e_tag.unwrap_or_default(), size })
    }
}

impl Export {
    /// A reader of it, and of nothing that takes its place.
    pub(crate) fn reader(&self, captures: &Captures) -> ExportReader {
        captures.store().export_reader(&self.key, None, Some(&self.etag))
    }

    /// What kept it from being read.
    pub(crate) fn failure(&self, error: ArchiveError<ReadError>) -> Failure {
        match error {
            ArchiveError::Source(ReadError::Gone) => Failure::other(format!(
                "the zip of {} was replaced or deleted just now: try again",
                self.session
            )),
            ArchiveError::Source(ReadError::Service(error)) => error.into(),
            error => Failure::reading(error).about(&self.key),
        }
    }
}
