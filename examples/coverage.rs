//! How many crashes are captured, as a table: `cargo run --release --example coverage -- [sessions] [seconds between passes]…`.
//!
//! Two simulations, without and with session events, for each number of seconds between passes: 5, 15 and 60 unless told otherwise.
//! One after the other, of 10,000 sessions each, they take some 40 minutes on a machine that does nothing else.

use std::io::Write;

#[path = "../tests/support/coverage.rs"]
mod coverage;

use coverage::{Coverage, Plan, Tally, simulate};

const HEAD: &str = "\
| a pass every | session events | captured | missed | unaccounted for | of crashes within 5 s: captured | latest miss after | the cloud was late: 99 % | at most |
| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let sessions = arguments.next().map_or(Ok(10_000), |number| number.parse())?;
    let mut every = arguments.map(|number| number.parse()).collect::<Result<Vec<u64>, _>>()?;
    if every.is_empty() {
        every = vec![5, 15, 60];
    }
    let plans = every.into_iter().flat_map(|sweep_every| [false, true].map(|events| (sweep_every, events)));
    let mut out = std::io::stdout();
    writeln!(out, "{HEAD}")?;
    for (sweep_every, events) in plans {
        let plan =
            Plan { sessions, start_within: 180, longest_start: 30, longest_life: 120, sweep_every, events };
        writeln!(out, "{}", row(&plan, &simulate(plan).await?))?;
    }
    Ok(())
}

fn row(plan: &Plan, coverage: &Coverage) -> String {
    let Coverage { all, at_start, latest_miss, late } = coverage;
    format!(
        "| {} s | {} | {} | {} | {} | {} | {latest_miss:.1} s | {late} |",
        plan.sweep_every,
        if plan.events { "yes" } else { "no" },
        share(all.captured, *all),
        share(all.missed, *all),
        share(all.unaccounted, *all),
        share(at_start.captured, *at_start),
    )
}

/// A part of the sessions, in percent.
fn share(part: u64, of: Tally) -> String {
    let tenths = part * 1000 / of.sessions.max(1);
    format!("{}.{} %", tenths / 10, tenths % 10)
}
