//! Which schedules are played, and by whom.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::census::Census;
use crate::plan::Plan;
use crate::stage::Stage;
use crate::support::Cloud;
use crate::ways::{WAYS, Way};

/// How many clouds there are at once. Mostly they wait: for what lags, for pauses, for processes that start.
const AT_ONCE: usize = 24;

/// How many schedules share a cloud, one after the other: its start costs less than any of them, and what it remembers of those
/// before is read again and again.
const IN_ONE_CLOUD: usize = 20;

const SCHEDULES: usize = 500;

/// What the environment asks for.
pub(crate) struct Asked {
    pub(crate) seed: u64,
    schedules: usize,
    /// One schedule alone: its way, and its number.
    pub(crate) only: Option<(String, usize)>,
}

impl Asked {
    pub(crate) fn read() -> Self {
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
    fn of(&self, way: &Way) -> Range<usize> {
        match &self.only {
            Some((name, number)) if name == way.name => *number..number + 1,
            Some(_) => 0..0,
            None => 0..way.share(self.schedules),
        }
    }
}

/// Some schedules of a way.
struct Job {
    way: &'static Way,
    numbers: Range<usize>,
}

/// All jobs, in the order in which they are begun.
pub(crate) struct Jobs {
    seed: u64,
    all: Vec<Job>,
    begun: AtomicUsize,
    /// How to play the schedules again that failed.
    failed: Mutex<Vec<String>>,
}

impl Jobs {
    pub(crate) fn of(asked: &Asked) -> Self {
        let mut jobs = Vec::new();
        for way in WAYS {
            let all = asked.of(way);
            let jobs_of_way = all.clone().step_by(IN_ONE_CLOUD).map(|first| {
                let numbers = first..all.end.min(first + IN_ONE_CLOUD);
                Job { way, numbers }
            });
            jobs.extend(jobs_of_way);
        }
        Self { seed: asked.seed, all: jobs, begun: AtomicUsize::new(0), failed: Mutex::default() }
    }

    /// Plays them all; says of those that failed how to play them again. What was wrong is printed at once: a long storm is looked
    /// at while it goes on.
    pub(crate) fn play(self, census: &Arc<Census>) -> Vec<String> {
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE.min(self.all.len()) {
                scope.spawn(|| {
                    while let Some(job) = self.all.get(self.begun.fetch_add(1, Ordering::Relaxed)) {
                        self.play_one(job, census);
                    }
                });
            }
        });
        self.failed.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plays some schedules of a way in a cloud of their own.
    fn play_one(&self, Job { way, numbers }: &Job, census: &Arc<Census>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let cloud = Cloud::start_with(|options| way.apply(options)).await;
            let stage = Stage::new(&cloud, census).await;
            for number in numbers.clone() {
                let plan = Plan::draw(self.seed, way.name, number, &cloud.switches);
                census.count("schedule");
                census.count(&format!("way {}", way.name));
                if let Err(wrong) = stage.perform(&plan).await {
                    let again = format!("STORM_SEED={} STORM_ONLY={}/{number}", self.seed, way.name);
                    println!("{again}\n{plan}{wrong}\n");
                    self.failed.lock().unwrap_or_else(PoisonError::into_inner).push(again);
                }
            }
            stage.count_outcomes();
            cloud.lambda.shut_down().await;
        });
    }
}
