//! `crash-capture top`: which crashes happen most.

use std::collections::{BTreeSet, HashMap};
use std::pin::pin;

use futures_util::stream::TryStreamExt as _;
use jiff::Timestamp;
use serde::Serialize;

use crate::captures::{Captures, Filter, Summary};
use crate::failure::Failure;
use crate::format::{minute, share};
use crate::output::{BOLD, Cell, Column, Output, note};

/// How many builds a row names.
const BUILDS: usize = 3;

/// What to count.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    filter: Filter,
    /// How many signatures; 0 for all
    #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = 20)]
    limit: usize,
}

/// A crash that happened at least once. Signatures are scoped by their application.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Top {
    application_id: String,
    signature: String,
    title: String,
    count: u64,
    /// Of the crashes that were counted.
    share: f64,
    /// Of those that were counted.
    first_seen: Option<Timestamp>,
    last_seen: Option<Timestamp>,
    builds: BTreeSet<String>,
    /// The session that crashed like this last.
    last_session: String,
}

/// Counts crashes by their signatures.
pub(crate) async fn run(captures: &Captures, arguments: &Arguments, output: Output) -> Result<(), Failure> {
    let mut records = pin!(captures.records(&arguments.filter));
    let mut signatures: HashMap<(String, String), Top> = HashMap::new();
    let mut total = 0;
    let search = output.search();
    while let Some(record) = records.try_next().await? {
        search.found();
        total += u64::from(count(&mut signatures, record.summary));
    }
    drop(search);
    let mut top: Vec<Top> = signatures.into_values().collect();
    top.sort_by(|one, other| {
        (other.count, other.last_seen, &one.signature).cmp(&(one.count, one.last_seen, &other.signature))
    });
    if arguments.limit > 0 {
        top.truncate(arguments.limit);
    }
    for it in &mut top {
        it.share = proportion(it.count, total);
    }
    if output.is_json() {
        return top.iter().try_for_each(|it| output.json(it));
    }
    if top.is_empty() {
        note("There is no crash with a signature.");
        return Ok(());
    }
    output.rows(COLUMNS, top.iter().map(|it| row(it, total)))
}

/// Takes a record into account; says whether it is a crash that has a signature.
fn count(signatures: &mut HashMap<(String, String), Top>, summary: Summary) -> bool {
    let build = summary.build().map(ToOwned::to_owned);
    let Summary { session, signature: Some(signature), .. } = summary else { return false };
    let application = session.application_id.unwrap_or_default();
    let top = signatures.entry((application, signature.id)).or_insert_with_key(|(application, id)| Top {
        application_id: application.clone(),
        signature: id.clone(),
        title: String::new(),
        count: 0,
        share: 0.0,
        first_seen: session.created_at,
        last_seen: None,
        builds: BTreeSet::new(),
        last_session: String::new(),
    });
    top.count += 1;
    top.first_seen = top.first_seen.min(session.created_at);
    top.builds.extend(build);
    if session.created_at >= top.last_seen {
        (top.last_seen, top.last_session, top.title) = (session.created_at, session.id, signature.title);
    }
    true
}

#[expect(clippy::cast_precision_loss, reason = "a share need not be exact to the last digit")]
fn proportion(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

const COLUMNS: [Column; 8] = [
    Column::number("crashes"),
    Column::number("share"),
    Column::whole("signature"),
    Column::whole("first (UTC)"),
    Column::whole("last (UTC)"),
    Column::ending("builds"),
    Column::optional("application"),
    Column::text("what"),
];

fn row(top: &Top, total: u64) -> [Cell; 8] {
    let mut builds: Vec<&str> = top.builds.iter().rev().take(BUILDS).map(String::as_str).collect();
    if top.builds.len() > BUILDS {
        builds.push("…");
    }
    [
        top.count.to_string().into(),
        share(top.count, total).into(),
        Cell::styled(BOLD, &top.signature),
        top.first_seen.map(minute).unwrap_or_default().into(),
        top.last_seen.map(minute).unwrap_or_default().into(),
        builds.join(", ").into(),
        top.application_id.as_str().into(),
        top.title.as_str().into(),
    ]
}
