//! `cargo demo`: four games are streamed from the local cloud, and Crash Capture finds out what became of them.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use crash_capture_local::cloud::{APPLICATION, LocalCloud, STREAM_GROUP};
use crash_capture_local::demo::{self, Played};
use tokio::signal::unix::{SignalKind, signal};

type Error = Box<dyn std::error::Error>;

/// Streams four games from a cloud on this machine: one crashes, one exits, one crashes at once, one hangs. Shows what
/// Crash Capture makes of them, and checks it: the exit code is 1 if anything differs.
#[derive(Debug, Parser)]
#[command(name = "cargo demo")]
struct Arguments {
    /// Print the four records, one a line, and nothing else on standard output.
    #[arg(long)]
    json: bool,
    /// Keep everything running afterwards, for the AWS CLI or an SDK: prints the environment that these need, then the
    /// line `ready`; Ctrl-C ends it.
    #[arg(long)]
    serve: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            writeln!(io::stderr(), "cargo demo: {error}").ok();
            ExitCode::FAILURE
        }
    }
}

/// Says whether everything was as it should be.
async fn run(arguments: &Arguments) -> Result<bool, Error> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let folder = demo::folder()?;
    let cloud = LocalCloud::start(demo::options(&folder)).await?;
    let stopped = async {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    };
    let result = tokio::select! {
        result = show(&cloud, arguments) => result,
        () = stopped => Ok(true),
    };
    cloud.stop().await;
    result
}

async fn show(cloud: &LocalCloud, arguments: &Arguments) -> Result<bool, Error> {
    let mut out = io::stdout();
    if !arguments.json {
        writeln!(out, "The local cloud runs, with the stack of template.yaml deployed to it.\n")?;
    }
    let tell = |step: String| {
        if !arguments.json {
            writeln!(io::stdout(), "{step}").ok();
        }
    };
    let (played, differences) = Box::pin(demo::play(cloud, tell)).await?;
    if arguments.json {
        print_records(&mut out, &played)?;
    } else {
        let bucket = cloud.s3.place(&cloud.bucket);
        let (table, reports) = (demo::table(&played), demo::reports(&played, &bucket));
        writeln!(out, "\n{table}\n\nThe reports, for a browser:\n{reports}\n\nThe bucket lies in {bucket}")?;
    }
    for difference in &differences {
        writeln!(io::stderr(), "not as it should be: {difference}")?;
    }
    if arguments.serve {
        serve(cloud, &mut out)?;
        // Until a signal comes.
        std::future::pending::<()>().await;
    }
    Ok(differences.is_empty())
}

fn print_records(out: &mut impl Write, played: &[Played]) -> io::Result<()> {
    played.iter().try_for_each(|played| writeln!(out, "{}", played.record))
}

/// Prints what a client needs to know.
fn serve(cloud: &LocalCloud, out: &mut impl Write) -> io::Result<()> {
    let mut variables = cloud.client_environment();
    for (name, value) in [
        ("CAPTURE_BUCKET", cloud.bucket.as_str()),
        ("CRASH_CAPTURE_STACK", cloud.stack.name.as_str()),
        ("STREAM_GROUP", STREAM_GROUP),
        ("APPLICATION", APPLICATION),
    ] {
        variables.insert(name.to_owned(), value.to_owned());
    }
    for (name, value) in variables {
        writeln!(out, "export {name}={value}")?;
    }
    writeln!(out, "ready")?;
    out.flush()
}
