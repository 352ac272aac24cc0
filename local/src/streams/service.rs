//! The service: what it was given, its books, and the tasks that work for it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinSet;

use crate::account::{Account, EventSender};
use crate::faults::Faults;
use crate::iam::Iam;

use super::books::{Books, Entry};
use super::calls::{Arrival, CallRecord};
use super::delivery::Delivery;
use super::error::ServiceError;
use super::session::SessionId;
use super::switches::{Switches, Timings};

/// GameLift Streams in one account and Region.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) account: Account,
    pub(super) root: PathBuf,
    pub(super) switches: Switches,
    pub(super) timings: Timings,
    pub(super) events: EventSender,
    pub(super) delivery: Delivery,
    /// What tests do to calls.
    pub(super) faults: Faults<Arrival, ServiceError>,
    pub(super) iam: Iam,
    books: Mutex<Books>,
    calls: Mutex<Vec<CallRecord>>,
    /// None once the service has stopped.
    tasks: Mutex<Option<JoinSet<()>>>,
}

impl Service {
    pub(super) fn new(options: super::Options) -> Arc<Self> {
        let super::Options { account, root, events, delivery, iam, switches, timings } = options;
        Arc::new(Self {
            account,
            root,
            switches,
            timings,
            events,
            delivery,
            faults: Faults::default(),
            iam,
            books: Mutex::default(),
            calls: Mutex::default(),
            tasks: Mutex::new(Some(JoinSet::new())),
        })
    }

    /// The books, for as long as the guard lives. Nobody waits for anything while holding it.
    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        lock(&self.books)
    }

    /// A session that the in-process callers name.
    pub(super) fn entry(&self, session: &SessionId) -> Option<Arc<Entry>> {
        self.books().sessions.get(session).cloned()
    }

    /// The log of all calls.
    pub(super) fn calls(&self) -> MutexGuard<'_, Vec<CallRecord>> {
        lock(&self.calls)
    }

    /// Runs a task until it ends, or the service stops; not at all if it has stopped already.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(tasks) = &mut *lock(&self.tasks) {
            while tasks.try_join_next().is_some() {}
            tasks.spawn(task);
        }
    }

    /// Ends all tasks, and with them all games.
    pub(super) async fn stop(&self) {
        let tasks = lock(&self.tasks).take();
        if let Some(mut tasks) = tasks {
            tasks.shutdown().await;
        }
    }
}

/// A change that a panic interrupted is no reason to fail everybody else.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
