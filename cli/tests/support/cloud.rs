//! The local cloud with the stack's functions, and the command pointed at it.

#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeMap;
use std::ops::Deref;
use std::process::Output;

use crash_capture_local::cloud::{APPLICATION, LocalCloud, Options, STREAM_GROUP};
use crash_capture_local::streams::{
    SessionId, StartOptions, StartStreamSession, Status, StatusReason, StreamSession,
};
use crash_capture_local::zips::writer::{Entry, Zip};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::process::Command;

/// The rule that is the sweep's schedule.
pub(crate) const SWEEP: &str = "StartExportFunctionSweep";

/// A local cloud in a folder of its own.
pub(crate) struct Cloud {
    local: LocalCloud,
    folder: tempfile::TempDir,
}

impl Deref for Cloud {
    type Target = LocalCloud;

    fn deref(&self) -> &LocalCloud {
        &self.local
    }
}

impl Cloud {
    /// Starts it with these parameters of the template. Nothing runs but what a test asks for.
    pub(crate) async fn start(parameters: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = Options::new(folder.path());
        options.timings.cloudtrail_after = None;
        // One pass, and then the end: a sweep would go on for a minute.
        let parameters = [("SweepEverySeconds", "60")].iter().chain(parameters);
        options.parameters.extend(parameters.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Self { local: LocalCloud::start(options).await.unwrap(), folder }
    }

    /// Runs one sweep to its end.
    pub(crate) async fn sweep(&self) {
        self.bus.fire(SWEEP).unwrap();
        self.bus.settled().await;
    }

    /// Starts a session; gives it once it is live.
    pub(crate) async fn play(&self) -> SessionId {
        let session = self.streams.start_session(StartOptions::new(STREAM_GROUP, APPLICATION)).unwrap();
        self.streams.wait_for(&session, |session| session.status != Status::Activating).await.unwrap();
        session
    }

    /// A session of this build that no game plays has crashed, and its export is indexed.
    pub(crate) async fn crash(&self, id: &str, build: &str) -> SessionId {
        let created = Timestamp::now();
        let session = SessionId { stream_group_id: STREAM_GROUP.to_owned(), id: id.to_owned() };
        self.streams.write_down(ended(session.clone(), created));
        let key = format!("exports/{APPLICATION}/{STREAM_GROUP}/{}/{id}.zip", created.strftime("%Y-%m-%d"));
        self.s3.put(&self.bucket, &key, crashed(build), "111122223333").await.unwrap();
        self.bus.settled().await;
        session
    }

    /// Writes an object's JSON.
    pub(crate) async fn put_json(&self, key: &str, value: &Value) {
        let body = format!("{value}\n").into_bytes();
        self.s3.put(&self.bucket, key, body, "111122223333").await.unwrap();
    }

    /// Writes the marker of a session of today.
    pub(crate) async fn put_marker(&self, id: &str) {
        let now = Timestamp::now();
        let session =
            json!({"id": id, "streamGroupId": STREAM_GROUP, "applicationId": APPLICATION, "createdAt": now});
        let marker = json!({"schema": 1, "session": session, "trigger": {"kind": "sweep", "at": now}});
        self.put_json(&format!("open/{STREAM_GROUP}/{id}.json"), &marker).await;
    }

    /// The keys that begin like this.
    pub(crate) async fn keys(&self, prefix: &str) -> Vec<String> {
        self.s3.list(&self.bucket, prefix).await.unwrap()
    }

    /// Every object of the bucket.
    pub(crate) async fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let mut contents = BTreeMap::new();
        for key in self.keys("").await {
            let body = self.s3.read(&self.bucket, &key).await.unwrap();
            contents.insert(key, body.to_vec());
        }
        contents
    }

    /// Writes those of these objects again that are gone.
    pub(crate) async fn put_back(&self, contents: &BTreeMap<String, Vec<u8>>) {
        let present = self.keys("").await;
        for (key, body) in contents.iter().filter(|(key, _)| !present.contains(key)) {
            self.s3.put(&self.bucket, key, body.clone(), "111122223333").await.unwrap();
        }
    }

    /// Runs the command with these arguments: exit code, standard output, standard error.
    pub(crate) async fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        self.run_as(&self.client_environment(), arguments).await
    }

    /// The same, as whoever has this environment.
    pub(crate) async fn run_as(
        &self,
        environment: &BTreeMap<String, String>,
        arguments: &[&str],
    ) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crash-capture"));
        command.env_clear().envs(environment).env("CRASH_CAPTURE_STACK", &self.stack.name);
        let Output { status, stdout, stderr } =
            command.env("AWS_EC2_METADATA_DISABLED", "true").args(arguments).output().await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code(), text(stdout), text(stderr))
    }

    /// Runs the command, which has to succeed; what it prints.
    pub(crate) async fn printed(&self, arguments: &[&str]) -> String {
        let (code, stdout, stderr) = self.run(arguments).await;
        assert_eq!(code, Some(0), "{arguments:?}: {stdout}{stderr}");
        stdout
    }

    /// Runs the command with `--json`; exit code, and what each line holds.
    pub(crate) async fn json(&self, arguments: &[&str]) -> (Option<i32>, Vec<Value>) {
        let (code, stdout, _) = self.run(&[arguments, &["--json"]].concat()).await;
        (code, stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }
}

fn ended(id: SessionId, created_at: Timestamp) -> StreamSession {
    StreamSession {
        id,
        application_id: APPLICATION.to_owned(),
        location: "us-west-2".to_owned(),
        status: Status::Terminated,
        status_reason: Some(StatusReason::ApplicationExit),
        created_at,
        last_updated_at: Timestamp::now(),
        export: None,
        connection_timeout: std::time::Duration::from_mins(2),
        session_length: std::time::Duration::from_hours(12),
        request: StartStreamSession::default(),
    }
}

/// The export of a game of this build that was ended by an assertion.
fn crashed(build: &str) -> Vec<u8> {
    let log = format!(
        "[2026.11.23-10.15.02:000][  0]LogInit: Build: {build}\n\
         [2026.11.23-10.16.02:000][  9]LogWindows: Error: appError called: Assertion failed: Health > 0 \
         [File:D:\\build\\Source\\Game\\Shield.cpp] [Line: 12]\n"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export.zip");
    Zip::of([Entry::deflated("application/Game/Saved/Logs/Game.log", log.as_bytes())])
        .write_to(&path)
        .unwrap();
    std::fs::read(path).unwrap()
}
