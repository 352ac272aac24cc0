//! The sweep: what covers every session, whether or not an event told of it.

use std::collections::BTreeSet;

use crate::error::Error;
use crate::session::{LIVE_STATUSES, Phase, Session, SessionName};

use super::session::Arming;
use super::{Answer, Outcome, StartExport, each};

impl StartExport {
    /// Arms every live session of the configured groups, and sees to every marker whose session is not among them. A
    /// session that is armed and has its marker costs nothing but its place in a listing.
    pub(super) async fn sweep(&self, arming: &Arming<'_>, answer: &mut Answer) -> Result<(), Error> {
        // Markers first: a session that starts in between is then in the second listing, at the latest.
        let marked: BTreeSet<SessionName> = self.store.marked_sessions().await?.into_iter().collect();
        let statuses: Vec<_> = LIVE_STATUSES.into_iter().chain(["ACTIVATING"]).collect();
        let listed = self.list(&statuses, answer).await;
        let alive: BTreeSet<SessionName> = listed.iter().map(|session| session.name.clone()).collect();
        let outcomes = each(listed, async |session: Session| {
            let name = session.name.clone();
            let is_marked = marked.contains(&name);
            (name, arming.arm_listed(session, is_marked).await)
        });
        answer.add_all(outcomes.await);
        let ended = marked.difference(&alive).cloned();
        let outcomes = each(ended, async |name: SessionName| {
            let outcome = arming.settle(&name).await;
            (name, outcome)
        });
        answer.add_all(outcomes.await);
        Ok(())
    }
}

impl Arming<'_> {
    /// Arms a session of a listing, if that is still to do. Listings are no snapshot and may lag behind: the session is
    /// looked up before anything is done about it.
    async fn arm_listed(&self, session: Session, is_marked: bool) -> Result<Outcome, Error> {
        match session.phase() {
            Phase::Live if is_marked && session.export.is_some() => Ok(Outcome::AlreadyArmed),
            Phase::Starting if is_marked => Ok(Outcome::NotYet(session.status)),
            _ if self.is_late() => Ok(Outcome::NotReached("the invocation's time ran out".to_owned())),
            _ => self.arm_by_name(&session.name).await,
        }
    }
}
