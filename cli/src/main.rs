//! `crash-capture`: look at captures of crashed Amazon GameLift Streams sessions.
//!
//! Results go to standard output, everything else to standard error.
//!
//! - one module for each command
//! - `deployment`: which stack, and how it is reached
//! - `captures`: records, markers and zips in its bucket; filters, and how a session is found
//! - `output`, `format`: all that is printed
//! - `failure`: what goes wrong, and the exit codes
//! - `pattern`: which files of a zip are meant

mod arm;
mod captures;
mod delete;
mod deployment;
mod doctor;
mod failure;
mod files;
mod format;
mod get;
mod inspect;
mod list;
mod missed;
mod open;
mod output;
mod pattern;
mod reindex;
mod resolve;
mod show;
mod signature;
mod top;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;

use self::captures::SessionArgument;
use self::deployment::Deployment;
use self::failure::Failure;
use self::output::{Colour, Output};

/// Look at captures of crashed Amazon GameLift Streams sessions.
#[derive(Debug, Parser)]
#[command(name = "crash-capture", version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Print JSON, one object a line, for programs
    #[arg(long, global = true)]
    json: bool,
    /// When to use colours; automatic is on a terminal, unless `NO_COLOR` is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Colour,
    #[command(flatten)]
    deployment: Deployment,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 the command line or a zip makes no sense, 3 there is no such thing, 4 several are meant, \
5 doctor found something.";

#[derive(Debug, Subcommand)]
enum Command {
    /// List captures, the newest first
    List(list::Arguments),
    /// Show all that is known of a session
    Show {
        /// The session: its id or the beginning of it, group/id, or its ARN
        session: SessionArgument,
    },
    /// Print a link to a session's report, or zip, that works for a while
    Open(open::Arguments),
    /// List the files of a session's zip
    Files(files::Arguments),
    /// Get files out of a session's zip, or the zip
    Get(get::Arguments),
    /// Count crashes by signature, the most frequent first
    Top(top::Arguments),
    /// Count the sessions that were not captured, by reason, and tell what to do
    Missed(missed::Arguments),
    /// Ask for a live session's files when it ends, as the sweep does
    Arm {
        /// The session: its ARN, or group/id; its id, once it has been seen
        session: SessionArgument,
    },
    /// Index exports again: one, those of a time, or those that an older version of triage judged
    Reindex(reindex::Arguments),
    /// Delete everything that is kept of a session
    Delete(delete::Arguments),
    /// Call a signature mended: coming back in another build, it is a regression, and news
    Resolve(resolve::ResolveArguments),
    /// Tell nobody of a signature any more; it is recorded all the same
    Mute(resolve::MuteArguments),
    /// Look whether a deployment is well, and tell what to do
    Doctor,
    /// Tell what an exported zip holds and what happened, as index-export would
    Inspect {
        /// The zip, as GameLift Streams exported it: a file, or `s3://bucket/key`
        zip: String,
        #[command(flatten)]
        form: inspect::Form,
    },
    /// Tell the signature of a crash, which row of the table decided, and why
    Signature {
        /// Exported zips, or single files of a session: dumps, crash contexts, logs
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Print what makes a shell complete this command's names and options
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match Box::pin(run(arguments)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { command, json, color, deployment } = arguments;
    let output = Output::new(json, color);
    match command {
        Command::List(arguments) => list::run(&deployment.captures().await?, &arguments, output).await,
        Command::Show { session } => show::run(&deployment.captures().await?, &session, output).await,
        Command::Open(arguments) => open::run(&deployment.captures().await?, &arguments, output).await,
        Command::Files(arguments) => files::run(&deployment.captures().await?, &arguments, output).await,
        Command::Get(arguments) => get::run(&deployment.captures().await?, &arguments, output).await,
        Command::Top(arguments) => top::run(&deployment.captures().await?, &arguments, output).await,
        Command::Missed(arguments) => missed::run(&deployment.captures().await?, &arguments, output).await,
        Command::Arm { session } => arm::run(&deployment, &session, output).await,
        Command::Reindex(arguments) => {
            Box::pin(reindex::run(&deployment.captures().await?, &arguments, output)).await
        }
        Command::Delete(arguments) => {
            Box::pin(delete::run(&deployment.captures().await?, &arguments, output)).await
        }
        Command::Resolve(arguments) => {
            Box::pin(resolve::resolve(&deployment.captures().await?, &arguments, output)).await
        }
        Command::Mute(arguments) => {
            Box::pin(resolve::mute(&deployment.captures().await?, &arguments, output)).await
        }
        Command::Doctor => Box::pin(doctor::run(&deployment, output)).await,
        Command::Inspect { zip, form } => inspect::run(&zip, form, &deployment, output).await,
        Command::Signature { files } => signature::run(&files, output).await,
        Command::Completions { shell } => completions(shell),
    }
}

fn completions(shell: Shell) -> Result<(), Failure> {
    // A script is printed whole, or not at all.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "crash-capture", &mut script);
    io::stdout().write_all(&script).map_err(|error| Failure::printing(&error))
}
