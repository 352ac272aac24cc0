//! Files that are counted, cut off, or not what their names say.

use super::dumps::Dump;
use super::*;
use crate::triage::core_file::tests::core;
use crate::triage::wer::tests::report_of;

#[test]
fn a_real_windows_dump_tells_reason_module_offset_and_build() {
    let Some(dump) = sample("test.dmp") else { return };
    let found = findings(&[("profile/AppData/Local/CrashDumps/game.dmp", dump.clone())]);
    let exception = found.crash.unwrap().exception;
    assert_eq!(exception.kind.unwrap(), "EXCEPTION_ACCESS_VIOLATION_WRITE");
    assert_eq!(exception.module.unwrap(), "test_app.exe");
    assert_eq!(exception.offset.as_deref(), Some("0x429e"));
    assert_eq!(found.build.unwrap().id.as_deref(), Some("5A9832E5287241C1838ED98914E9B7FF1"));
    assert_eq!(found.evidence[0].size, dump.len() as u64);
    assert_eq!((found.files.count, found.files.roots.profile), (1, 1));
}

#[test]
fn a_dump_that_was_cut_off_or_is_empty_is_evidence_with_a_problem() {
    let whole = Dump::windows(0x1_4000_0000, 0x1234).bytes();
    for bytes in [&b""[..], b"MDMP", b"MDMP\x93\xa7\0\0\x05\0\0\0\x20\0\0\0", &whole[..90]] {
        let judgement = judgement(&[("temp/x.dmp", bytes.to_vec())]);
        assert_eq!(judgement.verdict.unwrap().to_string(), "crash", "{bytes:?}");
        assert_eq!(judgement.problems[0].code, "minidump-unreadable");
        assert_eq!(judgement.signature.unwrap().confidence, "low");
    }
}

#[test]
fn a_name_alone_makes_no_dump_and_no_context() {
    let found = findings(&[
        ("application/assets/level.dmp", b"a level of the game".to_vec()),
        ("application/x.runtime-xml", b"<html>".to_vec()),
        ("application/core", b"a folder of the game's core".to_vec()),
    ]);
    assert!(found.crash.is_none() && found.evidence.is_empty());
    let mut codes: Vec<_> = found.problems.iter().map(|problem| problem.code.as_str()).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["not-a-crash-context", "not-a-minidump"]);
}

#[test]
fn bytes_decide_before_names() {
    let context = stories::context(&stories::NULL_READ);
    let found = findings(&[("temp/odd.dmp", context.into_bytes())]);
    assert_eq!(found.crash.unwrap().evidence.kind, "ue-crash-context");
}

#[test]
fn a_helpers_dump_and_one_that_was_asked_for_are_no_crash_of_the_game() {
    let mut helper = Dump::windows(0x1_4000_0000, 0x1234);
    helper.modules[0].path = r"C:\Games\Skylark\Engine\EpicWebHelper.exe".to_owned();
    let mut asked = Dump::windows(0x1_4000_0000, 0x1234);
    asked.code = 0x0517_a7ed;
    let mut asked_on_linux = Dump::linux(0x5555_0000_0000, 0x1234);
    asked_on_linux.code = u32::MAX;
    let files = [
        ("profile/a.dmp", helper.bytes()),
        ("profile/b.dmp", asked.bytes()),
        ("profile/c.dmp", asked_on_linux.bytes()),
    ];
    let judgement = judgement(&files);
    assert_eq!((judgement.verdict.unwrap().to_string(), judgement.signature), ("exited".to_owned(), None));
    let mut kinds: Vec<_> = judgement.evidence.iter().map(|evidence| evidence.kind.as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["helper-minidump", "requested-minidump", "requested-minidump"]);
}

#[test]
fn what_the_system_reports_of_a_helper_is_no_crash_of_the_game() {
    let report = String::from_utf16(
        &report_of("libcef.dll", "1f")
            .chunks(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect::<Vec<_>>(),
    );
    let report = report.unwrap().replace("Skylark-Win64-Shipping.exe", "EpicWebHelper.exe");
    let files =
        [("profile/WER/Report.wer", report.into_bytes()), ("temp/core", core(11, "crashpad_handler", 0))];
    let judgement = judgement(&files);
    assert_eq!((judgement.verdict.unwrap().to_string(), judgement.signature), ("exited".to_owned(), None));
    assert!(judgement.evidence.iter().all(|evidence| evidence.kind == "helper-report"));
}

#[test]
fn a_dump_whose_modules_lie_far_behind_is_read_further() {
    // 3 MB that deflate cannot shrink come between exception and modules.
    let mut state = 1_u64;
    let mut noise = Vec::new();
    while noise.len() < 3_000_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        noise.extend(state.to_le_bytes());
    }
    let mut dump = Dump::windows(0x1_4000_0000, 0x8d_8b1a);
    let modules = std::mem::take(&mut dump.modules);
    dump.streams = vec![(0xffff, noise)];
    let mut bytes = dump.bytes();
    let far = Dump { modules, ..Dump::windows(0x1_4000_0000, 0x8d_8b1a) }.bytes();
    // The whole of the second dump goes behind the first; its pointers move by as much.
    let by = u32::try_from(bytes.len()).unwrap();
    bytes.extend(&far);
    let word = |bytes: &[u8], at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let list = word(&far, 32 + 2 * 12 + 8);
    for n in 0..3 {
        for field in [20, 80] {
            let at = (by + list) as usize + 4 + n * 108 + field;
            let moved = word(&bytes, at) + by;
            bytes[at..at + 4].copy_from_slice(&moved.to_le_bytes());
        }
    }
    let (size, place) = (word(&far, 32 + 2 * 12 + 4), by + list);
    bytes[32 + 2 * 12 + 4..32 + 2 * 12 + 12].copy_from_slice(&[size, place].map(u32::to_le_bytes).concat());
    let found = findings(&[("profile/x.dmp", bytes)]).crash.unwrap();
    assert_eq!(found.exception.offset.as_deref(), Some("0x8d8b1a"));
}

#[test]
fn a_log_that_ends_with_the_engines_farewell_is_a_clean_exit() {
    let clean = "LogInit: Display: Game starting\nLogExit: Exiting.\nLog file closed, 11/23/26\n";
    for log in [clean.into(), text::utf16(clean), clean.replace('\n', "\r\n").into_bytes()] {
        let found = findings(&[("profile/Saved/Logs/Game.log", log)]);
        assert_eq!(found.clean_exit.unwrap(), "profile/Saved/Logs/Game.log");
    }
    let found = findings(&[("profile/Saved/Logs/Game.log", b"LogInit: Display: Game starting\n".to_vec())]);
    assert_eq!(found.clean_exit, None);
    let long_since = format!("{clean}{}", "LogNet: and then it ran on\n".repeat(4000));
    let found = findings(&[("profile/Saved/Logs/Game.log", long_since.into_bytes())]);
    assert_eq!(found.clean_exit, None);
}

#[test]
fn files_are_counted_by_the_exports_folders() {
    let files = [
        ("application/a", b"12".to_vec()),
        ("profile/b", b"3".to_vec()),
        ("temp/c/d", Vec::new()),
        ("stats/perf_stats_v1.csv", b"timestamp\n".to_vec()),
        ("loose", b"1".to_vec()),
    ];
    let found = findings(&files).files;
    assert_eq!((found.count, found.bytes), (5, 14));
    let roots = &found.roots;
    assert_eq!((roots.application, roots.profile, roots.temp, roots.stats, roots.other), (1, 1, 1, 1, 1));
}

#[test]
fn of_too_many_files_those_in_folders_of_crashes_are_read() {
    let names: Vec<_> = (0..40).map(|n| format!("application/levels/{n}.dmp")).collect();
    let mut files: Vec<_> = names.iter().map(|name| (name.as_str(), b"a level".to_vec())).collect();
    files
        .insert(20, ("profile/Saved/Crashes/x/UEMinidump.dmp", Dump::windows(0x1_4000_0000, 0x1234).bytes()));
    let found = findings(&files);
    assert!(found.crash.is_some());
    assert!(found.problems.iter().any(|problem| problem.code == "file-limit"), "{:?}", found.problems);
}

#[test]
fn a_stored_logs_end_is_enough() {
    let log = [vec![b'.'; 9_000_000], b"\nLogCore: === Critical error: ===\nUnhandled Exception: SIGSEGV: invalid attempt to read memory at address 0x20\n".to_vec()].concat();
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(
        "profile/x.log",
        SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored),
    )
    .unwrap();
    zip.write_all(&log).unwrap();
    let bytes: Bytes = zip.finish().unwrap().into_inner().into();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let found = runtime.block_on(examine(&bytes, Some(bytes.len() as u64), None, &Rules::default())).unwrap();
    assert_eq!(found.crash.unwrap().exception.kind.unwrap(), "SIGSEGV");
    assert_eq!(found.problems[0].code, "log-tail");
}
