//! The service's books: stream groups, applications and sessions, and how requests name them.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::account::Account;

use super::error::ServiceError;
use super::input::{ListQuery, StartStreamSession};
use super::life::Command;
use super::paging::{PageToken, Place};
use super::session::{SessionId, StreamSession};
use super::setup::{Application, Capacity};
use super::switches::{PageOrder, Switches};

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
    /// Why its export will fail, if it shall.
    export_failure: OnceLock<String>,
    /// The session after each change, the oldest first: what those see who lag behind.
    history: Mutex<Vec<(Instant, Arc<StreamSession>)>>,
}

impl Entry {
    /// A session as it begins.
    pub(super) fn new(
        session: StreamSession,
        commands: mpsc::UnboundedSender<Command>,
        folder: PathBuf,
    ) -> Self {
        let history = Mutex::new(vec![(Instant::now(), Arc::new(session.clone()))]);
        Self {
            state: watch::Sender::new(session),
            commands,
            folder,
            frames: Arc::default(),
            export_failure: OnceLock::new(),
            history,
        }
    }

    /// The session as it was this long ago; nothing if it had not begun then.
    pub(super) fn ago(&self, ago: Duration) -> Option<Arc<StreamSession>> {
        let history = self.history();
        let past = match Instant::now().checked_sub(ago) {
            Some(then) => history.iter().rev().find(|(at, _)| *at <= then),
            None => None,
        };
        past.map(|(_, session)| Arc::clone(session))
    }

    /// Makes the export fail, if it has not been told to already.
    pub(super) fn fail_export(&self, reason: &str) {
        self.export_failure.set(reason.to_owned()).ok();
    }

    /// Why the export is to fail.
    pub(super) fn export_failure(&self) -> Option<&str> {
        self.export_failure.get().map(String::as_str)
    }

    fn history(&self) -> MutexGuard<'_, Vec<(Instant, Arc<StreamSession>)>> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a change down, while nobody else can make one.
    fn changed(&self, session: &mut StreamSession) {
        session.last_updated_at = Timestamp::now();
        self.history().push((Instant::now(), Arc::new(session.clone())));
    }

    /// The session as it is now.
    pub(super) fn session(&self) -> StreamSession {
        self.state.borrow().clone()
    }

    /// Changes the session; others see the whole change or nothing of it.
    pub(super) fn update(&self, change: impl FnOnce(&mut StreamSession)) {
        self.state.send_modify(|session| {
            change(session);
            self.changed(session);
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
                self.changed(session);
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
        switches: &Switches,
    ) -> Result<(Vec<StreamSession>, Option<String>), ServiceError> {
        let scope = format!("{stream_group_id:?} {:?} {:?}", query.status, query.export_status);
        let token = query.next_token.as_deref().map(|token| PageToken::read(token, &scope)).transpose()?;
        let place = token.map_or(Place::First, |token| token.place);
        let mut candidates = self.from(stream_group_id, &place, query, switches).peekable();
        let (mut items, mut seen, mut last) = (Vec::new(), 0, None);
        let is_full = |seen: usize, found: usize| match switches.filtered_by_page {
            Some(size) => seen >= size.min(query.max_results),
            None => found >= query.max_results,
        };
        while !is_full(seen, items.len())
            && let Some((id, entry)) = candidates.next()
        {
            items.extend(switches.listed(entry, query));
            (seen, last) = (seen + 1, Some(id));
        }
        // Without a filter by page, the last page is known to be the last.
        let more = match switches.filtered_by_page {
            Some(_) => candidates.peek().is_some(),
            None => candidates.any(|(_, entry)| switches.listed(entry, query).is_some()),
        };
        let next = last.filter(|_| more).map(|last| place.after(seen, last, switches.page_order));
        Ok((items, next.map(|place| PageToken { scope, place }.to_string())))
    }

    /// The sessions of a stream group, or of the account, from a place of the listing on.
    fn from<'a>(
        &'a self,
        stream_group_id: Option<&'a str>,
        place: &Place,
        query: &ListQuery,
        switches: &Switches,
    ) -> Box<dyn Iterator<Item = (&'a SessionId, &'a Entry)> + 'a> {
        let of_group = move |(id, _): &(&SessionId, &Arc<Entry>)| {
            stream_group_id.is_none_or(|group| id.stream_group_id == group)
        };
        let start = match place {
            Place::After(last) => Bound::Excluded(last.clone()),
            Place::First | Place::Behind(_) => {
                let stream_group_id = stream_group_id.unwrap_or_default().to_owned();
                Bound::Included(SessionId { stream_group_id, id: String::new() })
            }
        };
        let sessions = self.sessions.range((start, Bound::Unbounded)).take_while(of_group);
        let sessions = sessions.map(|(id, entry)| (id, &**entry));
        match switches.page_order {
            PageOrder::Fixed => Box::new(sessions),
            PageOrder::LastChangedFirst => {
                let behind = if let Place::Behind(count) = place { *count } else { 0 };
                let counts = |(_, entry): &(&SessionId, &Entry)| {
                    switches.filtered_by_page.is_some() || switches.listed(entry, query).is_some()
                };
                let mut sessions: Vec<_> = sessions.filter(counts).collect();
                sessions.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.state.borrow().last_updated_at));
                Box::new(sessions.into_iter().skip(behind))
            }
        }
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

pub(super) fn not_found(what: &str, identifier: &str) -> ServiceError {
    ServiceError::ResourceNotFound(format!("{what} {identifier} was not found"))
}
