//! What is not documented about the service, or only roughly: one named switch each.

use std::time::Duration;

/// Behaviour that AWS does not document. The defaults are what the rest of the project assumes.
#[derive(Debug, Clone)]
pub struct Switches {
    /// A second `ExportStreamSessionFiles` for the same session. The model calls the operation idempotent and says
    /// nothing of another `OutputUri`.
    pub second_export: SecondExport,
    /// `ExportStreamSessionFiles` for a session that is in none of the four live statuses. "You can only call this
    /// action on a stream session that is in progress", but which error it is otherwise is not said.
    pub wrong_status: WrongStatus,
    /// What becomes of a requested export when the session ends in `ERROR`. The developer guide says that files are
    /// exported "when the session is in Terminated state" and does not mention the other end.
    pub export_after_error: ExportAfterError,
    /// How long `ExportFilesMetadata` still says `PENDING` after the zip arrived in S3. Nothing says that the two
    /// happen at once.
    pub pending_after_delivery: Duration,
    /// How long `TERMINATING` lasts ("The stream session is ending").
    pub terminating: Duration,
    /// In which status the files are exported. The developer guide says "when the session is in Terminated state", and
    /// nothing of when others see that state, so that is the default.
    pub exported_while: ExportedWhile,
    /// Which instant the `YYYYMMDD-HHMMSS` of a generated file name is.
    pub generated_name: GeneratedName,
    /// What a listing shows. The API reference calls `ListStreamSessions` a list "in no particular order" and says nothing
    /// of its consistency. The default is what a caller hopes for.
    pub listings: Listings,
    /// Where a listing's next page begins. It is not said what becomes of a session that changes, or begins, between two
    /// pages. By default each has its place, so that none stands on two pages, and none on no page.
    pub page_order: PageOrder,
    /// How many sessions a page looks at before the filters are applied to them: "`MaxResults`: the number of results to
    /// return", which many of AWS's listings read as "at most". `None`, the default: the filters come first, and a page is
    /// full unless it is the last.
    pub filtered_by_page: Option<usize>,
    /// How long after a request for an export `ExportFilesMetadata` is still absent. Nothing says that a
    /// `GetStreamSession` after the request sees it at once, which is the default.
    pub metadata_after: Duration,
    /// When an ended session has a `StatusReason`. The model calls it optional and says that it is there for `TERMINATED`
    /// and `ERROR` sessions; by default it is there at once.
    pub end_reason: EndReason,
    /// How long after its end the service forgets a session: it is in no listing, and every call for it is a
    /// `ResourceNotFoundException`. The console lists the sessions of 90 days; of the API there are only "existing session
    /// record retention policies". `None`, the default: never, as no local cloud runs that long.
    pub forgotten_after: Option<Duration>,
    /// The envelope's `source` of CloudTrail's events. The developer guide shows what CloudTrail records, not how EventBridge
    /// wraps it; `aws.` and the endpoint's prefix is what the other services have.
    pub cloudtrail_source: &'static str,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            second_export: SecondExport::Replaces,
            wrong_status: WrongStatus::Validation,
            export_after_error: ExportAfterError::Exported,
            pending_after_delivery: Duration::ZERO,
            terminating: Duration::from_millis(200),
            exported_while: ExportedWhile::Terminated,
            generated_name: GeneratedName::Created,
            listings: Listings::Current,
            page_order: PageOrder::Fixed,
            filtered_by_page: None,
            metadata_after: Duration::ZERO,
            end_reason: EndReason::AtOnce,
            forgotten_after: None,
            cloudtrail_source: "aws.gameliftstreams",
        }
    }
}

/// See [`Switches::second_export`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondExport {
    /// Its `OutputUri` takes the place of the first one's.
    Replaces,
    /// It is a `ValidationException`.
    Refused,
    /// It succeeds and changes nothing.
    Ignored,
}

/// See [`Switches::wrong_status`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrongStatus {
    /// `ValidationException`, 400.
    Validation,
    /// `ResourceNotFoundException`, 404.
    ResourceNotFound,
}

/// See [`Switches::export_after_error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportAfterError {
    /// The files are exported all the same.
    Exported,
    /// The export becomes `FAILED`.
    Fails,
    /// The export stays `PENDING` for ever.
    StaysPending,
}

/// See [`Switches::exported_while`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportedWhile {
    /// `TERMINATED`: whoever sees the zip can see that state too.
    Terminated,
    /// `TERMINATING`: the zip is there before anybody can see the session's end.
    Terminating,
}

/// See [`Switches::listings`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listings {
    /// Each page shows its sessions as they are when it is made.
    Current,
    /// Each page shows its sessions as they were this long ago, and the filters are applied to that: a session that began
    /// since is missing, one that ended since is alive. `GetStreamSession` knows better.
    Lag(Duration),
    /// A session whose status has changed within this time stands in the listing of its old status, as it was then, and in
    /// that of its new one: it changed between the two.
    Double(Duration),
    /// A session whose status has changed within this time stands in neither.
    Miss(Duration),
}

/// See [`Switches::page_order`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageOrder {
    /// Each session has its place, whatever becomes of it.
    Fixed,
    /// The session that changed last comes first, and the next page begins after so many sessions: one that changes or
    /// begins in between pushes another one from the first page to the second, where it stands again; one that leaves the
    /// list lets another one slip from the second to the first, which nobody asks for any more.
    LastChangedFirst,
}

/// See [`Switches::end_reason`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// With the status.
    AtOnce,
    /// This long after the status.
    After(Duration),
    /// It has none.
    Never,
}

/// See [`Switches::generated_name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GeneratedName {
    /// The session's `CreatedAt`.
    Created,
    /// The end of the session.
    Ended,
}

/// How long things take that the service does in its own time. The defaults add up to about a second.
#[derive(Debug, Clone)]
pub struct Timings {
    /// From the start of the game to `ACTIVE`. (On AWS, up to 90 s, or ten minutes on Windows.)
    pub activating: Duration,
    /// How long a session waits for capacity until it fails with `placementTimeout`. (On AWS, 75 s and more.)
    pub placement_timeout: Duration,
    /// From `ACTIVE`, or from a `CreateStreamSessionConnection`, to `CONNECTED`.
    pub connect_after: Duration,
    /// `ConnectionTimeoutSeconds` where a request does not say, in whole seconds.
    pub connection_timeout: Duration,
    /// `SessionLengthSeconds` where a request does not say, in whole seconds.
    pub session_length: Duration,
    /// From the end of a session until its zip is written.
    pub export_takes: Duration,
    /// From a call until CloudTrail's event is on the bus. `None`: no trail records data events, as is AWS's default.
    pub cloudtrail_after: Option<Duration>,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            activating: Duration::from_millis(300),
            placement_timeout: Duration::from_millis(500),
            connect_after: Duration::from_millis(200),
            connection_timeout: Duration::from_mins(2),
            session_length: Duration::from_hours(12),
            export_takes: Duration::from_millis(200),
            cloudtrail_after: Some(Duration::from_millis(200)),
        }
    }
}
