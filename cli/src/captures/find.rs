//! One session, by whatever one has at hand: its id or the beginning of it, `group/id`, or its ARN.

use std::fmt::{self, Write as _};
use std::pin::pin;
use std::str::FromStr;

use crash_capture::layout::RecordName;
use crash_capture::session::{Id, SessionName};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use crate::failure::Failure;

use super::{Captures, Filter, Open, Recorded};

/// How many sessions are named where more than one is meant.
const NAMED: usize = 20;

/// How a session is named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionArgument {
    group: Option<Id>,
    /// The id, or the beginning of it.
    id: Id,
}

/// What is known of a session.
#[derive(Debug)]
pub(crate) enum Capture {
    /// It is settled.
    Settled(Box<Recorded>),
    /// It is not.
    Open(Box<Open>),
}

/// Where a session was found.
#[derive(Debug)]
enum Place {
    Index(RecordName),
    Marker,
}

impl FromStr for SessionArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("arn:") {
            let name = SessionName::from_arn(text).map_err(|error| error.to_string())?;
            return Ok(Self { group: Some(name.stream_group), id: name.id });
        }
        let id = |text: &str| {
            Id::try_from(text.to_owned()).map_err(|_| {
                "expected a session's id or the beginning of it, group/id, or its ARN".to_owned()
            })
        };
        match text.split_once('/') {
            Some((group, session)) => Ok(Self { group: Some(id(group)?), id: id(session)? }),
            None => Ok(Self { group: None, id: id(text)? }),
        }
    }
}

impl SessionArgument {
    /// The session, if the stream group is given too: nothing has to be known of it then.
    pub(crate) fn full_name(&self) -> Option<SessionName> {
        Some(SessionName { stream_group: self.group.clone()?, id: self.id.clone() })
    }

    fn takes(&self, session: &SessionName) -> bool {
        self.group.as_ref().is_none_or(|group| *group == session.stream_group)
            && session.id.as_str().starts_with(self.id.as_str())
    }

    /// Whether a session that is taken is named in full.
    pub(crate) fn is_exactly(&self, session: &SessionName) -> bool {
        session.id == self.id
    }
}

impl fmt::Display for SessionArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.group.iter().try_for_each(|group| write!(f, "{group}/"))?;
        write!(f, "{}", self.id)
    }
}

impl Captures {
    /// The one session that is meant. Its record is looked for before its marker.
    pub(crate) async fn find(&self, wanted: &SessionArgument) -> Result<Capture, Failure> {
        if let Some(found) = self.marked(wanted).await? {
            return Ok(found);
        }
        let found = self.places(wanted).await?;
        let mut places = found.into_iter();
        let Some((session, place)) = places.next() else { return Err(nowhere(wanted)) };
        let others: Vec<_> = places.collect();
        if !others.is_empty() {
            return Err(ambiguous(wanted, [(session, place)].into_iter().chain(others)));
        }
        let capture = match place {
            Place::Index(name) => self.recorded(name).await?.map(|record| Capture::Settled(Box::new(record))),
            Place::Marker => self.marker(&session).await?.map(|open| Capture::Open(Box::new(open))),
        };
        capture.ok_or_else(|| nowhere(wanted))
    }

    /// A session whose group and id are given and that has a marker still, which tells where its record is: it need not be
    /// looked for in the listings.
    async fn marked(&self, wanted: &SessionArgument) -> Result<Option<Capture>, Failure> {
        let Some(group) = wanted.group.clone() else { return Ok(None) };
        let session = SessionName { stream_group: group, id: wanted.id.clone() };
        let Some(open) = self.marker(&session).await? else { return Ok(None) };
        self.settled_or_open(open).await.map(Some)
    }

    /// What is known of a session that has a marker, which it keeps for some minutes when it is settled.
    pub(super) async fn settled_or_open(&self, open: Open) -> Result<Capture, Failure> {
        let facts = &open.marker.session;
        let name = RecordName { date: facts.date(), application: facts.application(), session: facts.name() };
        let record = self.recorded(name).await?;
        Ok(record.map_or_else(|| Capture::Open(Box::new(open)), |it| Capture::Settled(Box::new(it))))
    }

    /// The sessions that may be meant, the newest first. One that is named in full is the only one.
    async fn places(&self, wanted: &SessionArgument) -> Result<Vec<(SessionName, Place)>, Failure> {
        let everything = Filter::of_group(wanted.group.clone());
        let mut found: Vec<(SessionName, Place)> = Vec::new();
        let days = self.days(&everything).await?;
        let mut keys = pin!(self.record_keys(stream::iter(days).map(Ok), &everything));
        while let Some(name) = keys.try_next().await? {
            let session = name.session.clone();
            if wanted.is_exactly(&session) {
                return Ok(vec![(session, Place::Index(name))]);
            }
            if wanted.takes(&session) && found.len() <= NAMED && found.iter().all(|(it, _)| *it != session) {
                found.push((session, Place::Index(name)));
            }
        }
        let mut marked = pin!(self.marker_names(&everything));
        while let Some(session) = marked.try_next().await? {
            if wanted.is_exactly(&session) {
                return Ok(vec![(session, Place::Marker)]);
            }
            if wanted.takes(&session) && found.iter().all(|(it, _)| *it != session) {
                found.push((session, Place::Marker));
            }
        }
        Ok(found)
    }
}

fn nowhere(wanted: &SessionArgument) -> Failure {
    Failure::not_found(format!(
        "there is no session {wanted}: crash-capture list shows those that are settled, crash-capture list --open the others"
    ))
}

fn ambiguous(wanted: &SessionArgument, found: impl Iterator<Item = (SessionName, Place)>) -> Failure {
    let mut message = format!("{wanted} may be any of these sessions:");
    for (count, (session, place)) in found.enumerate() {
        if count == NAMED {
            message.push_str("\n  …");
            break;
        }
        let place = match place {
            Place::Index(name) => format!("of {}", name.date),
            Place::Marker => "not settled".to_owned(),
        };
        write!(message, "\n  {session}  {place}").ok();
    }
    Failure::Ambiguous(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:gameliftstreams:us-west-2:111122223333:streamsession/sg-1/abc123";

    fn id(text: &str) -> Id {
        Id::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_session_is_named_by_arn_by_group_and_id_or_by_the_beginning_of_its_id() {
        let session = SessionName { stream_group: id("sg-1"), id: id("abc123") };
        for (text, exactly) in
            [(ARN, true), ("sg-1/abc123", true), ("abc123", true), ("sg-1/abc", false), ("a", false)]
        {
            let wanted: SessionArgument = text.parse().unwrap();
            assert!(wanted.takes(&session), "{text}");
            assert_eq!(wanted.is_exactly(&session), exactly, "{text}");
        }
        for text in ["sg-2/abc123", "bc123", "abc1234", "ABC123"] {
            assert!(!text.parse::<SessionArgument>().unwrap().takes(&session), "{text}");
        }
        for text in ["", "sg-1/", "a b", "a/b/c", "arn:aws:s3:::x"] {
            assert!(text.parse::<SessionArgument>().is_err(), "{text}");
        }
    }
}
