//! `start-export`: requests the export of every session that needs it, while the session is alive.
//!
//! For one session, in this order: marker, export, marker updated. Whatever is killed in between is taken up by the next
//! sweep.

mod outcome;
mod session;
mod settle;
mod sweep;

pub use outcome::{Answer, Outcome};

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::Value;

use crate::config::Config;
use crate::error::Error;
use crate::record;
use crate::session::{LIVE_STATUSES, Session, SessionName};
use crate::store::Store;
use crate::streams::Streams;
use crate::trigger::{Alarm, Scope, Trigger};

use self::session::Arming;

/// How many sessions are seen to at the same time.
const IN_FLIGHT: usize = 8;

/// The function `start-export`.
#[derive(Debug, Clone)]
pub struct StartExport {
    streams: Streams,
    store: Store,
    config: Config,
}

impl StartExport {
    /// The function, with its clients.
    #[must_use]
    pub fn new(streams: Streams, store: Store, config: Config) -> Self {
        Self { streams, store, config }
    }

    /// Does what an event asks for, as far as that is possible before the deadline.
    ///
    /// A sweep succeeds even if some sessions could not be seen to, because the next one comes within a minute. Any other
    /// event fails then, so that Lambda delivers it again and at last keeps it as a dead letter.
    pub async fn handle(&self, event: &Value, deadline: Timestamp) -> Result<Answer, Error> {
        let Trigger { note, scope } = Trigger::parse(event, record::now())?;
        let arming = Arming { streams: &self.streams, store: &self.store, note: &note, deadline };
        let is_sweep = scope == Scope::Sweep;
        let mut answer = Answer::new(&note.kind);
        match scope {
            Scope::Nothing(why) => answer.ignored = Some(why),
            Scope::SessionInScope(name) if !self.config.stream_groups.contains(&name.stream_group) => {
                answer.ignored =
                    Some(format!("stream group {} is not among STREAM_GROUPS", name.stream_group));
            }
            Scope::Session(name) | Scope::SessionInScope(name) => {
                let outcome = arming.arm_by_name(&name).await?;
                answer.add(name, outcome);
            }
            Scope::Alarm(alarm) => self.arm_affected(&arming, &alarm, &mut answer).await,
            Scope::Sweep => self.sweep(&arming, &mut answer).await?,
        }
        tracing::info!(answer = %answer.to_json(), "done");
        match answer.left_undone() {
            Some(left) if !is_sweep => Err(Error::Incomplete(left)),
            _ => Ok(answer),
        }
    }

    /// Arms the live sessions that an alarm selects: without dimensions, those of the configured groups.
    async fn arm_affected(&self, arming: &Arming<'_>, alarm: &Alarm, answer: &mut Answer) {
        let listed = self.list(&LIVE_STATUSES, answer).await;
        let affected =
            listed.into_iter().filter(|session| alarm.selections.is_empty() || alarm.selects(session));
        let outcomes = each(affected, async |session: Session| {
            let note = alarm.selects(&session).then_some(&alarm.note);
            let name = session.name.clone();
            (name, arming.arm_for_alarm(session, note).await)
        });
        answer.add_all(outcomes.await);
    }

    /// The configured groups' sessions in the given statuses. A group that cannot be listed is named in the answer.
    async fn list(&self, statuses: &[&str], answer: &mut Answer) -> Vec<Session> {
        use crate::config::StreamGroups;

        let groups: Vec<_> = match &self.config.stream_groups {
            StreamGroups::All => vec![None],
            StreamGroups::Listed(groups) => groups.iter().map(Some).collect(),
        };
        let listings =
            groups.into_iter().flat_map(|group| statuses.iter().map(move |status| (group, *status)));
        let listed =
            each(listings, async |(group, status)| (group, self.streams.list(group, status).await)).await;
        let mut sessions = std::collections::BTreeMap::<SessionName, Session>::new();
        for (group, result) in listed {
            match result {
                // A session may change its status between two listings, and stand in both.
                Ok(list) => sessions.extend(list.into_iter().map(|session| (session.name.clone(), session))),
                Err(error) => answer.add_unlisted(group, &error),
            }
        }
        sessions.into_values().collect()
    }
}

/// Runs an action for each item, several at a time.
async fn each<I, T>(items: impl IntoIterator<Item = I>, action: impl AsyncFn(I) -> T) -> Vec<T> {
    stream::iter(items).map(|item| action(item)).buffer_unordered(IN_FLIGHT).collect().await
}
