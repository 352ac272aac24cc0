//! A small coverage simulation: what is missed crashed early, and nothing is unaccounted for. The big one is
//! `cargo run --release --example coverage`.

#[path = "support/coverage.rs"]
mod coverage;

use coverage::{Plan, simulate};

#[tokio::test]
async fn what_crashes_later_than_a_pass_after_active_is_captured_and_nothing_is_unaccounted_for() {
    let plan = Plan {
        sessions: 150,
        start_within: 20,
        longest_start: 15,
        longest_life: 20,
        sweep_every: 5,
        events: false,
    };
    let coverage = simulate(plan).await.unwrap();
    assert_eq!(coverage.all.unaccounted, 0, "{coverage:?}");
    assert_eq!(coverage.all.captured + coverage.all.missed, 150);
    assert!(coverage.all.captured > 100, "{coverage:?}");
    // A pass, and what a busy machine adds.
    assert!(coverage.latest_miss < 5.0 + 5.0, "the cloud was late by {}: {coverage:?}", coverage.late);
}
