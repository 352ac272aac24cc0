//! What people see beside the findings.

use std::fmt::Write as _;

use super::stories::{NULL_READ, PROTON, context, dump, log as unreal_log, unreal};
use super::*;
use crate::redacted::Redacted;

fn details(files: &[(&str, Vec<u8>)]) -> Details {
    findings(files).details
}

fn lines(details: &Details) -> Vec<(&str, bool)> {
    let log = details.log.as_ref().unwrap();
    log.lines.iter().map(|line| (line.text.as_str(), line.tells)).collect()
}

#[test]
fn the_log_is_shown_around_the_line_that_tells_of_the_crash_whichever_file_decided() {
    let details = details(&unreal(&NULL_READ));
    let lines = lines(&details);
    let first = lines.iter().position(|(_, tells)| *tells).unwrap();
    assert_eq!((first, lines[first].0.ends_with("=== Critical error: ===")), (16, true), "{lines:#?}");
    assert!(lines[first - 1].0.ends_with("jane lost packet 39 of [ip], no crash"), "{lines:#?}");
    let (last, _) = lines.last().unwrap();
    assert!(last.ends_with("LogExit: Executing StaticShutdownAfterError"), "{last}");
    assert!(lines.iter().any(|(text, tells)| *tells && text.contains("EXCEPTION_ACCESS_VIOLATION reading")));
}

#[test]
fn the_decoding_of_a_log_and_the_pieces_it_comes_in_do_not_matter() {
    let log = unreal_log(&NULL_READ);
    let plain = details(&[("profile/Saved/Logs/x.log", log.clone().into())]);
    let wide = details(&[("profile/Saved/Logs/x.log", text::utf16(&log))]);
    assert_eq!(plain.log, wide.log);
}

#[test]
fn of_a_session_that_did_not_crash_the_end_of_the_log_that_was_written_last_is_shown() {
    let mut text = String::new();
    for n in 0..5000 {
        writeln!(text, "LogNet: packet {n} of 10.0.0.{}", n % 250).unwrap();
    }
    let details =
        details(&[("application/readme-log.txt", b"hello\n".to_vec()), ("profile/x.log", text.into())]);
    let lines = lines(&details);
    assert_eq!((lines.len(), lines.last()), (32, Some(&("LogNet: packet 4999 of [ip]", false))));
    assert_eq!(details.log.as_ref().unwrap().path, "profile/x.log");
}

#[test]
fn what_a_log_says_between_its_crash_and_its_end_does_not_hide_the_crash() {
    let noise = "LogNet: nothing\n".repeat(20_000);
    let log = format!("{noise}Fatal error: [File:Unknown] [Line: 870] \nthe arena is gone\n{noise}");
    let details = details(&[("profile/x.log", log.into())]);
    let lines = lines(&details);
    assert_eq!(lines[16], ("Fatal error: [File:Unknown] [Line: 870]", true), "{lines:#?}");
    assert_eq!(lines[17].0, "the arena is gone");
    assert!(lines.len() <= 48);
}

#[test]
fn frames_say_where_they_are_and_whether_that_is_in_the_game() {
    let details = details(&unreal(&NULL_READ));
    let frames: Vec<_> = details
        .stack
        .iter()
        .map(|frame| (frame.module.as_str(), frame.offset.as_deref(), frame.is_games))
        .collect();
    assert_eq!(frames[0], ("Skylark-Win64-Shipping", Some("0x8d8b1a"), true));
    assert_eq!(frames[2], ("KERNEL32", Some("0x1257d"), false));
    let proton = super::findings(&[("profile/steam-4711.log", PROTON.into())]).details;
    assert_eq!(proton.stack[2].function.as_ref().map(Redacted::as_str), Some("BaseThreadInitThunk"));
}

#[test]
fn when_it_crashed_is_told_by_unreals_account_and_else_by_the_dump() {
    let ticks = "<TimeOfCrash>638994888000000000</TimeOfCrash></RuntimeProperties>";
    let account = context(&NULL_READ).replace("</RuntimeProperties>", ticks);
    let mut dump = dump(&NULL_READ, false);
    // The header's time (`MINIDUMP_HEADER`).
    dump[20..24].copy_from_slice(&1_763_892_001_u32.to_le_bytes());
    let at = |files: &[(&str, Vec<u8>)]| details(files).crashed_at.map(|at| at.to_string());
    assert_eq!(at(&[("profile/x.dmp", dump.clone())]).as_deref(), Some("2025-11-23T10:00:01Z"));
    let both =
        [("profile/Crashes/1/CrashContext.runtime-xml", account.into()), ("profile/Crashes/1/x.dmp", dump)];
    assert_eq!(at(&both).as_deref(), Some("2025-11-23T10:00:00Z"));
    assert_eq!(at(&[("profile/x.log", unreal_log(&NULL_READ).into())]), None);
}

#[test]
fn samples_are_of_the_statistics_that_the_service_keeps() {
    let details = details(&[("stats/perf_stats_v1.csv", csv(&[(0.5, 0.25, 40.0), (1.5, 0.5, 41.0)]))]);
    let [one, two] = details.samples.as_slice() else { panic!("{details:?}") };
    assert_eq!((two.at - one.at, one.cpu, one.memory), (1000, Some(500), Some(250)));
    assert_eq!((two.cpu, two.memory, two.gpu, two.vram), (Some(1500), Some(500), Some(10), Some(410)));
}
