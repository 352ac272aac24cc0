//! The function's answer: counts, and the sessions that something is to be told of.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::session::SessionName;

use super::Outcome;

/// How many sessions an answer names: it is a log line too, and CloudWatch Logs takes 256 KiB.
const MOST_NAMED: usize = 200;

/// What `start-export` answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    trigger: String,
    /// Why there was nothing to do.
    pub(super) ignored: Option<String>,
    /// Of a sweep: how often the live sessions were listed.
    pub(super) passes: u32,
    /// Sessions that something is to be told of; of an event, all.
    told: BTreeMap<SessionName, Outcome>,
    /// Sessions that there is nothing to tell of, at the last pass.
    routine: BTreeMap<&'static str, u64>,
    /// What could not be listed.
    unlisted: Vec<Unlisted>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Unlisted {
    what: String,
    outcome: Outcome,
    /// Whether the next pass tries again.
    of_pass: bool,
}

impl Answer {
    pub(super) fn new(trigger: &str) -> Self {
        Self {
            trigger: trigger.to_owned(),
            ignored: None,
            passes: 0,
            told: BTreeMap::new(),
            routine: BTreeMap::new(),
            unlisted: Vec::new(),
        }
    }

    fn is_sweep(&self) -> bool {
        self.trigger == "sweep"
    }

    /// Another pass begins: it will meet the same sessions again, and list what could not be listed.
    pub(super) fn begin_pass(&mut self) {
        self.passes += 1;
        self.routine.remove(Outcome::AlreadyArmed.name());
        self.routine.remove(Outcome::Unsampled.name());
        self.unlisted.retain(|unlisted| !unlisted.of_pass);
    }

    /// Notes what became of a session. In a sweep, which meets it several times, the last word counts, but what has been
    /// achieved stays.
    pub(super) fn add(&mut self, name: SessionName, outcome: Outcome) {
        if self.is_sweep() && outcome.is_routine() {
            if !self.told.get(&name).is_some_and(Outcome::is_final) {
                self.told.remove(&name);
                *self.routine.entry(outcome.name()).or_default() += 1;
            }
            return;
        }
        match self.told.get(&name) {
            Some(told) if told.is_final() && !outcome.is_final() => {}
            _ => drop(self.told.insert(name, outcome)),
        }
    }

    /// Notes what could not be listed.
    pub(super) fn add_unlisted(&mut self, what: impl Into<String>, outcome: Outcome) {
        self.note_unlisted(Unlisted { what: what.into(), outcome, of_pass: false });
    }

    /// Notes what a pass could not list; the next one tries again.
    pub(super) fn add_unlisted_in_pass(&mut self, what: &str, outcome: Outcome) {
        self.note_unlisted(Unlisted { what: what.to_owned(), outcome, of_pass: true });
    }

    fn note_unlisted(&mut self, unlisted: Unlisted) {
        if !self.unlisted.contains(&unlisted) {
            self.unlisted.push(unlisted);
        }
    }

    /// How many sessions had each outcome.
    pub(super) fn counts(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = self.routine.clone();
        for outcome in self.told.values() {
            *counts.entry(outcome.name()).or_default() += 1;
        }
        counts
    }

    /// Whether a session still needs to be seen to.
    pub(super) fn is_undone(&self, name: &SessionName) -> bool {
        self.told.get(name).is_some_and(Outcome::is_undone)
    }

    /// The sessions that something is to be told of.
    pub(super) fn told(&self) -> impl Iterator<Item = (&SessionName, &Outcome)> {
        self.told.iter()
    }

    /// What could not be seen to, in a sentence; nothing if everything was.
    pub(super) fn left_undone(&self) -> Option<String> {
        let groups =
            self.unlisted.iter().map(|Unlisted { what, outcome, .. }| format!("listing {what}: {outcome}"));
        let undone: Vec<_> = self.told.iter().filter(|(_, outcome)| outcome.is_undone()).collect();
        let more = undone.len().saturating_sub(MOST_NAMED);
        let sessions =
            undone.into_iter().take(MOST_NAMED).map(|(name, outcome)| format!("{name}: {outcome}"));
        let more = (more > 0).then(|| format!("and {more} more sessions"));
        let left: Vec<_> = groups.chain(sessions).chain(more).collect();
        (!left.is_empty()).then(|| left.join("; "))
    }

    /// The sessions that are named: in a sweep, those that did not simply succeed; in any case, those first.
    fn named(&self) -> Vec<Named<'_>> {
        let worth = |outcome: &Outcome| !self.is_sweep() || !matches!(outcome, Outcome::Armed(_));
        let mut named: Vec<_> = self.told.iter().filter(|(_, outcome)| worth(outcome)).collect();
        named.sort_by_key(|(_, outcome)| !outcome.is_undone());
        named.into_iter().map(|(name, outcome)| Named { name, outcome }).collect()
    }
}

struct Named<'a> {
    name: &'a SessionName,
    outcome: &'a Outcome,
}

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("streamGroupId", &self.name.stream_group)?;
        map.serialize_entry("streamSessionId", &self.name.id)?;
        serialize_outcome(&mut map, self.outcome)?;
        map.end()
    }
}

impl Serialize for Unlisted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("what", &self.what)?;
        serialize_outcome(&mut map, &self.outcome)?;
        map.end()
    }
}

fn serialize_outcome<M: SerializeMap>(map: &mut M, outcome: &Outcome) -> Result<(), M::Error> {
    map.serialize_entry("outcome", outcome.name())?;
    outcome.detail().map_or(Ok(()), |detail| map.serialize_entry("detail", &detail))
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let named = self.named();
        let unnamed = named.len().saturating_sub(MOST_NAMED);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("trigger", &self.trigger)?;
        if let Some(why) = &self.ignored {
            map.serialize_entry("ignored", why)?;
        }
        if self.is_sweep() {
            map.serialize_entry("passes", &self.passes)?;
        }
        map.serialize_entry("counts", &self.counts())?;
        map.serialize_entry("sessions", named.get(..MOST_NAMED).unwrap_or(&named))?;
        if unnamed > 0 {
            map.serialize_entry("unnamed", &unnamed)?;
        }
        if !self.unlisted.is_empty() {
            map.serialize_entry("unlisted", &self.unlisted)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::record::Reason;
    use crate::session::Id;

    fn name(id: &str) -> SessionName {
        let parse = |text: &str| Id::try_from(text.to_owned()).unwrap();
        SessionName { stream_group: parse("sg-1"), id: parse(id) }
    }

    fn json_of(answer: &Answer) -> Value {
        serde_json::to_value(answer).unwrap()
    }

    #[test]
    fn in_a_sweep_the_last_word_counts_and_what_was_achieved_stays() {
        let mut answer = Answer::new("sweep");
        answer.begin_pass();
        answer.add(name("a"), Outcome::out_of_time());
        answer.add(name("b"), Outcome::Armed("s3://b/b.zip".into()));
        answer.add(name("c"), Outcome::Missed(Reason::new("never-armed", "…")));
        answer.begin_pass();
        answer.add(name("a"), Outcome::AlreadyArmed);
        answer.add(name("b"), Outcome::AlreadyArmed);
        answer.add(name("c"), Outcome::NotFound);
        let expected = json!({"armed": 1, "already-armed": 1, "missed": 1});
        assert_eq!(json_of(&answer)["counts"], expected);
        assert_eq!(answer.left_undone(), None);
        assert_eq!(json_of(&answer)["sessions"][0]["detail"], "never-armed: …");
    }

    #[test]
    fn an_answer_names_what_is_undone_first_and_says_how_many_it_does_not_name() {
        let mut answer = Answer::new("alarm");
        for number in 0..MOST_NAMED {
            answer.add(name(&format!("a{number}")), Outcome::AlreadyArmed);
        }
        answer.add(name("z"), Outcome::out_of_time());
        let answer = json_of(&answer);
        assert_eq!(answer["sessions"].as_array().unwrap().len(), MOST_NAMED);
        assert_eq!(
            (&answer["sessions"][0]["outcome"], &answer["unnamed"]),
            (&json!("not-reached"), &json!(1))
        );
    }
}
