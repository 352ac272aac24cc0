//! `crash-capture get`: files out of a session's zip, by ranges, or the zip.
//!
//! The zip was written by a game, and a player had a hand in it. Nothing is written outside the target folder, whatever the names
//! in it are and whatever lies in the folder already.

mod download;
mod extract;
mod folder;
mod names;

use std::path::PathBuf;

use crash_capture::report::size;
use serde::Serialize;

use crate::captures::{Captures, SessionArgument};
use crate::failure::Failure;
use crate::output::{Output, harmless, note};

use self::folder::Folder;

/// What to get, and where to.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    /// The session: its id or the beginning of it, group/id, or its ARN
    session: SessionArgument,
    /// Only these files: paths, folders, or globs (`*.dmp`, `profile/**/Logs/*`); without any, the zip itself
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
    /// The folder to write to [default: one named after the session for files, the current one for the zip]
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
    /// Replace what is there already
    #[arg(long)]
    overwrite: bool,
}

/// A file that was written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    /// Its path in the zip, made harmless; nothing for the zip itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// Where it is.
    file: PathBuf,
    /// Its size in bytes.
    size: u64,
}

/// Gets files of a session, or its zip.
pub(crate) async fn run(captures: &Captures, arguments: &Arguments, output: Output) -> Result<(), Failure> {
    let export = captures.export(&arguments.session).await?;
    let folder = |usual: &str| {
        Folder::new(arguments.to.clone().unwrap_or_else(|| PathBuf::from(usual)), arguments.overwrite)
    };
    if arguments.paths.is_empty() {
        let written = Box::pin(download::run(captures, &export, &folder(""), output)).await?;
        return written.print(output);
    }
    let folder = folder(export.session.as_str());
    Box::pin(extract::run(captures, &export, &arguments.paths, &folder, output)).await
}

impl Written {
    fn print(&self, output: Output) -> Result<(), Failure> {
        if output.is_json() {
            return output.json(self);
        }
        let file = self.file.display().to_string();
        output.text(&format!("{}  {}", harmless(&file), size(self.size)))
    }
}

/// Says that a file has another name than in the zip.
fn tell_of_new_name(path: &str, file: &std::path::Path) {
    note(format!("{path} is written as {}", file.display()));
}
