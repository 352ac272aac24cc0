//! `crash-capture reindex`: asks index-export to index exports again, by `reindex/` objects, at a pace that leaves room for
//! what arrives meanwhile.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use crash_capture::layout::{self, REINDEX};
use crash_capture::record::{Record, State, TRIAGE_VERSION};
use crash_capture::service::ServiceError;
use futures_util::TryStreamExt as _;
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};

use crate::captures::{Capture, Captures, Filter, Recorded, SessionArgument};
use crate::failure::Failure;
use crate::format::counted;
use crate::output::{Output, note};

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("which").args(["session", "since", "until", "older_than_triage"]).required(true).multiple(true))]
pub(crate) struct Arguments {
    /// This session: its id or the beginning of it, group/id, or its ARN
    #[arg(conflicts_with_all = ["since", "until", "older_than_triage", "resume"])]
    session: Option<SessionArgument>,
    #[command(flatten)]
    filter: Filter,
    /// Only what was judged by an older version of triage than this command's [default: any]
    #[arg(long, value_name = "VERSION", num_args = 0..=1, default_missing_value = CURRENT)]
    older_than_triage: Option<u32>,
    /// Go on where an earlier run was ended: leave out what was asked for within the last day
    #[arg(long)]
    resume: bool,
    /// Only tell what would be indexed again
    #[arg(long)]
    dry_run: bool,
    /// How many a second; each costs an invocation of index-export, and competes with what arrives meanwhile
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    per_second: u32,
}

/// `TRIAGE_VERSION`, as a text.
const CURRENT: &str = "1";
const _: () = assert!(TRIAGE_VERSION == 1, "CURRENT says otherwise");

/// How far it is.
const PROGRESS: &str = "{spinner} {pos} exports asked for, {per_sec}, at {msg}";

/// What became of the records that were looked at.
#[derive(Debug, Default)]
struct Counts {
    asked: u64,
    /// Asked for already, by an earlier run.
    before: u64,
    /// They have no export, or it was to expire before today.
    without: u64,
}

/// Asks for exports to be indexed again.
pub(crate) async fn run(captures: &Captures, arguments: &Arguments, output: Output) -> Result<(), Failure> {
    let counts = match &arguments.session {
        Some(session) => one(captures, session, arguments, output).await?,
        None => many(captures, arguments, output).await?,
    };
    if output.is_json() {
        return Ok(());
    }
    let Counts { asked, before, without } = counts;
    let would = match (arguments.dry_run, asked) {
        (true, _) => "would be",
        (false, 1) => "is being",
        (false, _) => "are being",
    };
    output.text(&format!("{} {would} indexed again.", counted(asked, "export")))?;
    if before > 0 {
        output.text(&format!("{before} had been asked for within the last day."))?;
    }
    if without > 0 {
        let have = if without == 1 { "has" } else { "have" };
        output.text(&format!("{} {have} no export any more.", counted(without, "session")))?;
    }
    Ok(())
}

async fn one(
    captures: &Captures,
    session: &SessionArgument,
    arguments: &Arguments,
    output: Output,
) -> Result<Counts, Failure> {
    let export = match captures.find(session).await? {
        Capture::Settled(record) => export_of(&record)?,
        Capture::Open(_) => None,
    };
    let export = export.ok_or_else(|| {
        Failure::not_found(format!("{session} has no export: crash-capture show {session} tells why"))
    })?;
    ask(captures, &export, arguments, output).await?;
    Ok(Counts { asked: 1, ..Counts::default() })
}

async fn many(captures: &Captures, arguments: &Arguments, output: Output) -> Result<Counts, Failure> {
    let asked_before = if arguments.resume { requests(captures).await? } else { BTreeSet::new() };
    let mut records = pin!(captures.records(&arguments.filter));
    let mut turns = interval(Duration::from_secs(1) / arguments.per_second);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut counts, progress) = (Counts::default(), output.bar(None, PROGRESS));
    while let Some(recorded) = records.try_next().await? {
        if !arguments.is_old_enough(&recorded)? {
            continue;
        }
        let Some(export) = export_of(&recorded)? else {
            counts.without += 1;
            continue;
        };
        progress.set_message(recorded.name.date.to_string());
        if asked_before.contains(&layout::reindex_key(&export)) {
            counts.before += 1;
            continue;
        }
        if !arguments.dry_run {
            turns.tick().await;
        }
        if let Err(failure) = ask(captures, &export, arguments, output).await {
            progress.finish_and_clear();
            note(format!("{} were asked for; the same with --resume goes on from here.", counts.asked));
            return Err(failure);
        }
        counts.asked += 1;
        progress.set_position(counts.asked);
    }
    progress.finish_and_clear();
    Ok(counts)
}

impl Arguments {
    fn is_old_enough(&self, recorded: &Recorded) -> Result<bool, Failure> {
        let Some(version) = self.older_than_triage else { return Ok(true) };
        let record = parsed(recorded)?;
        let is_indexed = record.state == State::Indexed;
        Ok(is_indexed && record.judgement.triage_version.is_none_or(|judged| judged < version))
    }
}

/// The export that a record was made from, if it is in this bucket and has not expired.
fn export_of(recorded: &Recorded) -> Result<Option<String>, Failure> {
    let today = layout::utc_date(jiff::Timestamp::now());
    let export = parsed(recorded)?.export;
    Ok(export.filter(|it| it.expires_on.is_none_or(|day| day > today)).map(|export| export.key))
}

fn parsed(recorded: &Recorded) -> Result<Record, Failure> {
    serde_json::from_slice(&recorded.text).map_err(Failure::other)
}

async fn ask(
    captures: &Captures,
    export: &str,
    arguments: &Arguments,
    output: Output,
) -> Result<(), Failure> {
    if !arguments.dry_run {
        captures.store().request_reindex(export).await?;
    }
    if output.is_json() {
        return output.json(&json!({"export": export, "asked": !arguments.dry_run}));
    }
    if arguments.dry_run { output.text(export) } else { Ok(()) }
}

/// The requests that have not expired: those of the last day.
async fn requests(captures: &Captures) -> Result<BTreeSet<String>, Failure> {
    let mut keys = BTreeSet::new();
    let list = captures.s3().list_objects_v2().bucket(captures.bucket()).prefix(REINDEX);
    let mut pages = list.into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| ServiceError::new("ListObjectsV2", &error))?;
        keys.extend(page.contents().iter().filter_map(|object| object.key().map(ToOwned::to_owned)));
    }
    Ok(keys)
}
