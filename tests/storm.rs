//! The storm: random schedules against the local cloud, and a model of what the bucket must hold after each.
//!
//! Sessions on paper start, go on, end and are exported; events come in any order, twice, late, or not at all where their
//! source may lose them; both functions run at once, as the processes that they are in production, and are killed between any
//! two of their requests; S3 and GameLift Streams fail in every way that they have. In the end the weather calms down, and
//! everything must be as the model says.
//!
//! - `plan`: a schedule, which is a function of its seed alone
//! - `weather`: what becomes of each request: a function of the seed, of what is asked for, and of how often it was
//! - `ways`: the ways in which AWS may be
//! - `jobs`: the schedules of a way by handfuls, each in a cloud of its own
//! - `stage`: plays a schedule
//! - `model`: what must hold
//! - `census`: the states and faults that were reached; any that was not fails the storm
//!
//! A schedule that fails names its seed: `STORM_SEED=… STORM_ONLY=<way>/<number> cargo test --test storm` plays it again, with
//! the same steps and the same fault at the same request. The functions are real processes: which of two requests of theirs
//! comes first is not replayed, nor is whether a process was there already.
//! `STORM_SCHEDULES` says how many there are (500).

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and says so"
)]

#[path = "storm/census.rs"]
mod census;
#[path = "storm/jobs.rs"]
mod jobs;
#[path = "storm/model.rs"]
mod model;
#[path = "storm/plan.rs"]
mod plan;
#[path = "storm/stage.rs"]
mod stage;
mod support;
#[path = "storm/ways.rs"]
mod ways;
#[path = "storm/weather.rs"]
mod weather;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use libtest_mimic::{Arguments, Failed, Trial};

use census::Census;
use jobs::{Asked, Jobs};

fn main() -> ExitCode {
    let trial = Trial::test("after_every_schedule_the_bucket_holds_what_it_must", || storm(&Asked::read()));
    libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit_code()
}

/// Plays all schedules, and says what was reached.
fn storm(asked: &Asked) -> Result<(), Failed> {
    let started = Instant::now();
    println!("the storm has the seed STORM_SEED={}", asked.seed);
    let census = Arc::new(Census::default());
    let failed = Jobs::of(asked).play(&census);
    print!("{census}");
    println!("{} schedules in {:.0?}", census.of("schedule"), started.elapsed());
    if !failed.is_empty() {
        return Err(format!("{} failed, as is said above:\n{}", failed.len(), failed.join("\n")).into());
    }
    let unreached = if asked.only.is_none() { census.unreached() } else { Vec::new() };
    if unreached.is_empty() { Ok(()) } else { Err(format!("the storm did not reach {unreached:?}").into()) }
}
