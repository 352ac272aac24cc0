//! One session: marker, export, marker updated; or, too late, its record.

use jiff::{SignedDuration, Timestamp};

use crate::error::Error;
use crate::layout;
use crate::record::{self, AlarmNote, Marker, Reason, Record, SessionFacts, State, TriggerNote};
use crate::service::Fault;
use crate::session::{Phase, Session, SessionName};
use crate::store::{RecordWrite, Store};
use crate::streams::Streams;

use super::Outcome;

/// A session is not begun with less than this left of the invocation.
const RESERVE: SignedDuration = SignedDuration::from_secs(5);

/// Sees to one session after the other, for one event.
#[derive(Debug)]
pub(super) struct Arming<'a> {
    pub(super) streams: &'a Streams,
    pub(super) store: &'a Store,
    pub(super) note: &'a TriggerNote,
    pub(super) deadline: Timestamp,
}

impl Arming<'_> {
    /// Whether there is no time to begin with another session.
    pub(super) fn is_late(&self) -> bool {
        self.deadline.duration_since(Timestamp::now()) < RESERVE
    }

    /// Arms a session of which only the name is known.
    pub(super) async fn arm_by_name(&self, name: &SessionName) -> Result<Outcome, Error> {
        match self.streams.get(name).await {
            Ok(None) => Ok(Outcome::NotFound),
            Ok(Some(session)) => self.arm_known(session).await,
            Err(error) => Ok(Outcome::of_failure(&error)),
        }
    }

    /// Arms a session of which GameLift Streams has just told everything.
    pub(super) async fn arm_known(&self, session: Session) -> Result<Outcome, Error> {
        match session.phase() {
            // The marker makes the sweep follow it.
            Phase::Starting | Phase::Ending => {
                self.mark(&session, None).await?;
                Ok(Outcome::NotYet(session.status))
            }
            Phase::Live => self.arm_live(session, None).await,
            Phase::Ended if session.export.is_some() => Ok(Outcome::AlreadyArmed),
            Phase::Ended => self.record_missed(&session).await,
        }
    }

    /// Arms a session of a listing that an alarm is about; notes the alarm if it selected the session.
    pub(super) async fn arm_for_alarm(
        &self,
        session: Session,
        alarm: Option<&AlarmNote>,
    ) -> Result<Outcome, Error> {
        if self.is_late() {
            return Ok(Outcome::NotReached("the invocation's time ran out".to_owned()));
        }
        self.arm_live(session, alarm).await
    }

    /// Arms a session that was alive a moment ago.
    pub(super) async fn arm_live(
        &self,
        session: Session,
        alarm: Option<&AlarmNote>,
    ) -> Result<Outcome, Error> {
        self.mark(&session, alarm).await?;
        if session.export.is_some() {
            return Ok(Outcome::AlreadyArmed);
        }
        let (Some(application), Some(created_at)) = (&session.application, session.created_at) else {
            let detail = "GameLift Streams told neither application nor creation time of it";
            return Ok(Outcome::NotReached(detail.to_owned()));
        };
        let uri = self.store.uri(&layout::export_key(application, &session.name, created_at));
        match self.streams.export(&session.name, &uri).await {
            Ok(()) => {
                self.store.note_armed(&session.name, &uri, record::now()).await?;
                Ok(Outcome::Armed(uri))
            }
            Err(error) if matches!(error.fault, Fault::Throttled | Fault::Denied) => {
                Ok(Outcome::of_failure(&error))
            }
            // Which error a session gives that has just ended is not documented, and a failed call may have worked.
            Err(error) => self.look_again(&session.name, Outcome::of_failure(&error)).await,
        }
    }

    /// After a refused export: asks what became of the session. An older listing must not call an armed one missed.
    async fn look_again(&self, name: &SessionName, refusal: Outcome) -> Result<Outcome, Error> {
        match self.streams.get(name).await {
            Ok(None) => Ok(Outcome::NotFound),
            Ok(Some(session)) if session.export.is_some() => Ok(Outcome::AlreadyArmed),
            Ok(Some(session)) => match session.phase() {
                Phase::Ended => self.record_missed(&session).await,
                Phase::Ending => Ok(Outcome::NotYet(session.status)),
                Phase::Starting | Phase::Live => Ok(refusal),
            },
            Err(error) => Ok(Outcome::of_failure(&error)),
        }
    }

    /// Sees to it that a session has a marker, which notes the alarm.
    async fn mark(&self, session: &Session, alarm: Option<&AlarmNote>) -> Result<(), Error> {
        let mut marker = Marker::new(session, self.note.clone());
        marker.alarms.extend(alarm.cloned());
        if self.store.create_marker(&marker).await? {
            return Ok(());
        }
        match alarm {
            Some(alarm) => self.store.note_alarm(&session.name, alarm).await,
            None => Ok(()),
        }
    }

    /// Records a session as missed. It has ended, and GameLift Streams knows of no export. If its marker does, the service
    /// has yet to catch up with itself.
    pub(super) async fn record_missed(&self, session: &Session) -> Result<Outcome, Error> {
        let marker = self.store.marker(&session.name).await?;
        if marker.is_some_and(|stored| stored.value.armed_at.is_some()) {
            return Ok(Outcome::NotYet("its export was requested, and is not to be seen".to_owned()));
        }
        let end_reason = session.end_reason.as_deref().unwrap_or("no reason given");
        let reason = if session.status == "ERROR" {
            Reason::new("never-started", format!("the session ended in ERROR ({end_reason}) without running"))
        } else {
            let detail = format!("the session ended ({end_reason}) before its export was requested");
            Reason::new("never-armed", detail)
        };
        self.record(State::Missed, reason, session).await
    }

    /// Writes the record of a session that was not captured; an indexed one is never replaced by it.
    pub(super) async fn record(
        &self,
        state: State,
        reason: Reason,
        session: &Session,
    ) -> Result<Outcome, Error> {
        let marker = self.store.marker(&session.name).await?.map(|stored| stored.value);
        let detail = format!("{}: {}", reason.code, reason.detail);
        let outcome = if state == State::Failed { Outcome::Failed(detail) } else { Outcome::Missed(detail) };
        let record = Record::not_captured(state, reason, session, marker.as_ref());
        match self.store.put_record(&SessionFacts::from(session).record_key(), &record).await? {
            RecordWrite::Kept(existing) if existing.state == State::Indexed => Ok(Outcome::AlreadyArmed),
            _ => Ok(outcome),
        }
    }
}
