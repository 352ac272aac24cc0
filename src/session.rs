//! Stream sessions: their identifiers, and what GameLift Streams tells of them.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The identifier of a stream group, an application or a stream session.
///
/// GameLift Streams' own pattern, `[a-zA-Z0-9-]{1,128}` (API reference, `Identifier`); therefore safe in an S3 key, a
/// tag and a log line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Id(String);

/// A text that was expected to be an identifier or an ARN of GameLift Streams, and is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not {expected}")]
pub struct InvalidId {
    found: String,
    expected: &'static str,
}

impl Id {
    /// The identifier itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands in a key for an identifier that nobody told.
    #[must_use]
    pub fn unknown() -> Self {
        Self("unknown".to_owned())
    }

    /// Takes an id, or the ARN of a resource of the given type (`streamgroup`, `application`).
    pub fn from_id_or_arn(text: &str, resource_type: ResourceType) -> Result<Self, InvalidId> {
        match text.strip_prefix("arn:") {
            None => Self::try_from(text.to_owned()).map_err(|_| resource_type.invalid(text)),
            Some(_) => Arn::parse(text)
                .filter(|arn| arn.resource_type == resource_type.name())
                .and_then(|arn| Self::try_from(arn.resource.to_owned()).ok())
                .ok_or_else(|| resource_type.invalid(text)),
        }
    }
}

impl TryFrom<String> for Id {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if (1..=128).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text))
        } else {
            let expected = "an identifier: 1 to 128 letters, digits and hyphens, such as sg-1AB2C3De4";
            Err(InvalidId { found: excerpt(&text), expected })
        }
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The resource types that have ARNs of their own (service authorization reference, and `streamsession` as the API
/// returns it).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceType {
    /// `streamgroup/{streamGroupId}`
    StreamGroup,
    /// `application/{applicationId}`
    Application,
}

impl ResourceType {
    fn name(self) -> &'static str {
        match self {
            Self::StreamGroup => "streamgroup",
            Self::Application => "application",
        }
    }

    fn invalid(self, found: &str) -> InvalidId {
        let expected = match self {
            Self::StreamGroup => {
                "a stream group: an id such as sg-1AB2C3De4, or an ARN such as \
                 arn:aws:gameliftstreams:us-west-2:111122223333:streamgroup/sg-1AB2C3De4"
            }
            Self::Application => {
                "an application: an id such as a-9ZY8X7Wv6, or an ARN such as \
                 arn:aws:gameliftstreams:us-west-2:111122223333:application/a-9ZY8X7Wv6"
            }
        };
        InvalidId { found: excerpt(found), expected }
    }
}

/// The parts of a GameLift Streams ARN.
struct Arn<'a> {
    region: &'a str,
    resource_type: &'a str,
    resource: &'a str,
}

impl<'a> Arn<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let (arn, _partition, service) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account) = (parts.next()?, parts.next()?);
        let (resource_type, resource) = parts.next()?.split_once('/')?;
        let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        (arn == "arn" && service == "gameliftstreams" && is_account).then_some(Self {
            region,
            resource_type,
            resource,
        })
    }
}

/// The Region of a GameLift Streams ARN; nothing for a bare id.
#[must_use]
pub fn region_of(id_or_arn: &str) -> Option<&str> {
    Arn::parse(id_or_arn).map(|arn| arn.region)
}

/// Names one session. A session's id is unique within its stream group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionName {
    /// The stream group, such as `sg-1AB2C3De4`.
    pub stream_group: Id,
    /// The session, such as `ABC123def4567`.
    pub id: Id,
}

impl SessionName {
    /// Takes a session's ARN apart: `arn:aws:gameliftstreams:{region}:{account}:streamsession/{group}/{session}`.
    pub fn from_arn(arn: &str) -> Result<Self, InvalidId> {
        let name = || {
            let parsed = Arn::parse(arn).filter(|arn| arn.resource_type == "streamsession")?;
            let (group, id) = parsed.resource.split_once('/')?;
            Some(Self {
                stream_group: Id::try_from(group.to_owned()).ok()?,
                id: Id::try_from(id.to_owned()).ok()?,
            })
        };
        name().ok_or_else(|| InvalidId {
            found: excerpt(arn),
            expected: "the ARN of a stream session, such as \
                       arn:aws:gameliftstreams:us-west-2:111122223333:streamsession/sg-1AB2C3De4/ABC123def4567",
        })
    }
}

impl fmt::Display for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.stream_group, self.id)
    }
}

/// Where a session is in its life, as far as an export is concerned.
///
/// An export can be requested in [`Phase::Live`] only (API reference, `ExportStreamSessionFiles`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// `ACTIVATING`
    Starting,
    /// `ACTIVE`, `CONNECTED`, `PENDING_CLIENT_RECONNECTION`, `RECONNECTING`
    Live,
    /// `TERMINATING`, or a status that this version does not know
    Ending,
    /// `TERMINATED`, `ERROR`
    Ended,
}

/// The statuses in which an export can be requested.
pub const LIVE_STATUSES: [&str; 4] = ["ACTIVE", "CONNECTED", "PENDING_CLIENT_RECONNECTION", "RECONNECTING"];

impl Phase {
    /// The phase of a `StreamSessionStatus`.
    #[must_use]
    pub fn of_status(status: &str) -> Self {
        match status {
            "ACTIVATING" => Self::Starting,
            "TERMINATED" | "ERROR" => Self::Ended,
            live if LIVE_STATUSES.contains(&live) => Self::Live,
            _ => Self::Ending,
        }
    }
}

/// What GameLift Streams tells of a session (`GetStreamSession`, or an item of a listing).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Which session.
    pub name: SessionName,
    /// Its ARN, as the service wrote it.
    pub arn: Option<String>,
    /// The application that it runs.
    pub application: Option<Id>,
    /// Where it runs, such as `us-east-1`; not necessarily the Region of the ARN.
    pub location: Option<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When the service last changed it; once it has ended, about when it ended.
    pub updated_at: Option<Timestamp>,
    /// The service's word: open, a new one is carried as it is.
    pub status: String,
    /// Why it ended: the service's word, open; only in `TERMINATED` and `ERROR`.
    pub end_reason: Option<String>,
    /// The studio's own key of who plays, in the form in which it is kept; nothing unless `USER_IDS` asks for it.
    pub user_id: Option<String>,
    /// Its export, if one was ever requested.
    pub export: Option<Export>,
}

impl Session {
    /// Where the session is in its life.
    #[must_use]
    pub fn phase(&self) -> Phase {
        Phase::of_status(&self.status)
    }
}

/// `ExportFilesMetadata`: absent until an export was requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// `PENDING` (the session lives, or its files are being uploaded), `SUCCEEDED` or `FAILED`; open.
    pub status: String,
    /// The service's free text, at most 1,024 characters.
    pub status_reason: Option<String>,
    /// Where to; listings by account leave it out.
    pub output_uri: Option<String>,
}

/// Enough of a text to recognise it in an error, and not more: it may be hostile and long.
fn excerpt(text: &str) -> String {
    text.chars().take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: &str =
        "arn:aws:gameliftstreams:us-west-2:111122223333:streamsession/sg-1AB2C3De4/ABC123def4567";

    #[test]
    fn a_session_arn_names_group_and_session() {
        let name = SessionName::from_arn(SESSION).unwrap();
        assert_eq!(name.to_string(), "sg-1AB2C3De4/ABC123def4567");
    }

    #[test]
    fn what_is_no_session_arn_is_refused_with_what_was_expected() {
        for wrong in [
            "",
            "ABC123def4567",
            "arn:aws:gameliftstreams:us-west-2:111122223333:streamgroup/sg-1AB2C3De4",
            "arn:aws:gameliftstreams:us-west-2:11112222333:streamsession/sg-1AB2C3De4/ABC123def4567",
            "arn:aws:gamelift:us-west-2:111122223333:streamsession/sg-1AB2C3De4/ABC123def4567",
            "arn:aws:gameliftstreams:us-west-2:111122223333:streamsession/sg-1AB2C3De4/../x",
            "arn:aws:gameliftstreams:us-west-2:111122223333:streamsession/sg-1AB2C3De4/",
        ] {
            let error = SessionName::from_arn(wrong).unwrap_err().to_string();
            assert!(error.contains("the ARN of a stream session, such as arn:aws"), "{error}");
        }
    }

    #[test]
    fn a_stream_group_is_taken_as_id_or_arn() {
        let arn = "arn:aws:gameliftstreams:us-west-2:111122223333:streamgroup/sg-1AB2C3De4";
        for text in ["sg-1AB2C3De4", arn] {
            assert_eq!(Id::from_id_or_arn(text, ResourceType::StreamGroup).unwrap().as_str(), "sg-1AB2C3De4");
        }
        assert!(Id::from_id_or_arn(arn, ResourceType::Application).is_err());
        assert!(Id::from_id_or_arn("sg 1", ResourceType::StreamGroup).is_err());
    }

    #[test]
    fn only_the_four_documented_statuses_are_live() {
        assert_eq!(Phase::of_status("ACTIVATING"), Phase::Starting);
        for live in LIVE_STATUSES {
            assert_eq!(Phase::of_status(live), Phase::Live);
        }
        assert_eq!(Phase::of_status("TERMINATING"), Phase::Ending);
        assert_eq!(Phase::of_status("TERMINATED"), Phase::Ended);
        assert_eq!(Phase::of_status("ERROR"), Phase::Ended);
        assert_eq!(Phase::of_status("HIBERNATED"), Phase::Ending);
    }
}
