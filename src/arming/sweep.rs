//! The sweep: what covers every session, whether or not an event told of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::record;
use crate::session::{Id, SessionName};

use super::metrics::{Gauges, Swept};
use super::pass::{Marked, Met};
use super::scope::Listed;
use super::session::Arming;
use super::{Outcome, StartExport};

/// The next sweep comes after this.
const MINUTE: Duration = Duration::from_mins(1);

impl StartExport {
    /// Passes over the live sessions, one after the other, until the next sweep comes; meanwhile, once, the sessions that
    /// have ended.
    pub(super) async fn sweep(&self, arming: &Arming<'_>) -> Swept {
        let start = Instant::now();
        let end = (start + MINUTE).min(arming.last_start());
        // Markers first: a session that starts in between is then in the listings, at the latest.
        let names = match self.store.marked_sessions().await {
            Ok(names) => Some(names),
            Err(error) => {
                tracing::error!(code = error.code(), %error, "the markers could not be listed");
                arming.answer().add_unlisted("the markers", Outcome::NotReached(error.to_string()));
                None
            }
        };
        let known = names.clone().unwrap_or_default();
        let groups = self.groups_to_list(&known);
        let are_markers_known = names.is_some();
        let marked = Marked::new(names);
        arming.begin_pass();
        let mut met = self.meet(arming, &groups, &marked, end).await;
        let old = std::mem::take(&mut met.old);
        let ended: BTreeSet<SessionName> = known.into_iter().filter(|name| met.has_not(name)).collect();
        let (has_met_all, (), (), ()) = tokio::join!(
            self.passes(arming, &groups, &marked, met, start, end),
            self.settle(arming, &ended, &marked),
            self.look_for_unseen(arming, &marked, end),
            self.rearm(&old, end),
        );
        Swept {
            is_whole: are_markers_known && has_met_all,
            gauges: are_markers_known.then(|| self.gauges(&marked)),
        }
    }

    /// The passes of a sweep, of which the first has listed its sessions already. Says whether one of them has met every
    /// live session.
    async fn passes(
        &self,
        arming: &Arming<'_>,
        groups: &Listed,
        marked: &Marked,
        mut met: Met,
        start: Instant,
        end: Instant,
    ) -> bool {
        let every = self.config.sweep_every;
        let mut next = start;
        let mut has_met_all = met.is_whole();
        loop {
            // Listing may have taken longer than a pass should: some time is for arming, nevertheless.
            next = (next + every).max(Instant::now() + every / 2);
            let until = next.min(end);
            let starting = self.arm_met(arming, met.work, marked, until).await;
            self.look_closer(arming, starting, marked, until).await;
            if next >= end {
                return has_met_all;
            }
            sleep_until(next).await;
            arming.begin_pass();
            met = self.meet(arming, groups, marked, end).await;
            has_met_all |= met.is_whole();
        }
    }

    fn gauges(&self, marked: &Marked) -> BTreeMap<Id, Gauges> {
        let mut gauges = BTreeMap::<Id, Gauges>::new();
        for (group, open) in marked.by_group() {
            gauges.entry(group).or_default().open = open;
        }
        for (group, overdue) in self.watch.overdue(record::now()) {
            gauges.entry(group).or_default().overdue = overdue;
        }
        gauges
    }
}
