//! Markers of sessions that have ended: settled by whatever became of their export.

use jiff::{SignedDuration, Timestamp};

use crate::error::Error;
use crate::record::{Reason, SessionFacts, State};
use crate::session::{Export, Phase, Session, SessionName};

use super::Outcome;
use super::session::Arming;

/// A marker stays this long after its session was settled, so that a late alarm finds it.
const MARKER_STAYS: SignedDuration = SignedDuration::from_mins(10);

impl Arming<'_> {
    /// Sees to a marker whose session was in no listing. That alone proves nothing, so GameLift Streams is asked.
    pub(super) async fn settle(&self, name: &SessionName) -> Result<Outcome, Error> {
        if self.is_late() {
            return Ok(Outcome::NotReached("the invocation's time ran out".to_owned()));
        }
        match self.streams.get(name).await {
            Ok(None) => Ok(Outcome::NotFound),
            Ok(Some(session)) if session.phase() == Phase::Ended => self.settle_ended(&session).await,
            Ok(Some(session)) => self.arm_known(session).await,
            Err(error) => Ok(Outcome::of_failure(&error)),
        }
    }

    async fn settle_ended(&self, session: &Session) -> Result<Outcome, Error> {
        let facts = SessionFacts::from(session);
        if let Some(record) = self.store.record(facts.date(), &facts.application(), &session.name).await? {
            let age = record.written_at.map(|at| Timestamp::now().duration_since(at));
            if age.is_some_and(|age| age >= MARKER_STAYS) {
                self.store.delete_marker(&session.name).await?;
            }
            return Ok(Outcome::Settled);
        }
        match &session.export {
            None => self.record_missed(session).await,
            Some(Export { status, status_reason, .. }) if status == "FAILED" => {
                let text = status_reason.as_deref().unwrap_or("no reason given");
                let detail = format!("GameLift Streams could not export the session's files: {text}");
                self.record(State::Failed, Reason::new("export-failed", detail), session).await
            }
            Some(export) => Ok(Outcome::NotYet(format!("the export is {}", export.status))),
        }
    }
}
