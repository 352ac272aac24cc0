//! The execution environments of one function.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, timeout};

use super::activity::Activity;
use super::environment::{Ended, Environment, Surroundings};
use super::function::Function;
use super::outcome::Outcome;
use super::runtime_api::Event;

/// How long the initialisation may take outside of an invocation.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib>
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// How long a caller waits, with the answer in hand, for the environment to ask for the next event. It does so at once
/// as a rule, and then the caller's next invocation finds it.
const RETURN_LIMIT: Duration = Duration::from_millis(100);

/// A function's environments: started on demand, used again, replaced when they have ended.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) function: Arc<Function>,
    /// There is no such function any more.
    pub(super) deleted: AtomicBool,
    executable: PathBuf,
    surroundings: Arc<Surroundings>,
    /// Environments that wait for an event, the one that was used last at the end.
    idle: Mutex<Vec<Environment>>,
    /// One for each environment that may work at once.
    places: Arc<Semaphore>,
    /// Counts the processes.
    processes: Activity,
    /// How often all of them have been killed.
    kills: watch::Sender<u64>,
}

/// The right to run one invocation.
pub(super) type Place = OwnedSemaphorePermit;

impl Pool {
    pub(super) fn new(
        function: Function,
        executable: PathBuf,
        surroundings: Arc<Surroundings>,
        concurrency: usize,
    ) -> Self {
        Self {
            function: Arc::new(function),
            deleted: AtomicBool::new(false),
            executable,
            surroundings,
            idle: Mutex::default(),
            places: Arc::new(Semaphore::new(concurrency)),
            processes: Activity::new(),
            kills: watch::Sender::new(0),
        }
    }

    /// Waits until one more invocation may run, where Lambda would throttle; `None` during shutdown.
    pub(super) async fn place(&self) -> Option<Place> {
        Arc::clone(&self.places).acquire_owned().await.ok()
    }

    /// Runs the function once.
    pub(super) async fn run(self: &Arc<Self>, place: Place, request_id: &str, payload: Bytes) -> Outcome {
        let outcome = |result, duration, init_duration, (max_memory, processor_time)| Outcome {
            request_id: request_id.to_owned(),
            result,
            duration,
            init_duration,
            max_memory,
            processor_time,
        };
        let (mut environment, init_duration) = match self.hand_over(request_id, payload).await {
            Ok(taken) => taken,
            Err(ended) => return outcome(Err(ended.error(request_id)), Duration::ZERO, None, (None, None)),
        };
        let started = Instant::now();
        let (result, alive) = environment.answer(request_id).await;
        let duration = started.elapsed();
        let used = (environment.max_memory(), environment.processor_time());
        if alive {
            let left = self.function.timeout.saturating_sub(duration);
            let pool = Arc::clone(self);
            let back = tokio::spawn(async move { pool.give_back(environment, left, place).await });
            timeout(RETURN_LIMIT, back).await.ok();
        }
        outcome(result, duration, init_duration, used)
    }

    /// The environment that took the event, and how long it took to start if it is new.
    async fn hand_over(
        &self,
        request_id: &str,
        payload: Bytes,
    ) -> Result<(Environment, Option<Duration>), Ended> {
        while let Some(mut environment) = self.pop() {
            // It may have ended since.
            let event = self.event(request_id, payload.clone());
            if environment.is_alive() && environment.hand_over(&event).await.is_ok() {
                return Ok((environment, None));
            }
        }
        let started = Instant::now();
        let mut environment = match self.start(INIT_LIMIT).await {
            Ok(environment) => environment,
            // Lambda tries once more, as a part of the invocation.
            Err(_) => self.start(self.function.timeout).await?,
        };
        let init_duration = started.elapsed();
        environment.hand_over(&self.event(request_id, payload)).await?;
        Ok((environment, Some(init_duration)))
    }

    async fn start(&self, limit: Duration) -> Result<Environment, Ended> {
        let alive = self.processes.begin();
        let kill = self.kills.subscribe();
        let start = Environment::start(&self.function, &self.executable, &self.surroundings, alive, kill);
        let mut environment = start.await.map_err(Ended::Io)?;
        environment.ready(limit).await?;
        Ok(environment)
    }

    fn event(&self, request_id: &str, payload: Bytes) -> Event {
        let now = Timestamp::now();
        let timeout = i64::try_from(self.function.timeout.as_millis()).unwrap_or(i64::MAX);
        Event {
            request_id: request_id.to_owned(),
            deadline_ms: now.as_millisecond().saturating_add(timeout),
            function_arn: self.function.arn.clone(),
            trace_id: trace_id(now),
            payload,
        }
    }

    /// Makes the environment available again once its process asks for the next event.
    ///
    /// A fault that ends environments between two events would be put in here.
    async fn give_back(&self, mut environment: Environment, limit: Duration, place: Place) {
        if environment.ready(limit).await.is_ok()
            && let Some(late) = self.keep(environment)
        {
            late.terminate().await;
        }
        drop(place);
    }

    /// Returns the environment if it is too late for it: [`Self::shut_down`] has looked already.
    fn keep(&self, environment: Environment) -> Option<Environment> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if *self.surroundings.shutdown.borrow() {
            return Some(environment);
        }
        idle.push(environment);
        None
    }

    fn pop(&self) -> Option<Environment> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Kills the processes, also those that are at work.
    pub(super) fn kill(&self) {
        self.kills.send_modify(|kills| *kills += 1);
        // Nobody watches over those that wait for an event: they are killed when they are dropped.
        while self.pop().is_some() {}
    }

    /// Lets nothing more run and ends the processes. [`Surroundings::shutdown`] has been announced.
    pub(super) async fn shut_down(&self) {
        self.places.close();
        while let Some(environment) = self.pop() {
            environment.terminate().await;
        }
        self.processes.idle().await;
    }
}

/// `Root=1-{seconds}-{24 digits};Parent={16 digits};Sampled=0`: nothing is traced.
fn trace_id(now: Timestamp) -> String {
    let root = uuid::Uuid::new_v4().simple().to_string();
    let parent = fastrand::u64(..);
    format!("Root=1-{:08x}-{};Parent={parent:016x};Sampled=0", now.as_second(), &root[..24])
}
