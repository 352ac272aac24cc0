//! `crash-capture missed`: which sessions were not captured, why, and what to do about it.

use std::collections::HashMap;
use std::pin::pin;

use futures_util::stream::TryStreamExt as _;
use jiff::Timestamp;
use serde::Serialize;

use crate::captures::{Captures, Filter, Summary};
use crate::failure::Failure;
use crate::format::{minute, share, style};
use crate::output::{BOLD, Cell, Column, Output, note};

/// Which sessions to look at.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    filter: Filter,
}

/// Sessions that were not captured, for one reason.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Missed {
    reason: String,
    state: String,
    count: u64,
    /// The last of them.
    last_seen: Option<Timestamp>,
    last_session: String,
    last_detail: String,
    advice: &'static str,
}

/// Counts the sessions that were not captured, by the reason.
pub(crate) async fn run(captures: &Captures, arguments: &Arguments, output: Output) -> Result<(), Failure> {
    let mut records = pin!(captures.records(&arguments.filter));
    let mut reasons: HashMap<(String, String), Missed> = HashMap::new();
    let mut total: u64 = 0;
    let search = output.search();
    while let Some(record) = records.try_next().await? {
        search.found();
        total += 1;
        count(&mut reasons, record.summary);
    }
    drop(search);
    let mut missed: Vec<Missed> = reasons.into_values().collect();
    missed.sort_by(|one, other| (other.count, &one.reason).cmp(&(one.count, &other.reason)));
    if output.is_json() {
        return missed.iter().try_for_each(|it| output.json(it));
    }
    print(&missed, total, output)
}

fn count(reasons: &mut HashMap<(String, String), Missed>, summary: Summary) {
    if summary.state == "indexed" {
        return;
    }
    let Summary { state, reason, session, .. } = summary;
    let (code, detail) = reason.map_or_else(Default::default, |reason| (reason.code, reason.detail));
    let missed = reasons.entry((state, code)).or_insert_with_key(|(state, code)| Missed {
        reason: code.clone(),
        state: state.clone(),
        count: 0,
        last_seen: None,
        last_session: String::new(),
        last_detail: String::new(),
        advice: advice(code),
    });
    missed.count += 1;
    if session.created_at >= missed.last_seen {
        (missed.last_seen, missed.last_session, missed.last_detail) =
            (session.created_at, session.id, detail);
    }
}

fn print(missed: &[Missed], total: u64, output: Output) -> Result<(), Failure> {
    let count: u64 = missed.iter().map(|missed| missed.count).sum();
    if count == 0 {
        note(format!("All of {total} sessions were captured."));
        return Ok(());
    }
    output.rows(COLUMNS, missed.iter().map(|it| row(it, total)))?;
    output.text(&format!("\n{count} of {total} sessions were not captured ({}).", share(count, total)))?;
    for it in missed.iter().filter(|it| !it.advice.is_empty()) {
        output.text(&format!("\n{}: {}", output.paint(BOLD, &it.reason), it.advice))?;
    }
    Ok(())
}

const COLUMNS: [Column; 7] = [
    Column::number("sessions"),
    Column::number("share"),
    Column::whole("state"),
    Column::whole("reason"),
    Column::whole("last (UTC)"),
    Column::whole("session"),
    Column::text("what"),
];

fn row(missed: &Missed, total: u64) -> [Cell; 7] {
    [
        missed.count.to_string().into(),
        share(missed.count, total).into(),
        Cell::styled(style(&missed.state), &missed.state),
        Cell::styled(BOLD, &missed.reason),
        missed.last_seen.map(minute).unwrap_or_default().into(),
        missed.last_session.as_str().into(),
        missed.last_detail.as_str().into(),
    ]
}

/// What to do about a reason; `docs/record.md` has them all.
fn advice(code: &str) -> &'static str {
    match code {
        "never-armed" | "never-seen" => {
            "it was over before anybody looked. Let your backend tell of each session as it becomes active, and sweep more \
             often: SweepEverySeconds."
        }
        "never-started" => {
            "it ended in ERROR and never ran: nothing was lost. Look at the application's and the stream group's status."
        }
        "exported-elsewhere" => {
            "somebody requested its export before us. Let them export to below exports/ in our bucket, or copy it to there: then it is indexed."
        }
        "export-failed" => {
            "GameLift Streams could not write the export: its text says why. Mostly it is the bucket's policy or its KMS key."
        }
        "export-stuck" => {
            "GameLift Streams called the export pending for a day. Ask AWS Support, with the session's ARN."
        }
        "not-indexed" => {
            "its export is there. Look into the queue FailedInvocationsQueue and the log of index-export, then index it again."
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_advice_for_every_reason_that_is_documented() {
        let page = include_str!("../../docs/record.md");
        let section =
            page.split("## Why a session was not captured").nth(1).unwrap().split("\n## ").next().unwrap();
        let codes: Vec<_> =
            section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
        assert_eq!(codes.len(), 8, "the heading's row among them");
        for code in codes.into_iter().filter(|&code| code != "reason.code") {
            assert!(!advice(code).is_empty(), "{code}");
        }
    }
}
