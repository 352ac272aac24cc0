//! From what is known of a session to what happened: a pure function.

use jiff::SignedDuration;

use crate::record::{AlarmNote, Judgement, Reason, TRIAGE_VERSION, Verdict};
use crate::triage::Findings;

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
    Judgement {
        verdict: Some(verdict),
        reason: Some(reason),
        triage_version: Some(TRIAGE_VERSION),
        exception: findings.exception,
        build: findings.build,
        evidence: findings.evidence,
        files: Some(findings.files),
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

/// Evidence first, then signs of trouble, then how the session ended.
fn weigh(findings: &Findings, ending: &Ending, alarms: &[AlarmNote]) -> (Verdict, Reason) {
    if let Some(evidence) =
        findings.evidence.iter().find(|evidence| findings.crashed && evidence.kind == "minidump")
    {
        return (
            Verdict::Crash,
            Reason::new("minidump", format!("the game left a minidump, {}", file_name(&evidence.path))),
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
            Reason::new("clean-exit-mark", format!("{} ends as one of a clean exit", file_name(log))),
        );
    }
    judge_ending(ending)
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
            (Verdict::Suspect, Reason::new("early-exit", detail))
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
mod tests {
    use super::*;
    use crate::record::Evidence;

    fn ending(reason: &str, seconds: i64) -> Ending {
        Ending { reason: Some(reason.into()), lasted: Some(SignedDuration::from_secs(seconds)) }
    }

    fn alarm() -> AlarmNote {
        AlarmNote { name: "frames".into(), at: "2026-11-23T10:00:00Z".parse().unwrap() }
    }

    fn dump() -> Findings {
        let evidence = Evidence { kind: "minidump".into(), path: "x.dmp".into(), size: 1 };
        Findings { crashed: true, evidence: vec![evidence], ..Findings::default() }
    }

    fn clean_log() -> Findings {
        Findings { clean_exit: Some("x.log".into()), ..Findings::default() }
    }

    #[test]
    fn evidence_outweighs_everything() {
        for ending in [ending("apiTerminated", 900), Ending::default()] {
            assert_eq!(weigh(&dump(), &ending, &[alarm()]).0, Verdict::Crash);
        }
    }

    #[test]
    fn an_alarm_makes_a_session_suspect_however_it_ended() {
        for findings in [Findings::default(), clean_log()] {
            let (verdict, reason) = weigh(&findings, &ending("apiTerminated", 900), &[alarm()]);
            assert_eq!((verdict, reason.code.as_str()), (Verdict::Suspect, "alarm"));
            assert!(reason.detail.contains("frames"));
        }
    }

    #[test]
    fn an_exit_is_clean_by_its_log_early_within_a_minute_and_else_just_an_exit() {
        let of = |findings: &Findings, seconds| weigh(findings, &ending("applicationExit", seconds), &[]).0;
        assert_eq!(of(&clean_log(), 10), Verdict::Clean);
        assert_eq!(of(&Findings::default(), 59), Verdict::Suspect);
        assert_eq!(of(&Findings::default(), 60), Verdict::Exited);
    }

    #[test]
    fn an_end_by_player_timeout_or_call_is_clean_and_an_unknown_one_suspect() {
        for reason in ["apiTerminated", "idleTimeout", "reconnectionTimeout", "maxSessionLengthTimeout"] {
            assert_eq!(weigh(&Findings::default(), &ending(reason, 5), &[]).0, Verdict::Clean);
        }
        let (verdict, reason) = weigh(&Findings::default(), &Ending::default(), &[]);
        assert_eq!((verdict, reason.code.as_str()), (Verdict::Suspect, "end-reason-unknown"));
        for fault in ["internalError", "a word of next year"] {
            let (verdict, reason) = weigh(&Findings::default(), &ending(fault, 5), &[]);
            assert_eq!((verdict, reason.code.as_str()), (Verdict::Suspect, "ended-by-fault"));
        }
    }
}
