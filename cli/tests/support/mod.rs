//! What the command's tests share: a deployment with known captures, the built binary, and snapshots of what it prints.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod records;
pub(crate) mod watched;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Output;

use crash_capture_local::account::{Account, EventSender};
use crash_capture_local::cloudformation::CloudFormation;
use crash_capture_local::s3::{AccessLogEntry, BucketOptions, Endpoint, Mark, S3};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

/// The stack and its bucket.
pub(crate) const STACK: &str = "crash-capture";
pub(crate) const BUCKET: &str = "captures";

/// A variable that makes snapshots be written instead of compared.
const WRITE_SNAPSHOTS: &str = "WRITE_SNAPSHOTS";

/// S3 and CloudFormation, with an empty bucket.
pub(crate) struct Deployment {
    pub(crate) s3: S3,
    endpoint: Endpoint,
    cloudformation: CloudFormation,
    folder: TempDir,
}

/// What a run of the command came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Deployment {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let account = Account::default();
        let (events, _) = EventSender::new(account.clone());
        let s3 = S3::new(&folder.path().join("s3"), account.clone(), events).unwrap();
        s3.create_bucket(BUCKET, BucketOptions::default()).await.unwrap();
        s3.allow("AKIALOCAL", "secret");
        let outputs = BTreeMap::from([("CaptureBucketName".to_owned(), BUCKET.to_owned())]);
        let cloudformation = CloudFormation::start(&account, STACK, outputs).await.unwrap();
        let endpoint = s3.serve().await.unwrap();
        Self { s3, endpoint, cloudformation, folder }
    }

    /// The same with the captures of [`records::all`].
    pub(crate) async fn with_captures() -> Self {
        let deployment = Self::start().await;
        for (key, object) in records::all() {
            deployment.put(&key, format!("{object}\n")).await;
        }
        deployment
    }

    pub(crate) async fn put(&self, key: &str, body: impl Into<Vec<u8>>) {
        self.s3.put(BUCKET, key, body.into(), "111122223333").await.unwrap();
    }

    /// A folder of the test's own.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What points the command here.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL_S3", self.endpoint.url().to_owned()),
            ("AWS_ENDPOINT_URL_CLOUDFORMATION", self.cloudformation.endpoint()),
            ("AWS_ACCESS_KEY_ID", "AKIALOCAL".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
            ("AWS_REGION", "us-west-2".to_owned()),
        ]
    }

    /// The command with these arguments, pointed here, with nothing else in its environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command.envs(self.environment()).current_dir(self.folder());
        command
    }

    /// Runs the command.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments).output().await.unwrap())
    }

    /// Runs the command, which has to succeed and to say nothing but results; gives these.
    pub(crate) async fn printed(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments).await;
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        ran.stdout
    }

    /// Runs the command with `--json`, which has to succeed; gives what each line holds.
    pub(crate) async fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let printed = self.printed(&[arguments, &["--json"]].concat()).await;
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// A place in the log of requests.
    pub(crate) fn mark(&self) -> Mark {
        self.s3.access_log().mark()
    }

    /// The requests since then for keys that begin like this.
    pub(crate) fn requests_since(&self, mark: Mark, prefix: &str) -> Vec<AccessLogEntry> {
        let is_it = |entry: &AccessLogEntry| entry.key.as_deref().is_some_and(|key| key.starts_with(prefix));
        self.s3.access_log().since(mark).into_iter().filter(is_it).collect()
    }
}

/// The command with these arguments, and nothing of this process's environment that it would look at.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crash-capture"));
    let home = std::env::var_os("LLVM_PROFILE_FILE").map(|file| ("LLVM_PROFILE_FILE", file));
    command.env_clear().envs(home).env("AWS_EC2_METADATA_DISABLED", "true").args(arguments);
    command
}

pub(crate) fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Compares a text with the snapshot of this name, which `WRITE_SNAPSHOTS=1` writes.
#[track_caller]
pub(crate) fn snapshot(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name).with_extension("txt");
    if std::env::var_os(WRITE_SNAPSHOTS).is_some() {
        fs::write(&file, text).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == text,
        "{} differs; {WRITE_SNAPSHOTS}=1 writes it anew. It was:\n{kept}\nIt is:\n{text}",
        file.display()
    );
}
