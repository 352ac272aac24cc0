//! Markers: the sessions that `start-export` watches. It alone writes them.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::error::Error;
use crate::layout;
use crate::record::Marker;
use crate::service::ServiceError;
use crate::session::SessionName;

use super::{ATTEMPTS, Condition, Look, Store, Stored};

impl Store {
    /// A session's marker, if it has one that can be read.
    pub async fn marker(&self, session: &SessionName) -> Result<Option<Stored<Marker>>, Error> {
        self.read_whole(&layout::marker_key(session)).await
    }

    /// What is wrong with a session's marker, if it has one that cannot be read.
    pub async fn broken_marker(&self, session: &SessionName) -> Result<Option<String>, Error> {
        match self.look_at::<Marker>(&layout::marker_key(session)).await? {
            Look::Broken { detail, .. } => Ok(Some(detail)),
            Look::Nothing | Look::Whole(_) => Ok(None),
        }
    }

    /// Writes a session's marker in place of one that cannot be read. Does nothing where there is no such.
    pub async fn mend_marker(&self, marker: &Marker) -> Result<(), Error> {
        let key = layout::marker_key(&marker.session.name());
        if let Look::Broken { etag, detail } = self.look_at::<Marker>(&key).await? {
            tracing::warn!(key, detail, "a marker that cannot be read is written anew");
            // Whoever was faster has mended it.
            self.replace(&key, marker, &etag).await?;
        }
        Ok(())
    }

    /// Writes a session's first marker. Says whether it did: `false` where there is one already.
    pub async fn create_marker(&self, marker: &Marker) -> Result<bool, Error> {
        let key = layout::marker_key(&marker.session.name());
        Ok(matches!(self.create(&key, marker).await?, Condition::Held))
    }

    /// Changes a session's marker, if it has one and if `change` says that there is something to write. Says whether it has one.
    pub async fn update_marker(
        &self,
        session: &SessionName,
        change: impl Fn(&mut Marker) -> bool,
    ) -> Result<bool, Error> {
        let key = layout::marker_key(session);
        for _ in 0..ATTEMPTS {
            let Some(mut stored) = self.read::<Marker>(&key).await? else { return Ok(false) };
            if !change(&mut stored.value) {
                return Ok(true);
            }
            if let Condition::Held = self.replace(&key, &stored.value, &stored.etag).await? {
                return Ok(true);
            }
        }
        Err(Error::Contended { key, attempts: ATTEMPTS })
    }

    /// Deletes a session's marker.
    pub async fn delete_marker(&self, session: &SessionName) -> Result<(), Error> {
        let request = self.client.delete_object().bucket(&self.bucket).key(layout::marker_key(session));
        request.send().await.map_err(|error| ServiceError::new("DeleteObject", &error))?;
        Ok(())
    }

    /// The sessions that have a marker.
    pub async fn marked_sessions(&self) -> Result<BTreeSet<SessionName>, Error> {
        let mut sessions = BTreeSet::new();
        self.each_key(layout::OPEN, |key| sessions.extend(layout::parse_marker_key(key))).await?;
        Ok(sessions)
    }

    /// Takes each session that was created on a day and has a record.
    pub async fn each_recorded(&self, date: Date, mut take: impl FnMut(SessionName)) -> Result<(), Error> {
        let prefix = layout::records_of(date);
        let mut each = |key: &str| layout::parse_record_key(key).into_iter().for_each(|it| take(it.session));
        self.each_key(&prefix, &mut each).await
    }
}
