//! One session: marker, export; or, too late, its record.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};

use crate::error::Error;
use crate::layout;
use crate::record::{
    self, AlarmNote, Marker, Reason, Record, ReportObject, SessionFacts, State, TriggerNote,
};
use crate::report::Story;
use crate::service::Fault;
use crate::session::{Id, Phase, Session, SessionName};
use crate::store::{ATTEMPTS, RecordWrite, Store};
use crate::streams::{ATTEMPT_TIMEOUT, Streams};
use crate::triage::Details;

use super::{Answer, Outcome};

/// How many sessions are seen to at the same time.
const IN_FLIGHT: usize = 16;

/// What is kept of the invocation's time for answering, and for the log.
const RESERVE: Duration = Duration::from_secs(4);

/// Longer than any invocation.
const LONG: Duration = Duration::from_hours(1);

/// Sees to one session after the other, for one event.
#[derive(Debug)]
pub(super) struct Arming<'a> {
    pub(super) streams: &'a Streams,
    pub(super) store: &'a Store,
    pub(super) note: &'a TriggerNote,
    answer: Mutex<Answer>,
    /// When whatever is under way is given up.
    end: Instant,
    /// The groups in which an export was denied, and how: a pass tries no more of theirs.
    denied: Mutex<BTreeMap<Id, String>>,
}

impl<'a> Arming<'a> {
    pub(super) fn new(
        streams: &'a Streams,
        store: &'a Store,
        note: &'a TriggerNote,
        deadline: Timestamp,
    ) -> Self {
        let left = deadline.duration_since(Timestamp::now()).try_into().unwrap_or(Duration::ZERO).min(LONG);
        Self {
            streams,
            store,
            note,
            answer: Mutex::new(Answer::new(&note.kind)),
            end: Instant::now() + left.saturating_sub(RESERVE),
            denied: Mutex::default(),
        }
    }

    /// The answer so far. Nobody waits for anything while holding it.
    pub(super) fn answer(&self) -> MutexGuard<'_, Answer> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn into_answer(self) -> Answer {
        self.answer.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// After this nothing is begun: a call may take a while.
    pub(super) fn last_start(&self) -> Instant {
        self.end.checked_sub(ATTEMPT_TIMEOUT).unwrap_or(self.end)
    }

    /// A pass begins, which tries again where exports were denied.
    pub(super) fn begin_pass(&self) {
        self.answer().begin_pass();
        self.denied().clear();
    }

    /// Sees to sessions, several at a time, as long as there is time. One session's failure is its own.
    pub(super) async fn see_to<S: Borrow<SessionName>>(
        &self,
        sessions: impl IntoIterator<Item = S>,
        action: impl AsyncFn(&SessionName) -> Result<Outcome, Error>,
    ) {
        self.see_to_until(self.last_start(), sessions, action).await;
    }

    /// The same; those that are not begun by then are `not-reached`.
    pub(super) async fn see_to_until<S: Borrow<SessionName>>(
        &self,
        until: Instant,
        sessions: impl IntoIterator<Item = S>,
        action: impl AsyncFn(&SessionName) -> Result<Outcome, Error>,
    ) {
        let until = until.min(self.last_start());
        let all = stream::iter(sessions).map(|name| {
            let action = &action;
            async move {
                let outcome = if Instant::now() < until {
                    self.in_time(action(name.borrow())).await
                } else {
                    Outcome::out_of_time()
                };
                self.answer().add(name.borrow().clone(), outcome);
            }
        });
        all.buffer_unordered(IN_FLIGHT).for_each(async |()| {}).await;
    }

    async fn in_time(&self, action: impl Future<Output = Result<Outcome, Error>>) -> Outcome {
        match timeout_at(self.end, action).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => {
                tracing::error!(code = error.code(), %error, "a session could not be seen to");
                Outcome::NotReached(error.to_string())
            }
            Err(_) => Outcome::out_of_time(),
        }
    }

    /// Arms a session of which only the name is known.
    pub(super) async fn arm_by_name(&self, name: &SessionName) -> Result<Outcome, Error> {
        match self.streams.get(name).await {
            Ok(None) => Ok(Outcome::NotFound),
            Ok(Some(session)) => self.arm_known(&session, false).await,
            Err(error) => Ok(Outcome::of_failure(&error)),
        }
    }

    /// Arms a session of which GameLift Streams has just told everything.
    pub(super) async fn arm_known(&self, session: &Session, is_marked: bool) -> Result<Outcome, Error> {
        match session.phase() {
            Phase::Live => self.arm_live(session, is_marked).await,
            Phase::Ended if session.export.is_none() => self.ended_without_export(session).await,
            // The marker makes the sweep follow it.
            phase => {
                if !is_marked {
                    self.mark(session, false, |_| false).await?;
                }
                let armed = phase == Phase::Ended;
                Ok(if armed { Outcome::AlreadyArmed } else { Outcome::NotYet(session.status.clone()) })
            }
        }
    }

    /// Arms a session that was alive a moment ago. The marker says so before the request is made: whoever dies in between
    /// leaves a session that is watched, and the next sweep requests its export again, to the same place.
    pub(super) async fn arm_live(&self, session: &Session, is_marked: bool) -> Result<Outcome, Error> {
        if session.export.is_some() {
            if !is_marked {
                self.mark(session, false, |_| false).await?;
            }
            return Ok(Outcome::AlreadyArmed);
        }
        let denied = self.denied().get(&session.name.stream_group).cloned();
        let (Some(application), Some(created_at)) = (&session.application, session.created_at) else {
            let detail = "GameLift Streams told neither application nor creation time of it";
            return Ok(Outcome::NotReached(detail.to_owned()));
        };
        if let Some(text) = denied {
            if !is_marked {
                self.mark(session, false, |marker| note_denial(marker, &text)).await?;
            }
            return Ok(Outcome::Denied(text));
        }
        let uri = self.store.uri(&layout::export_key(application, &session.name, created_at));
        let now = record::now();
        self.mark(session, is_marked, |marker| marker.note_request(session, &uri, now)).await?;
        match self.streams.export(&session.name, &uri).await {
            Ok(()) => Ok(Outcome::Armed(uri)),
            Err(error) if error.fault == Fault::Throttled => Ok(Outcome::of_failure(&error)),
            Err(error) if error.fault == Fault::Denied => {
                self.denied().insert(session.name.stream_group.clone(), error.to_string());
                self.take_back(&session.name, &error.to_string()).await?;
                Ok(Outcome::of_failure(&error))
            }
            // Which error a session gives that has just ended is not documented, and a failed call may have worked.
            Err(error) => self.look_again(&session.name, Outcome::of_failure(&error)).await,
        }
    }

    /// After a refused export: asks what became of the session. An older listing must not call an armed one missed.
    /// Nor must one be that this call or an earlier one may have armed, whose answer was lost, and of which the service has not told yet: that
    /// is settled later.
    async fn look_again(&self, name: &SessionName, refusal: Outcome) -> Result<Outcome, Error> {
        match self.streams.get(name).await {
            Ok(None) => Ok(Outcome::NotFound),
            Ok(Some(session)) if session.export.is_some() => Ok(Outcome::AlreadyArmed),
            Ok(Some(session)) => match session.phase() {
                Phase::Ended | Phase::Starting | Phase::Ending => Ok(Outcome::NotYet(session.status)),
                Phase::Live => {
                    if let Outcome::Denied(text) = &refusal {
                        self.take_back(name, text).await?;
                    }
                    Ok(refusal)
                }
            },
            Err(error) => Ok(Outcome::of_failure(&error)),
        }
    }

    /// Notes in the marker that the export was not requested after all.
    async fn take_back(&self, name: &SessionName, why: &str) -> Result<(), Error> {
        self.store.update_marker(name, |marker| note_denial(marker, why)).await.map(drop)
    }

    /// Sees to it that a session has a marker, and changes it as `change` does.
    pub(super) async fn mark(
        &self,
        session: &Session,
        is_marked: bool,
        change: impl Fn(&mut Marker) -> bool,
    ) -> Result<(), Error> {
        let marker = || {
            let mut marker = Marker::new(session, self.note.clone());
            change(&mut marker);
            marker
        };
        let mut may_be_there = is_marked;
        // S3 may refuse to create what is not there, as somebody else writes or deletes it, and a marker that is known may be gone.
        for _ in 0..ATTEMPTS {
            if !may_be_there && self.store.create_marker(&marker()).await? {
                return Ok(());
            }
            match self.store.update_marker(&session.name, &change).await {
                Ok(true) => return Ok(()),
                Ok(false) => may_be_there = false,
                // Somebody has edited it: no reason to lose the session.
                Err(Error::Object { .. }) => return self.store.mend_marker(&marker()).await,
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended { key: layout::marker_key(&session.name), attempts: ATTEMPTS })
    }

    /// Sees to it that a session has a marker that notes the alarm.
    pub(super) async fn mark_alarm(&self, session: &Session, alarm: &AlarmNote) -> Result<(), Error> {
        self.mark(session, false, |marker| marker.note(alarm)).await
    }

    /// GameLift Streams tells of no export. One that we set out to request may be told late: that is settled later.
    async fn ended_without_export(&self, session: &Session) -> Result<Outcome, Error> {
        let marker = self.store.marker(&session.name).await?.map(|stored| stored.value);
        if marker.as_ref().is_some_and(|marker| marker.armed_at.is_some()) {
            return Ok(Outcome::NotYet(session.status.clone()));
        }
        self.record_missed(session, marker.as_ref()).await
    }

    /// Records a session as missed. It has ended, and GameLift Streams knows of no export.
    pub(super) async fn record_missed(
        &self,
        session: &Session,
        marker: Option<&Marker>,
    ) -> Result<Outcome, Error> {
        let end_reason = session.end_reason.as_deref().unwrap_or("no reason given");
        let ran = session.status != "ERROR" || marker.is_some_and(Marker::was_live);
        let reason = if ran {
            let denied = marker.and_then(|marker| marker.denied.as_deref());
            let denied = denied.map(|text| format!("; it could not be: {text}")).unwrap_or_default();
            let detail = format!("the session ended ({end_reason}) before its export was requested{denied}");
            Reason::new("never-armed", detail)
        } else {
            Reason::new("never-started", format!("the session ended in ERROR ({end_reason}) without running"))
        };
        let mut facts = SessionFacts::from(session);
        if let Some(marker) = marker {
            facts = facts.or(&marker.session);
        }
        self.record(State::Missed, reason, facts, marker).await
    }

    /// Writes the record of a session that was not captured; an indexed one is never replaced by it.
    pub(super) async fn record(
        &self,
        state: State,
        reason: Reason,
        session: SessionFacts,
        marker: Option<&Marker>,
    ) -> Result<Outcome, Error> {
        let (key, report) = (session.record_key(), session.report_key());
        let outcome = match state {
            State::Failed => Outcome::Failed(reason.clone()),
            _ => Outcome::Missed(reason.clone()),
        };
        let mut record = Record::not_captured(state, reason, session, marker);
        record.report = Some(ReportObject { key: report });
        let write = Box::pin(self.store.settle(&key, &record, |record| self.page(record))).await?;
        let won = if let RecordWrite::Kept(existing) = &write { existing } else { &record };
        self.confirm_report(won).await?;
        match write {
            RecordWrite::Written(_) => Ok(outcome),
            RecordWrite::Kept(existing) if existing.state == State::Indexed => Ok(Outcome::AlreadyArmed),
            RecordWrite::Kept(_) => Ok(Outcome::Settled),
        }
    }

    /// Sees to it that the report of a session that was not captured is that of its record.
    pub(super) async fn confirm_report(&self, record: &Record) -> Result<(), Error> {
        let key = record.session.record_key();
        self.store.confirm_report(&key, record, |record| self.page(record)).await
    }

    /// The report of a session without files; of another, index-export tells.
    fn page(&self, record: &Record) -> Option<String> {
        let bucket = self.store.bucket();
        let story = Story { record, details: &Details::default(), first_sight: None, lasted: None, bucket };
        (record.rank() == 0).then(|| story.page())
    }

    fn denied(&self) -> MutexGuard<'_, BTreeMap<Id, String>> {
        self.denied.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn note_denial(marker: &mut Marker, why: &str) -> bool {
    let is_news = marker.armed_at.is_some() || marker.denied.as_deref() != Some(why);
    marker.armed_at = None;
    marker.denied = Some(why.to_owned());
    is_news
}
