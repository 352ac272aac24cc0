//! Plays schedules, one after the other, in one cloud.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crash_capture_local::cloud::{APPLICATION, STREAM_GROUP};
use crash_capture_local::delivery::Message;
use crash_capture_local::eventbridge::HeldEvent;
use crash_capture_local::streams::{
    ExportStatus, ExportedWhile, GeneratedName, SessionId, Status, StreamSession,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::census::Census;
use crate::model::{self, Memory, Strict};
use crate::plan::{Export, Files, Folder, Plan, Step};
use crate::support::exports::{crashed, logged};
use crate::support::{Cloud, FAILED_INVOCATIONS, SWEEP, event, marker_key, session_event, session_on_paper};
use crate::weather::{Climate, Weather};

/// How often the sweep comes after the storm, until all is as it must be: what does not come is given up at the fifth look, and
/// the first may be an hourly one.
const ROUNDS: usize = 10;

/// The tag that somebody else puts on exports.
pub(crate) const OTHERS_TAG: (&str, &str) = ("CostCentre", "17");

/// The access key of somebody who asks for exports by hand.
pub(crate) const SOMEBODY: &str = "AKIASOMEBODY00000000";

/// A cloud in which schedules are played.
pub(crate) struct Stage<'a> {
    pub(crate) cloud: &'a Cloud,
    weather: Arc<Weather>,
    census: Arc<Census>,
}

/// One schedule, as it is played.
pub(crate) struct Play<'a> {
    pub(crate) cloud: &'a Cloud,
    pub(crate) plan: &'a Plan,
    /// The sessions that were started, by their places in the cast.
    pub(crate) sessions: BTreeMap<usize, SessionId>,
    /// What has arrived.
    pub(crate) arrived: BTreeMap<usize, Arrived>,
    /// Alarms that reached the functions, with their locations.
    pub(crate) alarms: Vec<(String, &'static str)>,
    pub(crate) memory: RefCell<Memory>,
    weather: &'a Weather,
    census: &'a Census,
    /// Events that wait to be delivered.
    waiting: Vec<HeldEvent>,
}

/// An export that has arrived.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) files: Files,
    pub(crate) key: String,
    /// Whether the service made up the key's last part.
    pub(crate) has_made_up_name: bool,
}

impl<'a> Stage<'a> {
    pub(crate) async fn new(cloud: &'a Cloud, census: &Arc<Census>) -> Self {
        cloud.bus.hold();
        cloud.let_an_hour_pass().await;
        Self { cloud, weather: Weather::over(cloud, census), census: Arc::clone(census) }
    }

    /// Plays a schedule to its end, and says what is wrong then.
    pub(crate) async fn perform(&self, schedule: &Plan) -> Result<(), String> {
        let mut play = Play {
            cloud: self.cloud,
            plan: schedule,
            sessions: BTreeMap::new(),
            arrived: BTreeMap::new(),
            alarms: Vec::new(),
            memory: RefCell::default(),
            weather: &self.weather,
            census: &self.census,
            waiting: Vec::new(),
        };
        let before = self.cloud.dead_letters(FAILED_INVOCATIONS).len();
        let letters = || self.cloud.dead_letters(FAILED_INVOCATIONS).split_off(before);
        self.weather.change(schedule.climate, schedule.seed);
        let mut result = play.storm().await;
        self.weather.change(Climate::Calm, schedule.seed);
        let failed = letters();
        if result.is_ok() {
            result =
                play.calm_down(if failed.is_empty() { Strict::Yes } else { Strict::ButWhatFailed }).await;
        }
        if result.is_ok() && !failed.is_empty() {
            result = play.try_again(&failed).await;
        }
        let expected = if schedule.climate == Climate::Calm { 0 } else { failed.len() };
        if letters().len() > expected {
            result = result.and(Err(format!("invocations failed in a calm: {:?}", letters())));
        }
        if result.is_ok() {
            model::count_states(&play, &self.census).await;
        }
        play.clear_away().await;
        result
    }

    /// Counts what became of invocations, once all schedules are over.
    pub(crate) fn count_outcomes(&self) {
        for invocation in self.cloud.lambda.invocations() {
            match invocation.outcome.result {
                Err(_) => self.census.count("invocation failed"),
                Ok(answer) => {
                    for (outcome, count) in answer["counts"].as_object().into_iter().flatten() {
                        self.census.add(&format!("outcome {outcome}"), count.as_u64().unwrap_or(0));
                    }
                }
            }
        }
    }
}

impl Play<'_> {
    /// The steps of the plan.
    async fn storm(&mut self) -> Result<(), String> {
        for step in &self.plan.steps {
            self.step(*step).await;
            model::nothing_moved_backwards(self).await.map_err(|wrong| format!("at {step:?}: {wrong}"))?;
        }
        self.come_to_an_end().await;
        model::nothing_moved_backwards(self).await.map_err(|wrong| format!("at the end: {wrong}"))
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Start(session, status) => self.start(session, status),
            Step::Become(session, status) => self.change_living(session, status),
            Step::End(session) => self.end(session),
            Step::Ambush(session) => {
                if let Some(id) = self.sessions.get(&session) {
                    self.weather.ambush(id, self.plan.cast[session].ending);
                }
            }
            Step::AskByHand(session, folder) => self.ask_by_hand(session, folder),
            Step::Export(session) => self.export(session).await,
            Step::Note(session) if !self.sessions.contains_key(&session) => {}
            Step::Note(session) => self.note(session),
            Step::TellSession(session) => {
                if let Some(id) = self.sessions.get(&session) {
                    self.cloud.events.put_raw(session_event(self.cloud, id));
                }
            }
            Step::TellCloudTrail(_, true) | Step::TellAlarm(_, true) => self.census.count("event lost"),
            Step::TellCloudTrail(session, false) => self.tell_cloudtrail(session),
            Step::TellAlarm(session, false) => self.tell_alarm(session),
            Step::Deliver { which, twice } => self.deliver_one(which, twice).await,
            Step::Sweep => self.cloud.bus.fire(SWEEP).unwrap(),
            Step::Wait => self.cloud.bus.settled().await,
            Step::Pause => self.let_pauses_pass().await,
            Step::Hour => self.cloud.let_an_hour_pass().await,
            Step::Age => self.age().await,
            Step::Tag(session) => self.tag(session).await,
        }
    }

    fn start(&mut self, session: usize, status: Status) {
        let part = &self.plan.cast[session];
        let mut paper = session_on_paper(STREAM_GROUP, &format!("{}{session}", self.plan.prefix));
        paper.status = status;
        part.location.clone_into(&mut paper.location);
        paper.application_id = self.application();
        paper.created_at = Timestamp::now() - Duration::from_mins(10);
        let ids = self.cloud.write_down([paper]);
        self.sessions.extend(ids.into_iter().map(|id| (session, id)));
    }

    /// An application for each schedule: signatures mean something within one.
    pub(crate) fn application(&self) -> String {
        format!("{APPLICATION}{}", self.plan.prefix)
    }

    fn change_living(&self, session: usize, to: Status) {
        let Some(id) = self.sessions.get(&session) else { return };
        let change = |it: &mut StreamSession| {
            if !it.status.has_ended() {
                it.status = to;
            }
        };
        self.cloud.streams.change(id, change).unwrap();
    }

    fn end(&self, session: usize) {
        let Some(id) = self.sessions.get(&session) else { return };
        let (status, reason) = self.plan.cast[session].ending;
        let change = |it: &mut StreamSession| {
            if !it.status.has_ended() {
                let by_way_of = if it.status == Status::Terminating { "terminating" } else { "nothing" };
                self.census.count(&format!("end by way of {by_way_of}"));
                (it.status, it.status_reason) = (status, Some(reason));
            }
        };
        self.cloud.streams.change(id, change).unwrap();
    }

    /// Somebody else requests the export. A session that has ended refuses that, or one whose export was requested already.
    fn ask_by_hand(&self, session: usize, folder: Folder) {
        let Some(id) = self.sessions.get(&session) else { return };
        let uri = match folder {
            Folder::Ours => format!("s3://{}/exports/by hand/", self.cloud.bucket),
            Folder::Elsewhere => "s3://a-bucket-of-somebody/exports/".to_owned(),
        };
        let (requested, what) = match self.cloud.streams.export(id, &uri, SOMEBODY) {
            Ok(()) => ("requested", folder),
            Err(_) => ("refused", folder),
        };
        self.census.count(&format!("export by hand {requested} {what:?}"));
    }

    /// What becomes of the export of a session that has ended, if it was requested.
    async fn export(&mut self, session: usize) {
        let Some(id) = self.sessions.get(&session) else { return };
        let now = self.cloud.streams.session(id).unwrap();
        let Some(export) = &now.export else { return };
        let part = &self.plan.cast[session];
        // The files of what goes wrong in the end are another switch's.
        let is_early = self.cloud.switches.exported_while == ExportedWhile::Terminating
            && (now.status, part.ending.0) == (Status::Terminating, Status::Terminated);
        if export.status != ExportStatus::Pending || !(now.status.has_ended() || is_early) {
            return;
        }
        let ours = export.output_uri.strip_prefix(&format!("s3://{}/", self.cloud.bucket));
        match (part.export, ours) {
            (Export::NeverComes, _) => {}
            (Export::Fails, _) => self.settle_export(session, ExportStatus::Failed),
            (Export::Arrives, Some(_)) if self.arrived.contains_key(&session) => {}
            (Export::Arrives, Some(key)) => {
                let has_made_up_name = key.ends_with('/');
                let key = self.name(key, &now);
                let (bucket, owner) = (&self.cloud.bucket, "gameliftstreams.amazonaws.com");
                self.cloud.s3.put(bucket, &key, zip(part.files), owner).await.unwrap();
                self.arrived.insert(session, Arrived { files: part.files, key, has_made_up_name });
                self.census.count(if is_early { "export before the end" } else { "export after the end" });
                if self.cloud.switches.pending_after_delivery.is_zero() {
                    self.census.count("export told of at once");
                    self.settle_export(session, ExportStatus::Succeeded);
                }
            }
            (Export::Arrives | Export::GetsLost, _) => self.settle_export(session, ExportStatus::Succeeded),
        }
    }

    /// The key of an export: the one that was asked for, or in a folder what the service makes of the session's beginning or end. That
    /// is on another day here.
    fn name(&self, key: &str, session: &StreamSession) -> String {
        if !key.ends_with('/') {
            return key.to_owned();
        }
        let (stamp, what) = match self.cloud.switches.generated_name {
            GeneratedName::Created => (session.created_at, "beginning"),
            GeneratedName::Ended => (session.created_at + Duration::from_hours(24), "end"),
        };
        self.census.count(&format!("export named by the {what}"));
        let (application, id) = (&session.application_id, &session.id);
        let stamp = stamp.strftime("%Y%m%d-%H%M%S");
        format!("{key}{stamp}-{application}-{}-{}.zip", id.stream_group_id, id.id)
    }

    fn note(&self, session: usize) {
        let now = self.cloud.streams.session(&self.sessions[&session]).unwrap();
        let is_pending = now.export.is_some_and(|export| export.status == ExportStatus::Pending);
        if is_pending && self.arrived.contains_key(&session) {
            self.census.count("export told of later");
            self.settle_export(session, ExportStatus::Succeeded);
        }
    }

    fn settle_export(&self, session: usize, status: ExportStatus) {
        let change = |it: &mut StreamSession| {
            if let Some(export) = &mut it.export {
                export.status = status;
                export.status_reason =
                    (status == ExportStatus::Failed).then(|| "the bucket was away".to_owned());
            }
        };
        self.cloud.streams.change(&self.sessions[&session], change).unwrap();
    }

    fn tell_cloudtrail(&self, session: usize) {
        let Some(id) = self.sessions.get(&session) else { return };
        let arn = Value::from(self.cloud.arn(id));
        let changes = [("/detail/responseElements/Arn", arn)];
        self.cloud.events.put_raw(event("start-export/cloudtrail-start-stream-session.json", &changes));
    }

    fn tell_alarm(&mut self, session: usize) {
        let location = self.plan.cast[session].location;
        let name = format!("gamelift-streams-{}-{}", self.plan.prefix, self.alarms.len());
        let changes = [
            ("/detail/alarmName", json!(name)),
            ("/detail/configuration/metrics/0/metricStat/metric/dimensions/Location", json!(location)),
        ];
        self.cloud.events.put_raw(event("start-export/alarm-metric.json", &changes));
        self.alarms.push((name, location));
    }

    /// Whatever was on the bus waits to be delivered.
    async fn collect(&mut self) {
        // The bus routes what is sent in a task of its own.
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        self.waiting.extend(self.cloud.bus.take_held());
    }

    async fn deliver_one(&mut self, which: u32, twice: bool) {
        self.collect().await;
        if self.waiting.is_empty() {
            return;
        }
        // The last number means the last one: what was told just now.
        let last = self.waiting.len() - 1;
        let place = if which == u32::MAX { last } else { which as usize % self.waiting.len() };
        if place > 0 {
            self.census.count("event late");
        }
        let event = self.waiting.remove(place);
        self.deliver(&event);
        if twice {
            self.census.count("event delivered twice");
            self.deliver(&event);
            self.census.count("invocation twice at once");
        }
    }

    fn deliver(&self, event: &HeldEvent) {
        self.cloud.bus.deliver(event);
        self.census.count("event delivered");
    }

    async fn deliver_all(&mut self) {
        loop {
            self.cloud.bus.settled().await;
            self.collect().await;
            if self.waiting.is_empty() {
                return;
            }
            for event in std::mem::take(&mut self.waiting) {
                self.deliver(&event);
            }
        }
    }

    /// The function forgets what it remembers, and the times of the markers are in the past. A pause is a minute at least:
    /// an export that is told late is told before two have passed.
    async fn let_pauses_pass(&self) {
        self.cloud.bus.settled().await;
        tokio::time::sleep(self.cloud.switches.metadata_after * 2 / 3).await;
        let mut has_paused = false;
        for id in self.sessions.values() {
            let is_paused = self.cloud.marker(id).await.is_some_and(|marker| marker["settling"].is_object());
            if is_paused {
                self.cloud.let_pause_pass(id).await;
            }
            has_paused |= is_paused;
        }
        if !has_paused {
            self.cloud.lambda.kill(crate::support::START_EXPORT).unwrap();
        }
    }

    /// Makes records old enough that their markers have done their work.
    async fn age(&self) {
        self.cloud.bus.settled().await;
        for key in self.record_keys().await {
            self.cloud.s3.backdate(&self.cloud.bucket, &key, Duration::from_mins(11)).unwrap();
        }
        self.cloud.lambda.kill(crate::support::START_EXPORT).unwrap();
    }

    /// Tags have no conditions: who tags while the function does may lose, so nobody does here.
    async fn tag(&self, session: usize) {
        self.cloud.bus.settled().await;
        let Some(Arrived { key, .. }) = self.arrived.get(&session) else { return };
        self.cloud.s3.add_tags(&self.cloud.bucket, key, &[OTHERS_TAG]).unwrap();
        self.memory.borrow_mut().tagged.insert(session);
        self.census.count("tag of somebody else");
    }

    /// The keys of this schedule's records.
    pub(crate) async fn record_keys(&self) -> Vec<String> {
        let mut keys = self.cloud.s3.list(&self.cloud.bucket, "index/v1/").await.unwrap();
        keys.retain(|key| key.contains(&format!("/{}/", self.application())));
        keys
    }

    /// The service does what it still has to do, and every event arrives, in whatever weather.
    async fn come_to_an_end(&mut self) {
        for session in self.sessions.keys() {
            self.settle_life(*session);
        }
        self.deliver_all().await;
        self.cloud.caught_up().await;
        for session in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.export(session).await;
            self.note(session);
        }
        self.deliver_all().await;
    }

    /// The storm is over, and the sweep goes on.
    async fn calm_down(&mut self, strict: Strict) -> Result<(), String> {
        let mut result = Ok(());
        for round in 0..ROUNDS {
            if round > 0 {
                self.age().await;
                self.let_pauses_pass().await;
                self.cloud.let_an_hour_pass().await;
            }
            self.cloud.sweep().await;
            self.deliver_all().await;
            self.cloud.caught_up().await;
            // The last sweep may have armed some that have ended since.
            model::nothing_moved_backwards(self).await?;
            result = model::holds(self, strict).await;
            if result.is_ok() {
                break;
            }
        }
        result
    }

    /// Somebody sees to the events that failed three times, as docs/operations.md tells: they are tried again.
    async fn try_again(&mut self, letters: &[Message]) -> Result<(), String> {
        for letter in letters {
            let letter = letter.json();
            let arn = letter["requestContext"]["functionArn"].as_str().unwrap();
            let mut functions = self.cloud.stack.functions.iter();
            let function = functions.find(|function| arn.starts_with(&function.arn)).unwrap();
            let invoke = || self.cloud.lambda.invoke(&function.logical_id, &letter["requestPayload"]);
            let mut result = invoke().await.unwrap().result;
            if result.is_err() {
                // It may have met the process that was killed when the pauses passed.
                result = invoke().await.unwrap().result;
            }
            result.map_err(|error| format!("what failed fails in a calm too: {error:?}"))?;
            self.census.count("event tried again by hand");
        }
        // It may have set off something, or brought a marker back.
        self.calm_down(Strict::Yes).await
    }

    /// A session that is to survive lives, if it is not ending already; any other ends.
    fn settle_life(&self, session: usize) {
        let status = self.cloud.streams.session(&self.sessions[&session]).unwrap().status;
        if self.plan.cast[session].survives && status != Status::Terminating {
            self.change_living(session, Status::Connected);
        } else {
            self.end(session);
        }
    }

    /// The next schedule shall not meet the sessions of this one.
    async fn clear_away(&self) {
        self.cloud.bus.settled().await;
        self.cloud.bus.take_held().clear();
        for id in self.sessions.values() {
            let change = |it: &mut StreamSession| {
                if !it.status.has_ended() {
                    it.status = Status::Terminated;
                }
                it.created_at = Timestamp::UNIX_EPOCH;
            };
            self.cloud.streams.change(id, change).unwrap();
            self.cloud.s3.delete(&self.cloud.bucket, &marker_key(id)).unwrap();
        }
    }
}

fn zip(files: Files) -> Vec<u8> {
    match files {
        Files::Crash(assertion) => crashed(assertion),
        Files::CleanExit => logged("LogExit: Exiting.\n"),
        Files::Quiet => logged("LogGame: all is well\n"),
        Files::NoZip => b"this is no zip".to_vec(),
    }
}
