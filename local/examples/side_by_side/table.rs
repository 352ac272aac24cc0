//! Numbers for people.

use std::time::Duration;

/// The middle one; of an even number, the lower of the two in the middle.
pub(crate) fn median<T: PartialOrd + Copy>(mut values: Vec<T>) -> Option<T> {
    values.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    values.get(values.len().saturating_sub(1) / 2).copied()
}

/// A row of a table in Markdown.
pub(crate) fn row(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

/// The head of a table in Markdown.
pub(crate) fn head(cells: &[&str]) -> String {
    format!("| {} |\n|{}", cells.join(" | "), " --- |".repeat(cells.len()))
}

/// Milliseconds: two digits that count, at least.
pub(crate) fn ms(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    if ms < 0.1 {
        "under 0.1 ms".to_owned()
    } else if ms < 10.0 {
        format!("{ms:.1} ms")
    } else {
        format!("{ms:.0} ms")
    }
}

/// How many times as long; nothing of what is too short to be compared.
pub(crate) fn times(time: Duration, of: Duration) -> String {
    if of < Duration::from_millis(1) {
        return String::new();
    }
    let ratio = time.as_secs_f64() / of.as_secs_f64();
    if ratio < 10.0 { format!("{ratio:.1}") } else { format!("{ratio:.0}") }
}

/// Megabytes, of a million bytes.
pub(crate) fn mb(bytes: u64) -> String {
    let (whole, thousandths) = (bytes / 1_000_000, bytes % 1_000_000 / 1_000);
    if whole < 100 { format!("{whole}.{:02} MB", thousandths / 10) } else { format!("{whole} MB") }
}

/// Mebibytes of memory.
pub(crate) fn mib(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "?".to_owned(), |bytes| format!("{} MiB", bytes.div_ceil(1 << 20)))
}
