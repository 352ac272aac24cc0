//! The sessions that GameLift Streams lists, page by page: an account may have more of them than fit into memory.

use futures_util::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};

use crate::service::{Fault, ServiceError};
use crate::session::{Id, Session};

use super::Outcome;
use super::scope::Listed;
use super::session::Arming;

/// How many listings are read at the same time.
const IN_FLIGHT: usize = 8;

impl Arming<'_> {
    /// Takes each session of these groups that has one of these statuses; one that changes its status meanwhile may come
    /// twice, or not at all. A group that cannot be listed is named in the answer; gives those that could not be listed
    /// wholly, although they exist.
    pub(super) async fn each_listed(
        &self,
        groups: &Listed,
        statuses: &[&str],
        until: Instant,
        take: impl Fn(Session),
    ) -> Listed {
        // By statuses first: a session is rarely missed that goes on from one to the next meanwhile.
        let listings = statuses.iter().flat_map(|status| groups.iter().map(move |group| (group, *status)));
        let listings = stream::iter(listings).map(|(group, status)| {
            let take = &take;
            async move {
                let outcome = match timeout_at(until, self.list(group.as_ref(), status, take)).await {
                    Ok(Ok(())) => return None,
                    Ok(Err(error)) if error.fault == Fault::NotFound => Outcome::NotFound,
                    Ok(Err(error)) => Outcome::of_failure(&error),
                    Err(_) => Outcome::out_of_time(),
                };
                let exists = outcome != Outcome::NotFound;
                let what = group.as_ref().map_or("the account", Id::as_str);
                self.answer().add_unlisted_in_pass(what, outcome);
                exists.then(|| group.clone())
            }
        });
        listings.buffer_unordered(IN_FLIGHT).filter_map(async |unlisted| unlisted).collect().await
    }

    async fn list(
        &self,
        group: Option<&Id>,
        status: &str,
        take: impl Fn(Session),
    ) -> Result<(), ServiceError> {
        let mut token = None;
        loop {
            let page = self.streams.page(group, status, token).await?;
            page.sessions.into_iter().for_each(&take);
            token = page.next;
            if token.is_none() {
                return Ok(());
            }
        }
    }
}
