//! How long an export is kept: the same arithmetic as that of the bucket's lifecycle rules in `template.yaml`.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::record::Verdict;

/// For how many days objects are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Exports of crashes.
    pub crash: u32,
    /// Exports of suspect sessions, and those that could not be read.
    pub suspect: u32,
    /// Exports of sessions that just exited.
    pub exited: u32,
    /// Exports of sessions that ended cleanly.
    pub clean: u32,
    /// Records. No export is kept for longer, so that no record is gone before its export is.
    pub records: u32,
}

/// The most days that an environment may name: ten years.
const MOST_DAYS: u32 = 3650;

impl Retention {
    /// Reads `CRASH_RETENTION_DAYS`, `SUSPECT_…`, `EXITED_…`, `CLEAN_…` and `RECORD_RETENTION_DAYS`. Nothing where none of
    /// them is set: then nobody knows of lifecycle rules.
    pub(crate) fn from_lookup(
        read: impl Fn(&str) -> Option<String>,
        mistakes: &mut Vec<String>,
    ) -> Option<Self> {
        const NAMES: [&str; 5] = [
            "CRASH_RETENTION_DAYS",
            "SUSPECT_RETENTION_DAYS",
            "EXITED_RETENTION_DAYS",
            "CLEAN_RETENTION_DAYS",
            "RECORD_RETENTION_DAYS",
        ];
        let values = NAMES.map(|name| (name, read(name)));
        if values.iter().all(|(_, value)| value.is_none()) {
            return None;
        }
        let [crash, suspect, exited, clean, records] = values.map(|(name, value)| {
            let days = value.as_deref().and_then(|value| value.parse().ok());
            days.filter(|days| (1..=MOST_DAYS).contains(days)).unwrap_or_else(|| {
                let value = value.map_or("not set".to_owned(), |value| format!("{value:?}"));
                mistakes.push(format!(
                    "{name} is {value}: expected a whole number of days from 1 to {MOST_DAYS}"
                ));
                MOST_DAYS
            })
        });
        Some(Self { crash, suspect, exited, clean, records })
    }

    /// The day at whose beginning, in UTC, S3 deletes an export that was written then and has the tag of this verdict, or none.
    #[must_use]
    pub fn expires_on(&self, tag: Option<&Verdict>, written: Timestamp) -> Date {
        let days = match tag {
            Some(Verdict::Crash) => self.crash,
            Some(Verdict::Suspect | Verdict::Unreadable) => self.suspect,
            Some(Verdict::Exited) => self.exited,
            Some(Verdict::Clean) => self.clean,
            Some(Verdict::Other(_)) | None => self.records,
        };
        midnight_after(written, days.min(self.records))
    }
}

/// S3 adds the days to the time of the last write and rounds up to midnight in UTC (S3 user guide, "Lifecycle
/// configuration elements").
fn midnight_after(written: Timestamp, days: u32) -> Date {
    let over = written.to_zoned_datetime(TimeZone::UTC).datetime().saturating_add(i64::from(days).days());
    if over.time() == Time::midnight() { over.date() } else { over.date().saturating_add(1.day()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(records: &str) -> (Option<Retention>, Vec<String>) {
        let days = ["90", "30", "7", "3", records];
        let names =
            ["CRASH", "SUSPECT", "EXITED", "CLEAN", "RECORD"].map(|it| format!("{it}_RETENTION_DAYS"));
        let mut mistakes = Vec::new();
        let lookup = |name: &str| names.iter().position(|it| it == name).map(|at| days[at].to_owned());
        (Retention::from_lookup(lookup, &mut mistakes), mistakes)
    }

    #[test]
    fn an_export_is_kept_by_its_verdict_until_the_next_midnight() {
        let retention = read("365").0.unwrap();
        let day =
            |verdict, time: &str| retention.expires_on(Some(&verdict), time.parse().unwrap()).to_string();
        assert_eq!(day(Verdict::Clean, "2014-01-15T10:30:00Z"), "2014-01-19");
        assert_eq!(day(Verdict::Exited, "2014-01-15T00:00:00Z"), "2014-01-22");
        assert_eq!(
            day(Verdict::Unreadable, "2014-01-15T23:59:59Z"),
            day(Verdict::Suspect, "2014-01-15T00:00:01Z")
        );
    }

    #[test]
    fn no_export_outlives_its_record() {
        let retention = read("20").0.unwrap();
        let written = "2026-11-24T12:00:00Z".parse().unwrap();
        let day = |tag| retention.expires_on(tag, written).to_string();
        assert_eq!(day(Some(&Verdict::Crash)), "2026-12-15");
        assert_eq!(day(Some(&Verdict::Exited)), "2026-12-02");
        assert_eq!(day(None), "2026-12-15");
    }

    #[test]
    fn a_wrong_number_is_a_mistake_and_none_at_all_is_no_retention() {
        for wrong in ["0", "3651", "a year", "-1"] {
            let mistakes = read(wrong).1;
            assert!(mistakes[0].starts_with(&format!("RECORD_RETENTION_DAYS is {wrong:?}")), "{mistakes:?}");
        }
        let mut mistakes = Vec::new();
        assert_eq!(Retention::from_lookup(|_| None, &mut mistakes), None);
        assert!(mistakes.is_empty());
        let one = |name: &str| (name == "CRASH_RETENTION_DAYS").then(|| "9".to_owned());
        Retention::from_lookup(one, &mut mistakes);
        assert_eq!(mistakes.len(), 4, "{mistakes:?}");
    }
}
