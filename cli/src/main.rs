//! `crash-capture`: look at captures of crashed Amazon GameLift Streams sessions.
//!
//! Results go to standard output, everything else to standard error. Exit codes: 0, done; 1, it failed; 2, the zip cannot
//! be read, or the command line is wrong.

mod inspect;
mod signature;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Look at captures of crashed Amazon GameLift Streams sessions.
#[derive(Debug, Parser)]
#[command(name = "crash-capture", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tell what an exported zip holds and what happened, as index-export would.
    Inspect {
        /// The zip, as GameLift Streams exported it: a file, or `s3://bucket/key`.
        zip: String,
        #[command(flatten)]
        form: inspect::Form,
    },
    /// Tell the signature of a crash, which row of the table decided, and why.
    Signature {
        /// Exported zips, or single files of a session: dumps, crash contexts, logs.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Print one JSON object for each file, on one line.
        #[arg(long)]
        json: bool,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Inspect { zip, form } => inspect::run(&zip, form).await,
        Command::Signature { files, json } => signature::run(&files, json).await,
    }
}
