//! What an invocation did, as metrics: for the stack, and for each stream group.

use std::collections::BTreeMap;
use std::io;

use jiff::Timestamp;
use serde_json::Value;

use crate::metrics;
use crate::session::Id;

use super::{Answer, Outcome};

/// What is counted in one invocation, or found at its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    armed: u64,
    missed: u64,
    failed: u64,
    throttled: u64,
    /// Of a sweep: markers, and those of sessions that ended long ago and are not settled.
    gauges: Option<Gauges>,
}

/// What a sweep has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Swept {
    /// Whether it could list the markers, and the live sessions of every group at least once. Only then it counts: an
    /// alarm tells if there is none.
    pub(super) is_whole: bool,
    /// How things stand, by stream group; nothing where the markers could not be listed.
    pub(super) gauges: Option<BTreeMap<Id, Gauges>>,
}

/// How things stand, as a sweep finds them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Gauges {
    pub(super) open: u64,
    pub(super) overdue: u64,
}

/// What an invocation did, for one stack.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) stack: &'a str,
    pub(super) answer: &'a Answer,
    /// Calls that were throttled, by stream group.
    pub(super) throttled: &'a BTreeMap<Option<Id>, u64>,
    /// Of a sweep.
    pub(super) sweep: Option<&'a Swept>,
    pub(super) at: Timestamp,
}

impl Report<'_> {
    /// Writes the metrics to standard output, a line for each document.
    pub(super) fn write(&self) -> io::Result<()> {
        metrics::write(&self.documents())
    }

    /// One document for the stack, and one for each stream group of which there is something to tell.
    pub(super) fn documents(&self) -> Vec<Value> {
        let groups = self.by_group();
        let gauges = self.gauges().map(|_| Gauges::default());
        let mut total = Numbers { gauges, ..Numbers::default() };
        for numbers in groups.values() {
            total.add(numbers);
        }
        total.throttled += self.throttled.get(&None).copied().unwrap_or(0);
        let groups = groups.iter().map(|(group, numbers)| (Some(group), *numbers));
        // A sweep tells that it was there, whatever it found.
        let is_told = |group: Option<&Id>, numbers: &Numbers| {
            !numbers.is_zero() || (group.is_none() && self.sweep.is_some())
        };
        std::iter::once((None, total))
            .chain(groups)
            .filter(|(group, numbers)| is_told(*group, numbers))
            .map(|(group, numbers)| self.document(group, &numbers))
            .collect()
    }

    fn gauges(&self) -> Option<&BTreeMap<Id, Gauges>> {
        self.sweep.and_then(|sweep| sweep.gauges.as_ref())
    }

    fn by_group(&self) -> BTreeMap<Id, Numbers> {
        let mut groups = BTreeMap::<Id, Numbers>::new();
        for (name, outcome) in self.answer.told() {
            let numbers = groups.entry(name.stream_group.clone()).or_default();
            match outcome {
                Outcome::Armed(_) => numbers.armed += 1,
                Outcome::Failed(_) => numbers.failed += 1,
                outcome if outcome.is_loss() => numbers.missed += 1,
                _ => {}
            }
        }
        for (group, count) in self.throttled {
            if let Some(group) = group {
                groups.entry(group.clone()).or_default().throttled += count;
            }
        }
        for (group, gauges) in self.gauges().into_iter().flatten() {
            groups.entry(group.clone()).or_default().gauges = Some(*gauges);
        }
        groups
    }

    fn document(&self, group: Option<&Id>, numbers: &Numbers) -> Value {
        let mut counts = numbers.values();
        if let (None, Some(sweep)) = (group, self.sweep) {
            counts.push(("sweeps", u64::from(sweep.is_whole)));
        }
        let mut dimensions = vec![("Stack", self.stack)];
        dimensions.extend(group.map(|group| ("StreamGroup", group.as_str())));
        let set: Vec<_> = dimensions.iter().map(|(name, _)| *name).collect();
        metrics::document(self.at, &dimensions, &[&set], &counts)
    }
}

impl Numbers {
    fn values(&self) -> Vec<(&'static str, u64)> {
        let mut values = vec![
            ("armed", self.armed),
            ("missed", self.missed),
            ("failed", self.failed),
            ("throttled", self.throttled),
        ];
        if let Some(Gauges { open, overdue }) = self.gauges {
            values.extend([("open", open), ("overdue", overdue)]);
        }
        values
    }

    fn is_zero(&self) -> bool {
        self.values().iter().all(|(_, value)| *value == 0)
    }

    fn add(&mut self, other: &Self) {
        self.armed += other.armed;
        self.missed += other.missed;
        self.failed += other.failed;
        self.throttled += other.throttled;
        if let (Some(total), Some(gauges)) = (&mut self.gauges, other.gauges) {
            total.open += gauges.open;
            total.overdue += gauges.overdue;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::metrics::tests::assert_embedded_metrics;
    use crate::record::Reason;
    use crate::session::SessionName;

    fn id(text: &str) -> Id {
        Id::try_from(text.to_owned()).unwrap()
    }

    fn documents(sweep: Option<&Swept>, throttled: &BTreeMap<Option<Id>, u64>) -> Vec<Value> {
        let mut answer = Answer::new("sweep");
        let missed = |code: &str| Outcome::Missed(Reason::new(code, "…"));
        for (group, session, outcome) in [
            ("sg-1", "a", Outcome::Armed("s3://b/a.zip".into())),
            ("sg-1", "b", missed("never-armed")),
            ("sg-1", "c", missed("never-started")),
            ("sg-2", "d", Outcome::Failed(Reason::new("export-failed", "…"))),
            ("sg-3", "e", Outcome::NotFound),
        ] {
            answer.add(SessionName { stream_group: id(group), id: id(session) }, outcome);
        }
        let at = "2026-11-23T10:15:02.123Z".parse().unwrap();
        Report { stack: "my-stack", answer: &answer, throttled, sweep, at }.documents()
    }

    #[test]
    fn a_sweep_reports_the_stack_and_each_group_of_which_there_is_something_to_tell() {
        let gauges = BTreeMap::from([
            (id("sg-1"), Gauges { open: 3, overdue: 0 }),
            (id("sg-4"), Gauges { open: 2, overdue: 1 }),
        ]);
        let throttled = BTreeMap::from([(Some(id("sg-2")), 5), (None, 1)]);
        let swept = Swept { is_whole: true, gauges: Some(gauges) };
        let documents = documents(Some(&swept), &throttled);
        documents.iter().for_each(assert_embedded_metrics);
        let groups: Vec<_> = documents.iter().map(|it| it["StreamGroup"].as_str()).collect();
        assert_eq!(groups, [None, Some("sg-1"), Some("sg-2"), Some("sg-4")]);
        let stack = &documents[0];
        for (name, value) in [
            ("armed", 1),
            ("missed", 1),
            ("failed", 1),
            ("throttled", 6),
            ("open", 5),
            ("overdue", 1),
            ("sweeps", 1),
        ] {
            assert_eq!(stack[name], value, "{name}");
        }
        assert_eq!((&stack["Stack"], &documents[1]["missed"]), (&json!("my-stack"), &json!(1)));
        let dimensions = "/_aws/CloudWatchMetrics/0/Dimensions";
        assert_eq!(stack.pointer(dimensions), Some(&json!([["Stack"]])));
        assert_eq!(documents[1].pointer(dimensions), Some(&json!([["Stack", "StreamGroup"]])));
    }

    #[test]
    fn an_event_reports_what_it_did_and_no_gauges() {
        let documents = documents(None, &BTreeMap::new());
        documents.iter().for_each(assert_embedded_metrics);
        assert_eq!(documents.len(), 3);
        assert!(documents.iter().all(|it| it.get("open").is_none() && it.get("sweeps").is_none()));
    }

    #[test]
    fn a_sweep_that_could_not_look_everywhere_does_not_count_and_tells_no_gauges_that_it_does_not_know() {
        let swept = Swept::default();
        let documents = documents(Some(&swept), &BTreeMap::new());
        documents.iter().for_each(assert_embedded_metrics);
        assert_eq!((&documents[0]["sweeps"], documents[0].get("open")), (&json!(0), None));
    }
}
