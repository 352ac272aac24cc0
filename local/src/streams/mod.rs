//! GameLift Streams: its REST API over HTTP, and sessions that run real games.
//!
//! The API is what botocore's model `gameliftstreams/2018-05-10` says; what AWS does not document is a switch
//! ([`Switches`]). Signatures are not verified, but unsigned requests are refused, and those that the caller's role does
//! not allow. Everything lives in memory, except
//! the games' folders.
//!
//! A session is `ACTIVATING` while its game starts, then `ACTIVE`, then `CONNECTED` if a client comes. It ends when
//! its game does, or is made to. Then what its game wrote is exported, if that was requested while it lived:
//!
//! ```text
//! root/sg-1AB2C3De4/ABC123def4567/application/   the game's working directory
//!                                 profile/       its HOME
//!                                 temp/          its TMPDIR
//!                                 stats/perf_stats_v1.csv
//!                                 stderr.txt     what it wrote to its standard error; not exported
//! ```
//!
//! - `api`: HTTP; the one way that each request takes, `calls`: the log of it, `answers`: for a judge
//! - `input`, `validation`, `outputs`, `paging`, `error`: requests and answers in the model's forms
//! - `service`, `books`, `operations`: the service's state, and what its operations do to it
//! - `views`: what callers are shown of a session, which may lag behind
//! - `life`: a session from its start to its end; `process`, `folders`, `performance`: its game
//! - `export`, `delivery`: the zip, and its way into S3
//! - [`alarms`]: CloudWatch; `cloudtrail`: CloudTrail

pub mod alarms;

mod answers;
mod api;
mod books;
mod calls;
mod cloudtrail;
mod delivery;
mod error;
mod export;
mod folders;
mod input;
mod life;
mod operations;
mod outputs;
mod paging;
mod performance;
mod process;
mod service;
mod session;
mod setup;
mod start;
mod switches;
mod validation;
mod views;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::account::{Account, EventSender};
use crate::faults::Fault;
use crate::iam::Iam;

use self::alarms::Alarm;
use self::calls::Caller;
use self::life::Command;
use self::service::Service;

pub(crate) use self::performance::process_ticks;

pub use self::calls::{Arrival, CallRecord, Operation};
pub use self::delivery::{Delivery, Upload};
pub use self::error::ServiceError;
pub use self::input::{
    DisplayConfiguration, NO_CLIENT_CONNECTION, PerformanceStatsConfiguration, Resolution, StartStreamSession,
};
pub use self::session::{ExportFiles, ExportStatus, SessionId, Status, StatusReason, StreamSession};
pub use self::setup::{Application, StreamGroup};
pub use self::start::{StartOptions, StartedBy};
pub use self::switches::{
    EndReason, ExportAfterError, ExportedWhile, GeneratedName, Listings, PageOrder, SecondExport, Switches,
    Timings, WrongStatus,
};

/// What the service needs.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whose it is, and where.
    pub account: Account,
    /// The folder for the sessions' folders.
    pub root: PathBuf,
    /// The bus for CloudTrail's and CloudWatch's events.
    pub events: EventSender,
    /// The way into S3.
    pub delivery: Delivery,
    /// Who may do what.
    pub iam: Iam,
    /// What AWS does not document.
    pub switches: Switches,
    /// How long things take.
    pub timings: Timings,
}

/// The running service. Clones are handles of the same one.
#[derive(Debug, Clone)]
pub struct Streams {
    service: Arc<Service>,
    address: SocketAddr,
}

impl Streams {
    /// Starts the service on a free port of the loopback interface. It runs until [`Self::stop`], or until the
    /// runtime ends.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let service = Service::new(options);
        let router = api::router(Arc::clone(&service));
        service.spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the API of GameLift Streams ended");
            }
        });
        Ok(Self { service, address })
    }

    /// For `AWS_ENDPOINT_URL_GAMELIFTSTREAMS`: `http://127.0.0.1:` and a port.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds a stream group, or replaces the one with the same id.
    pub fn add_stream_group(&self, group: StreamGroup) {
        self.service.books().groups.insert(group.id.clone(), setup::Capacity::new(group));
    }

    /// Adds an application, or replaces the one with the same id.
    pub fn add_application(&self, application: Application) {
        self.service.books().applications.insert(application.id.clone(), application);
    }

    /// Adds an alarm, which watches from now on.
    pub fn add_alarm(&self, alarm: Alarm) {
        self.service.spawn(alarms::watch(Arc::clone(&self.service), alarm));
    }

    /// Starts a session. Like everything here, from within the runtime.
    pub fn start_session(&self, options: StartOptions) -> Result<SessionId, ServiceError> {
        let StartOptions { stream_group, request, already_running, started_by } = options;
        let started = self.service.start(&stream_group, request.clone(), already_running);
        if let StartedBy::ApiCall { access_key_id } = started_by {
            let caller = Caller { access_key_id, user_agent: "game-backend".into() };
            api::note_start(&self.service, &caller, stream_group, &request, &started);
        }
        started.map(|session| session.id)
    }

    /// Writes a session into the service's books that no game plays. It changes only by calls: its export stays
    /// `PENDING`, and terminating it is all over at once.
    pub fn write_down(&self, session: StreamSession) {
        self.service.write_down(session);
    }

    /// A session as it is now.
    #[must_use]
    pub fn session(&self, session: &SessionId) -> Option<StreamSession> {
        self.service.entry(session).map(|entry| entry.session())
    }

    /// All sessions as they are now.
    #[must_use]
    pub fn sessions(&self) -> Vec<StreamSession> {
        self.service.books().sessions.values().map(|entry| entry.session()).collect()
    }

    /// The session's folder, which stays after its end.
    #[must_use]
    pub fn folder(&self, session: &SessionId) -> Option<PathBuf> {
        self.service.entry(session).map(|entry| entry.folder.clone())
    }

    /// Waits until a session meets a condition. `None` if there is no such session.
    pub async fn wait_for(
        &self,
        session: &SessionId,
        condition: impl FnMut(&StreamSession) -> bool,
    ) -> Option<StreamSession> {
        let entry = self.service.entry(session)?;
        let mut state = entry.state.subscribe();
        let reached = state.wait_for(condition).await.ok()?;
        Some(reached.clone())
    }

    /// Waits until a session has ended, and its export too if there is one to wait for.
    pub async fn settled(&self, session: &SessionId) -> Option<StreamSession> {
        let settled = |session: &StreamSession| {
            let pending = |export: &ExportFiles| export.status == ExportStatus::Pending;
            session.status.has_ended() && !session.export.as_ref().is_some_and(pending)
        };
        self.wait_for(session, settled).await
    }

    /// `TerminateStreamSession`, without a caller.
    pub fn terminate(&self, session: &SessionId) -> Result<(), ServiceError> {
        operations::terminate(&*self.known(session)?)
    }

    /// `ExportStreamSessionFiles` on behalf of a caller, without a call.
    pub fn export(
        &self,
        session: &SessionId,
        output_uri: &str,
        access_key_id: &str,
    ) -> Result<(), ServiceError> {
        self.service.export(&*self.known(session)?, output_uri, access_key_id)
    }

    /// Takes the client away from a connected session, which waits for it to come back.
    pub fn disconnect_client(&self, session: &SessionId) -> Result<(), ServiceError> {
        self.tell(session, Command::DisconnectClient)
    }

    /// Makes the export of a session fail, for this reason, once the session has ended.
    pub fn fail_export(&self, session: &SessionId, reason: &str) -> Result<(), ServiceError> {
        self.known(session)?.fail_export(reason);
        Ok(())
    }

    /// Makes the service fail under a live session, which ends in `ERROR` with `internalError`.
    pub fn fail(&self, session: &SessionId) -> Result<(), ServiceError> {
        self.tell(session, Command::Fail)
    }

    /// All calls so far, also the refused ones.
    #[must_use]
    pub fn call_log(&self) -> Vec<CallRecord> {
        self.service.calls().clone()
    }

    /// Asks the script about each call from now on, as it arrives: what it gives becomes of the call.
    pub fn inject(&self, script: impl Fn(&Arrival) -> Option<Fault<ServiceError>> + Send + Sync + 'static) {
        self.service.faults.script(script);
    }

    /// Changes a session as the service itself would. Nobody else's change comes in between.
    pub fn change(
        &self,
        session: &SessionId,
        change: impl FnOnce(&mut StreamSession),
    ) -> Result<(), ServiceError> {
        self.known(session)?.update(change);
        Ok(())
    }

    /// Kills all games and ends everything else that the service does. Its sessions stay as they are.
    pub async fn stop(&self) {
        self.service.stop().await;
    }

    fn known(&self, session: &SessionId) -> Result<Arc<books::Entry>, ServiceError> {
        let unknown = || ServiceError::ResourceNotFound(format!("Stream session {session} was not found"));
        self.service.entry(session).ok_or_else(unknown)
    }

    fn tell(&self, session: &SessionId, command: Command) -> Result<(), ServiceError> {
        let over = |_| ServiceError::Conflict(format!("Stream session {session} is over"));
        self.known(session)?.commands.send(command).map_err(over)
    }
}
