//! A schedule: a function of its seed alone. What it asks for and is not possible when its turn comes is passed over.

use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crash_capture_local::cloud::{OTHER_LOCATION, PRIMARY_LOCATION};
use crash_capture_local::streams::{ExportAfterError, Status, StatusReason, Switches};
use fastrand::Rng;

use crate::weather::Climate;

/// What a session leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Files {
    /// An assertion, and a dump.
    Crash(usize),
    /// A log that tells of a clean exit.
    CleanExit,
    /// A log that tells nothing.
    Quiet,
    /// Something that is no zip.
    NoZip,
}

/// What becomes of the export, if it is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Export {
    /// It arrives.
    Arrives,
    /// It fails.
    Fails,
    /// Nobody ever hears of it again.
    NeverComes,
    /// It is said to have arrived, and is nowhere.
    GetsLost,
}

/// Where somebody else asks for an export to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Folder {
    /// Into a folder of our bucket, where the service makes up a name for it.
    Ours,
    /// Into another bucket.
    Elsewhere,
}

/// How a session ends: in which status, and why.
pub(crate) type Ending = (Status, StatusReason);

/// A session's part in the schedule.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) location: &'static str,
    pub(crate) files: Files,
    pub(crate) ending: Ending,
    pub(crate) export: Export,
    /// Whether it is still alive when the schedule is over.
    pub(crate) survives: bool,
}

/// Something that happens. Numbers are the sessions' places in the cast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A session is created.
    Start(usize, Status),
    /// It goes on.
    Become(usize, Status),
    /// It ends.
    End(usize),
    /// It ends in the moment in which its export is requested.
    Ambush(usize),
    /// Somebody asks for its export by hand.
    AskByHand(usize, Folder),
    /// Its export arrives, fails, or does neither.
    Export(usize),
    /// `GetStreamSession` tells that the export has succeeded.
    Note(usize),
    /// The backend says that it is there.
    TellSession(usize),
    /// CloudTrail says that it was started; such events get lost.
    TellCloudTrail(usize, Lost),
    /// An alarm selects it; such events get lost.
    TellAlarm(usize, Lost),
    /// An event that waits is delivered, once or twice.
    Deliver { which: u32, twice: bool },
    /// The sweep comes.
    Sweep,
    /// Nothing happens until nothing is under way.
    Wait,
    /// The pauses of the sweep have passed.
    Pause,
    /// The sweep's hourly look is due.
    Hour,
    /// All records are ten minutes old.
    Age,
    /// Somebody else tags an export.
    Tag(usize),
}

/// Whether an event is lost.
pub(crate) type Lost = bool;

/// A schedule.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// What the ids of its sessions begin with.
    pub(crate) prefix: String,
    pub(crate) climate: Climate,
    pub(crate) cast: Vec<Part>,
    pub(crate) steps: Vec<Step>,
}

/// How far a session is, as far as the plan knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Unborn,
    Starting,
    Live,
    Ending,
    Ended,
    Exported,
    Over,
}

impl Plan {
    /// The schedule of this number in this way.
    pub(crate) fn draw(seed: u64, way: &str, number: usize, switches: &Switches) -> Self {
        let mut hasher = DefaultHasher::new();
        (seed, way, number).hash(&mut hasher);
        let seed = hasher.finish();
        let mut random = Rng::with_seed(seed);
        let climate = Climate::draw(&mut random, number);
        let cast: Vec<_> = (0..random.usize(1..=3)).map(|_| Part::draw(&mut random, switches)).collect();
        let steps = Drawing { random, stages: vec![Stage::Unborn; cast.len()], steps: Vec::new() }.draw();
        let letters = way.replace('-', "");
        Self { seed, prefix: format!("{letters}{number}x"), climate, cast, steps }
    }
}

impl Part {
    fn draw(random: &mut Rng, switches: &Switches) -> Self {
        let files = match random.u8(..10) {
            0..4 => Files::Crash(random.usize(..2)),
            4..6 => Files::CleanExit,
            6..9 => Files::Quiet,
            _ => Files::NoZip,
        };
        let ending = match random.u8(..10) {
            0..5 => (Status::Terminated, StatusReason::ApplicationExit),
            5 => (Status::Terminated, StatusReason::ApiTerminated),
            6 => (Status::Terminated, StatusReason::IdleTimeout),
            7 => (Status::Terminated, StatusReason::ReconnectionTimeout),
            8 => (Status::Error, StatusReason::InternalError),
            _ => (Status::Error, StatusReason::AssumeRoleFailed),
        };
        let export = match (ending.0, switches.export_after_error, random.u8(..10)) {
            (Status::Error, ExportAfterError::Fails, _) | (_, _, 0..2) => Export::Fails,
            (Status::Error, ExportAfterError::StaysPending, _) | (_, _, 2) => Export::NeverComes,
            (_, _, 3) if random.bool() => Export::GetsLost,
            _ => Export::Arrives,
        };
        let location = if random.u8(..4) == 0 { OTHER_LOCATION } else { PRIMARY_LOCATION };
        Self { location, files, ending, export, survives: random.u8(..8) == 0 }
    }
}

struct Drawing {
    random: Rng,
    stages: Vec<Stage>,
    steps: Vec<Step>,
}

impl Drawing {
    fn draw(mut self) -> Vec<Step> {
        for _ in 0..self.random.usize(12..=24) {
            let session = self.random.usize(..self.stages.len());
            match self.random.u8(..100) {
                0..38 => self.go_on(session),
                38..53 => self.tell(session),
                53..71 => {
                    let (which, twice) = (self.random.u32(..), self.random.u8(..4) == 0);
                    self.steps.push(Step::Deliver { which, twice });
                }
                71..84 => self.sweep(),
                84..87 => self.wait_for(Step::Wait),
                87..89 => self.wait_for(Step::Pause),
                89..90 => self.wait_for(Step::Hour),
                90..93 => self.wait_for(Step::Age),
                93..95 => self.wait_for(Step::Tag(session)),
                95..98 => {
                    let folder = if self.random.u8(..3) == 0 { Folder::Elsewhere } else { Folder::Ours };
                    self.steps.push(Step::AskByHand(session, folder));
                }
                _ => self.steps.push(Step::Ambush(session)),
            }
        }
        self.steps
    }

    fn go_on(&mut self, session: usize) {
        let early = self.random.u8(..4) == 0;
        let (step, stage) = match self.stages[session] {
            Stage::Unborn if early => (Step::Start(session, Status::Activating), Stage::Starting),
            Stage::Unborn => (Step::Start(session, Status::Active), Stage::Live),
            Stage::Starting if early => (Step::End(session), Stage::Ended),
            Stage::Starting => (Step::Become(session, Status::Active), Stage::Live),
            Stage::Live => match self.random.u8(..6) {
                0 => (Step::Become(session, Status::Connected), Stage::Live),
                1 => (Step::Become(session, Status::PendingClientReconnection), Stage::Live),
                2 => (Step::Become(session, Status::Reconnecting), Stage::Live),
                3 => (Step::Become(session, Status::Terminating), Stage::Ending),
                _ => (Step::End(session), Stage::Ended),
            },
            // Where files are exported before the end.
            Stage::Ending if self.random.bool() => (Step::Export(session), Stage::Ending),
            Stage::Ending => (Step::End(session), Stage::Ended),
            Stage::Ended => (Step::Export(session), Stage::Exported),
            Stage::Exported => (Step::Note(session), Stage::Over),
            Stage::Over => return,
        };
        let is_born = self.stages[session] == Stage::Unborn;
        self.stages[session] = stage;
        self.steps.push(step);
        // Most sessions are armed.
        if is_born && self.random.u8(..4) > 0 {
            self.steps.push(Step::TellSession(session));
            self.steps.push(Step::Deliver { which: u32::MAX, twice: self.random.u8(..8) == 0 });
        }
    }

    fn tell(&mut self, session: usize) {
        if self.stages[session] == Stage::Unborn {
            return;
        }
        let is_lost = self.random.u8(..5) == 0;
        self.steps.push(match self.random.u8(..4) {
            0 | 1 => Step::TellSession(session),
            2 => Step::TellCloudTrail(session, is_lost),
            _ => Step::TellAlarm(session, is_lost),
        });
    }

    fn sweep(&mut self) {
        self.steps.push(Step::Sweep);
        if self.random.bool() {
            self.wait_for(Step::Wait);
        }
    }

    /// A step that waits until nothing is under way. A sweep stays with a session that is starting: so it goes on first.
    fn wait_for(&mut self, step: Step) {
        for session in 0..self.stages.len() {
            if self.stages[session] == Stage::Starting {
                self.go_on(session);
            }
        }
        self.steps.push(step);
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "sessions {}0 to {}, {:?}", self.prefix, self.cast.len() - 1, self.climate)?;
        for part in &self.cast {
            writeln!(formatter, "  {part:?}")?;
        }
        for step in &self.steps {
            writeln!(formatter, "    {step:?}")?;
        }
        Ok(())
    }
}
