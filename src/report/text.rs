//! Sizes, times and texts, for people.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

/// A number of bytes in the unit that suits it, with three digits.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut amount = bytes as f64;
    let mut unit = "B";
    for next in UNITS {
        // What would be shown as 1000 of a unit is 1 of the next.
        if amount < 999.5 {
            break;
        }
        (amount, unit) = (amount / 1000.0, next);
    }
    let digits = if amount < 9.995 { 2 } else { usize::from(amount < 99.95) };
    format!("{amount:.digits$} {unit}")
}

/// A number, its digits in groups of three.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number of things: `1 file`, `2 files`.
pub(super) fn count(count: u64, thing: &str) -> String {
    format!("{} {thing}{}", number(count), if count == 1 { "" } else { "s" })
}

/// A time span in words: `12 s`, `28 min 59 s`, `3 h 2 min`.
#[must_use]
pub fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes} min {} s", seconds % 60),
        _ => format!("{hours} h {minutes} min"),
    }
}

/// A time in UTC, to the second.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%-d %b %Y, %H:%M:%S UTC").to_string()
}

/// A day.
pub(super) fn day(date: Date) -> String {
    date.strftime("%-d %b %Y").to_string()
}

/// A text of at most so many characters: what is too long loses its end.
pub(super) fn short(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    let kept = text.char_indices().nth(most - 1).map_or(text, |(end, _)| &text[..end]);
    format!("{kept}…")
}

/// A text of at most so many characters: what is too long loses its middle, as the end of a path says most.
pub(super) fn short_path(path: &str, most: usize) -> String {
    let length = path.chars().count();
    if length <= most {
        return path.to_owned();
    }
    let head = most / 3;
    let tail = most - head - 1;
    let start: String = path.chars().take(head).collect();
    let end: String = path.chars().skip(length - tail).collect();
    format!("{start}…{end}")
}

/// A text as a sentence.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(char::to_uppercase).into_iter().flatten();
    let mut sentence: String = first.chain(chars).collect();
    if !sentence.ends_with(['.', '!', '?', '…']) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits_and_a_unit() {
        for (bytes, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 KB"),
            (9_994, "9.99 KB"),
            (9_995, "10.0 KB"),
            (99_950, "100 KB"),
            (999_499, "999 KB"),
            (999_500, "1.00 MB"),
            (19_390_411, "19.4 MB"),
            (5_000_000_000, "5.00 GB"),
            (u64::MAX, "18447 PB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }

    #[test]
    fn durations_and_numbers_are_read_at_a_glance() {
        for (seconds, expected) in [
            (-5, "0 s"),
            (0, "0 s"),
            (59, "59 s"),
            (61, "1 min 1 s"),
            (3599, "59 min 59 s"),
            (7320, "2 h 2 min"),
        ] {
            assert_eq!(duration(SignedDuration::from_secs(seconds)), expected);
        }
        assert_eq!([number(0), number(999), number(1_000_000)], ["0", "999", "1,000,000"]);
        assert_eq!([count(1, "file"), count(2, "file")], ["1 file", "2 files"]);
    }

    #[test]
    fn what_is_too_long_says_so() {
        assert_eq!([short("abc", 3), short("abcd", 3)], ["abc", "ab…"]);
        let path = short_path(&format!("profile/{}/end.log", "ü".repeat(500)), 30);
        assert_eq!((path.chars().count(), path.ends_with("/end.log")), (30, true));
        assert!(path.starts_with("profile/"), "{path}");
        assert_eq!(sentence("the game left a minidump"), "The game left a minidump.");
        assert_eq!(sentence(""), ".");
    }
}
