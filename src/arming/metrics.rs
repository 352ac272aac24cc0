//! Metrics, in CloudWatch's embedded metric format: log lines of which CloudWatch Logs makes metrics.
//!
//! User guide, "Specification: Embedded metric format". Each line is one JSON object by itself on standard output: what a
//! custom runtime writes there reaches CloudWatch Logs as it is, also with the log format JSON.

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::session::Id;
use crate::trigger::OWN_NAMESPACE;

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
    /// Of a sweep, by stream group.
    pub(super) gauges: Option<&'a BTreeMap<Id, Gauges>>,
    pub(super) at: Timestamp,
}

impl Report<'_> {
    /// Writes the metrics to standard output, a line for each document.
    pub(super) fn write(&self) -> io::Result<()> {
        let mut lines = Vec::new();
        for document in self.documents() {
            serde_json::to_writer(&mut lines, &document)?;
            lines.push(b'\n');
        }
        io::stdout().lock().write_all(&lines)
    }

    /// One document for the stack, and one for each stream group of which there is something to tell.
    pub(super) fn documents(&self) -> Vec<Value> {
        let groups = self.by_group();
        let mut total = Numbers { gauges: self.gauges.map(|_| Gauges::default()), ..Numbers::default() };
        groups.values().for_each(|numbers| total.add(numbers));
        total.throttled += self.throttled.get(&None).copied().unwrap_or(0);
        let groups = groups.iter().map(|(group, numbers)| (Some(group), *numbers));
        // A sweep tells that it was there, whatever it found.
        let is_told = |group: Option<&Id>, numbers: &Numbers| {
            !numbers.is_zero() || (group.is_none() && self.gauges.is_some())
        };
        std::iter::once((None, total))
            .chain(groups)
            .filter(|(group, numbers)| is_told(*group, numbers))
            .map(|(group, numbers)| self.document(group, &numbers))
            .collect()
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
        for (group, gauges) in self.gauges.into_iter().flatten() {
            groups.entry(group.clone()).or_default().gauges = Some(*gauges);
        }
        groups
    }

    fn document(&self, group: Option<&Id>, numbers: &Numbers) -> Value {
        let mut values = numbers.values();
        if group.is_none() && self.gauges.is_some() {
            values.push(("sweeps", 1));
        }
        let metrics: Vec<_> =
            values.iter().map(|(name, _)| json!({"Name": name, "Unit": "Count"})).collect();
        let mut dimensions = vec!["Stack"];
        dimensions.extend(group.map(|_| "StreamGroup"));
        let mut document = Map::new();
        document.insert(
            "_aws".into(),
            json!({
                "Timestamp": self.at.as_millisecond(),
                "CloudWatchMetrics":
                    [{"Namespace": OWN_NAMESPACE, "Dimensions": [dimensions], "Metrics": metrics}],
            }),
        );
        // Lambda drops lines below the function's log level, and takes a line without level and time for INFO.
        let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_else(|_| "INFO".to_owned());
        document.insert("level".into(), level.into());
        document.insert("timestamp".into(), self.at.to_string().into());
        document.insert("Stack".into(), self.stack.into());
        if let Some(group) = group {
            document.insert("StreamGroup".into(), group.as_str().into());
        }
        document.extend(values.into_iter().map(|(name, value)| (name.to_owned(), value.into())));
        Value::Object(document)
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
