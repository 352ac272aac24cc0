//! The executables that the local cloud runs: built by cargo, as they are when somebody builds them by hand. The functions
//! may also be those of a folder that the environment names, such as what `sam build` made.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, Once, PoisonError};

use serde_json::Value;

#[cfg(test)]
mod tests;

/// The environment variable that names a folder with the functions' executables, each under the name of its cargo
/// binary. Relative paths begin at the workspace. Without the variable cargo builds them.
pub const FUNCTIONS: &str = "CRASH_CAPTURE_FUNCTIONS";

/// Why there is no executable.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Cargo could not be started.
    #[error("cargo could not be started: {0}")]
    Cargo(#[from] std::io::Error),
    /// Cargo has said on standard error what is wrong.
    #[error("cargo could not build {0:?}")]
    Failed(Vec<String>),
    /// A folder was named that does not hold the function.
    #[error("{FUNCTIONS} names {}, where there is no executable {name}", .folder.display())]
    Missing {
        /// The function's cargo binary.
        name: String,
        /// The folder.
        folder: PathBuf,
    },
}

/// The folder of the workspace.
#[must_use]
pub fn workspace() -> &'static Path {
    let local = Path::new(env!("CARGO_MANIFEST_DIR"));
    local.parent().unwrap_or(local)
}

/// Makes cargo binaries of the workspace available; gives their paths by their names. The functions are those of the
/// folder that [`FUNCTIONS`] names, which is said on standard error once; everything else is built.
pub fn available(binaries: &[&str], progress: bool) -> Result<BTreeMap<String, PathBuf>, BuildError> {
    static SAID: Once = Once::new();
    let Some(folder) = std::env::var_os(FUNCTIONS) else { return build(binaries, progress) };
    let folder = workspace().join(folder);
    let (functions, others): (Vec<_>, Vec<_>) = binaries.iter().copied().partition(|name| is_function(name));
    let mut available = existing(&functions, &folder)?;
    // Past the test harness, which keeps the output of tests that pass.
    SAID.call_once(|| {
        writeln!(io::stderr(), "local cloud: the functions are those of {}", folder.display()).ok();
    });
    if !others.is_empty() {
        available.extend(build(&others, progress)?);
    }
    Ok(available)
}

/// Whether this binary is one of those that get deployed.
fn is_function(name: &str) -> bool {
    workspace().join("src/bin").join(name).with_extension("rs").is_file()
}

/// The executables of these names in a folder.
fn existing(names: &[&str], folder: &Path) -> Result<BTreeMap<String, PathBuf>, BuildError> {
    let existing = names.iter().map(|&name| {
        let path = folder.join(name);
        if path.is_file() {
            Ok((name.to_owned(), path))
        } else {
            Err(BuildError::Missing { name: name.to_owned(), folder: folder.to_owned() })
        }
    });
    existing.collect()
}

/// Builds cargo binaries of the workspace, in the profile of this process; gives their paths by their names.
///
/// Errors go to standard error, and cargo's progress too if it is wanted. Nothing is done for what is built already; this
/// process asks cargo once.
fn build(binaries: &[&str], progress: bool) -> Result<BTreeMap<String, PathBuf>, BuildError> {
    static BUILT: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if !binaries.iter().all(|name| built.contains_key(*name)) {
        built.extend(build_now(binaries, progress)?);
    }
    Ok(built.clone())
}

fn build_now(binaries: &[&str], progress: bool) -> Result<BTreeMap<String, PathBuf>, BuildError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--message-format", "json-render-diagnostics"]).current_dir(workspace());
    if !progress {
        command.arg("--quiet");
    }
    command.args(binaries.iter().flat_map(|name| ["--bin", name]));
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    for name in variables_of_this_package() {
        command.env_remove(name);
    }
    let output = command.stderr(Stdio::inherit()).output()?;
    let built: BTreeMap<_, _> = output.stdout.split(|byte| *byte == b'\n').filter_map(executable).collect();
    if output.status.success() && binaries.iter().all(|name| built.contains_key(*name)) {
        Ok(built)
    } else {
        Err(BuildError::Failed(binaries.iter().map(|name| (*name).to_owned()).collect()))
    }
}

/// What `cargo run` and `cargo test` tell a process of its own package. ring's build script takes a change of these for
/// a reason to build everything on top of it again.
fn variables_of_this_package() -> impl Iterator<Item = OsString> {
    let is_one = |name: &OsString| {
        let name = name.to_string_lossy();
        ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"].iter().any(|it| name.starts_with(it))
    };
    std::env::vars_os().map(|(name, _)| name).filter(is_one)
}

/// Name and path out of one of cargo's messages, if it tells of an executable.
fn executable(line: &[u8]) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_slice(line).ok()?;
    let path = message.get("executable")?.as_str()?;
    Some((message["target"]["name"].as_str()?.to_owned(), path.into()))
}
