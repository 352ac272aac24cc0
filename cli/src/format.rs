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

/// A share of a whole: `12.5 %`.
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
pub(crate) fn share(part: u64, whole: u64) -> String {
    if whole == 0 { String::new() } else { format!("{:.1} %", 100.0 * part as f64 / whole as f64) }
}

/// So many things: `1 export`, `2 exports`.
pub(crate) fn counted(count: u64, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
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
    fn nothing_has_no_share_of_nothing() {
        assert_eq!((share(1, 3), share(0, 0)), ("33.3 %".to_owned(), String::new()));
    }
}
