//! What the end-to-end tests share: the local cloud in a folder of its own, sessions, and the events of the collection.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod clients;
pub(crate) mod exports;

use std::fs;
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crash_capture_local::account::Account;
use crash_capture_local::cloud::{APPLICATION, LocalCloud, Options, PRIMARY_LOCATION, STREAM_GROUP};
use crash_capture_local::executables::workspace;
use crash_capture_local::streams::{
    EndReason, ExportFiles, ExportStatus, Listings, Operation, SessionId, StartOptions, StartStreamSession,
    Status, StreamSession, Switches,
};
use crash_capture_local::template::{Stack, StackOptions, Template};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// The logical ids of `template.yaml`.
pub(crate) const START_EXPORT: &str = "StartExportFunction";
pub(crate) const INDEX_EXPORT: &str = "IndexExportFunction";
pub(crate) const SWEEP: &str = "StartExportFunctionSweep";
pub(crate) const FAILED_INVOCATIONS: &str = "FailedInvocationsQueue";
pub(crate) const UNDELIVERED_EVENTS: &str = "UndeliveredEventsQueue";

/// Longer than anything takes, on a busy machine too.
const PATIENCE: Duration = Duration::from_mins(1);

/// A local cloud in a folder of its own. A call that no role allows fails the test, unless it was announced.
pub(crate) struct Cloud {
    local: LocalCloud,
    announced: Mutex<Vec<&'static str>>,
    /// What AWS does not document, as it is here.
    pub(crate) switches: Switches,
    folder: tempfile::TempDir,
}

impl Drop for Cloud {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner);
        let refusals = self.local.iam.ledger().refusals;
        let (expected, unexpected): (Vec<_>, Vec<_>) =
            refusals.iter().partition(|refusal| announced.contains(&refusal.denied.action.as_str()));
        let missing: Vec<_> = announced
            .iter()
            .filter(|action| !expected.iter().any(|refusal| refusal.denied.action == **action))
            .collect();
        let unexpected: Vec<_> = unexpected.into_iter().map(ToString::to_string).collect();
        assert!(unexpected.is_empty(), "nothing grants these calls:\n{}", unexpected.join("\n"));
        assert!(missing.is_empty(), "these calls were to be refused, and were not: {missing:?}");
    }
}

impl Deref for Cloud {
    type Target = LocalCloud;

    fn deref(&self) -> &LocalCloud {
        &self.local
    }
}

impl Cloud {
    /// Starts it; nothing runs but what a test asks for.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts it with other options.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = Options::new(folder.path());
        // CloudTrail tells of sessions only where a test says so.
        options.timings.cloudtrail_after = None;
        // One pass, and then the end: a sweep would go on for a minute.
        options.parameters.insert("SweepEverySeconds".to_owned(), "60".to_owned());
        change(&mut options);
        let switches = options.switches.clone();
        let local = LocalCloud::start(options).await.unwrap();
        Self { local, announced: Mutex::default(), switches, folder }
    }

    /// Announces that calls of this action will be refused.
    pub(crate) fn will_refuse(&self, action: &'static str) {
        self.announced.lock().unwrap_or_else(PoisonError::into_inner).push(action);
    }

    /// Starts a session whose game gets these arguments; gives it once it is live.
    pub(crate) async fn play(&self, arguments: &[&str]) -> SessionId {
        self.play_as(StartOptions::new(STREAM_GROUP, APPLICATION).arguments(arguments.iter().copied())).await
    }

    /// Starts a session; gives it once it is live.
    pub(crate) async fn play_as(&self, options: StartOptions) -> SessionId {
        let session = self.streams.start_session(options).unwrap();
        self.streams.wait_for(&session, |session| session.status != Status::Activating).await.unwrap();
        session
    }

    /// Lets a session's game do now what it would have done later.
    pub(crate) fn now(&self, session: &SessionId) {
        fs::write(self.streams.folder(session).unwrap().join("application/now"), "").unwrap();
    }

    /// Tells of a session, as a backend does.
    pub(crate) async fn tell(&self, session: &SessionId) {
        self.events.put_raw(session_event(self, session));
        self.bus.settled().await;
    }

    /// Invokes `start-export` and gives its answer, which must not be an error.
    pub(crate) async fn start_export(&self, event: &Value) -> Value {
        self.lambda.invoke(START_EXPORT, event).await.unwrap().result.unwrap()
    }

    /// Invokes `index-export` and gives its answer, which must not be an error.
    pub(crate) async fn index_export(&self, event: &Value) -> Value {
        self.lambda.invoke(INDEX_EXPORT, event).await.unwrap().result.unwrap()
    }

    /// Runs one sweep to its end.
    pub(crate) async fn sweep(&self) {
        self.bus.fire(SWEEP).unwrap();
        self.bus.settled().await;
    }

    /// Runs one sweep to its end, and gives its answer.
    pub(crate) async fn sweep_answer(&self) -> Value {
        self.start_export(&event("start-export/scheduled-event.json", &[])).await
    }

    /// Writes sessions into the books that no game plays; their ids.
    pub(crate) fn write_down(&self, sessions: impl IntoIterator<Item = StreamSession>) -> Vec<SessionId> {
        let write = |session: StreamSession| {
            let id = session.id.clone();
            self.streams.write_down(session);
            id
        };
        sessions.into_iter().map(write).collect()
    }

    /// How many calls of an operation were answered, whatever with.
    pub(crate) fn calls(&self, operation: Operation) -> usize {
        self.streams.call_log().iter().filter(|call| call.operation == operation).count()
    }

    /// Writes an object's JSON, as if at another time.
    pub(crate) async fn put_json(&self, key: &str, value: &Value) {
        let body = value.to_string().into_bytes();
        self.s3.put(&self.bucket, key, body, "111122223333").await.unwrap();
    }

    /// An object's JSON.
    pub(crate) async fn read_json(&self, key: &str) -> Value {
        serde_json::from_slice(&self.s3.read(&self.bucket, key).await.unwrap()).unwrap()
    }

    /// Makes an hour pass for the sweep's hourly look, and for what it remembers.
    pub(crate) async fn let_an_hour_pass(&self) {
        let at = Timestamp::now() - Duration::from_mins(61);
        self.put_json("state/first-sweep.json", &json!({"at": at})).await;
        self.put_json("state/hourly-look.json", &json!({"at": at, "complete": at})).await;
    }

    /// Makes the pause before the next look at a session pass: the function forgets what it remembers, and the marker has
    /// its time in the past.
    pub(crate) async fn let_pause_pass(&self, session: &SessionId) -> Value {
        let key = marker_key(session);
        let mut marker = self.read_json(&key).await;
        marker["settling"]["nextLook"] = json!(Timestamp::now() - Duration::from_secs(1));
        self.put_json(&key, &marker).await;
        self.lambda.kill(START_EXPORT).unwrap();
        marker
    }

    /// Sweeps once a moment until a condition holds.
    pub(crate) async fn sweep_until(&self, what: &str, condition: impl AsyncFn() -> bool) {
        let start = Instant::now();
        while !condition().await {
            assert!(start.elapsed() < PATIENCE, "not even after many sweeps: {what}");
            self.sweep().await;
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Sweeps until these sessions are armed. As long as they live they have no record.
    pub(crate) async fn sweep_until_armed(&self, sessions: &[&SessionId]) {
        let is_armed = async |session: &SessionId| {
            self.marker(session).await.is_some_and(|marker| marker["armedAt"].is_string())
        };
        self.sweep_until("the sessions are armed", async || {
            for session in sessions {
                if !is_armed(session).await {
                    return false;
                }
            }
            true
        })
        .await;
        for session in sessions {
            assert_eq!(self.record(session).await, None);
        }
    }

    /// Sweeps until a session has a record of this state; gives it. The pauses pass after which an export is looked for.
    pub(crate) async fn sweep_until_recorded(&self, session: &SessionId, state: &str) -> Value {
        let is_recorded = async || {
            let is_recorded = self.record(session).await.is_some_and(|record| record["state"] == state);
            let marker = self.marker(session).await.filter(|_| !is_recorded);
            if marker.is_some_and(|marker| marker["settling"]["found"] == "no-export") {
                self.let_pause_pass(session).await;
            }
            is_recorded
        };
        self.sweep_until(&format!("the session is recorded as {state}"), is_recorded).await;
        self.record(session).await.unwrap()
    }

    /// Waits until the service shows everything that has happened so far.
    pub(crate) async fn caught_up(&self) {
        let Switches { listings, metadata_after, end_reason, .. } = &self.switches;
        let listings = match listings {
            Listings::Current => Duration::ZERO,
            Listings::Lag(time) | Listings::Double(time) | Listings::Miss(time) => *time,
        };
        let end_reason = if let EndReason::After(time) = end_reason { *time } else { Duration::ZERO };
        sleep(listings + (*metadata_after).max(end_reason)).await;
    }

    /// Whether the service tells why a session ended.
    pub(crate) fn tells_end_reasons(&self) -> bool {
        self.switches.end_reason != EndReason::Never && self.switches.forgotten_after.is_none()
    }

    /// Waits until a session has ended, its export has arrived, and whatever that set off is over.
    pub(crate) async fn ended(&self, session: &SessionId) -> StreamSession {
        let ended = self.streams.settled(session).await.unwrap();
        self.bus.settled().await;
        ended
    }

    /// Every key of the bucket, and what it holds.
    pub(crate) async fn contents(&self) -> Vec<(String, Vec<u8>)> {
        let mut contents = Vec::new();
        for key in self.s3.list(&self.bucket, "").await.unwrap() {
            let content = self.s3.read(&self.bucket, &key).await.unwrap().to_vec();
            contents.push((key, content));
        }
        contents
    }

    /// Every record and every export, and what they hold: what does not change any more once a session is settled.
    pub(crate) async fn results(&self) -> Vec<(String, Vec<u8>)> {
        let is_result = |key: &str| ["index/", "exports/", "reports/"].iter().any(|it| key.starts_with(it));
        let results = self.contents().await.into_iter().filter(|(key, _)| is_result(key));
        results
            .map(
                |(key, content)| {
                    if key.starts_with("reports/") { (key, lasting(&content)) } else { (key, content) }
                },
            )
            .collect()
    }

    /// An export's tags.
    pub(crate) async fn tags(&self, key: &str) -> Vec<(String, String)> {
        self.s3.tags(&self.bucket, key).await.unwrap().into_iter().collect()
    }

    /// Somebody puts an export there, with tags of his own on it.
    pub(crate) async fn put_tagged(&self, key: &str, zip: Vec<u8>, tags: &[(&str, &str)]) {
        let tags: Vec<_> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let client = clients::s3_client(&self.client_environment());
        let put = client.put_object().bucket(&self.bucket).key(key).tagging(tags.join("&"));
        put.body(zip.into()).send().await.unwrap();
    }

    /// The ARN of a session.
    pub(crate) fn arn(&self, session: &SessionId) -> String {
        self.account.arn("gameliftstreams", &session.resource())
    }
}

/// What does not change in a report that is made again. When the session ended is told by nothing but its `LastUpdatedAt`, which
/// moves on when the service notes something else.
fn lasting(report: &[u8]) -> Vec<u8> {
    let lines = report.split_inclusive(|byte| *byte == b'\n');
    lines.filter(|line| !line.starts_with(b"<div><dt>Session ended</dt>")).flatten().copied().collect()
}

/// The key of a session's marker.
pub(crate) fn marker_key(session: &SessionId) -> String {
    format!("open/{}/{}.json", session.stream_group_id, session.id)
}

/// A session of the books that no game plays, live since a minute ago.
pub(crate) fn session_on_paper(group: &str, id: &str) -> StreamSession {
    let created_at = Timestamp::now() - Duration::from_mins(1);
    StreamSession {
        id: SessionId { stream_group_id: group.to_owned(), id: id.to_owned() },
        application_id: APPLICATION.to_owned(),
        location: PRIMARY_LOCATION.to_owned(),
        status: Status::Active,
        status_reason: None,
        created_at,
        last_updated_at: created_at,
        export: None,
        connection_timeout: Duration::from_mins(2),
        session_length: Duration::from_hours(12),
        request: StartStreamSession::default(),
    }
}

/// An export that was requested by somebody.
pub(crate) fn export_on_paper(status: ExportStatus, output_uri: &str) -> ExportFiles {
    ExportFiles {
        status,
        status_reason: None,
        output_uri: output_uri.to_owned(),
        access_key_id: "AKIASOMEBODY00000000".to_owned(),
    }
}

/// A game that crashes when it is told to.
pub(crate) const CRASH: [&str; 2] = crash_after("300");
/// A game that exits when it is told to, as its log says.
pub(crate) const EXIT: [&str; 2] = ["--exit-after", "300"];
/// A game that quits when it is told to, and says nothing.
pub(crate) const QUIT: [&str; 2] = ["--quit-after", "300"];

/// A session that crashes after this long.
pub(crate) const fn crash_after(seconds: &str) -> [&str; 2] {
    ["--crash-after", seconds]
}

/// A session that seems to have begun ten minutes ago.
pub(crate) fn long_since(arguments: &[&str]) -> StartOptions {
    StartOptions::new(STREAM_GROUP, APPLICATION)
        .arguments(arguments.iter().copied())
        .already_running(Duration::from_mins(10))
}

/// An event of the collection in `events/`, with some of its fields changed.
pub(crate) fn event(file: &str, changes: &[(&str, Value)]) -> Value {
    let text = fs::read_to_string(workspace().join("events").join(file)).unwrap();
    let mut event: Value = serde_json::from_str(&text).unwrap();
    for (pointer, value) in changes {
        *event.pointer_mut(pointer).unwrap_or_else(|| panic!("{file} has no {pointer}")) = value.clone();
    }
    event
}

/// The project's own event about a session.
pub(crate) fn session_event(cloud: &Cloud, session: &SessionId) -> Value {
    event("start-export/session-event-arn.json", &[("/detail/streamSessionArn", cloud.arn(session).into())])
}

/// The stack of `template.yaml` with these parameters, not running.
pub(crate) fn stack_with(parameters: &[(&str, &str)]) -> Stack {
    let parameters = [("StreamGroups", "*")].iter().chain(parameters);
    let parameters = parameters.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let options = StackOptions { name: "crash-capture".into(), account: Account::default(), parameters };
    Template::read(&workspace().join("template.yaml")).unwrap().resolve(&options).unwrap()
}

/// What is on the bus when `index-export` has found a crash.
pub(crate) fn crash_news(cloud: &LocalCloud, first_seen: bool) -> Value {
    let first_seen = ("/detail/responsePayload/signature/firstSeen", first_seen.into());
    event("news/first-sight.json", &[of_index_export(cloud), first_seen])
}

/// What is on the bus when `index-export` has found a crash that had been resolved.
pub(crate) fn regression_news(cloud: &LocalCloud) -> Value {
    event("news/regression.json", &[of_index_export(cloud)])
}

fn of_index_export(cloud: &LocalCloud) -> (&'static str, Value) {
    let function = cloud.stack.functions.iter().find(|function| function.logical_id == INDEX_EXPORT).unwrap();
    ("/detail/requestContext/functionArn", format!("{}:$LATEST", function.arn).into())
}
