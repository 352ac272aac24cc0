//! A real crash reporter: when the game crashes, another process writes a minidump of it.
//!
//! The game starts its own executable again as the monitor, with one end of a socket pair as the monitor's standard
//! input. Its signal handler does nothing but send the crash's context there and wait for a byte; the monitor stops
//! the game's threads, writes the dump and the log's last lines, and answers. Then the signal takes its usual course.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

use crash_context::CrashContext;
use crash_handler::CrashHandler;
use minidump_writer::minidump_writer::MinidumpWriterConfig;
use minidump_writer::minidump_writer::errors::WriterError;

use super::log::Log;
use super::{PROJECT, saved_folder};

/// The argument with which the game's executable becomes the monitor. Two paths follow: the folder to write the dump
/// to, and the log.
pub const MONITOR_ARGUMENT: &str = "--crash-monitor";

/// The dump's file name, which is Unreal's.
const DUMP: &str = "UEMinidump.dmp";

/// Why there is no crash reporter, or no dump.
#[derive(Debug, thiserror::Error)]
pub enum ReporterError {
    /// The monitor could not be started or reached, or a file could not be written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The signal handlers could not be installed.
    #[error("the signal handlers could not be installed: {0}")]
    Handler(#[from] crash_handler::Error),
    /// The game could not be dumped.
    #[error("the game could not be dumped: {0}")]
    Dump(#[from] Box<WriterError>),
    /// What came over the socket is no crash context.
    #[error("the message is not a crash's context")]
    Context,
}

/// Starts the monitor and installs the signal handlers. The reporter works for as long as the handler lives.
pub fn attach(profile: &Path, log: &Log) -> Result<CrashHandler, ReporterError> {
    let unique = uuid::Uuid::new_v4().simple().to_string().to_uppercase();
    let folder = saved_folder(profile)
        .join("Crashes")
        .join(format!("crashinfo-{PROJECT}-pid-{}-{unique}", std::process::id()));
    let (game, monitor) = UnixStream::pair()?;
    Command::new(std::env::current_exe()?)
        .arg(MONITOR_ARGUMENT)
        .arg(folder)
        .arg(log.path())
        .stdin(OwnedFd::from(monitor))
        // The frames on standard output are the game's alone.
        .stdout(Stdio::null())
        .spawn()?;
    let report = move |context: &CrashContext| {
        let reported = (&game).write_all(context.as_bytes()).and_then(|()| (&game).read(&mut [0]));
        reported.is_ok().into()
    };
    #[expect(
        unsafe_code,
        reason = "a signal handler: it allocates nothing, it only writes and reads a socket"
    )]
    let event = unsafe { crash_handler::make_crash_event(report) };
    Ok(CrashHandler::attach(event)?)
}

/// Waits for the game to crash, and reports it: the dump into `folder`, and the log's last lines.
///
/// Returns without having written anything when the game ends in any other way.
pub fn monitor(folder: &Path, log: &Path) -> Result<(), ReporterError> {
    let mut game = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut message = vec![0; size_of::<CrashContext>()];
    match game.read_exact(&mut message) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
        read => read?,
    }
    let mut context = CrashContext::from_bytes(&message).ok_or(ReporterError::Context)?;
    restore_fault_address(&mut context);
    let address = context.siginfo.ssi_addr;
    write_dump(folder, context)?;
    Log::open(log)?.critical_error(address)?;
    game.write_all(&[0])?;
    Ok(())
}

/// The handler hands a `siginfo_t` on as a `signalfd_siginfo`. Where the former has the fault's address, the latter
/// has the user id and a file descriptor.
fn restore_fault_address(context: &mut CrashContext) {
    let low = u64::from(context.siginfo.ssi_uid);
    let high = u64::from(context.siginfo.ssi_fd.cast_unsigned());
    context.siginfo.ssi_addr = high << 32 | low;
}

fn write_dump(folder: &Path, context: CrashContext) -> Result<(), ReporterError> {
    fs::create_dir_all(folder)?;
    let mut dump = File::create(folder.join(DUMP))?;
    let mut writer = MinidumpWriterConfig::new(context.pid, context.tid);
    writer.set_crash_context(minidump_writer::CrashContextExt { inner: context });
    writer.write(&mut dump).map_err(Box::new)?;
    Ok(())
}
