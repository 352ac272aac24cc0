//! `crash-capture files`: what a session's zip holds.

use crash_capture::report::size;

use crate::captures::{Captures, SessionArgument};
use crate::failure::Failure;
use crate::inspect::{self, Listed};
use crate::output::{Cell, Column, DOUBTFUL, Output, note};
use crate::pattern::Patterns;

/// Which files to list.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    /// The session: its id or the beginning of it, group/id, or its ARN
    session: SessionArgument,
    /// Only these: paths, folders, or globs (`*.dmp`, `profile/**/Logs/*`)
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
}

/// Lists the files of a session's zip.
pub(crate) async fn run(captures: &Captures, arguments: &Arguments, output: Output) -> Result<(), Failure> {
    let mut patterns = Patterns::new(&arguments.paths)?;
    let export = captures.export(&arguments.session).await?;
    let reader = export.reader(captures);
    let mut entries =
        Box::pin(inspect::list(&reader, Some(export.size))).await.map_err(|error| export.failure(error))?;
    entries.retain(|entry| patterns.take(&entry.path));
    if output.is_json() {
        entries.iter().try_for_each(|entry| output.json(entry))?;
    } else if entries.is_empty() && arguments.paths.is_empty() {
        note("The zip is empty.");
    } else if !entries.is_empty() {
        output.rows(COLUMNS, entries.iter().map(row))?;
    }
    patterns.all_matched()
}

const COLUMNS: [Column; 4] =
    [Column::number("size"), Column::whole("modified"), Column::text("path"), Column::whole("odd")];

fn row(entry: &Listed) -> [Cell; 4] {
    [
        size(entry.size).into(),
        entry.modified.as_deref().unwrap_or_default().into(),
        entry.path.as_str().into(),
        Cell::styled(DOUBTFUL, entry.flags.join(", ")),
    ]
}
