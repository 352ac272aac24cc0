//! A session's game: a process in a process group of its own.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStdout, Command};

use super::folders::Folders;
use super::input::StartStreamSession;
use super::setup::Application;

/// A running game. It dies with this value, and whatever it started does too.
#[derive(Debug)]
pub(super) struct Game {
    child: Child,
    id: Pid,
}

impl Game {
    /// Starts a game in a session's folders, with the request's arguments and environment variables.
    ///
    /// It sees nothing of this process's own environment but `PATH`. `frames` counts the bytes that it writes to its
    /// standard output.
    pub(super) fn launch(
        application: &Application,
        request: &StartStreamSession,
        folders: &Folders,
        frames: Arc<AtomicU64>,
    ) -> io::Result<Self> {
        let temp = folders.temp();
        let mut child = Command::new(std::path::absolute(&application.executable)?)
            .args(&application.arguments)
            .args(request.additional_launch_args.iter().flatten())
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", folders.profile())
            .envs(["TMPDIR", "TEMP", "TMP"].map(|name| (name, temp.as_path())))
            .envs(request.additional_environment_variables.iter().flatten())
            .current_dir(folders.application())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log_file(&folders.error_file())?)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let id = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        let id = id.ok_or_else(|| io::Error::other("the game has no process id"))?;
        if let Some(screen) = child.stdout.take() {
            tokio::spawn(count_frames(screen, frames));
        }
        Ok(Self { child, id })
    }

    /// The process id, which is the process group's too.
    pub(super) fn id(&self) -> Pid {
        self.id
    }

    /// Returns once the game has ended by itself. It can be dropped and asked again.
    pub(super) async fn exited(&mut self) {
        if let Err(error) = self.child.wait().await {
            tracing::warn!(%error, "the game cannot be waited for");
        }
    }

    /// Kills whatever is left of the game.
    pub(super) async fn kill(mut self) {
        self.kill_group();
        self.exited().await;
    }

    /// Nobody is left in the group if the game ended and had started nothing: that is no error.
    fn kill_group(&self) {
        kill_process_group(self.id, Signal::KILL).ok();
    }
}

impl Drop for Game {
    fn drop(&mut self) {
        self.kill_group();
    }
}

fn log_file(path: &Path) -> io::Result<Stdio> {
    Ok(File::create(path)?.into())
}

async fn count_frames(mut screen: ChildStdout, frames: Arc<AtomicU64>) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = screen.read(&mut buffer).await {
        frames.fetch_add(count as u64, Ordering::Relaxed);
    }
}
