//! `crash-capture list`: which sessions there are, and what became of them.

use std::cmp::Reverse;
use std::pin::pin;

use bytes::Bytes;
use futures_util::stream::TryStreamExt as _;
use jiff::Timestamp;

use crate::captures::{Captures, Filter, Open, Recorded, Summary};
use crate::failure::Failure;
use crate::format::{minute, style};
use crate::output::{BAD, BOLD, Cell, Column, DOUBTFUL, GOOD, Output, PLAIN, Table, note};

/// How many captures are listed where nobody says.
const LIMIT: usize = 50;

/// What to list.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    filter: Filter,
    /// The sessions that are not settled, instead: being watched, armed, or waited for
    #[arg(long, conflicts_with_all = ["verdict", "state", "signature", "build", "user"])]
    open: bool,
    /// How many; 0 for all
    #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = LIMIT)]
    limit: usize,
}

/// Lists captures, the newest first.
pub(crate) async fn run(captures: &Captures, arguments: &Arguments, output: Output) -> Result<(), Failure> {
    if arguments.open {
        open(captures, arguments, output).await
    } else {
        settled(captures, arguments, output).await
    }
}

async fn settled(captures: &Captures, arguments: &Arguments, output: Output) -> Result<(), Failure> {
    let mut records = pin!(captures.records(&arguments.filter));
    let mut newest = Newest::new(arguments.limit);
    let search = output.search();
    let mut table = Table::new(COLUMNS);
    let mut print = |records: Vec<Recorded>| {
        records.iter().try_for_each(|record| {
            if output.is_json() {
                return output.json_text(&record.text);
            }
            table.row(row(&record.summary));
            Ok(())
        })
    };
    while let Some(mut record) = records.try_next().await? {
        search.found();
        if !output.is_json() {
            record.text = Bytes::new();
        }
        if let Some(day) = newest.add(record) {
            print(day)?;
        }
        if newest.is_full() {
            break;
        }
    }
    print(newest.day())?;
    drop(search);
    if output.is_json() {
        return Ok(());
    }
    if table.is_empty() {
        note("There is no such capture.");
        return Ok(());
    }
    output.table(&table)?;
    if newest.left_out {
        note(format!("These are the newest {}; --limit shows more.", arguments.limit));
    }
    Ok(())
}

/// The newest records of a stream that is in the order of days. Of each day no more are kept than are wanted.
struct Newest {
    /// How many are still wanted.
    wanted: usize,
    day: Vec<Recorded>,
    left_out: bool,
}

impl Newest {
    /// So many; 0 means all.
    fn new(limit: usize) -> Self {
        Self { wanted: if limit == 0 { usize::MAX } else { limit }, day: Vec::new(), left_out: false }
    }

    /// Takes a record. Gives the day before, if it is over.
    fn add(&mut self, record: Recorded) -> Option<Vec<Recorded>> {
        let is_next = self.day.last().is_some_and(|last| last.name.date != record.name.date);
        let over = is_next.then(|| self.day());
        if self.is_full() {
            self.left_out = true;
            return over;
        }
        self.day.push(record);
        if self.day.len() > self.wanted.saturating_mul(2) {
            self.cut();
        }
        over
    }

    /// The day so far, the newest first.
    fn day(&mut self) -> Vec<Recorded> {
        self.cut();
        self.wanted -= self.day.len();
        std::mem::take(&mut self.day)
    }

    fn is_full(&self) -> bool {
        self.wanted == 0
    }

    fn cut(&mut self) {
        let created = |record: &Recorded| record.summary.session.created_at.unwrap_or(Timestamp::MIN);
        self.day.sort_by_key(|record| Reverse(created(record)));
        self.left_out |= self.day.len() > self.wanted;
        self.day.truncate(self.wanted);
    }
}

const COLUMNS: [Column; 7] = [
    Column::whole("created (UTC)"),
    Column::whole("verdict"),
    Column::whole("session"),
    Column::optional("application"),
    Column::ending("build"),
    Column::whole("signature"),
    Column::text("what"),
];

fn row(summary: &Summary) -> [Cell; 7] {
    let signature = summary.signature.as_ref();
    let is_new = signature.is_some_and(|signature| signature.first_seen == Some(true));
    [
        summary.session.created_at.map(minute).unwrap_or_default().into(),
        Cell::styled(style(summary.word()), summary.word()),
        Cell::styled(BOLD, &summary.session.id),
        summary.session.application_id.as_deref().unwrap_or_default().into(),
        summary.build().unwrap_or_default().into(),
        Cell::styled(if is_new { BOLD } else { PLAIN }, signature.map_or("", |signature| &signature.id)),
        summary.title().into(),
    ]
}

async fn open(captures: &Captures, arguments: &Arguments, output: Output) -> Result<(), Failure> {
    let mut open: Vec<Open> = pin!(captures.open(&arguments.filter)).try_collect().await?;
    open.sort_by_key(|open| Reverse(open.marker.session.created_at));
    if arguments.limit > 0 {
        open.truncate(arguments.limit);
    }
    if output.is_json() {
        return open.iter().try_for_each(|open| output.json_text(&open.text));
    }
    if open.is_empty() {
        note("No session is open.");
        return Ok(());
    }
    output.rows(OPEN_COLUMNS, open.iter().map(open_row))
}

const OPEN_COLUMNS: [Column; 6] = [
    Column::whole("created (UTC)"),
    Column::whole("session"),
    Column::optional("group"),
    Column::optional("application"),
    Column::whole("stage"),
    Column::text("what"),
];

fn open_row(open: &Open) -> [Cell; 6] {
    let session = &open.marker.session;
    let (stage, style, what) = stage(open);
    [
        session.created_at.map(minute).unwrap_or_default().into(),
        Cell::styled(BOLD, session.id.as_str()),
        session.stream_group_id.as_str().into(),
        session.application_id.as_ref().map_or("", |application| application.as_str()).into(),
        Cell::styled(style, stage),
        what.into(),
    ]
}

/// How far a session that is not settled has come, in a word and in a sentence.
pub(crate) fn stage(open: &Open) -> (&'static str, anstyle::Style, String) {
    let marker = &open.marker;
    match (&marker.denied, &marker.settling, marker.armed_at) {
        (Some(denied), _, _) => ("denied", BAD, denied.clone()),
        (_, Some(settling), _) => {
            let ended = minute(settling.ended_at);
            // Codes of our own are in small letters with dashes, the service's statuses in capitals.
            let found = match settling.found.as_str() {
                "no-export" => "no export of it is known yet".to_owned(),
                "unknown-session" => "GameLift Streams does not know it any more".to_owned(),
                status => format!("its export is {}", status.to_lowercase()),
            };
            ("ended", PLAIN, format!("at {ended}; {found}"))
        }
        (_, _, Some(at)) => ("armed", GOOD, format!("since {}", minute(at))),
        _ => ("seen", DOUBTFUL, format!("since {}, not armed yet", minute(marker.trigger.at))),
    }
}
