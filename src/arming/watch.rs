//! When to look at which marker again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::record::OVERDUE;
use crate::session::{Id, SessionName};

/// What is known of the markers of sessions that have ended.
#[derive(Debug, Default)]
pub(super) struct Watch {
    entries: Mutex<BTreeMap<SessionName, Watched>>,
}

/// What is known of one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Watched {
    /// When to look again.
    pub(super) next_look: Timestamp,
    /// When the session ended, as long as it is not settled.
    pub(super) unsettled_since: Option<Timestamp>,
}

impl Watch {
    /// Of the sessions that have a marker and have ended, those whose time has come; the others are forgotten.
    pub(super) fn due(&self, ended: &BTreeSet<SessionName>, now: Timestamp) -> Vec<SessionName> {
        let mut entries = self.entries();
        entries.retain(|name, _| ended.contains(name));
        let is_due = |name: &&SessionName| entries.get(*name).is_none_or(|entry| entry.next_look <= now);
        ended.iter().filter(is_due).cloned().collect()
    }

    pub(super) fn set(&self, name: &SessionName, watched: Watched) {
        self.entries().insert(name.clone(), watched);
    }

    pub(super) fn forget(&self, name: &SessionName) {
        self.entries().remove(name);
    }

    /// How many sessions are overdue, by stream group.
    pub(super) fn overdue(&self, now: Timestamp) -> BTreeMap<Id, u64> {
        let mut overdue = BTreeMap::new();
        for (name, entry) in &*self.entries() {
            if entry.unsettled_since.is_some_and(|since| now.duration_since(since) >= OVERDUE) {
                *overdue.entry(name.stream_group.clone()).or_default() += 1;
            }
        }
        overdue
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<SessionName, Watched>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
