//! `crash-capture inspect`: what an exported zip holds, what was found, the verdict.

mod describe;
mod entries;

use std::io::{self, Write as _};
use std::path::Path;

use crash_capture::archive::{Archive, ArchiveError, Conflicts, Entry, FileSource, Source};
use crash_capture::record::{Judgement, SCHEMA, State};
use crash_capture::store::Store;
use crash_capture::triage::{self, Rules};
use crash_capture::verdict::{Ending, judge};
use serde::Serialize;

use crate::deployment::Deployment;
use crate::failure::Failure;
use crate::output::Output;

pub(crate) use self::entries::Listed;

/// What to print.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Form {
    /// List every file of the zip, too: in the record, as `entries`
    #[arg(long)]
    entries: bool,
}

/// What is told of a zip.
struct Told {
    judgement: Judgement,
    entries: Option<Vec<Listed>>,
}

/// Inspects a zip, a local file or `s3://bucket/key`, and prints what is found.
pub(crate) async fn run(
    zip: &str,
    form: Form,
    deployment: &Deployment,
    output: Output,
) -> Result<(), Failure> {
    let told = match zip.strip_prefix("s3://") {
        Some(object) => Box::pin(in_s3(object, form, deployment)).await,
        None => in_file(Path::new(zip), form).await,
    };
    let told = told.map_err(|failure| failure.about(zip))?;
    let text = if output.is_json() {
        record(told)?
    } else {
        describe::describe(&told.judgement, told.entries.as_deref())
    };
    io::stdout().write_all(text.as_bytes()).map_err(|error| Failure::printing(&error))
}

async fn in_file(file: &Path, form: Form) -> Result<Told, Failure> {
    let source = FileSource::open(file).map_err(Failure::other)?;
    examine(&source, Some(source.size()), form).await
}

/// Reads an object by ranges, as index-export does.
async fn in_s3(object: &str, form: Form, deployment: &Deployment) -> Result<Told, Failure> {
    let (bucket, key) = object
        .split_once('/')
        .filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty())
        .ok_or_else(|| Failure::usage("expected s3://bucket/key"))?;
    let store = Store::new(aws_sdk_s3::Client::new(&deployment.sdk_config().await?), bucket);
    Box::pin(examine(&store.export_reader(key, None, None), None, form)).await
}

/// Nothing is known of the session, so the verdict is that of the files alone.
async fn examine<S>(source: &S, size: Option<u64>, form: Form) -> Result<Told, Failure>
where
    S: Source<Error: std::fmt::Display>,
{
    let rules = Rules::default();
    let findings = Box::pin(triage::examine(source, size, None, &rules)).await.map_err(Failure::reading)?;
    let entries = if form.entries { Some(list(source, size).await.map_err(Failure::reading)?) } else { None };
    Ok(Told { judgement: judge(findings, &Ending::default(), &[]), entries })
}

/// All entries, each with all that is odd about it.
pub(crate) async fn list<S: Source>(
    source: &S,
    size: Option<u64>,
) -> Result<Vec<Listed>, ArchiveError<S::Error>> {
    let (mut entries, mut conflicts): (Vec<Entry>, _) = (Vec::new(), Conflicts::default());
    Archive::open(source, size, None, |entry| {
        conflicts.add(entry);
        entries.push(entry.clone());
    })
    .await?;
    let conflicting = conflicts.find();
    Ok(entries.iter().map(|entry| Listed::new(entry, &conflicting)).collect())
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
    serde_json::to_string(&record).map(|line| line + "\n").map_err(Failure::other)
}
