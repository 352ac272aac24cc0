//! S3, GameLift Streams and Lambda, and in it the functions beside their peers: each a process that asks the same runtime API for
//! events.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crash_capture_local::account::{Account, EventSender};
use crash_capture_local::delivery::Mailboxes;
use crash_capture_local::iam::Iam;
use crash_capture_local::lambda::{
    self, Credentials, EventInvokeConfig, Function, Lambda, LogFormat, Logging, Outcome,
};
use crash_capture_local::s3::{AccessLogEntry, BucketOptions, Endpoint, S3};
use crash_capture_local::streams::{
    self, Delivery, SessionId, StartStreamSession, Status, StatusReason, StreamGroup, StreamSession, Streams,
    Switches, Timings,
};
use jiff::Timestamp;
use serde_json::Value;

use super::Failure;

pub(crate) const BUCKET: &str = "captures";
pub(crate) const GROUP: &str = "sg-1AB2C3De4";
pub(crate) const APPLICATION: &str = "a-9ZY8X7Wv6";
const LOCATION: &str = "us-west-2";

/// One of those that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    /// Its name in the tables.
    pub(crate) name: &'static str,
    /// A cargo binary, or a module of `benches/peers`.
    pub(crate) program: &'static str,
}

impl Peer {
    pub(crate) const fn new(name: &'static str, program: &'static str) -> Self {
        Self { name, program }
    }

    /// Whether it is a cargo binary.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self.program, "index-export" | "start-export" | "reading")
    }
}

/// Where the programs are.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    /// The folder of the release build.
    pub(crate) functions: PathBuf,
    /// The Python that has what the peers need.
    pub(crate) python: PathBuf,
    /// The folder of the peers.
    pub(crate) peers: PathBuf,
}

impl Programs {
    /// Makes a program of a peer in a folder.
    fn place(&self, peer: Peer, folder: &Path) -> std::io::Result<()> {
        let path = folder.join(peer.program);
        if peer.is_ours() {
            return symlink(fs::canonicalize(self.functions.join(peer.program))?, path);
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o755).open(path)?;
        let (python, peers) = (self.python.display(), self.peers.display());
        // What AWS's own images of Python start.
        // It wants host and path, where ours wants a URL.
        writeln!(
            file,
            "#!/bin/sh\nAWS_LAMBDA_RUNTIME_API=${{AWS_LAMBDA_RUNTIME_API#http://}}\ncd {peers} && exec {python} -m awslambdaric {}.handler",
            peer.program
        )
    }
}

pub(crate) struct World {
    pub(crate) s3: S3,
    pub(crate) streams: Streams,
    pub(crate) lambda: Lambda,
    keys: BTreeMap<&'static str, String>,
    _endpoint: Endpoint,
    folder: tempfile::TempDir,
}

impl World {
    /// Starts the services, with an empty bucket, a stream group without sessions, and these functions.
    pub(crate) async fn start(programs: &Programs, peers: &[Peer]) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let executables = folder.path().join("functions");
        fs::create_dir(&executables)?;
        let account = Account::default();
        let (events, mut unheard) = EventSender::new(account.clone());
        tokio::spawn(async move { while unheard.recv().await.is_some() {} });
        let s3 = S3::new(&folder.path().join("s3"), account.clone(), events.clone())?;
        s3.create_bucket(BUCKET, BucketOptions::default()).await?;
        let streams = Streams::start(streams::Options {
            account: account.clone(),
            root: folder.path().join("sessions"),
            events: events.clone(),
            delivery: Delivery::new(|_| async { Ok(()) }),
            iam: Iam::default(),
            switches: Switches::default(),
            timings: Timings { cloudtrail_after: None, ..Timings::default() },
        })
        .await?;
        streams.add_stream_group(StreamGroup::new(GROUP, LOCATION));
        let endpoint = s3.serve().await?;
        let mut options = lambda::Options::new(&executables);
        options.variables = BTreeMap::from(
            [
                ("AWS_ENDPOINT_URL_S3", endpoint.url().to_owned()),
                ("AWS_ENDPOINT_URL_GAMELIFTSTREAMS", streams.endpoint()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        let mut keys = BTreeMap::new();
        let mut functions = Vec::new();
        for peer in peers {
            programs.place(*peer, &executables)?;
            let function = function(*peer);
            let Credentials { access_key_id, secret_access_key, .. } = &function.credentials;
            s3.allow(access_key_id, secret_access_key);
            keys.insert(peer.program, access_key_id.clone());
            functions.push(function);
        }
        let lambda = Lambda::start(&account, functions, Mailboxes::new(Vec::new()), events, options).await?;
        Ok(Self { s3, streams, lambda, keys, _endpoint: endpoint, folder })
    }

    /// A folder for files on their way.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes sessions into the books that no game plays.
    pub(crate) fn write_down(&self, ids: impl IntoIterator<Item = String>, status: Status) {
        for id in ids {
            let created_at = Timestamp::now() - Duration::from_mins(30);
            self.streams.write_down(StreamSession {
                id: SessionId { stream_group_id: GROUP.to_owned(), id },
                application_id: APPLICATION.to_owned(),
                location: LOCATION.to_owned(),
                status,
                status_reason: status.has_ended().then_some(StatusReason::ConnectionTimeout),
                created_at,
                last_updated_at: Timestamp::now(),
                export: None,
                connection_timeout: Duration::from_mins(2),
                session_length: Duration::from_hours(12),
                request: StartStreamSession::default(),
            });
        }
    }

    /// Lets a function answer an event; its process is a new one if it was killed before.
    pub(crate) async fn invoke(&self, peer: Peer, event: &Value) -> Result<Invocation, Failure> {
        let mark = self.s3.access_log().mark();
        let outcome = self.lambda.invoke(peer.program, event).await?;
        let answer = outcome.result.clone().map_err(|error| {
            let lines = self.lambda.logs(peer.program).into_iter().rev().take(20).map(|line| line.text);
            let lines: Vec<_> = lines.collect();
            format!("{}: {error:?}\n{}", peer.name, lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
        })?;
        let invocations = self.lambda.invocations();
        let began = invocations.last().map(|last| last.started).ok_or("nothing was invoked")?;
        let began = began + outcome.init_duration.unwrap_or_default();
        let key = self.keys.get(peer.program);
        let requests = self.s3.access_log().since(mark).into_iter();
        let requests = requests.filter(|entry| entry.access_key_id.as_ref() == key).collect();
        Ok(Invocation { outcome, answer, began, requests })
    }

    /// Ends a function's process.
    pub(crate) fn kill(&self, peer: Peer) -> Result<(), Failure> {
        Ok(self.lambda.kill(peer.program)?)
    }
}

/// An event and its answer.
pub(crate) struct Invocation {
    pub(crate) outcome: Outcome,
    pub(crate) answer: Value,
    /// When the process was given the event.
    began: Timestamp,
    /// What it asked of S3.
    pub(crate) requests: Vec<AccessLogEntry>,
}

impl Invocation {
    /// From the event to the first thing that the function wrote: by then it has read what it wanted to.
    pub(crate) fn reading(&self) -> Option<Duration> {
        let first = self.requests.iter().find(|entry| entry.operation == "PutObject")?;
        first.time.duration_since(self.began).try_into().ok()
    }

    /// How many requests read an object, and how many bytes they brought.
    pub(crate) fn reads_of(&self, key: &str) -> (usize, u64) {
        let reads = self.requests.iter().filter(|entry| {
            matches!(entry.operation.as_str(), "GetObject" | "HeadObject")
                && entry.key.as_deref() == Some(key)
        });
        reads.fold((0, 0), |(requests, bytes), entry| (requests + 1, bytes + entry.bytes_sent))
    }
}

fn function(peer: Peer) -> Function {
    let name = peer.program;
    let variables = [
        ("CAPTURE_BUCKET", BUCKET),
        ("STREAM_GROUPS", GROUP),
        ("API_CALLS_PER_SECOND", "99999"),
        ("SWEEP_EVERY_SECONDS", "60"),
        // As template.yaml has it.
        ("GLIBC_TUNABLES", "glibc.malloc.mmap_threshold=131072"),
    ];
    Function {
        logical_id: name.to_owned(),
        name: name.to_owned(),
        arn: format!("arn:aws:lambda:us-west-2:111122223333:function:{name}"),
        role: format!("arn:aws:iam::111122223333:role/{name}"),
        binary: name.to_owned(),
        environment: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        timeout: Duration::from_mins(15),
        memory_size: 512,
        handler: "bootstrap".to_owned(),
        logging: Logging { group: "/logs".to_owned(), format: LogFormat::Json, level: None },
        reserved_concurrency: None,
        asynchronous: EventInvokeConfig::default(),
        dead_letter: None,
        credentials: Credentials::random(),
    }
}
