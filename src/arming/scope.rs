//! Which sessions are ours to see to.

use std::collections::BTreeSet;

use crate::config::StreamGroups;
use crate::session::{Id, SessionName};

use super::session::Arming;
use super::{Outcome, StartExport, sampling};

/// From so many groups on, the account is listed as a whole: one listing instead of one for each group. AWS advises
/// against it for regular use, so that few groups are listed one by one.
const MOST_GROUPS: usize = 10;

/// What has to be listed to meet every session that is ours.
pub(super) type Listed = Vec<Option<Id>>;

impl StartExport {
    /// Whether a session is of a group that is configured.
    pub(super) fn is_configured(&self, session: &SessionName) -> bool {
        self.config.stream_groups.contains(&session.stream_group)
    }

    /// Whether a session is armed that only the sweep or CloudTrail told of.
    pub(super) fn is_sampled(&self, session: &SessionName) -> bool {
        sampling::takes(self.config.arm_percent, session)
    }

    /// The groups to list: those that are configured, and those of sessions that a backend's event made us watch.
    pub(super) fn groups_to_list(&self, marked: &BTreeSet<SessionName>) -> Listed {
        match &self.config.stream_groups {
            StreamGroups::All => vec![None],
            StreamGroups::Listed(groups) => {
                let configured = groups.iter().cloned();
                list_of(configured.chain(marked.iter().map(|name| name.stream_group.clone())))
            }
        }
    }

    /// Arms a session that CloudTrail told of.
    pub(super) async fn arm_if_in_scope(&self, arming: &Arming<'_>, name: SessionName) {
        if !self.is_configured(&name) {
            let why = format!("stream group {} is not among STREAM_GROUPS", name.stream_group);
            arming.answer().ignored = Some(why);
        } else if self.is_sampled(&name) {
            arming.see_to([name], async |name| arming.arm_by_name(name).await).await;
        } else {
            arming.answer().add(name, Outcome::Unsampled);
        }
    }
}

/// What to list for these groups: each, or the account if they are many.
pub(super) fn list_of(groups: impl IntoIterator<Item = Id>) -> Listed {
    let groups: BTreeSet<Id> = groups.into_iter().collect();
    if groups.len() > MOST_GROUPS { vec![None] } else { groups.into_iter().map(Some).collect() }
}
