//! What all these tests stand on: a running service with one stream group and three applications.

use std::fs;
use std::future::ready;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_sdk_gameliftstreams::Client;
use aws_sdk_gameliftstreams::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_gameliftstreams::error::ProvideErrorMetadata;
use crash_capture_local::account::{Account, EventSender};
use crash_capture_local::iam::Iam;
use crash_capture_local::streams::{
    Application, Delivery, Options, SessionId, StartOptions, Status, StreamGroup, StreamSession, Streams,
    Switches, Timings, Upload,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::timeout;

pub(crate) const GROUP: &str = "sg-1AB2C3De4";
pub(crate) const LOCATION: &str = "us-west-2";
/// The real game.
pub(crate) const GAME: &str = "a-9ZY8X7Wv6";
/// A game that is a shell script: the session's one launch argument.
pub(crate) const SCRIPT: &str = "a-Scr1ptScr";
/// An application whose executable does not exist.
pub(crate) const BROKEN: &str = "a-Br0kenBrk";
/// A script that lives until it is killed.
pub(crate) const FOR_EVER: &str = "exec sleep 600";
/// A script that lives until [`Cloud::end`].
pub(crate) const UNTIL_ENDED: &str = r#"until [ -e "$HOME/end" ]; do sleep 0.02; done"#;
pub(crate) const BUCKET: &str = "captures";

/// The account's ARNs begin like this.
pub(crate) const ARN: &str = "arn:aws:gameliftstreams:us-west-2:111122223333:";

/// Longer than anything takes, on a busy machine too.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A service, its bus, and a bucket that is a folder.
pub(crate) struct Cloud {
    pub(crate) streams: Streams,
    pub(crate) uploads: mpsc::UnboundedReceiver<Upload>,
    pub(crate) iam: Iam,
    bus: mpsc::UnboundedReceiver<Value>,
    folder: TempDir,
}

impl Cloud {
    pub(crate) async fn start() -> Self {
        Self::with(Switches::default(), quick()).await
    }

    pub(crate) async fn with(switches: Switches, timings: Timings) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let bucket = folder.path().join(BUCKET);
        let (events, bus) = EventSender::new(Account::default());
        let (sender, uploads) = mpsc::unbounded_channel();
        let iam = Iam::new(Vec::new(), false);
        let streams = Streams::start(Options {
            account: Account::default(),
            root: folder.path().join("sessions"),
            events,
            delivery: Delivery::new(move |upload| ready(put(&bucket, upload, &sender))),
            iam: iam.clone(),
            switches,
            timings,
        })
        .await
        .expect("a free port");
        streams.add_stream_group(StreamGroup::new(GROUP, LOCATION));
        streams.add_application(Application::new(GAME, env!("CARGO_BIN_EXE_game")));
        streams.add_application(Application {
            arguments: vec!["-c".into()],
            ..Application::new(SCRIPT, "/bin/sh")
        });
        streams.add_application(Application::new(BROKEN, "/nowhere/game"));
        Self { streams, uploads, iam, bus, folder }
    }

    /// A real client, with the access key id `AKIATESTS`.
    pub(crate) fn client(&self) -> Client {
        self.client_of("AKIATESTS")
    }

    pub(crate) fn client_of(&self, access_key_id: &str) -> Client {
        Client::from_conf(
            aws_sdk_gameliftstreams::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::from_static("us-west-2"))
                .endpoint_url(self.streams.endpoint())
                .credentials_provider(Credentials::new(access_key_id, "secret", None, None, "tests"))
                .http_client(aws_smithy_http_client::Builder::new().build_http())
                .build(),
        )
    }

    /// Starts a script in a session.
    pub(crate) fn script(&self, script: &str) -> SessionId {
        self.begin(StartOptions::new(GROUP, SCRIPT).arguments([script]))
    }

    pub(crate) fn begin(&self, options: StartOptions) -> SessionId {
        self.streams.start_session(options).expect("a session")
    }

    /// Ends a script by itself, if it heeds it.
    pub(crate) fn end(&self, session: &SessionId) {
        fs::write(self.profile(session).join("end"), "").expect("a file");
    }

    /// Waits until a session is in a status.
    pub(crate) async fn reach(&self, session: &SessionId, status: Status) -> StreamSession {
        self.wait_for(session, |session| session.status == status).await
    }

    pub(crate) async fn wait_for(
        &self,
        session: &SessionId,
        condition: impl FnMut(&StreamSession) -> bool,
    ) -> StreamSession {
        let reached = timeout(PATIENCE, self.streams.wait_for(session, condition)).await;
        reached.expect("in time").expect("a known session")
    }

    /// Waits until a session and its export have come to their ends.
    pub(crate) async fn settled(&self, session: &SessionId) -> StreamSession {
        let settled = timeout(PATIENCE, self.streams.settled(session)).await;
        settled.expect("in time").expect("a known session")
    }

    /// The next event for which a condition holds.
    pub(crate) async fn event(&mut self, condition: impl Fn(&Value) -> bool) -> Value {
        let found = async {
            loop {
                let event = self.bus.recv().await.expect("a bus");
                if condition(&event) {
                    return event;
                }
            }
        };
        timeout(PATIENCE, found).await.expect("in time")
    }

    /// All events so far that nobody has taken.
    pub(crate) fn events(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.bus.try_recv().ok()).collect()
    }

    /// The names in a zip in the bucket.
    pub(crate) fn names(&self, key: &str) -> Vec<String> {
        let zip = self.zip(key);
        let names = zip.file_names().map(|name| name.expect("a name").into_owned());
        names.collect()
    }

    /// The one file in a zip in the bucket whose name ends like this.
    pub(crate) fn exported(&self, key: &str, name: &str) -> Option<Vec<u8>> {
        let name = self.names(key).into_iter().find(|found| found.ends_with(name))?;
        let mut content = Vec::new();
        self.zip(key).by_name(&name).expect("a file").read_to_end(&mut content).expect("its content");
        Some(content)
    }

    fn zip(&self, key: &str) -> zip::ZipArchive<fs::File> {
        let file = fs::File::open(self.folder.path().join(BUCKET).join(key)).expect("an object");
        zip::ZipArchive::new(file).expect("a zip")
    }

    /// A folder for a test's own use.
    pub(crate) fn scratch(&self) -> PathBuf {
        let scratch = self.folder.path().join("scratch");
        fs::create_dir_all(&scratch).expect("a folder");
        scratch
    }

    /// A session's profile folder.
    pub(crate) fn profile(&self, session: &SessionId) -> PathBuf {
        self.streams.folder(session).expect("a known session").join("profile")
    }
}

/// Everything at its quickest, and no client that is long in coming.
pub(crate) fn quick() -> Timings {
    Timings {
        activating: Duration::from_millis(100),
        placement_timeout: Duration::from_millis(200),
        connect_after: Duration::from_millis(50),
        export_takes: Duration::from_millis(20),
        cloudtrail_after: Some(Duration::from_millis(10)),
        ..Timings::default()
    }
}

/// The code of the error that a call came back with.
pub(crate) fn code<T: std::fmt::Debug, E: ProvideErrorMetadata>(result: Result<T, E>) -> String {
    result.expect_err("an error").code().expect("a code").to_owned()
}

/// A file that a game writes sooner or later.
pub(crate) async fn eventually_read(path: &Path) -> String {
    let written = async {
        loop {
            match fs::read_to_string(path) {
                Ok(text) if text.ends_with('\n') => return text,
                _ => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    };
    timeout(PATIENCE, written).await.expect("in time")
}

fn put(folder: &Path, upload: Upload, log: &mpsc::UnboundedSender<Upload>) -> Result<(), String> {
    if upload.bucket != BUCKET {
        return Err("The specified bucket does not exist".into());
    }
    let path = folder.join(&upload.key);
    fs::create_dir_all(path.parent().expect("a key is below a bucket")).map_err(|error| error.to_string())?;
    fs::copy(&upload.zip, path).map_err(|error| error.to_string())?;
    log.send(upload).map_err(|error| error.to_string())
}
