//! The life of a session: from finding it a place to exporting what its game wrote.

use std::future::pending;
use std::io;
use std::sync::Arc;

use futures_util::future::select_all;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::books::Entry;
use super::export;
use super::folders::{Folders, Snapshot};
use super::performance::Recorder;
use super::process::Game;
use super::service::Service;
use super::session::{Status, StatusReason};
use super::setup::Application;
use super::switches::ExportedWhile;

/// What a session can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    /// `TerminateStreamSession`.
    Terminate,
    /// A client will connect in a moment.
    ConnectClient,
    /// The client has gone.
    DisconnectClient,
    /// The service itself fails.
    Fail,
}

/// A location, and its free capacity.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) location: String,
    pub(super) free: Arc<Semaphore>,
}

/// How a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Terminated(StatusReason),
    Failed(StatusReason),
}

/// What happens to a session if nothing else does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    ClientConnects,
    GiveUp(StatusReason),
}

/// One session's life, led by one task.
#[derive(Debug)]
pub(super) struct Life {
    service: Arc<Service>,
    entry: Arc<Entry>,
    application: Application,
    places: Vec<Place>,
    commands: UnboundedReceiver<Command>,
    next: Option<(Instant, Next)>,
}

impl Life {
    pub(super) fn new(
        service: Arc<Service>,
        entry: Arc<Entry>,
        application: Application,
        places: Vec<Place>,
        commands: UnboundedReceiver<Command>,
    ) -> Self {
        Self { service, entry, application, places, commands, next: None }
    }

    /// Leads the session from `ACTIVATING` to its end, and its export to its own.
    pub(super) async fn lead(mut self) {
        let Some(place) = self.find_place().await else {
            return self.settle(Status::Error, StatusReason::PlacementTimeout);
        };
        let folders = Folders::new(&self.entry.folder);
        match self.play(&folders).await {
            Ok((End::Terminated(reason), before)) => {
                let end = async {
                    sleep(self.service.switches.terminating).await;
                    drop(place);
                    self.settle(Status::Terminated, reason);
                };
                let export = export::settle(&self.service, &self.entry, &folders, before);
                match self.service.switches.exported_while {
                    ExportedWhile::Terminated => {
                        end.await;
                        export.await;
                    }
                    ExportedWhile::Terminating => {
                        export.await;
                        end.await;
                    }
                }
            }
            Ok((End::Failed(reason), before)) => {
                drop(place);
                self.settle(Status::Error, reason);
                export::settle_after_error(&self.service, &self.entry, &folders, before).await;
            }
            Err(error) => {
                tracing::warn!(session = %self.entry.session().id, %error, "the game could not be started");
                self.settle(Status::Error, StatusReason::InternalError);
            }
        }
    }

    /// The first wished-for place that is free now, or else whichever is free first.
    async fn find_place(&mut self) -> Option<OwnedSemaphorePermit> {
        let free_now = self.places.iter().find_map(|place| {
            let permit = Arc::clone(&place.free).try_acquire_owned().ok()?;
            Some((place.location.clone(), permit))
        });
        let (location, permit) = match free_now {
            Some(found) => found,
            None => self.wait_for_place().await?,
        };
        self.entry.update(|session| session.location = location);
        Some(permit)
    }

    async fn wait_for_place(&self) -> Option<(String, OwnedSemaphorePermit)> {
        let queues = self.places.iter().map(|place| Box::pin(Arc::clone(&place.free).acquire_owned()));
        let first = timeout(self.service.timings.placement_timeout, select_all(queues));
        let (permit, index, _) = first.await.ok()?;
        Some((self.places.get(index)?.location.clone(), permit.ok()?))
    }

    /// Runs the game from its start to its end. Returns how it ended, and what was on the disk before.
    async fn play(&mut self, folders: &Folders) -> io::Result<(End, Snapshot)> {
        let before = folders.prepare(self.application.content.clone()).await?;
        let request = self.entry.session().request;
        let mut game = Game::launch(&self.application, &request, folders, Arc::clone(&self.entry.frames))?;
        let mut recorder = Recorder::create(&folders.performance_file(), game.id())?;
        let end = match self.activate(&mut game, &mut recorder).await {
            Some(end) => end,
            None => self.stream(&mut game, &mut recorder).await,
        };
        if let End::Terminated(_) = end {
            self.entry.update(|session| session.status = Status::Terminating);
        }
        game.kill().await;
        Ok((end, before))
    }

    /// From the start of the game to `ACTIVE`, unless the game ends before.
    async fn activate(&mut self, game: &mut Game, recorder: &mut Recorder) -> Option<End> {
        let active = Instant::now() + self.service.timings.activating;
        loop {
            tokio::select! {
                () = game.exited() => return Some(End::Failed(StatusReason::InternalError)),
                () = sleep_until(active) => break,
                () = recorder.record() => {}
            }
        }
        self.entry.update(|session| session.status = Status::Active);
        let session = self.entry.session();
        self.await_client(session.request.expects_client(), StatusReason::ConnectionTimeout);
        None
    }

    /// From `ACTIVE` to whatever ends the session.
    async fn stream(&mut self, game: &mut Game, recorder: &mut Recorder) -> End {
        let too_long = Instant::now() + self.entry.session().session_length;
        loop {
            let next = self.next;
            tokio::select! {
                () = game.exited() => return End::Terminated(StatusReason::ApplicationExit),
                () = sleep_until(too_long) => return End::Terminated(StatusReason::MaxSessionLengthTimeout),
                () = recorder.record() => {}
                Some(command) = self.commands.recv() => {
                    if let Some(end) = self.obey(command) {
                        return end;
                    }
                }
                what = due(next) => match what {
                    Next::GiveUp(reason) => return End::Terminated(reason),
                    Next::ClientConnects => self.client_connected(),
                }
            }
        }
    }

    fn obey(&mut self, command: Command) -> Option<End> {
        match command {
            Command::Terminate => return Some(End::Terminated(StatusReason::ApiTerminated)),
            Command::Fail => return Some(End::Failed(StatusReason::InternalError)),
            Command::ConnectClient => self.await_client(true, StatusReason::ReconnectionTimeout),
            Command::DisconnectClient if self.entry.session().status == Status::Connected => {
                self.entry.update(|session| session.status = Status::PendingClientReconnection);
                self.await_client(false, StatusReason::ReconnectionTimeout);
            }
            Command::DisconnectClient => {}
        }
        None
    }

    /// Waits for a client: one that will come shortly, or nobody knows when.
    fn await_client(&mut self, comes: bool, otherwise: StatusReason) {
        let now = Instant::now();
        let arrival = now + self.service.timings.connect_after;
        let patience = now + self.entry.session().connection_timeout;
        self.next = Some(if comes && arrival < patience {
            (arrival, Next::ClientConnects)
        } else {
            (patience, Next::GiveUp(otherwise))
        });
    }

    fn client_connected(&mut self) {
        self.next = None;
        self.entry.update(|session| {
            if session.status.is_live() {
                session.status = Status::Connected;
            }
        });
    }

    fn settle(&self, status: Status, reason: StatusReason) {
        self.entry.update(|session| {
            session.status = status;
            session.status_reason = Some(reason);
        });
    }
}

/// Waits for what happens next, for ever if nothing does.
async fn due(next: Option<(Instant, Next)>) -> Next {
    match next {
        Some((at, what)) => {
            sleep_until(at).await;
            what
        }
        None => pending().await,
    }
}
