//! Points in time, as people name them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// Reads `2026-11-23` (its beginning, in UTC), `2026-11-23T10:15:00Z`, or how long ago: `2h`, `7d`, `1w`.
pub(super) fn beginning(text: &str) -> Result<Timestamp, String> {
    match text.parse::<Date>() {
        Ok(date) if !text.contains(['T', ' ']) => start_of(date),
        _ => instant(text),
    }
}

/// The same, where a date means all of its day.
pub(super) fn end(text: &str) -> Result<Timestamp, String> {
    match text.parse::<Date>() {
        Ok(date) if !text.contains(['T', ' ']) => {
            start_of(date.tomorrow().map_err(|error| error.to_string())?)
        }
        _ => instant(text),
    }
}

/// The first instant of a day in UTC.
pub(super) fn start_of(date: Date) -> Result<Timestamp, String> {
    date.to_zoned_datetime(TimeZone::UTC).map(|zoned| zoned.timestamp()).map_err(|error| error.to_string())
}

fn instant(text: &str) -> Result<Timestamp, String> {
    if let Ok(instant) = text.parse() {
        return Ok(instant);
    }
    let ago = || {
        let span: Span = text.parse().ok()?;
        if span.is_negative() || !text.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        Some(Timestamp::now().to_zoned_datetime(TimeZone::UTC).checked_sub(span).ok()?.timestamp())
    };
    ago().ok_or_else(|| {
        "expected a day (2026-11-23), a time (2026-11-23T10:15:00Z), or how long ago (2h, 7d)".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_all_of_it_in_utc() {
        assert_eq!(beginning("2026-11-23").unwrap().to_string(), "2026-11-23T00:00:00Z");
        assert_eq!(end("2026-11-23").unwrap().to_string(), "2026-11-24T00:00:00Z");
        for read in [beginning, end] {
            assert_eq!(read("2026-11-23T10:15:00-08:00").unwrap().to_string(), "2026-11-23T18:15:00Z");
        }
    }

    #[test]
    fn so_long_ago_counts_from_now() {
        for (text, seconds) in
            [("90s", 90), ("2h", 7_200), ("7d", 604_800), ("1w", 604_800), ("1d 1h", 90_000)]
        {
            let ago = Timestamp::now().as_second() - beginning(text).unwrap().as_second();
            assert!((seconds..seconds + 60).contains(&ago), "{text}: {ago}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused_with_what_was_expected() {
        for text in ["", "yesterday", "-2h", "2026-13-01", "P1", "7"] {
            assert!(beginning(text).unwrap_err().contains("2026-11-23T10:15:00Z"), "{text}");
        }
    }
}
