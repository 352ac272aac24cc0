//! `crash-capture inspect`: what an exported zip holds, what was found, the verdict.

mod describe;
mod entries;

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use crash_capture::archive::{Archive, ArchiveError, Conflicts, Entry, FileSource, Source};
use crash_capture::aws::sdk_config;
use crash_capture::record::{Judgement, SCHEMA, State};
use crash_capture::store::Store;
use crash_capture::triage::{self, Rules};
use crash_capture::verdict::{Ending, judge};
use serde::Serialize;

use self::entries::Listed;

/// What to print.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Form {
    /// Print the record as JSON, on one line, as index-export would write it, without what only the session could tell.
    #[arg(long)]
    json: bool,
    /// List every file of the zip, too: in the record, as `entries`.
    #[arg(long)]
    entries: bool,
}

/// Why nothing can be told of a zip.
#[derive(Debug)]
enum Failure {
    /// The zip cannot be read.
    Unreadable(String),
    /// It cannot be had, or what was told cannot be printed.
    Other(String),
}

/// What is told of a zip.
struct Told {
    judgement: Judgement,
    entries: Option<Vec<Listed>>,
}

/// Inspects a zip, a local file or `s3://bucket/key`, and prints what is found.
pub(crate) async fn run(zip: &str, form: Form) -> ExitCode {
    let result = match zip.strip_prefix("s3://") {
        Some(object) => Box::pin(in_s3(object, form)).await,
        None => in_file(Path::new(zip), form).await,
    };
    let failure = match result.and_then(|told| print(told, form)) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(failure) => failure,
    };
    let (message, code) = match failure {
        Failure::Unreadable(message) => (message, ExitCode::from(2)),
        Failure::Other(message) => (message, ExitCode::FAILURE),
    };
    writeln!(io::stderr(), "crash-capture: {zip}: {message}").ok();
    code
}

async fn in_file(file: &Path, form: Form) -> Result<Told, Failure> {
    let source = FileSource::open(file).map_err(other)?;
    examine(&source, Some(source.size()), form).await
}

/// Reads an object by ranges, as index-export does, with the credentials and the Region of the environment.
async fn in_s3(object: &str, form: Form) -> Result<Told, Failure> {
    let (bucket, key) = object
        .split_once('/')
        .filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty())
        .ok_or_else(|| Failure::Other("expected s3://bucket/key".to_owned()))?;
    let store = Store::new(aws_sdk_s3::Client::new(&sdk_config().await), bucket);
    Box::pin(examine(&store.export_reader(key, None, None), None, form)).await
}

/// Nothing is known of the session, so the verdict is that of the files alone.
async fn examine<S>(source: &S, size: Option<u64>, form: Form) -> Result<Told, Failure>
where
    S: Source<Error: std::fmt::Display>,
{
    let rules = Rules::default();
    let findings = Box::pin(triage::examine(source, size, None, &rules)).await.map_err(failure)?;
    let entries = if form.entries { Some(list(source, size).await.map_err(failure)?) } else { None };
    Ok(Told { judgement: judge(findings, &Ending::default(), &[]), entries })
}

/// All entries, each with all that is odd about it.
async fn list<S: Source>(source: &S, size: Option<u64>) -> Result<Vec<Listed>, ArchiveError<S::Error>> {
    let (mut entries, mut conflicts): (Vec<Entry>, _) = (Vec::new(), Conflicts::default());
    Archive::open(source, size, None, |entry| {
        conflicts.add(&entry);
        entries.push(entry);
    })
    .await?;
    let conflicting = conflicts.find();
    Ok(entries.iter().map(|entry| Listed::new(entry, &conflicting)).collect())
}

fn print(told: Told, form: Form) -> Result<(), Failure> {
    let text =
        if form.json { record(told)? } else { describe::describe(&told.judgement, told.entries.as_deref()) };
    io::stdout().write_all(text.as_bytes()).map_err(other)
}

/// A record without what only the session could tell.
#[derive(Serialize)]
struct Sessionless {
    schema: u32,
    state: State,
    #[serde(flatten)]
    judgement: Judgement,
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<Listed>>,
}

fn record(told: Told) -> Result<String, Failure> {
    let Told { judgement, entries } = told;
    let record = Sessionless { schema: SCHEMA, state: State::Indexed, judgement, entries };
    serde_json::to_string(&record).map(|line| line + "\n").map_err(other)
}

fn failure<E: std::fmt::Display>(error: ArchiveError<E>) -> Failure {
    match error {
        ArchiveError::NotAZip(_) | ArchiveError::DirectoryTooLong { .. } => {
            Failure::Unreadable(error.to_string())
        }
        error => other(error),
    }
}

fn other(error: impl std::fmt::Display) -> Failure {
    Failure::Other(error.to_string())
}
