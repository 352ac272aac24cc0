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
