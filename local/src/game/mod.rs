//! The games that sessions run: what their executable (`src/bin/game.rs`), the service and the checks of the demo
//! have to agree on.
//!
//! A game writes what an Unreal game writes on Linux, below its profile folder:
//!
//! ```text
//! .config/Epic/Skylark/Saved/Logs/Skylark.log
//! .config/Epic/Skylark/Saved/SaveGames/Autosave.sav
//! .config/Epic/Skylark/Saved/Crashes/crashinfo-Skylark-pid-4242-3F…/UEMinidump.dmp
//! ```
//!
//! - [`log`]: the log file, in Unreal's style
//! - [`crash_reporter`]: a monitor process that writes a minidump when the game crashes

pub mod crash_reporter;
pub mod log;

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use goblin::elf::{Elf, program_header::PT_LOAD};

/// The game's project name.
pub const PROJECT: &str = "Skylark";

/// The name of the function in which the game crashes.
pub const CRASH_FUNCTION: &str = "apply_damage_to_shield";

/// The folder of everything that the game saves, below its profile folder.
#[must_use]
pub fn saved_folder(profile: &Path) -> PathBuf {
    profile.join(".config/Epic").join(PROJECT).join("Saved")
}

/// Why the crash function could not be located.
#[derive(Debug, thiserror::Error)]
pub enum CrashSiteError {
    /// The executable cannot be read.
    #[error("the executable cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The file is not a readable ELF image.
    #[error("not a readable ELF image: {0}")]
    Elf(#[from] goblin::error::Error),
    /// The symbol table does not name the function: the executable was stripped, or is another program.
    #[error("no symbol {CRASH_FUNCTION}: stripped, or not the game")]
    NoSymbol,
}

/// Where in its module [`CRASH_FUNCTION`] lies, as offsets from the module's base address: a dump of this very
/// executable's crash has its instruction pointer in this range.
///
/// The offsets move with each build.
pub fn crash_site(executable: &Path) -> Result<Range<u64>, CrashSiteError> {
    let image = fs::read(executable)?;
    let elf = Elf::parse(&image)?;
    let loaded = elf.program_headers.iter().filter(|header| header.p_type == PT_LOAD);
    let base = loaded.map(|header| header.p_vaddr).min().unwrap_or(0);
    let symbol = elf
        .syms
        .iter()
        .find(|symbol| symbol.is_function() && elf.strtab.get_at(symbol.st_name) == Some(CRASH_FUNCTION))
        .ok_or(CrashSiteError::NoSymbol)?;
    let start = symbol.st_value.saturating_sub(base);
    Ok(start..start.saturating_add(symbol.st_size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_executable_has_no_crash_site() {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        assert!(matches!(crash_site(&manifest), Err(CrashSiteError::Elf(_))));
    }

    #[test]
    fn another_program_has_no_crash_site() {
        let this_test = std::env::current_exe().expect("a test has an executable");
        assert!(matches!(crash_site(&this_test), Err(CrashSiteError::NoSymbol)));
    }
}
