//! The same crash is the same, however it is told and wherever it happened; another one is another.

use super::dumps::Dump;
use super::stories::{NULL_READ, PROTON, Run, UNREAL_ON_LINUX, context, dump, log, unity, unreal};
use super::*;
use crate::triage::wer::tests::report_of;

/// A crash told by each kind of evidence alone.
fn alone(run: &Run) -> Vec<(&'static str, Signature)> {
    let one = |name: &'static str, bytes: Vec<u8>| (name, signature(&[(name, bytes)]));
    vec![
        one("profile/CrashContext.runtime-xml", context(run).into()),
        one("profile/with-context.dmp", dump(run, true)),
        one("profile/Skylark.log", log(run).into()),
    ]
}

#[test]
fn a_native_crash_has_one_id_whether_context_dump_or_log_tells_it() {
    let mut told = alone(&NULL_READ);
    told.push(("dump without context", signature(&[("profile/x.dmp", dump(&NULL_READ, false))])));
    told.push(("all", signature(&unreal(&NULL_READ))));
    for (name, signature) in told {
        assert_eq!(
            signature.title, "EXCEPTION_ACCESS_VIOLATION_READ/null | skylark-win64-shipping",
            "{name}"
        );
        // Stable: a change here moves everybody's groups, and needs a new version.
        assert_eq!(signature.id, "306a11da3e597762", "{name}");
    }
}

#[test]
fn a_call_of_nothing_has_one_id_whether_context_dump_or_log_tells_it() {
    // Unreal's words for an access that is neither reading nor writing are none.
    let run =
        Run { message: "Unhandled Exception: EXCEPTION_ACCESS_VIOLATION 0x0000000000000000", ..NULL_READ };
    let mut dump = Dump::windows(run.base, run.offset);
    (dump.address, dump.parameters, dump.instruction) = (0, vec![8, 0], 0);
    for (name, bytes) in [
        ("profile/CrashContext.runtime-xml", context(&run).into()),
        ("profile/x.dmp", dump.bytes()),
        ("profile/Skylark.log", log(&run).into()),
    ] {
        let title = signature(&[(name, bytes)]).title;
        assert_eq!(title, "EXCEPTION_ACCESS_VIOLATION_EXEC/null | skylark-win64-shipping", "{name}");
    }
}

#[test]
fn an_assertion_has_one_id_whether_context_dump_or_log_tells_it() {
    let run = Run {
        kind: "Assert",
        message: "Assertion failed: Health > 0 [File:D:\\build\\77\\Source\\Skylark\\Shield.cpp] [Line: 214] \nHealth was -3 of 0x7ff612345678",
        ..NULL_READ
    };
    for (name, signature) in alone(&run) {
        assert_eq!(signature.title, "assert | Health > <n> | Shield.cpp", "{name}");
        assert_eq!(signature.confidence, "high");
    }
    let elsewhere = Run {
        message: "Assertion failed: Health > 0 [File:E:/other/Shield.cpp] [Line: 215] Health was -9",
        ..run
    };
    assert_eq!(alone(&elsewhere)[0].1.id, alone(&elsewhere)[2].1.id);
}

#[test]
fn the_real_unreal_folder_has_one_id_whoever_tells_it() {
    let [Some(context), Some(dump), Some(log)] =
        ["CrashContext.runtime-xml", "UE4Minidump.dmp", "MyProject.log"]
            .map(|name| sample(&format!("unreal-4.20-windows/{name}")))
    else {
        return;
    };
    let expected = "assert | false | NewActorComponent.cpp";
    // The real log ends before the engine wrote these lines into it.
    let tail = "[2018.10.29-16.56.38:385][  0]LogWindows: Error: === Critical error: ===\r\n[2018.10.29-16.56.38:385][  0]LogWindows: Error: \r\n\
                [2018.10.29-16.56.38:385][  0]LogWindows: Error: Assertion failed: false [File:C:\\Users\\bruno\\OneDrive\\Documents\\Unreal \
                Projects\\MyProject\\Source\\MyProject\\NewActorComponent.cpp] [Line: 21] \r\n[2018.10.29-16.56.38:385][  0]LogWindows: Error: test\r\n";
    let log = [log, tail.into()].concat();
    let told = [
        signature(&[("profile/CrashContext.runtime-xml", context.clone())]),
        signature(&[("profile/UE4Minidump.dmp", dump.clone())]),
        signature(&[("profile/MyProject.log", log.clone())]),
        signature(&[
            ("profile/Crashes/x/CrashContext.runtime-xml", context),
            ("profile/Crashes/x/UE4Minidump.dmp", dump),
            ("profile/Crashes/x/MyProject.log", log),
        ]),
    ];
    for signature in told {
        assert_eq!((signature.title.as_str(), signature.id.as_str()), (expected, "f099cf3c68a48c76"));
    }
}

#[test]
fn on_linux_context_dump_and_log_tell_one_crash() {
    let run = Run { message: "Caught signal 11 Segmentation fault", ..NULL_READ };
    let context = context(&run).replace("Win64", "Linux").replace("Windows", "Linux");
    for (name, bytes) in [
        ("profile/CrashContext.runtime-xml", context.into()),
        ("profile/x.dmp", Dump::linux(0x5561_d262_8c6e, 0x8d_8b1a).bytes()),
        ("profile/Skylark.log", UNREAL_ON_LINUX.into()),
    ] {
        assert_eq!(signature(&[(name, bytes)]).title, "SIGSEGV | skylark-linux-shipping", "{name}");
    }
}

#[test]
fn proton_and_the_engine_in_it_tell_one_crash() {
    let proton = signature(&[("profile/steam-4711.log", PROTON.into())]);
    assert_eq!(proton.id, signature(&unreal(&NULL_READ)).id);
}

#[test]
fn another_session_with_other_addresses_users_paths_times_and_noise_changes_nothing() {
    let other = Run {
        user: "Joe Doe",
        base: 0x7ff7_9999_0000,
        guid: "0123456789ABCDEF0123456789ABCDEF",
        time: "2027.01.02-23.59.59",
        ..NULL_READ
    };
    assert_eq!(signature(&unreal(&NULL_READ)), signature(&unreal(&other)));
    let (one, two) = (unity(0x1_4000_0000), unity(0x7ff6_0000_0000));
    assert_eq!(signature(&one), signature(&two));
    assert_eq!(signature(&one).title, "EXCEPTION_ACCESS_VIOLATION_READ/null | skylark");
    let decision = findings(&one).crash.unwrap().decision;
    assert!(decision.place.as_str().starts_with("unityplayer+0x8d8b1a skylark+0x11f2"), "{}", decision.place);
}

#[test]
fn another_build_has_the_same_id_and_another_fingerprint() {
    let other = Run { build: "++Skylark+Release-1.3-CL-4800", offset: 0x8d_9c2b, ..NULL_READ };
    let (one, two) = (signature(&unreal(&NULL_READ)), signature(&unreal(&other)));
    assert_eq!(one.id, two.id);
    assert_ne!(one.fingerprint, two.fingerprint);
}

#[test]
fn another_crash_has_another_id() {
    let write = Run {
        message: "Unhandled Exception: EXCEPTION_ACCESS_VIOLATION writing address 0x0000000000000020",
        ..NULL_READ
    };
    let gpu = Run { kind: "GPUCrash", message: "GPU Crash dump Triggered", ..NULL_READ };
    let assert = Run {
        kind: "Assert",
        message: "Assertion failed: Health > 0 [File:Shield.cpp] [Line: 2] ",
        ..NULL_READ
    };
    let other =
        Run { kind: "Assert", message: "Assertion failed: Shield [File:Shield.cpp] [Line: 2] ", ..NULL_READ };
    let memory = Run {
        kind: "OutOfMemory",
        message: "Ran out of memory allocating 1048576 bytes with alignment 16",
        ..NULL_READ
    };
    let runs = [NULL_READ, write, gpu, assert, other, memory];
    let mut ids: Vec<_> = runs.iter().map(|run| signature(&unreal(run)).id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), runs.len());
}

#[test]
fn of_several_crashes_in_one_run_the_last_fatal_one_counts() {
    let folder =
        |n: u8, name: &str| format!("profile/Skylark/Saved/Crashes/UECC-Windows-379993BB_000{n}/{name}");
    let ensure = Run {
        kind: "Ensure",
        message: "Ensure condition failed: Ammo > 0 [File:Gun.cpp] [Line: 9]",
        ..NULL_READ
    };
    let first =
        Run { kind: "Assert", message: "Assertion failed: First [File:A.cpp] [Line: 1] ", ..NULL_READ };
    let last = Run { kind: "Assert", message: "Assertion failed: Last [File:B.cpp] [Line: 1] ", ..NULL_READ };
    let names: Vec<_> = (0..4).map(|n| folder(n, "CrashContext.runtime-xml")).collect();
    let runs = [&ensure, &first, &last, &ensure];
    let files: Vec<_> =
        names.iter().zip(runs).map(|(name, run)| (name.as_str(), context(run).into_bytes())).collect();
    assert_eq!(signature(&files).title, "assert | Last | B.cpp");
}

#[test]
fn an_exception_that_only_marks_something_is_told_by_the_log() {
    let run = Run {
        kind: "Assert",
        message: "Assertion failed: Health > 0 [File:Shield.cpp] [Line: 2] ",
        ..NULL_READ
    };
    let files = [
        ("profile/Crashes/x/UEMinidump.dmp", dump(&run, false)),
        ("profile/Saved/Logs/Skylark.log", log(&run).into()),
    ];
    let judgement = judgement(&files);
    assert_eq!(judgement.signature.unwrap().title, "assert | Health > <n> | Shield.cpp");
    assert_eq!(judgement.exception.unwrap().thread.unwrap(), "GameThread");
}

#[test]
fn windows_own_report_is_told_how_memory_was_accessed_by_others() {
    let report = report_of("Skylark-Win64-Shipping.exe", "00000000008d8b1a");
    let path = "profile/AppData/Local/Microsoft/Windows/WER/ReportArchive/AppCrash_x/Report.wer";
    let files = [(path, report.clone()), ("application/Saved/Logs/Skylark.log", log(&NULL_READ).into())];
    assert_eq!(signature(&files).id, alone(&NULL_READ)[2].1.id);
    // Another crash' log does not tell.
    let other = report_of("other.dll", "1f");
    let files = [(path, other), ("application/Saved/Logs/Skylark.log", log(&NULL_READ).into())];
    assert_eq!(signature(&files).title, "EXCEPTION_ACCESS_VIOLATION | other");
}

#[test]
fn an_empty_stack_hash_is_never_a_group() {
    let empty = context(&NULL_READ);
    let other =
        empty.replace("DA39A3EE5E6B4B0D3255BFEF95601890AFD80709", "1111111111111111111111111111111111111111");
    let of = |text: String| signature(&[("profile/CrashContext.runtime-xml", text.into_bytes())]);
    assert_eq!(of(empty), of(other));
}
