//! What people decided about signatures: `resolutions/…json`. The command line alone writes them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::layout;
use crate::record::{Build, Record, SCHEMA};
use crate::session::Id;

use super::{ATTEMPTS, Condition, Store};

/// What people decided about a signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resolution {
    /// [`SCHEMA`]
    pub schema: u32,
    /// The application, within which the signature means something.
    pub application_id: Id,
    /// The version of the rules that the signature was made by.
    pub version: u32,
    /// The signature's id.
    pub signature: String,
    /// Since when it counts as mended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Resolved>,
    /// Since when nobody wants to hear of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_at: Option<Timestamp>,
}

/// Since when, and for which builds not, a crash counts as mended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// Since when. Sessions that were created before prove nothing.
    pub at: Timestamp,
    /// The builds that have the crash: sessions of these go on to crash.
    pub builds: BTreeSet<KnownBuild>,
}

/// A build that has the crash, as far as its records tell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KnownBuild {
    /// [`Build::id`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// [`Build::version`]. Many games never change it: two ids tell two builds apart, whatever the version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl Resolution {
    /// Nothing is decided yet.
    #[must_use]
    pub fn open(application: &Id, version: u32, signature: &str) -> Self {
        Self {
            schema: SCHEMA,
            application_id: application.clone(),
            version,
            signature: signature.to_owned(),
            resolved: None,
            muted_at: None,
        }
    }

    /// When the signature was resolved, if the crash of this record shows that it has come back.
    #[must_use]
    pub fn regressed(&self, record: &Record) -> Option<Timestamp> {
        let resolved = self.resolved.as_ref()?;
        let is_later = record.session.created_at.is_some_and(|created| created > resolved.at);
        let build = record.judgement.build.as_ref()?;
        (is_later && resolved.is_another(build)).then_some(resolved.at)
    }
}

impl Resolved {
    /// Whether a build is known, and is none of those that have the crash.
    fn is_another(&self, build: &Build) -> bool {
        KnownBuild::of(build).is_some_and(|build| !self.builds.iter().any(|known| known.may_be(&build)))
    }
}

impl KnownBuild {
    /// A record's build; nothing if it has neither id nor version.
    #[must_use]
    pub fn of(build: &Build) -> Option<Self> {
        let known = Self { id: build.id.clone(), version: build.version.as_ref().map(ToString::to_string) };
        (known.id.is_some() || known.version.is_some()).then_some(known)
    }

    /// The builds that somebody means who gives an id, or a version.
    #[must_use]
    pub fn named(name: &str) -> [Self; 2] {
        let name = || Some(name.to_owned());
        [Self { id: name(), version: None }, Self { id: None, version: name() }]
    }

    /// Whether both may be the same build: by their ids, or by their versions where one has no id.
    #[must_use]
    pub fn may_be(&self, other: &Self) -> bool {
        match (&self.id, &other.id) {
            (Some(one), Some(other)) => one == other,
            _ => self.version.is_some() && self.version == other.version,
        }
    }
}

impl Store {
    /// What was decided about a signature, if anything was.
    pub async fn resolution(
        &self,
        application: &Id,
        version: u32,
        signature: &str,
    ) -> Result<Option<Resolution>, Error> {
        let key = layout::resolution_key(application, version, signature);
        Ok(self.read_whole(&key).await?.map(|stored| stored.value))
    }

    /// Changes what is decided about a signature, and gives what is decided now.
    pub async fn decide(
        &self,
        application: &Id,
        version: u32,
        signature: &str,
        change: impl Fn(&mut Resolution),
    ) -> Result<Resolution, Error> {
        let key = layout::resolution_key(application, version, signature);
        for _ in 0..ATTEMPTS {
            let stored = self.read::<Resolution>(&key).await?;
            let (mut resolution, etag) = match stored {
                Some(stored) => (stored.value, Some(stored.etag)),
                None => (Resolution::open(application, version, signature), None),
            };
            change(&mut resolution);
            let written = match etag {
                Some(etag) => self.replace(&key, &resolution, &etag).await?,
                None => self.create(&key, &resolution).await?,
            };
            if let Condition::Held = written {
                return Ok(resolution);
            }
        }
        Err(Error::Contended { key, attempts: ATTEMPTS })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Judgement, SessionFacts, State};
    use crate::redacted::Redacted;
    use crate::session::SessionName;

    const RESOLVED: &str = "2026-11-23T12:00:00Z";

    fn id(text: &str) -> Id {
        Id::try_from(text.to_owned()).unwrap()
    }

    fn resolution() -> Resolution {
        let known = |id: Option<&str>, version: &str| KnownBuild {
            id: id.map(ToOwned::to_owned),
            version: Some(version.to_owned()),
        };
        let builds = [known(Some("old"), "1.0"), known(None, "0.9")].into();
        let resolved = Some(Resolved { at: RESOLVED.parse().unwrap(), builds });
        Resolution { resolved, ..Resolution::open(&id("a-1"), 1, "9f") }
    }

    fn crash(created: &str, build: Option<Build>) -> Record {
        let name = SessionName { stream_group: id("sg-1"), id: id("abc") };
        let session =
            SessionFacts { created_at: Some(created.parse().unwrap()), ..SessionFacts::of_name(&name) };
        Record {
            judgement: Judgement { build, ..Judgement::default() },
            ..Record::new(State::Indexed, session)
        }
    }

    fn build(id: Option<&str>, version: Option<&str>) -> Build {
        let (id, version) = (id.map(ToOwned::to_owned), version.map(Redacted::new));
        Build { id, version, ..Build::default() }
    }

    #[test]
    fn a_crash_has_come_back_if_a_later_session_of_another_build_has_it() {
        let later = "2026-11-23T12:00:01Z";
        let at = RESOLVED.parse().unwrap();
        for (created, build, expected, why) in [
            (later, Some(build(Some("new"), None)), Some(at), "another id"),
            (later, Some(build(None, Some("1.1"))), Some(at), "another version"),
            (later, Some(build(Some("new"), Some("1.1"))), Some(at), "both are others"),
            (
                later,
                Some(build(Some("new"), Some("1.0"))),
                Some(at),
                "another id of a version that never changes",
            ),
            (later, Some(build(Some("old"), None)), None, "the id is known"),
            (later, Some(build(Some("old"), Some("1.1"))), None, "the id is known, whatever the version"),
            (later, Some(build(None, Some("1.0"))), None, "the version is known, and there is no id"),
            (
                later,
                Some(build(Some("new"), Some("0.9"))),
                None,
                "the version is known of a build without id",
            ),
            (later, Some(build(None, None)), None, "nobody knows which build it was"),
            (later, None, None, "nobody knows which build it was"),
            (RESOLVED, Some(build(Some("new"), None)), None, "it began before"),
        ] {
            assert_eq!(resolution().regressed(&crash(created, build)), expected, "{why}");
        }
    }

    #[test]
    fn a_build_is_named_by_its_id_or_by_its_version() {
        let is_named = |name: &str, build: Build| {
            let build = KnownBuild::of(&build).unwrap();
            KnownBuild::named(name).iter().any(|named| named.may_be(&build))
        };
        for name in ["new", "1.1"] {
            assert!(is_named(name, build(Some("new"), Some("1.1"))), "{name}");
        }
        assert!(!is_named("other", build(Some("new"), Some("1.1"))));
    }

    #[test]
    fn what_is_not_resolved_cannot_come_back() {
        let muted = Resolution { resolved: None, muted_at: RESOLVED.parse().ok(), ..resolution() };
        assert_eq!(muted.regressed(&crash("2026-11-24T00:00:00Z", Some(build(Some("new"), None)))), None);
    }
}
