//! From what is known of a session to what happened: a pure function.

use jiff::SignedDuration;

use crate::record::{AlarmNote, Evidence, Judgement, Reason, TRIAGE_VERSION, Verdict};
use crate::triage::Findings;

/// The code of the reason of an end that came early.
pub const EARLY_EXIT: &str = "early-exit";

/// An end by `applicationExit` this soon after the session's creation is a sign of trouble.
const EARLY: SignedDuration = SignedDuration::from_secs(60);

/// Ends that a player, a timeout or an API call brings about (API reference, `StatusReason`).
const ORDERLY: [&str; 5] =
    ["apiTerminated", "connectionTimeout", "idleTimeout", "maxSessionLengthTimeout", "reconnectionTimeout"];

/// How a session ended, as far as GameLift Streams told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ending {
    /// The service's word (`StatusReason`); nothing where it could not be learned.
    pub reason: Option<String>,
    /// From its creation to its end.
    pub lasted: Option<SignedDuration>,
}

/// Judges a session whose files were read.
#[must_use]
pub fn judge(findings: Findings, ending: &Ending, alarms: &[AlarmNote]) -> Judgement {
    let (verdict, reason) = weigh(&findings, ending, alarms);
    let mut evidence = findings.evidence;
    let crash = match verdict {
        Verdict::Crash => findings.crash.or_else(|| {
            let words = findings.last_words?;
            evidence.insert(0, words.evidence.clone());
            Some(words)
        }),
        _ => None,
    };
    let (signature, exception) = crash.map(|found| (found.decision.signature, found.exception)).unzip();
    Judgement {
        verdict: Some(verdict),
        reason: Some(reason),
        triage_version: Some(TRIAGE_VERSION),
        signature,
        exception,
        build: findings.build,
        evidence,
        files: Some(findings.files),
        performance: findings.performance,
        problems: findings.problems,
    }
}

/// The judgement on a session whose zip could not be read.
#[must_use]
pub fn unreadable(why: &str) -> Judgement {
    Judgement {
        verdict: Some(Verdict::Unreadable),
        reason: Some(Reason::new("not-a-zip", why)),
        triage_version: Some(TRIAGE_VERSION),
        ..Judgement::default()
    }
}

/// A row of the table of verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The reason's code.
    pub code: &'static str,
    /// The verdict.
    pub verdict: &'static str,
    /// When it holds.
    pub when: &'static str,
}

/// The table of verdicts: the first row that holds decides. `docs/triage.md` has it too, and a test compares them.
pub const ROWS: [Row; 10] = [
    row("evidence", "crash", "a file is evidence of a crash of the game"),
    row(
        "last-words",
        "crash",
        "it ended by `applicationExit`, and a log ends in an error that nobody caught",
    ),
    row("alarm", "suspect", "an alarm's dimensions selected the session"),
    row("clean-exit-mark", "clean", "a log ends as one of a clean exit does"),
    row("pressure", "suspect", "memory or graphics memory ran short in its last minute"),
    row("end-reason-unknown", "suspect", "GameLift Streams did not tell why it ended"),
    row(EARLY_EXIT, "suspect", "it ended by `applicationExit` within a minute of its creation"),
    row("application-exit", "exited", "it ended by `applicationExit`"),
    row("ended-in-order", "clean", "a player, a timeout or a call ended it"),
    row("ended-by-fault", "suspect", "GameLift Streams ended it for any other reason"),
];

const fn row(code: &'static str, verdict: &'static str, when: &'static str) -> Row {
    Row { code, verdict, when }
}

/// Evidence first, then signs of trouble, then how the session ended: the table [`ROWS`].
fn weigh(findings: &Findings, ending: &Ending, alarms: &[AlarmNote]) -> (Verdict, Reason) {
    if let Some(found) = &findings.crash {
        return (Verdict::Crash, Reason::new("evidence", evidence_in_words(&found.evidence)));
    }
    let exited = ending.reason.as_deref() == Some("applicationExit");
    if let Some(words) = findings.last_words.as_ref().filter(|_| exited) {
        let log = file_name(words.evidence.path.as_str());
        return (
            Verdict::Crash,
            Reason::new(
                "last-words",
                format!("{log} ends in an error that nobody caught, and the application exited"),
            ),
        );
    }
    if let Some(alarm) = alarms.first() {
        return (
            Verdict::Suspect,
            Reason::new("alarm", format!("the alarm {} selected the session", alarm.name)),
        );
    }
    if let Some(log) = &findings.clean_exit {
        return (
            Verdict::Clean,
            Reason::new(
                "clean-exit-mark",
                format!("{} ends as one of a clean exit", file_name(log.as_str())),
            ),
        );
    }
    if let Some(performance) = &findings.performance {
        let short: Vec<_> = performance.pressure.iter().filter(|what| *what != "cpu").cloned().collect();
        if !short.is_empty() {
            let detail = format!("in its last minute the session was short of {}", short.join(" and "));
            return (Verdict::Suspect, Reason::new("pressure", detail));
        }
    }
    judge_ending(ending)
}

fn evidence_in_words(evidence: &Evidence) -> String {
    let file = file_name(evidence.path.as_str());
    match evidence.kind.as_str() {
        "minidump" => format!("the game left a minidump, {file}"),
        "ue-crash-context" => format!("Unreal left its account of a crash, {file}"),
        "log" => format!("{file} tells of a crash"),
        kind => format!("the session left a file that tells of a crash ({kind}), {file}"),
    }
}

fn judge_ending(ending: &Ending) -> (Verdict, Reason) {
    match (ending.reason.as_deref(), ending.lasted) {
        (None, _) => {
            let detail = "GameLift Streams did not tell why the session ended";
            (Verdict::Suspect, Reason::new("end-reason-unknown", detail))
        }
        (Some("applicationExit"), Some(lasted)) if lasted < EARLY => {
            let detail =
                format!("the application exited {} s after the session's creation", lasted.as_secs());
            (Verdict::Suspect, Reason::new(EARLY_EXIT, detail))
        }
        (Some("applicationExit"), _) => {
            let detail = "the application exited, and nothing in its files tells a crash from a quit";
            (Verdict::Exited, Reason::new("application-exit", detail))
        }
        (Some(reason), _) if ORDERLY.contains(&reason) => (
            Verdict::Clean,
            Reason::new("ended-in-order", format!("a player, a timeout or a call ended it: {reason}")),
        ),
        (Some(reason), _) => {
            let detail = format!("GameLift Streams ended the session by itself: {reason}");
            (Verdict::Suspect, Reason::new("ended-by-fault", detail))
        }
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests;
