//! The service's books: stream groups, applications and sessions, and how requests name them.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use crate::account::Account;

use super::error::ServiceError;
use super::input::{ListQuery, StartStreamSession};
use super::life::Command;
use super::paging::PageToken;
use super::session::{SessionId, StreamSession};
use super::setup::{Application, Capacity};

/// Everything that the service knows. It lives in memory alone.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) groups: BTreeMap<String, Capacity>,
    pub(super) applications: BTreeMap<String, Application>,
    /// By their random ids: "no particular order", which stays the same from page to page.
    pub(super) sessions: BTreeMap<SessionId, Arc<Entry>>,
    /// The sessions by the `ClientToken` of the request that started them.
    started: HashMap<String, SessionId>,
}

/// A session in the books.
#[derive(Debug)]
pub(super) struct Entry {
    /// The session, for those who read it and those who wait for a change of it.
    pub(super) state: watch::Sender<StreamSession>,
    /// To the task that leads the session's life; closed when there is none.
    pub(super) commands: mpsc::UnboundedSender<Command>,
    /// The session's folder on disk.
    pub(super) folder: PathBuf,
    /// How many frames its game has presented.
    pub(super) frames: Arc<AtomicU64>,
}

impl Entry {
    /// The session as it is now.
    pub(super) fn session(&self) -> StreamSession {
        self.state.borrow().clone()
    }

    /// Changes the session; others see the whole change or nothing of it.
    pub(super) fn update(&self, change: impl FnOnce(&mut StreamSession)) {
        self.state.send_modify(|session| {
            change(session);
            session.last_updated_at = Timestamp::now();
        });
    }

    /// Changes the session unless `change` refuses, with nobody else's change in between. `change` says whether it
    /// changed anything.
    pub(super) fn try_update(
        &self,
        change: impl FnOnce(&mut StreamSession) -> Result<bool, ServiceError>,
    ) -> Result<(), ServiceError> {
        let mut result = Ok(false);
        self.state.send_if_modified(|session| {
            result = change(session);
            let changed = matches!(result, Ok(true));
            if changed {
                session.last_updated_at = Timestamp::now();
            }
            changed
        });
        result.map(|_| ())
    }
}

impl Books {
    /// The stream group that a request names by id or ARN.
    pub(super) fn group(&self, account: &Account, identifier: &str) -> Result<&Capacity, ServiceError> {
        local_id(account, "streamgroup/", identifier)
            .and_then(|id| self.groups.get(id))
            .ok_or_else(|| not_found("Stream group", identifier))
    }

    /// The application that a request names by id or ARN.
    pub(super) fn application(
        &self,
        account: &Account,
        identifier: &str,
    ) -> Result<&Application, ServiceError> {
        local_id(account, "application/", identifier)
            .and_then(|id| self.applications.get(id))
            .ok_or_else(|| not_found("Application", identifier))
    }

    /// The session that a request names by its stream group and itself, each by id or ARN.
    pub(super) fn session(
        &self,
        account: &Account,
        group: &str,
        session: &str,
    ) -> Result<Arc<Entry>, ServiceError> {
        let stream_group_id = self.group(account, group)?.group.id.clone();
        local_id(account, &format!("streamsession/{stream_group_id}/"), session)
            .and_then(|id| self.sessions.get(&SessionId { stream_group_id, id: id.to_owned() }))
            .cloned()
            .ok_or_else(|| not_found("Stream session", session))
    }

    /// The session that an earlier request with the same `ClientToken` started. "An API request completes only once."
    pub(super) fn started_by(
        &self,
        request: &StartStreamSession,
    ) -> Result<Option<Arc<Entry>>, ServiceError> {
        let started = request.client_token.as_ref().and_then(|token| self.started.get(token));
        let entry = started.and_then(|id| self.sessions.get(id));
        match entry {
            Some(entry) if entry.state.borrow().request != *request => {
                let message = "The client token was used before with other parameters";
                Err(ServiceError::Conflict(message.into()))
            }
            entry => Ok(entry.cloned()),
        }
    }

    /// Adds a session.
    pub(super) fn add(&mut self, entry: Arc<Entry>) {
        let session = entry.session();
        if let Some(token) = session.request.client_token {
            self.started.insert(token, session.id.clone());
        }
        self.sessions.insert(session.id, entry);
    }

    /// One page of the sessions of a stream group, or of the account, and the token of the next page.
    pub(super) fn page(
        &self,
        stream_group_id: Option<&str>,
        query: &ListQuery,
    ) -> Result<(Vec<StreamSession>, Option<String>), ServiceError> {
        let scope = format!("{stream_group_id:?} {:?} {:?}", query.status, query.export_status);
        let token = query.next_token.as_deref().map(|token| PageToken::read(token, &scope)).transpose()?;
        let first = || {
            let stream_group_id = stream_group_id.unwrap_or_default().to_owned();
            Bound::Included(SessionId { stream_group_id, id: String::new() })
        };
        let start = token.map_or_else(first, |token| Bound::Excluded(token.last));
        let mut matching = self
            .sessions
            .range((start, Bound::Unbounded))
            .take_while(|(id, _)| stream_group_id.is_none_or(|group| id.stream_group_id == group))
            .filter(|(_, entry)| {
                let session = entry.state.borrow();
                let export_status = session.export.as_ref().map(|export| export.status);
                query.status.is_none_or(|status| session.status == status)
                    && query.export_status.is_none_or(|status| export_status == Some(status))
            })
            .map(|(_, entry)| entry.session());
        let items: Vec<_> = matching.by_ref().take(query.max_results).collect();
        let more = matching.next().is_some();
        let last = items.last().filter(|_| more);
        let next = last.map(|session| PageToken { scope, last: session.id.clone() }.to_string());
        Ok((items, next))
    }
}

/// The id in an identifier that is an id, or an ARN of this account and Region with the given kind of resource.
fn local_id<'a>(account: &Account, kind: &str, identifier: &'a str) -> Option<&'a str> {
    match identifier.strip_prefix(&account.arn("gameliftstreams", kind)) {
        Some(id) => Some(id),
        None if identifier.starts_with("arn:") => None,
        None => Some(identifier),
    }
}

fn not_found(what: &str, identifier: &str) -> ServiceError {
    ServiceError::ResourceNotFound(format!("{what} {identifier} was not found"))
}
