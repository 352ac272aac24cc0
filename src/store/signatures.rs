//! First sights of signatures: `signatures/…json`, and `regressions/…json` once they had been resolved. Each is created once
//! and never changed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::layout;
use crate::record::{Record, SCHEMA, SessionFacts};
use crate::redacted::Redacted;
use crate::session::Id;

use super::{ATTEMPTS, Condition, Look, Store};

/// The session in which a signature was seen first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FirstSight {
    /// [`SCHEMA`]
    pub schema: u32,
    /// The application, within which the signature means something.
    pub application_id: Id,
    /// The version of the rules that the signature was made by.
    pub version: u32,
    /// The signature's id.
    pub signature: String,
    /// The same for people.
    pub title: Redacted,
    /// The session's stream group.
    pub stream_group_id: Id,
    /// The session.
    pub stream_session_id: Id,
    /// Where it ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Its build's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// When it was indexed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

impl FirstSight {
    /// The sight that a record is, if it has a signature.
    #[must_use]
    pub fn of(record: &Record) -> Option<Self> {
        let signature = record.judgement.signature.as_ref()?;
        let session = &record.session;
        Some(Self {
            schema: SCHEMA,
            application_id: session.application(),
            version: signature.version,
            signature: signature.id.clone(),
            title: signature.title.clone(),
            stream_group_id: session.stream_group_id.clone(),
            stream_session_id: session.id.clone(),
            location: session.location.clone(),
            build: record.judgement.build.as_ref().and_then(|build| build.id.clone()),
            at: record.indexed_at,
        })
    }

    /// Whether this is the session in which it was seen.
    #[must_use]
    pub fn is_of(&self, session: &SessionFacts) -> bool {
        (&self.stream_group_id, &self.stream_session_id) == (&session.stream_group_id, &session.id)
    }
}

impl Store {
    /// Notes that a signature was seen. Gives the first sight of it: this one, or the one that was noted before.
    pub async fn see(&self, sight: FirstSight) -> Result<FirstSight, Error> {
        let key = layout::signature_key(&sight.application_id, sight.version, &sight.signature);
        self.first(key, sight).await
    }

    /// The same of a signature that has come back after it was `resolved`.
    pub async fn see_again(&self, sight: FirstSight, resolved: Timestamp) -> Result<FirstSight, Error> {
        let FirstSight { application_id, version, signature, .. } = &sight;
        self.first(layout::regression_key(application_id, *version, signature, resolved), sight).await
    }

    async fn first(&self, key: String, sight: FirstSight) -> Result<FirstSight, Error> {
        for _ in 0..ATTEMPTS {
            if let Condition::Held = self.create(&key, &sight).await? {
                return Ok(sight);
            }
            match self.look_at::<FirstSight>(&key).await? {
                Look::Whole(first) => return Ok(first.value),
                // Nobody can tell any more who was first.
                Look::Broken { etag, detail } => {
                    tracing::warn!(
                        key,
                        detail,
                        "the first sight of a signature cannot be read, and is written anew"
                    );
                    if let Condition::Held = self.replace(&key, &sight, &etag).await? {
                        return Ok(sight);
                    }
                }
                // Not yet: somebody else is about to create it.
                Look::Nothing => {}
            }
        }
        Err(Error::Contended { key, attempts: ATTEMPTS })
    }
}
