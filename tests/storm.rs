//! The storm: random schedules against the local cloud, and a model of what the bucket must hold after each.
//!
//! Sessions on paper start, go on, end and are exported; events come in any order, twice, late, or not at all where their
//! source may lose them; both functions run at once, as the processes that they are in production, and are killed between any
//! two of their requests; S3 and GameLift Streams fail in every way that they have. In the end the weather calms down, and
//! everything must be as the model says.
//!
//! - `plan`: a schedule, which is a function of its seed alone
//! - `weather`: what becomes of each request: a function of the seed, of what is asked for, and of how often it was
//! - `ways`: the ways in which AWS may be, each a cloud of its own, which many schedules share
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
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use libtest_mimic::{Arguments, Failed, Trial};

use census::Census;
use plan::Plan;
use stage::Stage;
use support::Cloud;
use ways::{WAYS, Way};

/// How many clouds there are at once. Mostly they wait.
const AT_ONCE: usize = 8;

const SCHEDULES: usize = 500;

/// What the environment asks for.
struct Asked {
    seed: u64,
    schedules: usize,
    /// One schedule alone: its way, and its number.
    only: Option<(String, usize)>,
}

impl Asked {
    fn read() -> Self {
        let variable = |name: &str| std::env::var(name).ok();
        let number = |name: &str| variable(name).map(|text| text.parse().unwrap());
        let only = variable("STORM_ONLY").map(|text| {
            let (way, number) = text.split_once('/').unwrap();
            (way.to_owned(), number.parse().unwrap())
        });
        let seed = number("STORM_SEED").unwrap_or_else(|| u64::from(std::process::id()));
        let schedules =
            number("STORM_SCHEDULES").map_or(SCHEDULES, |number| usize::try_from(number).unwrap());
        Self { seed, schedules, only }
    }

    /// The schedules of a way, by their numbers.
    fn of(&self, way: &Way) -> Vec<usize> {
        match &self.only {
            Some((name, number)) if name == way.name => vec![*number],
            Some(_) => Vec::new(),
            None => (0..way.share(self.schedules)).collect(),
        }
    }
}

fn main() -> ExitCode {
    let trial = Trial::test("after_every_schedule_the_bucket_holds_what_it_must", || storm(&Asked::read()));
    libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit_code()
}

/// Plays all schedules, those of one way after each other.
fn storm(asked: &Asked) -> Result<(), Failed> {
    let started = Instant::now();
    println!("the storm has the seed STORM_SEED={}", asked.seed);
    let census = Arc::new(Census::default());
    let failures = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(WAYS.len()) {
            scope.spawn(|| {
                while let Some(way) = WAYS.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let failed = play_all(asked, way, &census);
                    failures.lock().unwrap_or_else(PoisonError::into_inner).extend(failed);
                }
            });
        }
    });
    print!("{census}");
    let failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("{} schedules in {:.0?}", census.of("schedule"), started.elapsed());
    if !failures.is_empty() {
        return Err(failures.join("\n").into());
    }
    let unreached = if asked.only.is_none() { census.unreached() } else { Vec::new() };
    if unreached.is_empty() { Ok(()) } else { Err(format!("the storm did not reach {unreached:?}").into()) }
}

/// Plays the schedules of a way; gives what is wrong.
fn play_all(asked: &Asked, way: &Way, census: &Arc<Census>) -> Vec<String> {
    let numbers = asked.of(way);
    if numbers.is_empty() {
        return Vec::new();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let cloud = Cloud::start_with(|options| way.apply(options)).await;
        let stage = Stage::new(&cloud, census).await;
        let mut failures = Vec::new();
        for number in numbers {
            let plan = Plan::draw(asked.seed, way.name, number, &cloud.switches);
            census.count("schedule");
            if let Err(wrong) = stage.play(&plan).await {
                let again = format!("STORM_SEED={} STORM_ONLY={}/{number}", asked.seed, way.name);
                failures.push(format!("{again}\n{plan}{wrong}\n"));
            }
        }
        stage.count_outcomes();
        cloud.lambda.shut_down().await;
        failures
    })
}
