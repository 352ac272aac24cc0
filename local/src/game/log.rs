//! The game's log, in the style of an Unreal game's.

use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{PROJECT, saved_folder};

/// A log file that is written line by line, so that what was said before a crash is on the disk.
#[derive(Debug)]
pub struct Log {
    file: File,
    path: PathBuf,
}

impl Log {
    /// Opens a new log below the profile folder, with the lines that begin each of Unreal's logs.
    pub fn create(profile: &Path) -> io::Result<Self> {
        let folder = saved_folder(profile).join("Logs");
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{PROJECT}.log"));
        let mut log = Self { file: File::create(&path)?, path };
        writeln!(log.file, "Log file open, {}", Timestamp::now().strftime("%m/%d/%y %H:%M:%S"))?;
        log.line(0, "LogInit: Display: Running engine for game: Skylark")?;
        log.line(0, "LogInit: Build: ++UE5+Release-5.3-CL-29314046")?;
        log.line(0, "LogInit: Engine Version: 5.3.2-29314046+++UE5+Release-5.3")?;
        log.line(0, "LogInit: Build Configuration: Development")?;
        Ok(log)
    }

    /// Opens an existing log to write on at its end.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: OpenOptions::new().append(true).open(path)?, path: path.to_owned() })
    }

    /// Where the log lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// One line, with the time and the frame's number (its last three digits) before it.
    pub fn line(&mut self, frame: u64, text: impl Display) -> io::Result<()> {
        let now = Timestamp::now().strftime("%Y.%m.%d-%H.%M.%S:%3f");
        writeln!(self.file, "[{now}][{:>3}]{text}", frame % 1000)
    }

    /// The lines with which a game says that it leaves on its own account.
    pub fn close(mut self, frame: u64) -> io::Result<()> {
        self.line(frame, "LogExit: Preparing to exit.")?;
        self.line(frame, "LogExit: Game engine shut down")?;
        self.line(frame, "LogExit: Exiting.")?;
        writeln!(self.file, "Log file closed, {}", Timestamp::now().strftime("%m/%d/%y %H:%M:%S"))
    }

    /// The lines that Unreal's own signal handler writes about an invalid read at `address`.
    pub fn critical_error(&mut self, address: u64) -> io::Result<()> {
        self.line(0, "LogCore: === Critical error: ===")?;
        writeln!(
            self.file,
            "Unhandled Exception: SIGSEGV: invalid attempt to read memory at address {address:#018x}\n"
        )?;
        self.line(0, "LogCore: Fatal error!")?;
        self.line(
            0,
            "LogCore: Engine crash handling finished; re-raising signal 11 for the default handler. Good bye.",
        )
    }
}
