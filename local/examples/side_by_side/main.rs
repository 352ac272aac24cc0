//! The functions, as they are deployed, side by side with what people would use instead: `benches/run`.
//!
//! Everything runs on this machine: S3, GameLift Streams and the Lambda runtime API in this process, and each of those that are compared
//! in a process of its own. What is counted (requests, bytes) is exact, as the services saw it. What is timed is worth as much as
//! the ratio to its neighbours, which took turns with it.

mod arming;
mod chart;
mod growth;
mod indexing;
mod money;
mod start_up;
mod table;
mod triage;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use world::Programs;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// index-export and its peers, on exports of six sizes.
    Indexing,
    /// From the start of a process to its first answer.
    StartUp,
    /// Sweeps over sessions: of ten thousand, and of ten.
    Arming,
    /// What index-export's triage takes: logs, dumps, a typical crash and a bad one.
    Triage,
    /// What a million sessions cost.
    Money,
    /// Time, requests and memory, as exports and sessions become more and larger.
    Growth,
}

/// Measures Crash Capture's functions beside what people would use instead.
#[derive(Debug, Parser)]
struct Arguments {
    /// The folder of the functions' release build.
    #[arg(long)]
    functions: PathBuf,
    /// The Python that has what benches/peers/requirements.txt names.
    #[arg(long)]
    python: PathBuf,
    /// The folder of the peers.
    #[arg(long)]
    peers: PathBuf,
    /// Where the chart of the growth goes.
    #[arg(long)]
    chart: Option<PathBuf>,
    /// How often each is measured.
    #[arg(long, default_value_t = 3)]
    repetitions: u32,
    /// Which exports are indexed.
    #[arg(long, value_delimiter = ',', default_value = "s,m,a,b,c,d")]
    exports: Vec<String>,
    /// Which programs index them: index-export, reading, plan, remote, full; all, unless some are named.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// What is measured; everything, unless something is named.
    #[arg(value_enum)]
    parts: Vec<Part>,
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "that is where mistakes belong")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("side_by_side: {error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "that is what it is for")]
async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { functions, python, peers, chart, repetitions, exports, only, parts } = arguments;
    let programs = Programs { functions, python, peers };
    let is_wanted = |part| parts.is_empty() || parts.contains(&part);
    if is_wanted(Part::StartUp) {
        println!("\n### Start-up");
        Box::pin(start_up::run(&programs, repetitions * 4)).await?;
    }
    if is_wanted(Part::Indexing) {
        println!("\n### Indexing");
        Box::pin(indexing::run(&programs, &exports, &only, repetitions)).await?;
    }
    if is_wanted(Part::Arming) {
        println!("\n### Arming");
        for sessions in [10, 10_000] {
            Box::pin(arming::run(&programs, sessions)).await?;
        }
    }
    if is_wanted(Part::Triage) {
        println!("\n### Triage");
        Box::pin(triage::run(&programs, repetitions)).await?;
    }
    if is_wanted(Part::Money) {
        println!("\n### Money");
        Box::pin(money::run(&programs)).await?;
    }
    if is_wanted(Part::Growth) {
        println!("\n### Growth");
        Box::pin(growth::run(&programs, chart.as_deref())).await?;
    }
    Ok(())
}
