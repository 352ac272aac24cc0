//! The bucket's layout: which key holds what. One writer for each object.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::session::{Id, SessionName};

/// Exports: the zips that GameLift Streams writes.
pub const EXPORTS: &str = "exports/";
/// Markers: sessions in scope that are not settled.
pub const OPEN: &str = "open/";
/// Records: sessions that are settled. Athena's table lies here.
pub const INDEX: &str = "index/v1/";
/// Reports: a page for people on each settled session.
pub const REPORTS: &str = "reports/";
/// First sights of signatures.
pub const SIGNATURES: &str = "signatures/";
/// What people decided about signatures: resolved, muted.
pub const RESOLUTIONS: &str = "resolutions/";
/// First sights of signatures that had been resolved.
pub const REGRESSIONS: &str = "regressions/";
/// Requests to index an export again.
pub const REINDEX: &str = "reindex/";

/// When the sweep first ran: since when missed sessions count.
pub const FIRST_SWEEP: &str = "state/first-sweep.json";
/// When the sweep last looked for sessions that nobody saw.
pub const HOURLY_LOOK: &str = "state/hourly-look.json";

/// The key of the export that we request: `exports/{applicationId}/{streamGroupId}/{yyyy-mm-dd}/{sessionId}.zip`.
///
/// The date is the session's creation date in UTC, so that a repeated request names the same object.
#[must_use]
pub fn export_key(application: &Id, session: &SessionName, created: Timestamp) -> String {
    let SessionName { stream_group, id } = session;
    format!("{EXPORTS}{application}/{stream_group}/{}/{id}.zip", utc_date(created))
}

/// The key of a session's marker: `open/{streamGroupId}/{sessionId}.json`.
#[must_use]
pub fn marker_key(session: &SessionName) -> String {
    format!("{OPEN}{}/{}.json", session.stream_group, session.id)
}

/// The session of a marker's key; nothing for a key that is no marker's.
#[must_use]
pub fn parse_marker_key(key: &str) -> Option<SessionName> {
    let (group, id) = key.strip_prefix(OPEN)?.strip_suffix(".json")?.split_once('/')?;
    Some(SessionName { stream_group: parse_id(group)?, id: parse_id(id)? })
}

/// The key of a session's record:
/// `index/v1/dt={yyyy-mm-dd}/{applicationId}/{streamGroupId}/{sessionId}.json`, dated as the export is.
#[must_use]
pub fn record_key(date: Date, application: &Id, session: &SessionName) -> String {
    let SessionName { stream_group, id } = session;
    format!("{INDEX}dt={date}/{application}/{stream_group}/{id}.json")
}

/// The key of a session's report: `reports/{applicationId}/{streamGroupId}/{yyyy-mm-dd}/{sessionId}.html`, dated as the record is.
#[must_use]
pub fn report_key(date: Date, application: &Id, session: &SessionName) -> String {
    let SessionName { stream_group, id } = session;
    format!("{REPORTS}{application}/{stream_group}/{date}/{id}.html")
}

/// The prefix of the records of sessions that were created on a day.
#[must_use]
pub fn records_of(date: Date) -> String {
    format!("{INDEX}dt={date}/")
}

/// What a record's key tells of its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordName {
    /// The day of its creation, in UTC.
    pub date: Date,
    /// The application.
    pub application: Id,
    /// The session.
    pub session: SessionName,
}

/// Reads a record's key; nothing for a key that is no record's.
#[must_use]
pub fn parse_record_key(key: &str) -> Option<RecordName> {
    let mut parts = key.strip_prefix(INDEX)?.strip_suffix(".json")?.split('/');
    let date = parts.next()?.strip_prefix("dt=")?.parse().ok()?;
    let application = parse_id(parts.next()?)?;
    let session = SessionName { stream_group: parse_id(parts.next()?)?, id: parse_id(parts.next()?)? };
    parts.next().is_none().then_some(RecordName { date, application, session })
}

/// The key of the request to index an export again: `reindex/{the export's key}.json`.
#[must_use]
pub fn reindex_key(export: &str) -> String {
    format!("{REINDEX}{export}.json")
}

/// The key of a signature's first sight: `signatures/{applicationId}/v{version}-{id}.json`.
#[must_use]
pub fn signature_key(application: &Id, version: u32, id: &str) -> String {
    format!("{SIGNATURES}{application}/v{version}-{id}.json")
}

/// The key of what people decided about a signature: `resolutions/{applicationId}/v{version}-{id}.json`.
#[must_use]
pub fn resolution_key(application: &Id, version: u32, id: &str) -> String {
    format!("{RESOLUTIONS}{application}/v{version}-{id}.json")
}

/// The key of the first sight of a signature after it was resolved:
/// `regressions/{applicationId}/v{version}-{id}/{when it was resolved, in milliseconds since 1970}.json`.
#[must_use]
pub fn regression_key(application: &Id, version: u32, id: &str, resolved: Timestamp) -> String {
    format!("{REGRESSIONS}{application}/v{version}-{id}/{}.json", resolved.as_millisecond())
}

/// The key of the export that a `reindex/` object asks for: `reindex/{the export's key}.json`.
#[must_use]
pub fn parse_reindex_key(key: &str) -> Option<&str> {
    key.strip_prefix(REINDEX)?.strip_suffix(".json").filter(|export| is_export(export))
}

/// Whether a key can be an export's. `OutputUri` must end in `.zip` or `.ZIP` (API reference).
#[must_use]
pub fn is_export(key: &str) -> bool {
    key.strip_prefix(EXPORTS).and_then(without_ending).is_some()
}

/// The day of an instant in UTC: what keys and partitions are dated by.
#[must_use]
pub fn utc_date(instant: Timestamp) -> Date {
    instant.to_zoned_datetime(jiff::tz::TimeZone::UTC).date()
}

/// What an export's key tells of its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportName {
    /// The application.
    pub application: Id,
    /// The session.
    pub session: SessionName,
    /// The date in the key: the session's creation in ours, whichever instant the service chose in a generated one.
    pub date: Date,
    /// Whether the key is of our own form.
    pub ours: bool,
}

/// Reads an export's key: our own form, or the name that the service makes up for a folder `OutputUri`, anywhere under
/// `exports/`: `YYYYMMDD-HHMMSS-appId-sgId-sessionId.zip` "or another similar name" (API reference,
/// `ExportStreamSessionFiles`).
#[must_use]
pub fn parse_export_key(key: &str) -> Option<ExportName> {
    let path = without_ending(key.strip_prefix(EXPORTS)?)?;
    parse_our_name(path).or_else(|| parse_generated_name(path.rsplit('/').next()?))
}

fn without_ending(path: &str) -> Option<&str> {
    path.strip_suffix(".zip").or_else(|| path.strip_suffix(".ZIP"))
}

fn parse_our_name(path: &str) -> Option<ExportName> {
    let mut parts = path.split('/');
    let (application, stream_group) = (parse_id(parts.next()?)?, parse_id(parts.next()?)?);
    let (date, id) = (parts.next()?.parse().ok()?, parse_id(parts.next()?)?);
    let session = SessionName { stream_group, id };
    parts.next().is_none().then_some(ExportName { application, session, date, ours: true })
}

/// Ids may hold hyphens themselves, so the name is read by what its parts begin with, as the examples of the API
/// reference do: `a-…`, `sg-…`.
fn parse_generated_name(name: &str) -> Option<ExportName> {
    let (date, rest) = name.split_at_checked(8)?;
    let date = Date::strptime("%Y%m%d", date).ok()?;
    let (application, rest) = rest.split_at(rest.find("-a-")? + 1).1.split_once("-sg-")?;
    let (stream_group, id) = rest.split_once('-')?;
    let session = SessionName { stream_group: parse_id(&format!("sg-{stream_group}"))?, id: parse_id(id)? };
    Some(ExportName { application: parse_id(application)?, session, date, ours: false })
}

fn parse_id(text: &str) -> Option<Id> {
    Id::try_from(text.to_owned()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> SessionName {
        SessionName {
            stream_group: parse_id("sg-1AB2C3De4").unwrap(),
            id: parse_id("ABC123def4567").unwrap(),
        }
    }

    fn application() -> Id {
        parse_id("a-9ZY8X7Wv6").unwrap()
    }

    #[test]
    fn an_export_is_dated_by_its_sessions_creation_in_utc() {
        let late: Timestamp = "2026-11-23T23:59:59-08:00".parse().unwrap();
        let key = export_key(&application(), &session(), late);
        assert_eq!(key, "exports/a-9ZY8X7Wv6/sg-1AB2C3De4/2026-11-24/ABC123def4567.zip");
        let name = parse_export_key(&key).unwrap();
        assert_eq!((name.session, name.application, name.ours), (session(), application(), true));
        assert_eq!(name.date.to_string(), "2026-11-24");
    }

    #[test]
    fn a_name_that_the_service_made_up_is_read_anywhere_under_exports() {
        for folder in ["", "by-hand/", "a/b/c/d/"] {
            for ending in ["zip", "ZIP"] {
                let key = format!(
                    "exports/{folder}20261123-101502-a-9ZY8X7Wv6-sg-1AB2C3De4-ABC123def4567.{ending}"
                );
                let name = parse_export_key(&key).unwrap();
                assert_eq!((name.session, name.application, name.ours), (session(), application(), false));
                assert_eq!(name.date.to_string(), "2026-11-23");
            }
        }
    }

    #[test]
    fn a_key_that_names_no_session_is_not_read() {
        for key in [
            "exports/notes.zip",
            "exports/a-1/sg-1/2026-13-41/x.zip",
            "exports/a-1/sg-1/2026-11-23/x/y.zip",
            "exports/a-1/sg-1/2026-11-23/x.json",
            "exports/é0261123-101502-a-1-sg-1-x.zip",
            "exports/20261123-101502-sg-1-a-1-x.zip",
            "elsewhere/a-1/sg-1/2026-11-23/x.zip",
        ] {
            assert_eq!(parse_export_key(key), None, "{key}");
        }
    }

    #[test]
    fn a_report_lies_as_its_export_does() {
        let created = "2026-11-23T10:15:02Z".parse().unwrap();
        let report = report_key(utc_date(created), &application(), &session());
        assert_eq!(report, "reports/a-9ZY8X7Wv6/sg-1AB2C3De4/2026-11-23/ABC123def4567.html");
        let export = export_key(&application(), &session(), created);
        assert_eq!(report.replace(REPORTS, EXPORTS).replace(".html", ".zip"), export);
    }

    #[test]
    fn a_marker_key_names_its_session() {
        assert_eq!(parse_marker_key(&marker_key(&session())), Some(session()));
        assert_eq!(parse_marker_key("open/sg-1/a/b.json"), None);
    }

    #[test]
    fn a_reindex_key_names_an_export() {
        let export = "exports/a-1/sg-1/2026-11-23/x.zip";
        assert_eq!(parse_reindex_key(&reindex_key(export)), Some(export));
        assert_eq!(parse_reindex_key("reindex/index/v1/x.zip.json"), None);
    }

    #[test]
    fn a_record_is_partitioned_by_date() {
        let key = record_key("2026-11-23".parse().unwrap(), &application(), &session());
        assert_eq!(key, "index/v1/dt=2026-11-23/a-9ZY8X7Wv6/sg-1AB2C3De4/ABC123def4567.json");
        assert!(key.starts_with(&records_of("2026-11-23".parse().unwrap())));
        let date = "2026-11-23".parse().unwrap();
        let name = RecordName { date, application: application(), session: session() };
        assert_eq!(parse_record_key(&key), Some(name));
        assert_eq!(parse_record_key("index/v1/dt=2026-11-23/a-1/sg-1/x/y.json"), None);
    }
}
