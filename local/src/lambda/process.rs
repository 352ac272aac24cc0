//! The processes that execution environments are.

use std::fs;
use std::io;
use std::process::ExitStatus;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::param::clock_ticks_per_second;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::streams::process_ticks;

/// How long a process may take to end after SIGTERM.
const GRACE: Duration = Duration::from_millis(300);

/// Starts processes from a thread of its own.
///
/// On Linux a process is told to die with its parent, and that means: with the *thread* that started it. Threads of an
/// asynchronous runtime come and go; this one lives exactly as long as somebody holds it.
#[derive(Debug)]
pub(super) struct Spawner {
    commands: mpsc::Sender<(Command, oneshot::Sender<io::Result<Child>>)>,
}

impl Spawner {
    /// Has to be called within an asynchronous runtime.
    pub(super) fn start() -> io::Result<Self> {
        let (commands, receiver) = mpsc::channel::<(Command, oneshot::Sender<io::Result<Child>>)>();
        let runtime = Handle::current();
        thread::Builder::new().name("environments".into()).spawn(move || {
            let _context = runtime.enter();
            for (mut command, reply) in receiver {
                die_with_this_thread(&mut command);
                // If nobody waits any more, the child is dropped, and killed.
                reply.send(command.spawn()).ok();
            }
        })?;
        Ok(Self { commands })
    }

    pub(super) async fn spawn(&self, mut command: Command) -> io::Result<Child> {
        command.kill_on_drop(true);
        let (reply, child) = oneshot::channel();
        let gone = || io::Error::other("the thread that starts processes has ended");
        self.commands.send((command, reply)).map_err(|_| gone())?;
        child.await.map_err(|_| gone())?
    }
}

#[cfg(target_os = "linux")]
fn die_with_this_thread(command: &mut Command) {
    use rustix::process::{getpid, getppid, set_parent_process_death_signal};

    let parent = getpid();
    let arrange = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // It could have died before.
        if getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    };
    #[expect(
        unsafe_code,
        reason = "runs between fork and exec, where two system calls that do not allocate are allowed"
    )]
    // SAFETY: `arrange` makes two system calls and neither allocates nor takes a lock.
    unsafe {
        command.pre_exec(arrange);
    }
}

/// Elsewhere a process ends by itself once the runtime API does not answer any more.
#[cfg(not(target_os = "linux"))]
fn die_with_this_thread(_: &mut Command) {}

/// Ends the process: SIGTERM, and SIGKILL if that does not help.
pub(super) async fn terminate(child: &mut Child) -> io::Result<ExitStatus> {
    if let Some(pid) = child.id().and_then(|id| id.try_into().ok()).and_then(Pid::from_raw) {
        // It may have ended just now.
        kill_process(pid, Signal::TERM).ok();
    }
    match tokio::time::timeout(GRACE, child.wait()).await {
        Ok(status) => status,
        Err(_) => kill(child).await,
    }
}

/// Kills the process and waits until it is gone.
pub(super) async fn kill(child: &mut Child) -> io::Result<ExitStatus> {
    child.start_kill().ok();
    child.wait().await
}

/// In Lambda's words: `exit status 1`, `signal: killed`; `None` for a process that ended well.
pub(super) fn describe(status: ExitStatus) -> Option<String> {
    use std::os::unix::process::ExitStatusExt;

    match (status.code(), status.signal()) {
        (Some(0), _) => None,
        (Some(code), _) => Some(format!("exit status {code}")),
        (None, Some(6)) => Some("signal: aborted".into()),
        (None, Some(9)) => Some("signal: killed".into()),
        (None, Some(11)) => Some("signal: segmentation fault".into()),
        (None, Some(15)) => Some("signal: terminated".into()),
        (None, signal) => Some(format!("signal: {}", signal.unwrap_or_default())),
    }
}

/// The most memory that the process has had, in bytes (`VmHWM`).
pub(super) fn max_memory(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id()?)).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// The processor time that the process has used: what its present threads have, exactly, or what all of them have had, by a clock
/// of 10 ms, whichever is more.
pub(super) fn processor_time(child: &Child) -> Option<Duration> {
    let process = format!("/proc/{}", child.id()?);
    let ticks = process_ticks(&fs::read_to_string(format!("{process}/stat")).ok()?)?;
    let ticks =
        Duration::from_secs(1) * u32::try_from(ticks).ok()? / u32::try_from(clock_ticks_per_second()).ok()?;
    // Nanoseconds on a processor come first (Documentation/scheduler/sched-stats.rst).
    let threads = fs::read_dir(format!("{process}/task")).into_iter().flatten().flatten();
    let present = threads.filter_map(|thread| {
        let stat = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        stat.split(' ').next()?.parse().map(Duration::from_nanos).ok()
    });
    Some(ticks.max(present.sum()))
}
