use super::*;
use crate::record::Performance;
use crate::triage::{self, Found, Rules};

fn ending(reason: &str, seconds: i64) -> Ending {
    Ending { reason: Some(reason.into()), lasted: Some(SignedDuration::from_secs(seconds)) }
}

fn alarm() -> AlarmNote {
    AlarmNote { name: "frames".into(), at: "2026-11-23T10:00:00Z".parse().unwrap() }
}

fn found() -> Found {
    let bytes = b"MDMP";
    triage::examine_file("x.dmp", bytes, &Rules::default()).crash.expect("a dump that was cut off")
}

fn dump() -> Findings {
    Findings { crash: Some(found()), ..Findings::default() }
}

fn last_words() -> Findings {
    Findings { last_words: Some(found()), ..Findings::default() }
}

fn clean_log() -> Findings {
    Findings { clean_exit: Some("x.log".into()), ..Findings::default() }
}

fn short_of(what: &str) -> Findings {
    let performance = Performance { pressure: vec![what.to_owned()], ..Performance::default() };
    Findings { performance: Some(performance), ..Findings::default() }
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

#[test]
fn an_error_as_last_words_is_a_crash_where_the_application_exited() {
    let of = |ending: &Ending| weigh(&last_words(), ending, &[]).1.code;
    assert_eq!(of(&ending("applicationExit", 900)), "last-words");
    assert_eq!(of(&ending("idleTimeout", 900)), "ended-in-order");
    assert_eq!(of(&Ending::default()), "end-reason-unknown");
    let judged = judge(last_words(), &ending("applicationExit", 900), &[]);
    assert!(judged.signature.is_some());
    assert_eq!(judged.evidence.len(), 1);
}

#[test]
fn want_of_memory_at_the_end_is_suspect_and_want_of_processor_time_is_not() {
    for (what, expected) in
        [("memory", Verdict::Suspect), ("vram", Verdict::Suspect), ("cpu", Verdict::Exited)]
    {
        assert_eq!(weigh(&short_of(what), &ending("applicationExit", 900), &[]).0, expected, "{what}");
    }
}

#[test]
fn the_documentation_has_the_same_table_and_each_row_can_hold() {
    let page = include_str!("../../docs/triage.md");
    for row in ROWS {
        let line = format!("| `{}` | `{}` | {} |", row.verdict, row.code, row.when);
        assert!(page.contains(&line), "docs/triage.md lacks\n{line}");
    }
    let cases = [
        (dump(), Ending::default(), vec![alarm()]),
        (last_words(), ending("applicationExit", 900), vec![alarm()]),
        (clean_log(), ending("applicationExit", 900), vec![alarm()]),
        (clean_log(), ending("applicationExit", 5), vec![]),
        (short_of("memory"), ending("idleTimeout", 900), vec![]),
        (Findings::default(), Ending::default(), vec![]),
        (Findings::default(), ending("applicationExit", 5), vec![]),
        (Findings::default(), ending("applicationExit", 900), vec![]),
        (Findings::default(), ending("idleTimeout", 900), vec![]),
        (Findings::default(), ending("internalError", 900), vec![]),
    ];
    for ((findings, ending, alarms), row) in cases.iter().zip(ROWS) {
        let (verdict, reason) = weigh(findings, ending, alarms);
        assert_eq!((verdict.to_string().as_str(), reason.code.as_str()), (row.verdict, row.code));
    }
}
