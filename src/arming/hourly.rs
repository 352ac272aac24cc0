//! The hourly look: sessions that nobody saw while they lived, because they were over before the next pass.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, timeout_at};

use crate::config::StreamGroups;
use crate::error::Error;
use crate::record::{self, Reason, SessionFacts, State};
use crate::session::{Id, Session, SessionName};
use crate::store::HourlyLook;

use super::pass::Marked;
use super::scope::list_of;
use super::session::Arming;
use super::{Outcome, StartExport};

/// From one look to the next.
const EVERY: SignedDuration = SignedDuration::from_hours(1);

/// What ended before the last look that came to its end is accounted for; with this much room for the service's clock.
const MARGIN: SignedDuration = SignedDuration::from_mins(10);

/// How many pages one look reads: 20,000 sessions. GameLift Streams lists the sessions of 90 days, in no particular order.
const MOST_PAGES: usize = 200;

const WHAT: &str = "sessions that nobody saw";

/// What a look has read.
#[derive(Default)]
struct Read {
    candidates: BTreeMap<SessionName, Session>,
    pages: usize,
    /// Why it could not read everything.
    cut: Option<Outcome>,
}

impl StartExport {
    /// Once an hour: records the sessions of the configured groups that ended without ever having been seen.
    pub(super) async fn look_for_unseen(&self, arming: &Arming<'_>, marked: &Marked, end: Instant) {
        if let Err(error) = self.look_if_due(arming, marked, end).await {
            tracing::error!(code = error.code(), %error, "the hourly look failed");
            arming.answer().add_unlisted(WHAT, Outcome::NotReached(error.to_string()));
        }
    }

    async fn look_if_due(&self, arming: &Arming<'_>, marked: &Marked, end: Instant) -> Result<(), Error> {
        let now = record::now();
        let last = self.store.hourly_look().await?;
        if last.is_some_and(|last| now.duration_since(last.at) < EVERY) {
            return Ok(());
        }
        let first_sweep = self.store.first_sweep(now).await?;
        let complete = last.and_then(|last| last.complete);
        // Noted at the end: who is killed meanwhile begins again. Who runs out of time does not, or each minute would.
        let is_complete = if first_sweep == now {
            true
        } else if let Ok(looked) =
            timeout_at(end, self.look(arming, marked, first_sweep, complete, end)).await
        {
            looked?
        } else {
            arming.answer().add_unlisted(WHAT, Outcome::out_of_time());
            false
        };
        let complete = if is_complete { Some(now) } else { complete };
        self.store.note_hourly_look(HourlyLook { at: now, complete }).await
    }

    /// Says whether everything was looked at.
    async fn look(
        &self,
        arming: &Arming<'_>,
        marked: &Marked,
        first_sweep: Timestamp,
        complete: Option<Timestamp>,
        end: Instant,
    ) -> Result<bool, Error> {
        let since = complete.and_then(|at| at.saturating_sub(MARGIN).ok()).unwrap_or(Timestamp::MIN);
        let is_wanted = |session: &Session| {
            session.created_at.is_none_or(|at| at >= first_sweep)
                && session.updated_at.is_none_or(|at| at >= since)
                && self.is_configured(&session.name)
                && self.is_sampled(&session.name)
                && !marked.has_name(&session.name)
        };
        let read = self.read_ended(arming, is_wanted, end).await;
        let unseen = self.without_record(read.candidates).await?;
        arming
            .see_to_until(end, unseen.keys(), async |name| match unseen.get(name) {
                Some(session) => self.record_unseen(arming, session, marked).await,
                None => Ok(Outcome::Settled),
            })
            .await;
        if let Some(cut) = read.cut {
            let pages = read.pages;
            tracing::warn!(pages, "the hourly look could not read every session");
            arming.answer().add_unlisted(format!("{WHAT}, after {pages} pages"), cut);
            return Ok(false);
        }
        let is_undone = |name| arming.answer().is_undone(name);
        Ok(!unseen.keys().any(is_undone))
    }

    /// The sessions that have ended, of those that are wanted. One page after the other: the passes go first.
    async fn read_ended(
        &self,
        arming: &Arming<'_>,
        is_wanted: impl Fn(&Session) -> bool,
        end: Instant,
    ) -> Read {
        let mut read = Read::default();
        let groups = match &self.config.stream_groups {
            StreamGroups::All => vec![None],
            StreamGroups::Listed(groups) => list_of(groups.iter().cloned()),
        };
        for group in &groups {
            for status in ["TERMINATED", "ERROR"] {
                let mut token = None;
                loop {
                    if read.pages >= MOST_PAGES {
                        read.cut = Some(Outcome::NotReached(format!("one look reads {MOST_PAGES} pages")));
                        return read;
                    }
                    if Instant::now() >= end {
                        read.cut = Some(Outcome::out_of_time());
                        return read;
                    }
                    let page = match arming.streams.page(group.as_ref(), status, token).await {
                        Ok(page) => page,
                        Err(error) => {
                            let what = group.as_ref().map_or("the account", Id::as_str);
                            tracing::warn!(what, %error, "ended sessions could not be listed");
                            read.cut = Some(Outcome::of_failure(&error));
                            break;
                        }
                    };
                    read.pages += 1;
                    let wanted = page.sessions.into_iter().filter(&is_wanted);
                    read.candidates.extend(wanted.map(|session| (session.name.clone(), session)));
                    token = page.next;
                    if token.is_none() {
                        break;
                    }
                }
            }
        }
        read
    }

    /// Those of them that have no record.
    async fn without_record(
        &self,
        mut candidates: BTreeMap<SessionName, Session>,
    ) -> Result<BTreeMap<SessionName, Session>, Error> {
        let dates = candidates.values().map(|session| SessionFacts::from(session).date());
        let dates: std::collections::BTreeSet<_> = dates.collect();
        for date in dates {
            self.store.each_recorded(date, |name| drop(candidates.remove(&name))).await?;
        }
        Ok(candidates)
    }

    async fn record_unseen(
        &self,
        arming: &Arming<'_>,
        session: &Session,
        marked: &Marked,
    ) -> Result<Outcome, Error> {
        // An event may have told of it since the markers were listed.
        if self.store.marker(&session.name).await?.is_some() {
            return Ok(Outcome::Settled);
        }
        if session.export.is_some() {
            // Somebody else has exported it: the next sweeps see what became of that.
            arming.mark(session, false, |_| false).await?;
            marked.add(&session.name);
            return Ok(Outcome::AlreadyArmed);
        }
        if session.status == "ERROR" {
            return arming.record_missed(session, None).await;
        }
        let end_reason = session.end_reason.as_deref().unwrap_or("no reason given");
        let detail =
            format!("the session was over ({end_reason}) before anything told of it or a pass met it");
        let reason = Reason::new("never-seen", detail);
        arming.record(State::Missed, reason, session.into(), None).await
    }
}
