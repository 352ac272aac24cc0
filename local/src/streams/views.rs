//! What callers are shown of a session. It may lag behind what the service knows, in the ways that [`Switches`] has.

use std::sync::Arc;
use std::time::Duration;

use super::books::{Entry, not_found};
use super::error::ServiceError;
use super::input::ListQuery;
use super::service::Service;
use super::session::StreamSession;
use super::switches::{EndReason, Listings, Switches};

impl Service {
    /// The session that a request names, unless the service has forgotten it.
    pub(super) fn remembered(&self, group: &str, session: &str) -> Result<Arc<Entry>, ServiceError> {
        let entry = self.books().session(&self.account, group, session)?;
        if self.switches.has_forgotten(&entry, Duration::ZERO) {
            return Err(not_found("Stream session", session));
        }
        Ok(entry)
    }
}

impl Switches {
    /// What `GetStreamSession` shows of a session.
    pub(super) fn shown(&self, entry: &Entry) -> StreamSession {
        self.seen(&entry.session(), entry, Duration::ZERO)
    }

    /// What a listing shows of a session, if it stands in it.
    pub(super) fn listed(&self, entry: &Entry, query: &ListQuery) -> Option<StreamSession> {
        let (session, ago) = match self.listings {
            Listings::Current => (entry.ago(Duration::ZERO)?, Duration::ZERO),
            Listings::Lag(lag) => (entry.ago(lag)?, lag),
            Listings::Double(window) => {
                let before = entry.ago(window);
                match before.filter(|before| query.status == Some(before.status)) {
                    Some(before) => (before, window),
                    None => (entry.ago(Duration::ZERO)?, Duration::ZERO),
                }
            }
            Listings::Miss(window) => {
                let (before, now) = (entry.ago(window)?, entry.ago(Duration::ZERO)?);
                if before.status != now.status {
                    return None;
                }
                (now, Duration::ZERO)
            }
        };
        // Most sessions fail here, before anything of them is copied.
        if self.has_forgotten(entry, ago) || query.status.is_some_and(|status| session.status != status) {
            return None;
        }
        let session = self.seen(&session, entry, ago);
        let export_status = session.export.as_ref().map(|export| export.status);
        query.export_status.is_none_or(|status| export_status == Some(status)).then_some(session)
    }

    /// A session as it was some time ago, without what was not to be seen of it then.
    fn seen(&self, session: &StreamSession, entry: &Entry, ago: Duration) -> StreamSession {
        let mut seen = session.clone();
        let before = |delay: Duration| entry.ago(ago + delay);
        if !self.metadata_after.is_zero() {
            let requested = before(self.metadata_after).is_some_and(|before| before.export.is_some());
            seen.export = seen.export.filter(|_| requested);
        }
        let has_reason = match self.end_reason {
            EndReason::AtOnce => true,
            EndReason::After(delay) => before(delay).is_some_and(|before| before.status_reason.is_some()),
            EndReason::Never => false,
        };
        seen.status_reason = seen.status_reason.filter(|_| has_reason);
        seen
    }

    fn has_forgotten(&self, entry: &Entry, ago: Duration) -> bool {
        let ended = |session: Arc<StreamSession>| session.status.has_ended();
        self.forgotten_after.is_some_and(|after| entry.ago(ago + after).is_some_and(ended))
    }
}
