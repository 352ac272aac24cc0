//! An alarm: the live sessions that it is about are armed, and what its dimensions select notes it, also where the session
//! has just ended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use crate::config::StreamGroups;
use crate::error::Error;
use crate::record::Marker;
use crate::session::{Id, LIVE_STATUSES, Session, SessionName};
use crate::trigger::Alarm;

use super::scope::{Listed, list_of};
use super::session::Arming;
use super::{Outcome, StartExport, settled};

impl StartExport {
    /// Arms the live sessions that an alarm selects, sampled or not: they are in trouble. Without dimensions, those of the
    /// configured groups.
    pub(super) async fn arm_affected(&self, arming: &Arming<'_>, alarm: &Alarm) {
        let affected = self.affected(arming, alarm).await;
        if !alarm.selections.is_empty() {
            // First the marker, for all: the alarm shall be noted even if arming takes longer than there is time.
            arming
                .see_to(affected.keys(), async |name| match affected.get(name) {
                    Some(session) => {
                        arming.mark_alarm(session, &alarm.note).await?;
                        Ok(Outcome::NotYet("the alarm is noted".to_owned()))
                    }
                    None => Ok(Outcome::Settled),
                })
                .await;
        }
        let is_marked = !alarm.selections.is_empty();
        arming
            .see_to(affected.keys(), async |name| match affected.get(name) {
                Some(session) => arming.arm_live(session, is_marked).await,
                None => Ok(Outcome::Settled),
            })
            .await;
        if !alarm.selections.is_empty() {
            Box::pin(self.tell_ended(arming, alarm, &affected)).await;
        }
    }

    /// The live sessions of configured groups that an alarm selects.
    async fn affected(&self, arming: &Arming<'_>, alarm: &Alarm) -> BTreeMap<SessionName, Session> {
        let affected = Mutex::new(BTreeMap::new());
        let take = |session: Session| {
            let is_selected = alarm.selections.is_empty() || alarm.selects(&session);
            if is_selected && self.is_configured(&session.name) {
                affected.lock().unwrap_or_else(PoisonError::into_inner).insert(session.name.clone(), session);
            }
        };
        let groups = self.groups_of(alarm);
        arming.each_listed(&groups, &LIVE_STATUSES, arming.last_start(), take).await;
        affected.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to list: the groups that the alarm names, or all that are configured.
    fn groups_of(&self, alarm: &Alarm) -> Listed {
        let named: Option<BTreeSet<Id>> = alarm
            .selections
            .iter()
            .map(|selection| Id::try_from(selection.stream_group.clone()?).ok())
            .collect();
        match (&self.config.stream_groups, named.filter(|named| !named.is_empty())) {
            (StreamGroups::All, None) => vec![None],
            (StreamGroups::All, Some(named)) => list_of(named),
            (StreamGroups::Listed(groups), None) => list_of(groups.iter().cloned()),
            (StreamGroups::Listed(groups), Some(named)) => {
                list_of(groups.iter().filter(|group| named.contains(group)).cloned())
            }
        }
    }

    /// A late alarm: sessions that have ended, and whose markers are still there, note it too, and are judged again if they
    /// were judged already.
    async fn tell_ended(
        &self,
        arming: &Arming<'_>,
        alarm: &Alarm,
        affected: &BTreeMap<SessionName, Session>,
    ) {
        let marked = match self.store.marked_sessions().await {
            Ok(marked) => marked,
            Err(error) => {
                let outcome = Outcome::NotReached(error.to_string());
                return arming.answer().add_unlisted("the markers", outcome);
            }
        };
        let ended = marked.into_iter().filter(|name| {
            !affected.contains_key(name) && self.is_configured(name) && alarm.may_select(&name.stream_group)
        });
        for name in ended {
            if let Err(error) = Box::pin(self.tell_one(arming, alarm, &name)).await {
                tracing::error!(session = %name, %error, "an alarm could not be noted");
                arming.answer().add(name, Outcome::NotReached(error.to_string()));
            }
        }
    }

    async fn tell_one(&self, arming: &Arming<'_>, alarm: &Alarm, name: &SessionName) -> Result<(), Error> {
        let Some(stored) = self.store.marker(name).await? else { return Ok(()) };
        if !alarm.selects_facts(&stored.value.session) {
            return Ok(());
        }
        let note = |marker: &mut Marker| {
            let is_news = marker.note(&alarm.note);
            if is_news {
                settled::look_at_once(marker);
            }
            is_news
        };
        self.store.update_marker(name, note).await?;
        let outcome = Box::pin(self.settle_one(arming, name, None)).await?;
        arming.answer().add(name.clone(), outcome);
        Ok(())
    }
}
