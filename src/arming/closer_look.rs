//! The closer look: sessions that are being started are looked at every two seconds, so that they are armed the moment
//! they are live. A crash at start-up is over before the next pass.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::session::{Session, SessionName};

use super::pass::{ACTIVATING, Marked};
use super::scope::list_of;
use super::session::Arming;
use super::{Outcome, StartExport};

/// From one look to the next.
const EVERY: Duration = Duration::from_secs(2);

impl StartExport {
    /// Looks at the sessions that are being started until there are none, or the time is over. One that is no longer listed
    /// as such is taken to be live: its export is requested at once, and what is refused is looked up.
    pub(super) async fn look_closer(
        &self,
        arming: &Arming<'_>,
        mut starting: BTreeMap<SessionName, Session>,
        marked: &Marked,
        until: Instant,
    ) {
        let mut next = Instant::now() + EVERY;
        while !starting.is_empty() && next < until {
            sleep_until(next).await;
            next = Instant::now().max(next) + EVERY;
            let groups = list_of(starting.keys().map(|name| name.stream_group.clone()));
            let found = self.list_starting(arming, &groups, marked, until).await;
            let Some(found) = found else { continue };
            let gone: BTreeMap<_, _> =
                starting.into_iter().filter(|(name, _)| !found.contains_key(name)).collect();
            let new = found.keys().filter(|name| !marked.has_name(name));
            let early = Mutex::new(BTreeMap::new());
            arming
                .see_to_until(until, gone.keys().chain(new), async |name| {
                    if let Some(session) = found.get(name) {
                        let outcome = arming.arm_known(session, false).await;
                        marked.add(name);
                        return outcome;
                    }
                    let Some(session) = gone.get(name) else { return Ok(Outcome::Settled) };
                    let outcome = arming.arm_live(session, marked.has(session)).await?;
                    // No listing is a snapshot, and what could not be done is tried again.
                    let is_early = matches!(&outcome, Outcome::NotYet(status) if status == ACTIVATING);
                    if is_early || outcome.is_undone() {
                        let mut early = early.lock().unwrap_or_else(PoisonError::into_inner);
                        early.insert(name.clone(), session.clone());
                    }
                    Ok(outcome)
                })
                .await;
            starting = found;
            starting.extend(early.into_inner().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// The sessions that are being started, of those that are ours to see to; nothing if they cannot be listed.
    async fn list_starting(
        &self,
        arming: &Arming<'_>,
        groups: &super::scope::Listed,
        marked: &Marked,
        until: Instant,
    ) -> Option<BTreeMap<SessionName, Session>> {
        let found = Mutex::new(BTreeMap::new());
        let take = |session: Session| {
            let is_ours = self.is_configured(&session.name) && self.is_sampled(&session.name);
            if is_ours || marked.has_name(&session.name) {
                found.lock().unwrap_or_else(PoisonError::into_inner).insert(session.name.clone(), session);
            }
        };
        let unlisted = arming.each_listed(groups, &[ACTIVATING], until, take).await;
        unlisted.is_empty().then(|| found.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}
