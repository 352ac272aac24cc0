//! What a reason means, and what to do about it.

use crate::layout;
use crate::record::{Record, Verdict};

/// Something to do, and the command that does it, where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) text: String,
    pub(super) command: Option<String>,
}

impl Step {
    fn with(text: &str, command: String) -> Self {
        Self { text: text.to_owned(), command: Some(command) }
    }
}

/// What to do next about a session; nothing where there is nothing to do.
pub(super) fn next(record: &Record, bucket: &str) -> Vec<Step> {
    let id = &record.session.id;
    if record.judgement.verdict == Some(Verdict::Crash) {
        let fetch =
            record.export.as_ref().map(|_| Step::with("Fetch its files:", format!("crash-capture get {id}")));
        let same = record.judgement.signature.as_ref().filter(|signature| is_plain(&signature.id)).map(
            |signature| {
                let command = format!("crash-capture list --signature {}", signature.id);
                Step::with("See where else it happened:", command)
            },
        );
        return [fetch, same].into_iter().flatten().collect();
    }
    let Some(reason) = &record.judgement.reason else { return Vec::new() };
    let advice = advice(&reason.code).iter().map(|text| Step { text: (*text).to_owned(), command: None });
    advice.chain(mend(record, &reason.code, bucket)).collect()
}

fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// What has a session captured all the same.
fn mend(record: &Record, code: &str, bucket: &str) -> Option<Step> {
    let session = &record.session;
    match (code, session.created_at) {
        ("exported-elsewhere", Some(created_at)) => {
            let key = layout::export_key(&session.application(), &session.name(), created_at);
            Some(Step::with("To have this one indexed, copy its zip here:", format!("s3://{bucket}/{key}")))
        }
        ("not-indexed", _) => Some(Step::with(
            "Once that is mended, have it indexed again:",
            format!("crash-capture reindex {}", session.id),
        )),
        _ => None,
    }
}

/// What to do about a reason.
fn advice(code: &str) -> &'static [&'static str] {
    match code {
        "never-armed" => &[
            "Have your backend tell of sessions as soon as they are active, or lower the parameter SweepEverySeconds.",
            "If the reason names a request that was denied, mend that permission: every session of the stream group is lost until then.",
        ],
        "never-seen" => &[
            "Have your backend tell of sessions as soon as they are active, or log CloudTrail's data events of GameLift Streams: \
             then sessions of a few seconds are captured too.",
            "Many of these on one build mean that it crashes while it starts: run it once by hand.",
        ],
        "never-started" => &[
            "Nothing was lost, as the game never ran. Check the application's executable path and runtime environment, and the \
             stream group's capacity.",
        ],
        "exported-elsewhere" => &[
            "Whoever requests exports first decides where they go. Leave that to Crash Capture, or have it exported to this bucket, \
             below exports/.",
        ],
        "export-failed" => &[
            "If access was denied: the role of start-export must be able to write below exports/ of the bucket, and the key's \
             policy must let it use the key. Then new sessions are captured again; the files of this one are lost.",
        ],
        "export-stuck" => &[
            "Ask AWS Support, with the session's ARN. Should the export come after all, it is indexed, and this page replaced.",
        ],
        "not-indexed" => {
            &["The log of index-export says why, and the queue of failed invocations holds the event."]
        }
        "alarm" => &["Look at the alarm's metric around that time, then at the log and the figures below."],
        "pressure" => {
            &["Look at what the game held when memory ran short: the figures below, and the log's end."]
        }
        "early-exit" => {
            &["A game that exits at once often lacks a file, a right or a setting: the log's end says which."]
        }
        "application-exit" => &[
            "If this was a quit, teach Crash Capture what your game logs then: parameter CleanExitPattern. If it was a crash, what it \
             leaves behind: CrashPattern or CrashFiles.",
        ],
        "end-reason-unknown" => {
            &["The sweep asks again; should GameLift Streams tell the reason, this page is replaced."]
        }
        "ended-by-fault" => {
            &["The fault is on the side of the service or the machine: if it happens again, ask AWS Support."]
        }
        "not-a-zip" => {
            &["Fetch the object as below and look at it. If it was cut off, AWS Support can say why."]
        }
        _ => &[],
    }
}

/// What GameLift Streams' word for why a session ended means (API reference, `StatusReason`).
pub(super) fn end_reason(word: &str) -> &'static str {
    match word {
        "applicationExit" => "the game exited or crashed",
        "apiTerminated" => "a call to the API ended it",
        "connectionTimeout" => "no player connected in time",
        "idleTimeout" => "its player was idle for too long",
        "maxSessionLengthTimeout" => "it reached its longest length",
        "reconnectionTimeout" => "its player did not come back in time",
        "internalError" => "an error within GameLift Streams",
        "placementTimeout" => "no machine was found for it in time",
        "appLogS3DestinationError" => "its logs could not be written to S3",
        "invalidLogLocationError" => "the place for its logs is not valid",
        _ => "GameLift Streams' own word",
    }
}

/// What made Crash Capture look at a session.
pub(super) fn trigger(kind: &str) -> &'static str {
    match kind {
        "sweep" => "the sweep found it",
        "session-event" => "the backend told of it",
        "cloudtrail" => "CloudTrail told of it",
        "alarm" => "an alarm selected it",
        _ => "something told of it",
    }
}
