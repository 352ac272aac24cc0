//! Times, sizes and words, as people are shown them.

use anstyle::Style;
use jiff::Timestamp;

use crate::output::{BAD, DIM, DOUBTFUL, GOOD, PLAIN};

/// A time to the minute, in UTC.
pub(crate) fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// A time to the second, saying that it is UTC.
pub(crate) fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A size: `17 B`, `3.4 MiB`.
#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
pub(crate) fn size(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, "B");
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        (value, unit) = (value / 1024.0, larger);
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}

/// A share of a whole: `12.5 %`.
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
pub(crate) fn share(part: u64, whole: u64) -> String {
    if whole == 0 { String::new() } else { format!("{:.1} %", 100.0 * part as f64 / whole as f64) }
}

/// How a verdict, or the state of what has none, is shown.
pub(crate) fn style(word: &str) -> Style {
    match word {
        "crash" => BAD,
        "suspect" | "unreadable" | "missed" | "failed" => DOUBTFUL,
        "clean" => GOOD,
        "exited" => DIM,
        _ => PLAIN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_unit_that_keeps_them_short() {
        let sizes = [0, 1023, 1024, 1_572_864, 5_600_000_000].map(size);
        assert_eq!(sizes, ["0 B", "1023 B", "1.0 KiB", "1.5 MiB", "5.2 GiB"]);
    }

    #[test]
    fn nothing_has_no_share_of_nothing() {
        assert_eq!((share(1, 3), share(0, 0)), ("33.3 %".to_owned(), String::new()));
    }
}
