//! The demo: four games are streamed, and what became of each is shown and checked.

mod checks;
mod narrator;
mod story;
mod table;

pub use checks::Difference;
pub use story::{Chapter, Played, play};
pub use table::{reports, table};

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use crate::cloud::Options;
use crate::eventbridge::Schedules;

/// How long a minute lasts in the demo: a sweep every two seconds.
const MINUTE: Duration = Duration::from_secs(2);

/// A folder for a run of the demo below cargo's target folder. Those of earlier runs that are over are removed.
pub fn folder() -> io::Result<PathBuf> {
    let executable = std::env::current_exe()?;
    let target = executable.ancestors().nth(2).unwrap_or(Path::new("."));
    let runs = target.join("demo");
    for run in fs::read_dir(&runs).into_iter().flatten().flatten() {
        if !Path::new("/proc").join(run.file_name()).exists() {
            fs::remove_dir_all(run.path()).ok();
        }
    }
    let folder = runs.join(std::process::id().to_string());
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The local cloud of the demo: like the real one, but in a hurry.
#[must_use]
pub fn options(folder: &Path) -> Options {
    let mut options = Options::new(folder);
    options.schedules = Schedules::Running { minute: MINUTE };
    // One pass for each of its minutes.
    options.parameters.insert("SweepEverySeconds".to_owned(), "60".to_owned());
    options.timings.activating = Duration::from_secs(1);
    // A client of `--serve` starts sessions without connecting to them; they shall live for ten minutes.
    options.timings.connection_timeout = Duration::from_mins(15);
    options.build_output = true;
    options
}
