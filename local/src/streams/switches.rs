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
    /// Which instant the `YYYYMMDD-HHMMSS` of a generated file name is.
    pub generated_name: GeneratedName,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            second_export: SecondExport::Replaces,
            wrong_status: WrongStatus::Validation,
            export_after_error: ExportAfterError::Exported,
            pending_after_delivery: Duration::ZERO,
            terminating: Duration::from_millis(200),
            generated_name: GeneratedName::Created,
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
