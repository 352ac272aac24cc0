//! Markers of sessions that have ended: settled by whatever became of their export.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::error::Error;
use crate::layout;
use crate::record::{self, Marker, Reason, Record, SessionFacts, Settling, State};
use crate::session::{Export, Phase, Session, SessionName};
use crate::store::Stored;

use super::pass::Marked;
use super::session::Arming;
use super::watch::Watched;
use super::{Outcome, StartExport, settled};

/// From one look at a session to the next, as long as nothing changes. After the last one it is given up, unless its
/// export is still said to be on its way.
pub(super) const PAUSES: [SignedDuration; 4] = [
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(6),
];

/// So often an export that we set out to request is looked for, over six minutes: a killed `start-export` may never have
/// requested it, and the service may tell of it late.
const LOOKS_FOR_EXPORT: usize = 2;

/// An export that is on its way for so long after the session's end does not come any more.
const STUCK: SignedDuration = SignedDuration::from_hours(24);

/// From this age on, in hours, a request for an export may be too old: the shortest that a role's credentials last.
const LONG_HOURS: i64 = 1;

/// What a look found, beside the statuses of an export.
const UNKNOWN_SESSION: &str = "unknown-session";
const NO_EXPORT: &str = "no-export";

/// Where an export goes.
pub(super) enum Target {
    /// To this key of ours.
    Key(String),
    /// Into a folder of ours, or to nobody knows where: index-export will find it, if it comes.
    Ours,
    /// To another bucket or another prefix.
    Elsewhere(String),
}

/// A marker, and how it stands with it.
pub(super) struct Case<'a> {
    pub(super) name: &'a SessionName,
    pub(super) marker: &'a Marker,
    pub(super) ended_at: Timestamp,
    pub(super) now: Timestamp,
}

impl StartExport {
    /// Sees to the markers of sessions that were in no listing. That alone proves nothing, so GameLift Streams is asked.
    pub(super) async fn settle(&self, arming: &Arming<'_>, ended: &BTreeSet<SessionName>, known: &Marked) {
        let due = self.watch.due(ended, record::now());
        arming.see_to(due, async |name| Box::pin(self.settle_one(arming, name, Some(known))).await).await;
    }

    /// Sees to one marker.
    pub(super) async fn settle_one(
        &self,
        arming: &Arming<'_>,
        name: &SessionName,
        known: Option<&Marked>,
    ) -> Result<Outcome, Error> {
        let Some(stored) = self.store.marker(name).await? else {
            return self.without_marker(arming, name, known).await;
        };
        let marker = stored.value;
        let now = record::now();
        if let Some(settling) = &marker.settling
            && settling.next_look > now
        {
            self.watch.set(name, watched(settling));
            return Ok(Outcome::Settled);
        }
        if let Some(record) = self.recorded(&marker.session).await? {
            return self.settled(arming, name, &marker, record, known).await;
        }
        let session = match arming.streams.get(name).await {
            Err(error) => return Ok(Outcome::of_failure(&error)),
            Ok(Some(session)) if session.phase() != Phase::Ended => {
                return arming.arm_known(&session, true).await;
            }
            Ok(session) => session,
        };
        // The marker may have known too little to tell where the record lies.
        let facts = session.as_ref().map(|session| SessionFacts::from(session).or(&marker.session));
        if let Some(facts) = facts.filter(|facts| !facts.share_a_key(&marker.session))
            && let Some(record) = self.recorded(&facts).await?
        {
            return self.settled(arming, name, &marker, record, known).await;
        }
        let seen = session.as_ref().and_then(|session| session.updated_at).unwrap_or(now);
        let ended_at = marker.settling.as_ref().map_or(seen, |settling| settling.ended_at);
        let case = Case { name, marker: &marker, ended_at, now };
        match session {
            None => self.settle_unknown(arming, &case).await,
            Some(session) => self.settle_ended(arming, &case, &session).await,
        }
    }

    /// There is no marker any more, or one that somebody has edited so that it cannot be read: that one is written anew.
    async fn without_marker(
        &self,
        arming: &Arming<'_>,
        name: &SessionName,
        known: Option<&Marked>,
    ) -> Result<Outcome, Error> {
        if self.store.broken_marker(name).await?.is_none() {
            self.forget(name, known);
            return Ok(Outcome::Settled);
        }
        let marker = match arming.streams.get(name).await {
            Err(error) => return Ok(Outcome::of_failure(&error)),
            Ok(Some(session)) => Marker::new(&session, arming.note.clone()),
            Ok(None) => Marker::of_unknown(name, arming.note.clone()),
        };
        self.store.mend_marker(&marker).await?;
        Ok(Outcome::NotYet("its marker could not be read, and was written anew".to_owned()))
    }

    /// The session's record, if there is one where these facts say.
    async fn recorded(&self, facts: &SessionFacts) -> Result<Option<Stored<Record>>, Error> {
        match facts.created_at {
            Some(_) => self.store.record(facts.date(), &facts.application(), &facts.name()).await,
            None => Ok(None),
        }
    }

    async fn settle_ended(
        &self,
        arming: &Arming<'_>,
        case: &Case<'_>,
        session: &Session,
    ) -> Result<Outcome, Error> {
        let Some(export) = &session.export else {
            // We set out to arm it. The service may not tell of an export at once.
            if case.marker.armed_at.is_some() && case.looks(NO_EXPORT) <= LOOKS_FOR_EXPORT {
                self.pause(case, NO_EXPORT).await?;
                return Ok(Outcome::NotYet("no export is known yet".to_owned()));
            }
            return arming.record_missed(session, Some(case.marker)).await;
        };
        let facts = || SessionFacts::from(session).or(&case.marker.session);
        let target = self.target(export.output_uri.as_deref().or(case.marker.output_uri.as_deref()));
        match (export.status.as_str(), target) {
            ("FAILED", _) => {
                let text = export.status_reason.as_deref().unwrap_or("no reason given");
                let mut detail = format!("GameLift Streams could not export the session's files: {text}");
                detail.extend(case.credentials_that_aged());
                let reason = Reason::new("export-failed", detail);
                arming.record(State::Failed, reason, facts(), Some(case.marker)).await
            }
            ("SUCCEEDED", Target::Elsewhere(uri)) => {
                let reason = Reason::new("exported-elsewhere", format!("its files were exported to {uri}"));
                arming.record(State::Missed, reason, facts(), Some(case.marker)).await
            }
            ("SUCCEEDED", target) => {
                if case.looks("SUCCEEDED") > PAUSES.len() {
                    let looks = case.looks("SUCCEEDED") - 1;
                    let detail = format!(
                        "GameLift Streams says that its files are exported, but after {looks} requests to index them there is no record"
                    );
                    let reason = Reason::new("not-indexed", detail);
                    return arming.record(State::Failed, reason, facts(), Some(case.marker)).await;
                }
                self.ask_for_index(&target).await?;
                self.wait_for(case, export).await
            }
            _ if case.now.duration_since(case.ended_at) >= STUCK => {
                let (status, ended_at) = (&export.status, case.ended_at);
                let detail = format!("its export is {status} since the session's end at {ended_at}");
                let reason = Reason::new("export-stuck", detail);
                arming.record(State::Failed, reason, facts(), Some(case.marker)).await
            }
            _ => self.wait_for(case, export).await,
        }
    }

    /// GameLift Streams does not know the session any more, or not its group.
    async fn settle_unknown(&self, arming: &Arming<'_>, case: &Case<'_>) -> Result<Outcome, Error> {
        let marker = case.marker;
        if case.looks(UNKNOWN_SESSION) <= PAUSES.len() {
            if marker.armed_at.is_some() {
                self.ask_for_index(&self.target(marker.output_uri.as_deref())).await?;
            }
            self.pause(case, UNKNOWN_SESSION).await?;
            return Ok(Outcome::NotFound);
        }
        let (state, code) = match marker.armed_at {
            Some(_) => (State::Failed, "export-stuck"),
            None => (State::Missed, "never-armed"),
        };
        let detail = "GameLift Streams does not know the session any more, and no export of it came";
        arming.record(state, Reason::new(code, detail), marker.session.clone(), Some(marker)).await
    }

    pub(super) async fn ask_for_index(&self, target: &Target) -> Result<(), Error> {
        match target {
            Target::Key(key) => self.store.request_reindex(key).await,
            Target::Ours | Target::Elsewhere(_) => Ok(()),
        }
    }

    async fn wait_for(&self, case: &Case<'_>, export: &Export) -> Result<Outcome, Error> {
        self.pause(case, &export.status).await?;
        Ok(Outcome::NotYet(format!("the export is {}", export.status)))
    }

    /// Notes in the marker what was found, and when to look again: the longer nothing changes, the later.
    pub(super) async fn pause(&self, case: &Case<'_>, found: &str) -> Result<(), Error> {
        let looks = case.looks(found);
        let pause = PAUSES.get(looks - 1).or(PAUSES.last()).copied().unwrap_or_default();
        let settling = Settling {
            ended_at: case.ended_at,
            found: found.to_owned(),
            looks: u32::try_from(looks).unwrap_or(u32::MAX),
            next_look: case.now.saturating_add(pause).unwrap_or(case.now),
        };
        self.watch.set(case.name, watched(&settling));
        self.store
            .update_marker(case.name, |marker| {
                marker.settling = Some(settling.clone());
                true
            })
            .await
            .map(drop)
    }

    pub(super) fn forget(&self, name: &SessionName, known: Option<&Marked>) {
        self.watch.forget(name);
        if let Some(known) = known {
            known.remove(name);
        }
    }

    pub(super) fn target(&self, uri: Option<&str>) -> Target {
        let Some(uri) = uri else { return Target::Ours };
        match uri.strip_prefix(&self.store.uri("")) {
            Some(key) if layout::is_export(key) => Target::Key(key.to_owned()),
            Some(folder) if folder.starts_with(layout::EXPORTS) => Target::Ours,
            _ => Target::Elsewhere(uri.to_owned()),
        }
    }
}

impl Case<'_> {
    /// What a failed export of a long session may be due to.
    fn credentials_that_aged(&self) -> Option<String> {
        let asked_at = self.marker.rearmed_at.or(self.marker.armed_at)?;
        let minutes = self.ended_at.duration_since(asked_at).as_mins();
        let (hours, minutes) = (minutes / 60, minutes % 60);
        (hours >= LONG_HOURS).then(|| {
            format!(
                "; it was last requested {hours} h {minutes} min before the session ended, which the credentials of the \
                 request may not have outlived (RearmAfterHours)"
            )
        })
    }

    /// How often this was found, with this look.
    pub(super) fn looks(&self, found: &str) -> usize {
        let before = self.marker.settling.as_ref().filter(|settling| settling.found == found);
        before.map_or(0, |settling| settling.looks as usize) + 1
    }
}

/// Of a marker that waits for its next look, what the watch is told.
fn watched(settling: &Settling) -> Watched {
    let is_settled = settled::FOUND.contains(&settling.found.as_str());
    Watched { next_look: settling.next_look, unsettled_since: (!is_settled).then_some(settling.ended_at) }
}
