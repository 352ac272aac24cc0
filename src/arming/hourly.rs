//! The hourly look: sessions that nobody saw while they lived, because they were over before the next pass.
//!
//! Every hour a round begins, which lists all sessions that have ended. If one look is not enough for it, the next sweep goes on.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, timeout_at};

use crate::config::StreamGroups;
use crate::error::Error;
use crate::record::{self, Reason, SessionFacts, State};
use crate::service::Fault;
use crate::session::{Id, Session, SessionName};
use crate::store::{HourlyLook, Rest};

use super::pass::Marked;
use super::scope::list_of;
use super::session::Arming;
use super::{Outcome, StartExport};

/// From the beginning of one round to that of the next.
const EVERY: SignedDuration = SignedDuration::from_hours(1);

/// What ended before the last round that read everything is accounted for; with this much room for the service's clock.
const MARGIN: SignedDuration = SignedDuration::from_mins(10);

/// How many pages one look reads: 20,000 sessions. GameLift Streams lists the sessions of 90 days, in no particular order.
const MOST_PAGES: usize = 200;

/// The statuses of sessions that have ended.
const ENDED: [&str; 2] = ["TERMINATED", "ERROR"];

/// A listing: of a group, or of the account, and of a status.
type Listing = (Option<Id>, &'static str);

const WHAT: &str = "sessions that nobody saw";

/// What a look has read.
#[derive(Default)]
struct Read {
    candidates: BTreeMap<SessionName, Session>,
    pages: usize,
    /// Whether every listing of the round could be read so far.
    is_whole: bool,
    /// Why it could not read everything.
    cut: Option<Outcome>,
    /// Where the next look goes on.
    rest: Option<Rest>,
}

impl Read {
    /// Why no further page is to be read.
    fn limit(&self, until: Instant) -> Option<Outcome> {
        if self.pages >= MOST_PAGES {
            let text = format!("one look reads {MOST_PAGES} pages, and the next sweep goes on");
            return Some(Outcome::NotReached(text));
        }
        (Instant::now() >= until).then(Outcome::out_of_time)
    }

    /// Takes the sessions of a page that are wanted.
    fn take(&mut self, sessions: Vec<Session>, is_wanted: impl Fn(&Session) -> bool) {
        self.pages += 1;
        let wanted = sessions.into_iter().filter(is_wanted);
        self.candidates.extend(wanted.map(|session| (session.name.clone(), session)));
    }
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
        let is_due = |last: &HourlyLook| last.rest.is_some() || now.duration_since(last.at) >= EVERY;
        if !last.as_ref().is_none_or(is_due) {
            return Ok(());
        }
        let first_sweep = self.store.first_sweep(now).await?;
        let complete = last.as_ref().and_then(|last| last.complete);
        let new = HourlyLook { at: now, complete, rest: None };
        let round = if first_sweep == now {
            HourlyLook { complete: Some(now), ..new }
        } else {
            let round = last.filter(|last| last.rest.is_some()).unwrap_or(new);
            self.look(arming, marked, first_sweep, round, end).await?
        };
        // Noted at the end: who is killed meanwhile begins this look again.
        self.store.note_hourly_look(&round).await
    }

    /// One look of a round; gives the round as it stands then.
    async fn look(
        &self,
        arming: &Arming<'_>,
        marked: &Marked,
        first_sweep: Timestamp,
        round: HourlyLook,
        end: Instant,
    ) -> Result<HourlyLook, Error> {
        let since = round.complete.and_then(|at| at.saturating_sub(MARGIN).ok()).unwrap_or(Timestamp::MIN);
        let is_wanted = |session: &Session| {
            session.created_at.is_none_or(|at| at >= first_sweep)
                && session.updated_at.is_none_or(|at| at >= since)
                && self.is_configured(&session.name)
                && self.is_sampled(&session.name)
                && !marked.has_name(&session.name)
        };
        let read = self.read_ended(arming, is_wanted, round.rest.as_ref(), end).await;
        let Ok(unseen) = timeout_at(end, self.without_record(read.candidates)).await else {
            arming.answer().add_unlisted(WHAT, Outcome::out_of_time());
            return Ok(round);
        };
        let unseen = unseen?;
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
        }
        let is_undone = |name| arming.answer().is_undone(name);
        let is_whole = read.is_whole && !unseen.keys().any(is_undone);
        let rest = read.rest.map(|rest| Rest { is_whole, ..rest });
        let complete = if is_whole && rest.is_none() { Some(round.at) } else { round.complete };
        Ok(HourlyLook { complete, rest, ..round })
    }

    /// The sessions that have ended, of those that are wanted, from one page of the round on. One page after the other: the
    /// passes go first.
    async fn read_ended(
        &self,
        arming: &Arming<'_>,
        is_wanted: impl Fn(&Session) -> bool,
        from: Option<&Rest>,
        end: Instant,
    ) -> Read {
        // The other half is for what is found.
        let until = Instant::now() + end.saturating_duration_since(Instant::now()) / 2;
        let mut read = Read { is_whole: from.is_none_or(|from| from.is_whole), ..Read::default() };
        let listings = self.listings_of_ended();
        let place = from.and_then(|from| {
            let is_it = |(group, status): &Listing| *group == from.group && *status == from.status;
            Some((listings.iter().position(is_it)?, from.token.clone()))
        });
        // Without such a listing, because other groups are configured now, all of them are read.
        let (first, mut token) = place.unwrap_or_default();
        for (group, status) in listings.into_iter().skip(first) {
            let mut is_noted = token.is_some();
            loop {
                if let Some(cut) = read.limit(until) {
                    read.cut = Some(cut);
                    read.rest =
                        Some(Rest { group, status: status.to_owned(), token, is_whole: read.is_whole });
                    return read;
                }
                match arming.streams.page(group.as_ref(), status, token.take()).await {
                    Ok(page) => {
                        read.take(page.sessions, &is_wanted);
                        token = page.next;
                        if token.is_none() {
                            break;
                        }
                    }
                    // For how long a token is good is not documented: this listing begins again.
                    Err(error) if is_noted && error.fault == Fault::Refused => {}
                    // The passes say so.
                    Err(error) if error.fault == Fault::NotFound => break,
                    Err(error) => {
                        let what = group.as_ref().map_or("the account", Id::as_str);
                        tracing::warn!(what, %error, "ended sessions could not be listed");
                        read.is_whole = false;
                        read.cut = Some(Outcome::of_failure(&error));
                        break;
                    }
                }
                is_noted = false;
            }
        }
        read
    }

    /// What a round lists, in this order.
    fn listings_of_ended(&self) -> Vec<Listing> {
        let groups = match &self.config.stream_groups {
            StreamGroups::All => vec![None],
            StreamGroups::Listed(groups) => list_of(groups.iter().cloned()),
        };
        groups.into_iter().flat_map(|group| ENDED.map(|status| (group.clone(), status))).collect()
    }

    /// Those of them that have no record.
    async fn without_record(
        &self,
        mut candidates: BTreeMap<SessionName, Session>,
    ) -> Result<BTreeMap<SessionName, Session>, Error> {
        let dates = candidates.values().map(|session| SessionFacts::from(session).date());
        let dates: BTreeSet<_> = dates.collect();
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
