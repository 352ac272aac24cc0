//! The service's operations on its sessions.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::books::Entry;
use super::error::ServiceError;
use super::export::Destination;
use super::input::StartStreamSession;
use super::life::{Command, Life, Place};
use super::service::Service;
use super::session::{ExportFiles, ExportStatus, SessionId, Status, StatusReason, StreamSession};
use super::setup::Capacity;
use super::switches::{SecondExport, WrongStatus};

impl Service {
    /// Starts a session. It looks as if it had been created `already_running` ago.
    pub(super) fn start(
        self: &Arc<Self>,
        group: &str,
        request: StartStreamSession,
        already_running: Duration,
    ) -> Result<StreamSession, ServiceError> {
        request.validate()?;
        let mut books = self.books();
        let capacity = books.group(&self.account, group)?.clone();
        let application_identifier = request.application_identifier.as_deref().unwrap_or_default();
        let application = books.application(&self.account, application_identifier)?.clone();
        let places = places(&capacity, request.locations.as_deref().unwrap_or_default())?;
        if let Some(started) = books.started_by(&request)? {
            return Ok(started.session());
        }
        let mut session = self.new_session(&capacity.group.id, &application.id, request);
        let created_at = session.created_at.saturating_sub(already_running);
        session.created_at = created_at.unwrap_or(session.created_at);
        if let Some(place) = places.first() {
            session.location.clone_from(&place.location);
        }
        let (entry, commands) = self.entry_for(session.clone());
        books.add(Arc::clone(&entry));
        self.spawn(Life::new(Arc::clone(self), entry, application, places, commands).lead());
        Ok(session)
    }

    fn new_session(
        &self,
        stream_group_id: &str,
        application_id: &str,
        request: StartStreamSession,
    ) -> StreamSession {
        let now = Timestamp::now();
        let seconds = |given: Option<i64>, default: Duration| {
            given.and_then(|seconds| u64::try_from(seconds).ok()).map_or(default, Duration::from_secs)
        };
        StreamSession {
            id: SessionId::generate(stream_group_id),
            application_id: application_id.to_owned(),
            location: String::new(),
            status: Status::Activating,
            status_reason: None,
            created_at: now,
            last_updated_at: now,
            export: None,
            connection_timeout: seconds(request.connection_timeout_seconds, self.timings.connection_timeout),
            session_length: seconds(request.session_length_seconds, self.timings.session_length),
            request,
        }
    }

    /// Writes a session into the books that no game plays, and that changes only by calls.
    pub(super) fn write_down(&self, session: StreamSession) {
        let (entry, _) = self.entry_for(session);
        self.books().add(entry);
    }

    fn entry_for(&self, session: StreamSession) -> (Arc<Entry>, mpsc::UnboundedReceiver<Command>) {
        let (commands, receiver) = mpsc::unbounded_channel();
        let folder = self.root.join(&session.id.stream_group_id).join(&session.id.id);
        (Arc::new(Entry::new(session, commands, folder)), receiver)
    }

    /// Requests the export of a live session's files, on behalf of a caller.
    pub(super) fn export(
        &self,
        entry: &Entry,
        output_uri: &str,
        access_key_id: &str,
    ) -> Result<(), ServiceError> {
        Destination::read(output_uri)?;
        entry.try_update(|session| {
            if !session.status.is_live() {
                return Err(self.wrong_status(session));
            }
            match (&session.export, self.switches.second_export) {
                (Some(_), SecondExport::Refused) => Err(ServiceError::Validation(format!(
                    "The files of stream session {} are already being exported",
                    session.id.id
                ))),
                (Some(_), SecondExport::Ignored) => Ok(false),
                (None, _) | (Some(_), SecondExport::Replaces) => {
                    session.export = Some(ExportFiles {
                        status: ExportStatus::Pending,
                        status_reason: None,
                        output_uri: output_uri.to_owned(),
                        access_key_id: access_key_id.to_owned(),
                    });
                    Ok(true)
                }
            }
        })
    }

    fn wrong_status(&self, session: &StreamSession) -> ServiceError {
        let id = &session.id.id;
        match self.switches.wrong_status {
            WrongStatus::Validation => ServiceError::Validation(format!(
                "Stream session {id} must be in one of the following statuses: \
                 [ACTIVE, CONNECTED, PENDING_CLIENT_RECONNECTION, RECONNECTING]"
            )),
            WrongStatus::ResourceNotFound => ServiceError::ResourceNotFound(format!(
                "Stream session {id} was not found in an active status"
            )),
        }
    }
}

/// Ends a session. "You can terminate a stream session in any status except `ACTIVATING`."
pub(super) fn terminate(entry: &Entry) -> Result<(), ServiceError> {
    let has_life = !entry.commands.is_closed();
    entry.try_update(|session| match session.status {
        Status::Activating => Err(ServiceError::Validation(format!(
            "Stream session {} cannot be terminated in status ACTIVATING",
            session.id.id
        ))),
        Status::Terminating | Status::Terminated | Status::Error => Ok(false),
        _ if has_life => {
            session.status = Status::Terminating;
            Ok(true)
        }
        _ => {
            session.status = Status::Terminated;
            session.status_reason = Some(StatusReason::ApiTerminated);
            Ok(true)
        }
    })?;
    entry.commands.send(Command::Terminate).ok();
    Ok(())
}

/// Lets a client connect, to a session that waits for its first one or for the next. The answer is the
/// `SignalResponse`: what a browser would be told, if there were a picture to stream.
pub(super) fn connect(entry: &Entry) -> Result<String, ServiceError> {
    entry.try_update(|session| match session.status {
        Status::Active => Ok(false),
        Status::PendingClientReconnection => {
            session.status = Status::Reconnecting;
            Ok(true)
        }
        _ => Err(ServiceError::Conflict(format!(
            "Stream session {} must be in status PENDING_CLIENT_RECONNECTION or ACTIVE",
            session.id.id
        ))),
    })?;
    entry.commands.send(Command::ConnectClient).ok();
    Ok(r#"{"type":"answer","sdp":"v=0"}"#.into())
}

/// Where a session may run, in the order of the request's wishes.
fn places(capacity: &Capacity, wishes: &[String]) -> Result<Vec<Place>, ServiceError> {
    let primary = capacity.group.locations.get(..1).unwrap_or_default();
    let locations = if wishes.is_empty() { primary } else { wishes };
    let places = locations.iter().map(|location| {
        let free = capacity.at(location).ok_or_else(|| {
            let group = &capacity.group.id;
            ServiceError::Validation(format!("Stream group {group} has no location {location}"))
        })?;
        Ok(Place { location: location.clone(), free })
    });
    places.collect()
}
