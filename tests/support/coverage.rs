//! How many crashes are captured: sessions that crash at random moments, and the real function that tries to be early
//! enough. Nothing is modelled but the sessions' lives, and they last as long as they last.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use crash_capture_local::cloud::{LocalCloud, Options};
use crash_capture_local::streams::{
    SessionId, StartStreamSession, Status, StatusReason, StreamGroup, StreamSession,
};
use jiff::Timestamp;
use serde_json::json;
use tokio::time::{Instant, sleep_until};

const START_EXPORT: &str = "StartExportFunction";
const SWEEP: &str = "StartExportFunctionSweep";
const GROUPS: u64 = 8;

/// What is simulated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// How many sessions.
    pub(crate) sessions: u64,
    /// Within how many seconds they start.
    pub(crate) start_within: u64,
    /// How many seconds they take at most to become `ACTIVE`.
    pub(crate) longest_start: u64,
    /// How many seconds they live at most, once they are `ACTIVE`.
    pub(crate) longest_life: u64,
    /// `SweepEverySeconds`
    pub(crate) sweep_every: u64,
    /// Whether a backend tells of each session once it is `ACTIVE`.
    pub(crate) events: bool,
}

/// What became of the sessions, in all and of those that crashed within five seconds of being `ACTIVE`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// How many they were.
    pub(crate) sessions: u64,
    /// Their export had been requested when they crashed.
    pub(crate) captured: u64,
    /// Recorded as missed.
    pub(crate) missed: u64,
    /// Neither.
    pub(crate) unaccounted: u64,
}

/// What a simulation came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Coverage {
    /// All sessions.
    pub(crate) all: Tally,
    /// Those that crashed within five seconds of being `ACTIVE`.
    pub(crate) at_start: Tally,
    /// The longest that a session was `ACTIVE`, in seconds, which was not captured.
    pub(crate) latest_miss: f64,
    /// How late the local cloud was itself.
    pub(crate) late: Lateness,
}

/// How much later than planned the moments of the sessions' lives came, in seconds. They wait for the processor as every answer of
/// the local cloud does: where they are late, sessions are missed that on AWS would not be.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Lateness {
    /// 99 of 100 moments were not later than this.
    mostly: f64,
    /// The latest one.
    most: f64,
}

impl fmt::Display for Lateness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} s | {:.2} s", self.mostly, self.most)
    }
}

/// A session's life, in seconds from the beginning of the simulation.
#[derive(Debug, Clone)]
struct Life {
    id: SessionId,
    created: f64,
    active: f64,
    crash: f64,
}

#[derive(Debug, Clone, Copy)]
enum Moment {
    Created,
    Active,
    Crash,
}

/// How the sessions really lived.
#[derive(Debug, Default)]
struct Lived {
    /// How long each was `ACTIVE`, in seconds.
    lasted: BTreeMap<SessionId, f64>,
    /// By how much each moment was late, in seconds.
    late: Vec<f64>,
}

impl Lived {
    fn lateness(&mut self) -> Lateness {
        self.late.sort_by(f64::total_cmp);
        let at = |index: usize| self.late.get(index).copied().unwrap_or_default();
        let last = self.late.len().saturating_sub(1);
        Lateness { mostly: at(last * 99 / 100), most: at(last) }
    }
}

/// A part of one, evenly spread and the same in each run (`SplitMix64`).
fn part(seed: u64) -> f64 {
    let mut z = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    f64::from(u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

impl Plan {
    fn lives(&self) -> Vec<Life> {
        let seconds = |most: u64, seed: u64| part(seed) * f64::from(u32::try_from(most).unwrap_or(u32::MAX));
        let life = |number: u64| {
            let created = seconds(self.start_within, number * 4);
            let active = created + seconds(self.longest_start, number * 4 + 1);
            // Every third crashes at start-up.
            let longest = if number.is_multiple_of(3) { 5 } else { self.longest_life };
            let crash = active + seconds(longest, number * 4 + 2);
            let id = SessionId { stream_group_id: group(number % GROUPS), id: format!("s{number}") };
            Life { id, created, active, crash }
        };
        (0..self.sessions).map(life).collect()
    }
}

fn group(number: u64) -> String {
    format!("sg-{number}")
}

/// Runs one simulation. It takes as long as the sessions live.
pub(crate) async fn simulate(plan: Plan) -> Result<Coverage, Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let mut options = Options::new(folder.path());
    options.timings.cloudtrail_after = None;
    let groups: Vec<_> = (0..GROUPS).map(group).collect();
    for (name, value) in [
        ("StreamGroups", groups.join(",")),
        ("SweepEverySeconds", plan.sweep_every.to_string()),
        ("ApiCallsPerSecond", "99999".to_owned()),
    ] {
        options.parameters.insert(name.to_owned(), value);
    }
    let cloud = LocalCloud::start(options).await?;
    for id in &groups {
        cloud.streams.add_stream_group(StreamGroup::new(id, "us-west-2"));
    }
    let lives = plan.lives();
    let sweeps = {
        let bus = cloud.bus.clone();
        tokio::spawn(async move {
            let mut next = Instant::now();
            loop {
                bus.fire(SWEEP).ok();
                next += Duration::from_mins(1);
                sleep_until(next).await;
            }
        })
    };
    let mut past = live(&cloud, &plan, &lives).await;
    sweeps.abort();
    let coverage = account_for_all(&cloud, &past.lasted).await?;
    cloud.stop().await;
    Ok(Coverage { late: past.lateness(), ..coverage })
}

/// Lets the sessions live and crash.
async fn live(cloud: &LocalCloud, plan: &Plan, lives: &[Life]) -> Lived {
    let mut moments: Vec<_> = lives
        .iter()
        .flat_map(|life| {
            [(life.created, Moment::Created), (life.active, Moment::Active), (life.crash, Moment::Crash)]
                .map(|(at, moment)| (at, moment, life))
        })
        .collect();
    moments.sort_by(|one, other| one.0.total_cmp(&other.0));
    let start = Instant::now();
    let now = || start.elapsed().as_secs_f64();
    let (mut past, mut since) = (Lived::default(), BTreeMap::new());
    for (at, moment, life) in moments {
        sleep_until(start + Duration::from_secs_f64(at)).await;
        match moment {
            Moment::Created => cloud.streams.write_down(new_session(&life.id)),
            Moment::Active => {
                since.insert(&life.id, now());
                cloud.streams.change(&life.id, |session| session.status = Status::Active).ok();
                if plan.events {
                    let arn = cloud.account.arn("gameliftstreams", &life.id.resource());
                    cloud.lambda.invoke_async(START_EXPORT, json!({"streamSessionArn": arn})).ok();
                }
            }
            Moment::Crash => {
                let crash = |session: &mut StreamSession| {
                    session.status = Status::Terminated;
                    session.status_reason = Some(StatusReason::ApplicationExit);
                };
                cloud.streams.change(&life.id, crash).ok();
                let lasted = since.remove(&life.id).map(|since| now() - since);
                past.lasted.extend(lasted.map(|lasted| (life.id.clone(), lasted)));
            }
        }
        past.late.push(now() - at);
    }
    past
}

fn new_session(id: &SessionId) -> StreamSession {
    let now = Timestamp::now();
    StreamSession {
        id: id.clone(),
        application_id: "a-9ZY8X7Wv6".to_owned(),
        location: "us-west-2".to_owned(),
        status: Status::Activating,
        status_reason: None,
        created_at: now,
        last_updated_at: now,
        export: None,
        connection_timeout: Duration::from_mins(2),
        session_length: Duration::from_hours(12),
        request: StartStreamSession::default(),
    }
}

/// The minutes and the hour after the last crash, which need not be waited for: the bucket says that they are over.
async fn account_for_all(
    cloud: &LocalCloud,
    lasted: &BTreeMap<SessionId, f64>,
) -> Result<Coverage, Box<dyn std::error::Error>> {
    for _ in 0..5 {
        let past = Timestamp::now() - Duration::from_hours(2);
        let look = json!({"at": past, "complete": past}).to_string().into_bytes();
        cloud.s3.put(&cloud.bucket, "state/hourly-look.json", look, &cloud.account.id).await?;
        for key in cloud.s3.list(&cloud.bucket, "open/").await? {
            let Ok(marker) = cloud.s3.read(&cloud.bucket, &key).await else { continue };
            let mut marker: serde_json::Value = serde_json::from_slice(&marker)?;
            if marker.get("settling").is_some() {
                marker["settling"]["nextLook"] = json!(past);
                let marker = marker.to_string().into_bytes();
                cloud.s3.put(&cloud.bucket, &key, marker, &cloud.account.id).await?;
            }
        }
        // What was at work is tried again by Lambda, and remembers nothing.
        cloud.lambda.kill(START_EXPORT)?;
        cloud.bus.fire(SWEEP).ok();
        let patience = Instant::now() + Duration::from_secs(50);
        while Instant::now() < patience {
            let coverage = tally(cloud, lasted).await;
            if coverage.all.unaccounted == 0 {
                return Ok(coverage);
            }
            sleep_until(Instant::now() + Duration::from_secs(1)).await;
        }
    }
    Ok(tally(cloud, lasted).await)
}

async fn tally(cloud: &LocalCloud, lasted: &BTreeMap<SessionId, f64>) -> Coverage {
    let records = cloud.s3.list(&cloud.bucket, "index/").await.unwrap_or_default();
    let recorded: BTreeSet<_> = records.iter().filter_map(|key| key.rsplit('/').next()).collect();
    let mut coverage = Coverage::default();
    for (id, &lasted) in lasted {
        let is_captured = cloud.streams.session(id).is_some_and(|session| session.export.is_some());
        let is_recorded = recorded.contains(format!("{}.json", id.id).as_str());
        let count = |tally: &mut Tally| {
            tally.sessions += 1;
            tally.captured += u64::from(is_captured);
            tally.missed += u64::from(!is_captured && is_recorded);
            tally.unaccounted += u64::from(!is_captured && !is_recorded);
        };
        count(&mut coverage.all);
        if lasted <= 5.0 {
            count(&mut coverage.at_start);
        }
        if !is_captured {
            coverage.latest_miss = coverage.latest_miss.max(lasted);
        }
    }
    coverage
}
