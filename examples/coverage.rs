//! How many crashes are captured, as a table: `cargo run --release --example coverage -- [sessions]`.
//!
//! Six simulations at the same time, of 10,000 sessions each unless told otherwise; they take some six minutes.

use std::io::Write;

#[path = "../tests/support/coverage.rs"]
mod coverage;

use coverage::{Coverage, Plan, Tally, simulate};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sessions = std::env::args().nth(1).map_or(Ok(10_000), |number| number.parse())?;
    let plans = [5, 15, 60].into_iter().flat_map(|sweep_every| {
        [false, true].map(|events| Plan {
            sessions,
            start_within: 180,
            longest_start: 30,
            longest_life: 120,
            sweep_every,
            events,
        })
    });
    let runs = plans.map(async |plan| (plan, simulate(plan).await));
    let runs = futures_util::future::join_all(runs).await;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "| a pass every | session events | captured | missed | unaccounted for | of crashes within 5 s: captured | latest miss after |"
    )?;
    writeln!(out, "| ---: | --- | ---: | ---: | ---: | ---: | ---: |")?;
    for (plan, run) in runs {
        let Coverage { all, at_start, latest_miss } = run?;
        let events = if plan.events { "yes" } else { "no" };
        writeln!(
            out,
            "| {} s | {events} | {} | {} | {} | {} | {latest_miss:.1} s |",
            plan.sweep_every,
            share(all.captured, all),
            share(all.missed, all),
            share(all.unaccounted, all),
            share(at_start.captured, at_start),
        )?;
    }
    Ok(())
}

/// A part of the sessions, in percent.
fn share(part: u64, of: Tally) -> String {
    let tenths = part * 1000 / of.sessions.max(1);
    format!("{}.{} %", tenths / 10, tenths % 10)
}
