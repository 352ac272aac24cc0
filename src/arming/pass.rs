//! One pass: the live sessions are listed, and those armed that are not yet.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::session::{Id, LIVE_STATUSES, Phase, Session, SessionName};

use super::scope::Listed;
use super::session::Arming;
use super::{Outcome, StartExport};

/// The status of a session that cannot be armed yet.
pub(super) const ACTIVATING: &str = "ACTIVATING";

/// What a pass has met.
#[derive(Debug, Default)]
pub(super) struct Met {
    /// The sessions that were listed and are ours to see to.
    pub(super) alive: BTreeSet<SessionName>,
    /// Of those, the ones that something is to be done about.
    pub(super) work: BTreeMap<SessionName, Session>,
    /// Of those, the ones that are armed and may have been for so long that their export is to be requested again.
    pub(super) old: BTreeMap<SessionName, Session>,
    /// What could not be listed.
    unlisted: Listed,
}

impl Met {
    /// Whether every group could be listed that there is.
    pub(super) fn is_whole(&self) -> bool {
        self.unlisted.is_empty()
    }

    /// Whether a session was in no listing, although its group was listed.
    pub(super) fn has_not(&self, name: &SessionName) -> bool {
        let is_unlisted = |group: &Option<Id>| group.as_ref().is_none_or(|group| *group == name.stream_group);
        !self.alive.contains(name) && !self.unlisted.iter().any(is_unlisted)
    }
}

/// The sessions that have a marker.
#[derive(Debug)]
pub(super) struct Marked {
    /// Nothing where the markers could not be listed. Then a session that is armed is taken for one that has a marker.
    names: Mutex<Option<BTreeSet<SessionName>>>,
}

impl Marked {
    pub(super) fn new(names: Option<BTreeSet<SessionName>>) -> Self {
        Self { names: Mutex::new(names) }
    }

    pub(super) fn has(&self, session: &Session) -> bool {
        self.names().as_ref().map_or(session.export.is_some(), |names| names.contains(&session.name))
    }

    pub(super) fn has_name(&self, name: &SessionName) -> bool {
        self.names().as_ref().is_some_and(|names| names.contains(name))
    }

    pub(super) fn add(&self, name: &SessionName) {
        if let Some(names) = &mut *self.names() {
            names.insert(name.clone());
        }
    }

    pub(super) fn remove(&self, name: &SessionName) {
        if let Some(names) = &mut *self.names() {
            names.remove(name);
        }
    }

    /// How many there are in each stream group.
    pub(super) fn by_group(&self) -> BTreeMap<Id, u64> {
        let mut groups = BTreeMap::new();
        for name in self.names().iter().flatten() {
            *groups.entry(name.stream_group.clone()).or_default() += 1;
        }
        groups
    }

    fn names(&self) -> MutexGuard<'_, Option<BTreeSet<SessionName>>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StartExport {
    /// Lists the live sessions. One that is armed and has its marker costs nothing but its place in a listing.
    pub(super) async fn meet(
        &self,
        arming: &Arming<'_>,
        groups: &Listed,
        marked: &Marked,
        until: Instant,
    ) -> Met {
        let met = Mutex::new(Met::default());
        let statuses: Vec<_> = [ACTIVATING].into_iter().chain(LIVE_STATUSES).collect();
        let take = |session: Session| {
            let is_marked = marked.has(&session);
            if !is_marked && !self.is_configured(&session.name) {
                return;
            }
            if !is_marked && !self.is_sampled(&session.name) {
                return arming.answer().add(session.name, Outcome::Unsampled);
            }
            let mut met = met.lock().unwrap_or_else(PoisonError::into_inner);
            let is_new = met.alive.insert(session.name.clone());
            if session.phase() == Phase::Live && session.export.is_some() && is_marked {
                met.work.remove(&session.name);
                if is_new {
                    arming.answer().add(session.name.clone(), Outcome::AlreadyArmed);
                }
                if self.may_be_rearmed(&session) {
                    met.old.insert(session.name.clone(), session);
                }
            } else {
                met.work.insert(session.name.clone(), session);
            }
        };
        let unlisted = arming.each_listed(groups, &statuses, until, take).await;
        let met = met.into_inner().unwrap_or_else(PoisonError::into_inner);
        Met { unlisted, ..met }
    }

    /// Arms what a pass has met, the youngest first: they are the ones that a crash at start-up is about to take. Gives
    /// those that cannot be armed yet.
    pub(super) async fn arm_met(
        &self,
        arming: &Arming<'_>,
        work: BTreeMap<SessionName, Session>,
        marked: &Marked,
        until: Instant,
    ) -> BTreeMap<SessionName, Session> {
        let (starting, mut live): (Vec<_>, Vec<_>) =
            work.values().partition(|session| session.phase() == Phase::Starting);
        live.sort_by_key(|session| Reverse(session.created_at));
        let names = starting.into_iter().chain(live).map(|session| &session.name);
        arming
            .see_to_until(until, names, async |name| {
                let Some(session) = work.get(name) else { return Ok(Outcome::Settled) };
                let outcome = arming.arm_known(session, marked.has(session)).await?;
                marked.add(name);
                Ok(outcome)
            })
            .await;
        work.into_iter().filter(|(_, session)| session.phase() == Phase::Starting).collect()
    }
}
