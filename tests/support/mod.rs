//! What the end-to-end tests share: the local cloud in a folder of its own, sessions, and the events of the collection.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test file uses its part")]

use std::ops::Deref;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crash_capture_local::account::Account;
use crash_capture_local::cloud::{APPLICATION, LocalCloud, Options, STREAM_GROUP};
use crash_capture_local::executables::workspace;
use crash_capture_local::streams::{SessionId, StartOptions, Status, StreamSession};
use crash_capture_local::template::{Stack, StackOptions, Template};
use serde_json::Value;

/// The logical ids of `template.yaml`.
pub(crate) const START_EXPORT: &str = "StartExportFunction";
pub(crate) const INDEX_EXPORT: &str = "IndexExportFunction";
pub(crate) const SWEEP: &str = "StartExportFunctionSweep";
pub(crate) const FAILED_INVOCATIONS: &str = "FailedInvocationsQueue";

/// A local cloud in a folder of its own. A call that no role allows fails the test, unless it was announced.
pub(crate) struct Cloud {
    cloud: LocalCloud,
    announced: Mutex<Vec<&'static str>>,
    folder: tempfile::TempDir,
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner);
        let refusals = self.cloud.iam.ledger().refusals;
        let (expected, unexpected): (Vec<_>, Vec<_>) =
            refusals.iter().partition(|refusal| announced.contains(&refusal.denied.action.as_str()));
        let missing: Vec<_> = announced
            .iter()
            .filter(|action| !expected.iter().any(|refusal| refusal.denied.action == **action))
            .collect();
        if std::thread::panicking() {
            return;
        }
        let unexpected: Vec<_> = unexpected.into_iter().map(ToString::to_string).collect();
        assert!(unexpected.is_empty(), "nothing grants these calls:\n{}", unexpected.join("\n"));
        assert!(missing.is_empty(), "these calls were to be refused, and were not: {missing:?}");
    }
}

impl Deref for Cloud {
    type Target = LocalCloud;

    fn deref(&self) -> &LocalCloud {
        &self.cloud
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
        change(&mut options);
        Self { cloud: LocalCloud::start(options).await.unwrap(), announced: Mutex::default(), folder }
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

    /// Waits until a session has ended, its export has arrived, and whatever that set off is over.
    pub(crate) async fn ended(&self, session: &SessionId) -> StreamSession {
        let ended = self.streams.settled(session).await.unwrap();
        self.bus.settled().await;
        ended
    }

    /// Every key of the bucket, and what it holds.
    pub(crate) async fn contents(&self) -> Vec<(String, Vec<u8>)> {
        let mut contents = Vec::new();
        for object in self.s3.list(&self.bucket, "").unwrap() {
            contents
                .push((object.key.clone(), self.s3.read(&self.bucket, &object.key).await.unwrap().to_vec()));
        }
        contents
    }

    /// An export's tags.
    pub(crate) fn tags(&self, key: &str) -> Vec<(String, String)> {
        let object = self.s3.object(&self.bucket, key).unwrap();
        object.tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// The ARN of a session.
    pub(crate) fn arn(&self, session: &SessionId) -> String {
        self.account.arn("gameliftstreams", &session.resource())
    }
}

/// A session that crashes after this long.
pub(crate) fn crash_after(seconds: &str) -> [&str; 2] {
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
    let text = std::fs::read_to_string(workspace().join("events").join(file)).unwrap();
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
