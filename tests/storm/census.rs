//! What the storm has reached.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Everything that the storm must reach.
const MUST: &[&str] = &[
    "state missed/never-armed",
    "state missed/never-seen",
    "state missed/never-started",
    "state failed/export-failed",
    "state failed/export-stuck",
    "state failed/not-indexed",
    "state missed/exported-elsewhere",
    "state indexed/crash",
    "state indexed/suspect",
    "state indexed/exited",
    "state indexed/clean",
    "state indexed/unreadable",
    "state live and armed",
    "state open",
    "outcome already-armed",
    "outcome armed",
    "outcome missed",
    "outcome not-found",
    "outcome not-yet",
    "outcome settled",
    "invocation failed",
    "invocation twice at once",
    "end by way of nothing",
    "end by way of terminating",
    "export after the end",
    "export before the end",
    "export by hand requested Elsewhere",
    "export by hand requested Ours",
    "export named by the beginning",
    "export named by the end",
    "export told of at once",
    "export told of later",
    "event delivered",
    "event delivered twice",
    "event late",
    "event lost",
    "event tried again by hand",
    "tag of somebody else",
    "way as-assumed",
    "way doubling-listings",
    "way forgetful",
    "way lagging-listings",
    "way late-metadata",
    "way late-reasons",
    "way missing-listings",
    "way no-reasons",
    "way shifting-pages",
    "ambush",
    "kill start-export",
    "kill index-export",
    "s3 late",
    "s3 internal-error",
    "s3 slow-down",
    "s3 reset",
    "s3 unanswered",
    "s3 cut-off",
    "s3 conflict",
    "s3 precondition-failed",
    "s3 stall",
    "streams late",
    "streams throttled",
    "streams internal-error",
    "streams reset",
    "streams unanswered",
    "streams stall",
];

/// How often each thing was reached.
#[derive(Debug, Default)]
pub(crate) struct Census(Mutex<BTreeMap<String, u64>>);

impl Census {
    pub(crate) fn count(&self, what: &str) {
        self.add(what, 1);
    }

    pub(crate) fn add(&self, what: &str, times: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(what.to_owned()).or_default() += times;
    }

    pub(crate) fn of(&self, what: &str) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(what).copied().unwrap_or(0)
    }

    /// What should have been reached, and was not.
    pub(crate) fn unreached(&self) -> Vec<&'static str> {
        MUST.iter().copied().filter(|what| self.of(what) == 0).collect()
    }
}

impl fmt::Display for Census {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, times) in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            writeln!(formatter, "{times:8}  {what}")?;
        }
        Ok(())
    }
}
