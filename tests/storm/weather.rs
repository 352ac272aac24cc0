//! What becomes of each request: a function of the seed, of what is asked for, and of how often it was asked for.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crash_capture_local::cloud::STREAM_GROUP;
use crash_capture_local::faults::Fault;
use crash_capture_local::s3::{AccessLogEntry, Refusal};
use crash_capture_local::streams::{Arrival, Operation, ServiceError, SessionId};
use fastrand::Rng;

use crate::census::Census;
use crate::plan::Ending;
use crate::support::{Cloud, INDEX_EXPORT, START_EXPORT};

/// What may go wrong in a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Climate {
    /// Nothing.
    Calm,
    /// So many requests of a hundred to these services.
    Faults { s3: u8, streams: u8 },
    /// The functions are killed at so many requests of a hundred.
    Kills(u8),
    /// One request to S3, or to GameLift Streams, is never answered.
    Stall { s3: bool },
}

impl Climate {
    /// Stalls take seconds: few schedules have one.
    pub(crate) fn draw(random: &mut Rng, number: usize) -> Self {
        if let service @ (4 | 5) = number % 100 {
            return Self::Stall { s3: service == 4 };
        }
        match random.u8(..10) {
            0..3 => Self::Calm,
            3 | 4 => Self::Faults { s3: random.u8(5..30), streams: 0 },
            5 | 6 => Self::Faults { s3: 0, streams: random.u8(2..25) },
            7 => Self::Faults { s3: random.u8(5..30), streams: random.u8(2..25) },
            _ => Self::Kills(random.u8(2..8)),
        }
    }
}

/// How many requests of a hundred would stall, of which one does.
const STALLS: u8 = 40;

/// The weather of a cloud. It is calm until it is told otherwise.
pub(crate) struct Weather {
    cloud: Handles,
    census: Arc<Census>,
    state: Mutex<State>,
}

struct Handles {
    lambda: crash_capture_local::lambda::Lambda,
    streams: crash_capture_local::streams::Streams,
    /// The access keys of the functions.
    functions: HashMap<String, &'static str>,
}

struct State {
    climate: Climate,
    seed: u64,
    asked: HashMap<String, u32>,
    ambushes: HashMap<String, Ending>,
    has_stalled: bool,
}

/// What befalls a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    Late,
    Throttled,
    Internal,
    Reset,
    Unanswered,
    CutOff,
    Conflict,
    Precondition,
    Stall,
    /// The function that asks is killed: before, or after what it asks for was done.
    Kill {
        before: bool,
    },
}

impl Weather {
    /// The weather of this cloud, from now on.
    pub(crate) fn over(cloud: &Cloud, census: &Arc<Census>) -> Arc<Self> {
        let key = |name: &'static str| {
            let function = cloud.stack.functions.iter().find(|function| function.logical_id == name).unwrap();
            (function.credentials.access_key_id.clone(), name)
        };
        let functions = [START_EXPORT, INDEX_EXPORT].map(key).into();
        let handles = Handles { lambda: cloud.lambda.clone(), streams: cloud.streams.clone(), functions };
        let state = State {
            climate: Climate::Calm,
            seed: 0,
            asked: HashMap::new(),
            ambushes: HashMap::new(),
            has_stalled: false,
        };
        let weather = Arc::new(Self { cloud: handles, census: Arc::clone(census), state: Mutex::new(state) });
        let of_s3 = Arc::clone(&weather);
        cloud.s3.inject(move |request| of_s3.over_s3(request));
        let of_streams = Arc::clone(&weather);
        cloud.streams.inject(move |arrival| of_streams.over_streams(arrival));
        weather
    }

    /// Another schedule begins.
    pub(crate) fn change(&self, climate: Climate, seed: u64) {
        let mut state = self.state();
        (state.climate, state.seed, state.has_stalled) = (climate, seed, false);
        state.asked.clear();
        state.ambushes.clear();
    }

    /// Ends a session in the moment in which its export is requested.
    pub(crate) fn ambush(&self, session: &SessionId, ending: Ending) {
        self.state().ambushes.insert(session.id.clone(), ending);
    }

    fn over_s3(&self, request: &AccessLogEntry) -> Option<Fault<Refusal>> {
        let key = request.key.as_deref().unwrap_or_default();
        let is_read = request.operation == "REST.GET.OBJECT";
        // No tags, and no request to index.
        let is_conditional = request.operation == "REST.PUT.OBJECT"
            && ["open/", "index/", "signatures/"].iter().any(|prefix| key.starts_with(prefix));
        let mut blows = vec![Blow::Late, Blow::Throttled, Blow::Internal, Blow::Reset, Blow::Unanswered];
        if is_read {
            blows.push(Blow::CutOff);
        }
        if is_conditional {
            blows.extend([Blow::Conflict, Blow::Precondition].repeat(2));
        }
        let what = format!("{} {key} {:?}", request.operation, request.range);
        let blow = self.blow(&what, &blows, |climate| match climate {
            Climate::Faults { s3, .. } => s3,
            Climate::Stall { s3: true } => STALLS,
            _ => 0,
        })?;
        let function = self.cloud.functions.get(request.access_key_id.as_deref().unwrap_or_default());
        Some(match blow {
            Blow::Late => self.name("s3 late", Fault::Late(Duration::from_millis(20))),
            Blow::Throttled => self.name("s3 slow-down", Fault::Refused(Refusal::SlowDown)),
            Blow::Internal => self.name("s3 internal-error", Fault::Refused(Refusal::InternalError)),
            Blow::Reset => self.name("s3 reset", Fault::Reset),
            Blow::Unanswered => self.name("s3 unanswered", Fault::Unanswered),
            Blow::CutOff => self.name("s3 cut-off", Fault::CutOff),
            Blow::Conflict => self.name("s3 conflict", Fault::Refused(Refusal::ConditionalRequestConflict)),
            Blow::Precondition => {
                self.name("s3 precondition-failed", Fault::Refused(Refusal::PreconditionFailed))
            }
            Blow::Stall => self.name("s3 stall", Fault::Never),
            Blow::Kill { before } => {
                self.kill(function.copied()?);
                if before { Fault::Reset } else { Fault::Unanswered }
            }
        })
    }

    fn over_streams(
        &self,
        Arrival { operation, identifiers: [_, session] }: &Arrival,
    ) -> Option<Fault<ServiceError>> {
        if *operation == Operation::ExportStreamSessionFiles {
            self.spring(session);
        }
        let what = format!("{} {session}", operation.name());
        let blows = [Blow::Late, Blow::Throttled, Blow::Internal, Blow::Reset, Blow::Unanswered];
        let blow = self.blow(&what, &blows, |climate| match climate {
            Climate::Faults { streams, .. } => streams,
            Climate::Stall { s3: false } => STALLS,
            _ => 0,
        })?;
        Some(match blow {
            Blow::Late => self.name("streams late", Fault::Late(Duration::from_millis(20))),
            Blow::Throttled => {
                let error = ServiceError::Throttling("Rate exceeded".to_owned());
                self.name("streams throttled", Fault::Refused(error))
            }
            Blow::Reset => self.name("streams reset", Fault::Reset),
            Blow::Unanswered => self.name("streams unanswered", Fault::Unanswered),
            Blow::Stall => self.name("streams stall", Fault::Never),
            Blow::Kill { before } => {
                // Either may be the one that asks.
                let both = *operation == Operation::GetStreamSession;
                self.kill(START_EXPORT);
                if both {
                    self.kill(INDEX_EXPORT);
                }
                if before { Fault::Reset } else { Fault::Unanswered }
            }
            _ => {
                let error = ServiceError::InternalServer("oops".to_owned());
                self.name("streams internal-error", Fault::Refused(error))
            }
        })
    }

    /// What befalls this request, of these possibilities.
    fn blow(&self, what: &str, blows: &[Blow], of_a_hundred: fn(Climate) -> u8) -> Option<Blow> {
        let mut state = self.state();
        let (climate, seed) = (state.climate, state.seed);
        if climate == Climate::Calm {
            return None;
        }
        let asked = state.asked.entry(what.to_owned()).or_default();
        *asked += 1;
        let mut hasher = DefaultHasher::new();
        (seed, what, *asked).hash(&mut hasher);
        let mut random = Rng::with_seed(hasher.finish());
        let chance = random.u8(..100);
        match climate {
            Climate::Kills(often) => {
                let before = random.bool();
                (chance < often).then_some(Blow::Kill { before })
            }
            Climate::Stall { .. } => {
                let stalls = chance < of_a_hundred(climate) && !state.has_stalled;
                state.has_stalled |= stalls;
                stalls.then_some(Blow::Stall)
            }
            _ => (chance < of_a_hundred(climate)).then(|| blows[random.usize(..blows.len())]),
        }
    }

    /// What an ambush is for.
    fn spring(&self, session: &str) {
        let Some((status, reason)) = self.state().ambushes.remove(session) else { return };
        let id = SessionId { stream_group_id: STREAM_GROUP.to_owned(), id: session.to_owned() };
        let changed = self.cloud.streams.change(&id, |session| {
            (session.status, session.status_reason) = (status, Some(reason));
        });
        changed.unwrap();
        self.census.count("ambush");
    }

    fn kill(&self, function: &'static str) {
        self.cloud.lambda.kill(function).unwrap();
        self.census.count(if function == START_EXPORT { "kill start-export" } else { "kill index-export" });
    }

    fn name<E>(&self, what: &str, fault: Fault<E>) -> Fault<E> {
        self.census.count(what);
        fault
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
