//! The captures at a glance.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

use super::Played;

/// Columns of a terminal, as wide as most are.
const WIDTH: u16 = 120;

/// A table of what became of the sessions: verdict, why, where it crashed, size, and what reading took.
#[must_use]
pub fn table(played: &[Played]) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH);
    table.set_header(["the game", "session", "verdict", "why", "where it crashed", "zip", "GETs", "read"]);
    for Played { chapter, session, record, reads } in played {
        let text =
            |pointer: &str| record.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let verdict = if record["verdict"].is_string() { text("/verdict") } else { text("/state") };
        let place = match (text("/exception/module"), text("/exception/offset")) {
            (module, offset) if offset.is_empty() => module,
            (module, offset) => format!("{}\n{module}+{offset}", text("/exception/type")),
        };
        let (size, read) = (record.pointer("/export/size").and_then(Value::as_u64), reads.1);
        table.add_row([
            chapter.title().to_owned(),
            session.id.clone(),
            verdict,
            text("/reason/detail"),
            place,
            size.map(kib).unwrap_or_default(),
            size.map(|_| reads.0.to_string()).unwrap_or_default(),
            size.map(|_| kib(read)).unwrap_or_default(),
        ]);
    }
    table.to_string()
}

/// Where the report of each session lies, a line each, in a bucket that lies there.
#[must_use]
pub fn reports(played: &[Played], bucket: &str) -> String {
    let line = |Played { chapter, record, .. }: &Played| {
        let key = record.pointer("/report/key").and_then(Value::as_str).unwrap_or("none");
        format!("  {:<16}{bucket}/{key}", chapter.title())
    };
    played.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn kib(bytes: u64) -> String {
    format!("{} KiB", bytes.div_ceil(1024))
}
