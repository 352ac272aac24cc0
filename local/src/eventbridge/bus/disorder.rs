//! How events are delivered that are not delivered once, at once, and in their order.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What EventBridge and those who emit events may do to them, and seldom do: "at least once" delivery, in no promised
/// order, and "it can sometimes take a minute or longer" (EventBridge user guide, "Events"; S3 user guide, "Event
/// notifications"). The default is what mostly happens: once, in order, at once.
///
/// The same goes for every source: S3, CloudTrail, alarms, a backend, and the schedules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disorder {
    /// Whether every event is delivered twice.
    pub twice: bool,
    /// How late each delivery is, somewhere between these bounds: the wider, the less order. Events that match no rule
    /// are not delivered.
    pub late: RangeInclusive<Duration>,
    /// Decides how late each delivery is: the n-th event of a kind (source and detail type) is as late in each run with
    /// the same seed.
    pub seed: u64,
    /// Events that are lost on their way, as where somebody has disabled a rule for a while.
    pub lost: Option<Lost>,
}

/// Events that never come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Of which source.
    pub source: &'static str,
    /// Every which event of a detail type is lost.
    pub every: u64,
}

impl Default for Disorder {
    fn default() -> Self {
        Self { twice: false, late: Duration::ZERO..=Duration::ZERO, seed: 0, lost: None }
    }
}

/// Makes a disorder of events.
#[derive(Debug)]
pub(super) struct Shuffler {
    disorder: Disorder,
    /// How many events of each kind there were.
    counts: Mutex<HashMap<String, u64>>,
}

impl Shuffler {
    pub(super) fn new(disorder: Disorder) -> Self {
        Self { disorder, counts: Mutex::default() }
    }

    /// After how long the next event of a source and detail type is delivered: once for each delivery.
    pub(super) fn deliveries(&self, source: &str, detail_type: &str) -> Vec<Duration> {
        let kind = format!("{source} {detail_type}");
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(kind.clone()).or_default();
        *count += 1;
        let is_lost = |lost: &Lost| lost.source == source && count.is_multiple_of(lost.every);
        if self.disorder.lost.as_ref().is_some_and(is_lost) {
            return Vec::new();
        }
        let mut hasher = DefaultHasher::new();
        (self.disorder.seed, kind, *count).hash(&mut hasher);
        let mut random = fastrand::Rng::with_seed(hasher.finish());
        let (least, most) = (*self.disorder.late.start(), *self.disorder.late.end());
        let copies = if self.disorder.twice { 2 } else { 1 };
        (0..copies).map(|_| least + most.saturating_sub(least).mul_f64(random.f64())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn drawn(disorder: &Disorder) -> Vec<Duration> {
        let shuffler = Shuffler::new(disorder.clone());
        ["a", "b", "a"].into_iter().flat_map(|source| shuffler.deliveries(source, "x")).collect()
    }

    #[test]
    fn without_disorder_each_event_is_delivered_once_and_at_once() {
        assert_eq!(drawn(&Disorder::default()), [Duration::ZERO; 3]);
    }

    #[test]
    fn with_the_same_seed_the_nth_event_of_a_kind_is_as_late_again() {
        let disorder = Disorder { twice: true, late: SECOND / 2..=SECOND, seed: 7, lost: None };
        let first = drawn(&disorder);
        assert_eq!(first, drawn(&disorder));
        assert_ne!(first, drawn(&Disorder { seed: 8, ..disorder.clone() }));
        assert_eq!(first.len(), 6);
        assert!(first.iter().all(|late| disorder.late.contains(late)));
        assert!(first.iter().any(|late| *late != first[0]));
        let shuffler = Shuffler::new(disorder);
        shuffler.deliveries("b", "x");
        assert_eq!(shuffler.deliveries("a", "x"), first[..2], "other kinds do not matter");
    }

    #[test]
    fn every_so_manieth_event_of_a_source_is_lost() {
        let lost = Some(Lost { source: "a", every: 2 });
        let shuffler = Shuffler::new(Disorder { lost, ..Disorder::default() });
        let came = |source: &str| !shuffler.deliveries(source, "x").is_empty();
        assert_eq!(
            [came("a"), came("a"), came("b"), came("b"), came("a"), came("a")],
            [true, false, true, true, true, false]
        );
    }
}
