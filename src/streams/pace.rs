//! The pace of calls: the service's quotas are for each operation, the account and the Region (developer guide, "API rate
//! limits": 20 a second for what we call), and the game's own backend needs them too.
//!
//! Not a crate: rates that halve and grow back are what the known limiters do not offer, and the rest is an addition.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// From next to nothing back to the whole pace.
const RECOVERY: Duration = Duration::from_mins(1);

/// The slowest that throttling makes us, as a part of the pace.
const SLOWEST: f64 = 1.0 / 16.0;

/// What was not used within this time is made up for at once, so that a few listings after a pause need not queue. In no
/// second more than twice the pace is sent.
const BURST: Duration = Duration::from_secs(1);

/// The pace of one operation.
#[derive(Debug)]
pub(super) struct Pace {
    /// Calls a second while nothing is throttled.
    full: f64,
    lane: Mutex<Lane>,
}

#[derive(Debug)]
struct Lane {
    /// When the next call is due at an even pace. It may be sent as much as [`BURST`] earlier.
    next: Instant,
    /// Calls a second, at the time of the last halving.
    rate: f64,
    halved_at: Option<Instant>,
}

impl Pace {
    /// So many calls a second.
    pub(super) fn new(calls_per_second: u32) -> Self {
        let full = f64::from(calls_per_second.max(1));
        let now = Instant::now();
        let next = now.checked_sub(BURST).unwrap_or(now);
        Self { full, lane: Mutex::new(Lane { next, rate: full, halved_at: None }) }
    }

    /// Waits for a turn to send one call. Gives when that was, for [`Self::throttled`].
    pub(super) async fn turn(&self) -> Instant {
        let turn = self.reserve(Instant::now());
        tokio::time::sleep_until(turn).await;
        turn
    }

    /// A call of this turn was throttled: the pace halves, once for all calls that were under way together.
    pub(super) fn throttled(&self, turn: Instant, now: Instant) {
        let rate = self.rate(now);
        let mut lane = self.lane();
        if lane.halved_at.is_none_or(|halved_at| turn >= halved_at) {
            lane.rate = (rate / 2.0).max(self.full * SLOWEST);
            lane.halved_at = Some(now);
            lane.next = lane.next.max(now + Duration::from_secs_f64(1.0 / lane.rate));
        }
    }

    fn reserve(&self, now: Instant) -> Instant {
        let rate = self.rate(now);
        let mut lane = self.lane();
        let interval = Duration::from_secs_f64(1.0 / rate);
        let saved = BURST.saturating_sub(interval);
        let due = now.checked_sub(saved).map_or(lane.next, |earliest| lane.next.max(earliest));
        lane.next = due + interval;
        due.max(now)
    }

    fn rate(&self, now: Instant) -> f64 {
        let lane = self.lane();
        let Some(halved_at) = lane.halved_at else { return self.full };
        let recovered = now.duration_since(halved_at).as_secs_f64() / RECOVERY.as_secs_f64();
        (lane.rate + self.full * recovered).min(self.full)
    }

    fn lane(&self) -> MutexGuard<'_, Lane> {
        self.lane.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, seconds: f64) -> Instant {
        start + Duration::from_secs_f64(seconds)
    }

    /// How many calls may be sent until `seconds` after `from`, if as many as possible are asked for at `from`.
    fn calls_within(pace: &Pace, from: Instant, seconds: f64) -> usize {
        let end = after(from, seconds - 0.001);
        std::iter::repeat_with(|| pace.reserve(from)).take_while(|turn| *turn <= end).count()
    }

    #[test]
    fn the_pace_is_kept_and_a_burst_is_one_seconds_worth() {
        let now = Instant::now();
        for idle in [1.0, 100.0] {
            let pace = Pace::new(8);
            // Eight at once, the next one after an eighth of a second.
            assert_eq!(calls_within(&pace, after(now, idle), 10.0), 8 + 79);
            // Having asked, it has to wait its time.
            assert!(pace.reserve(after(now, idle + 1.0)) > after(now, idle + 9.9));
        }
    }

    #[test]
    fn nothing_is_saved_up_while_calls_are_throttled() {
        let (pace, now) = (Pace::new(8), after(Instant::now(), 50.0));
        pace.throttled(now, now);
        assert!((3..=6).contains(&calls_within(&pace, now, 1.0)));
    }

    #[test]
    fn throttling_halves_the_pace_once_for_calls_that_were_under_way_together() {
        let (pace, now) = (Pace::new(8), Instant::now());
        for _ in 0..5 {
            pace.throttled(now, after(now, 0.1));
        }
        assert!((pace.rate(after(now, 0.1)) - 4.0).abs() < 1e-6);
        pace.throttled(after(now, 0.2), after(now, 0.3));
        assert!(pace.rate(after(now, 0.3)) < 2.1);
    }

    #[test]
    fn the_pace_never_stops_and_is_back_within_a_minute() {
        let (pace, now) = (Pace::new(8), Instant::now());
        for time in 0..100 {
            pace.throttled(now + Duration::from_millis(time), now + Duration::from_millis(time));
        }
        assert!(pace.rate(after(now, 0.1)) >= 0.5);
        assert!(pace.rate(after(now, 10.0)) < 4.0);
        assert!((pace.rate(after(now, 61.0)) - 8.0).abs() < 1e-6);
    }
}
