//! Sessions without a crash, however loud their logs are.

use super::stories::{NULL_READ, Run, context};
use super::*;

fn verdict(files: &[(&str, Vec<u8>)]) -> String {
    let judgement = judgement(files);
    assert_eq!((&judgement.signature, &judgement.exception), (&None, &None), "only crashes have one");
    judgement.verdict.unwrap().to_string()
}

#[test]
fn unreal_with_warnings_and_a_handled_ensure_is_clean() {
    let log = "\
LogInit: Build: ++UE5+Release-5.3-CL-29314046
LogCrashReporter: Display: the crash reporter is ready
[2026.11.23-10.00.00:728][ 41]LogOutputDevice: Warning: Script Stack (0 frames):
[2026.11.23-10.00.00:728][ 41]LogOutputDevice: Error: === Handled ensure: ===
[2026.11.23-10.00.00:728][ 41]LogOutputDevice: Error: Ensure condition failed: Ammo > 0 [File:Gun.cpp] [Line: 9]
[2026.11.23-10.00.00:728][ 41]LogOutputDevice: Error: [Callstack] 0x00007ff612345678 Skylark.exe!UnknownFunction []
[2026.11.23-10.00.01:728][ 42]LogTemp: Error: the vehicle will crash into the wall, fatal error imminent
[2026.11.23-10.00.02:728][ 43]LogExit: Preparing to exit.
[2026.11.23-10.00.02:728][ 43]LogExit: Exiting.
Log file closed, 11/23/26 10:30:00
";
    let ensure = Run {
        kind: "Ensure",
        message: "Ensure condition failed: Ammo > 0 [File:Gun.cpp] [Line: 9]",
        ..NULL_READ
    };
    let stall = Run { kind: "Stall", ..NULL_READ };
    let files = [
        ("profile/Skylark/Saved/Logs/Skylark.log", log.into()),
        ("profile/Skylark/Saved/Crashes/UECC-1_0000/CrashContext.runtime-xml", context(&ensure).into()),
        ("profile/Skylark/Saved/Crashes/UECC-1_0000/UEMinidump.dmp", stories::dump(&ensure, true)),
        ("profile/Skylark/Saved/Crashes/UECC-1_0001/CrashContext.runtime-xml", context(&stall).into()),
        ("temp/UECrashContext-4242.xml", context(&NULL_READ).into()),
    ];
    assert_eq!(verdict(&files), "clean");
    let evidence: Vec<_> = judgement(&files).evidence.into_iter().map(|evidence| evidence.kind).collect();
    assert!(
        evidence.contains(&"ue-ensure".to_owned()) && evidence.contains(&"clean-exit-log".to_owned()),
        "{evidence:?}"
    );
}

#[test]
fn the_dump_beside_an_ensures_context_is_the_ensures() {
    let ensure = Run { kind: "Ensure", message: "Ensure condition failed: Ammo > 0", ..NULL_READ };
    let folder = "profile/Skylark/Saved/Crashes/UECC-1_0000";
    let (text, dump) = (format!("{folder}/CrashContext.runtime-xml"), format!("{folder}/UEMinidump.dmp"));
    // Cut off, whole, and without Unreal's account in it.
    for bytes in [Vec::new(), stories::dump(&ensure, true), stories::dump(&ensure, false)] {
        let files = [(text.as_str(), context(&ensure).into_bytes()), (dump.as_str(), bytes.clone())];
        assert_eq!(verdict(&files), "exited");
        // In another folder it is another's.
        let other = [
            (text.as_str(), context(&ensure).into_bytes()),
            ("temp/Crashes/UEMinidump.dmp", stories::dump(&NULL_READ, false)),
        ];
        assert_eq!(judgement(&other).verdict.unwrap().to_string(), "crash");
    }
}

#[test]
fn unity_with_managed_exceptions_just_exits() {
    let log = "Initialize engine version: 6000.0.30f1 (x)\nNullReferenceException: Object reference not set to an instance of an object\n  \
               at Skylark.Hud.Update () [0x00000] in <0>:0\nArgumentException: crash crash crash\n[Physics::Module] Cleanup current backend.\n"
        .to_owned()
        + &"Unloading 4 unused Assets / (1.2 MB). Loaded Objects now: 4711.\n".repeat(10);
    assert_eq!(verdict(&[("profile/Orbit/Skylark/Player.log", log.into())]), "exited");
    let prev = "Crash!!!\nCaught fatal signal - signo:11 code:1 errno:0 addr:0x8\n";
    assert_eq!(verdict(&[("profile/Orbit/Skylark/Player-prev.log", prev.into())]), "exited");
}

#[test]
fn godot_and_others_with_errors_just_exit() {
    let godot = "Godot Engine v4.2.1.stable.official\nERROR: Condition \"!is_inside_tree()\" is true.\n   at: get_global_transform (scene/3d/node_3d.cpp:343)\n\
                 USER WARNING: crash mat missing\nhandled: nothing crashed\n";
    assert_eq!(verdict(&[("profile/app_userdata/x/logs/godot.log", godot.into())]), "exited");
    let other = "INFO DXGI_ERROR_DEVICE_REMOVED was survived: the device was made again\n".to_owned()
        + &"frame\n".repeat(20_000);
    assert_eq!(verdict(&[("profile/x.log", other.into())]), "exited");
    let words = "Aborted loading of level 3\nSegmentation faults are bad\nerror: a failure caused a retry (0x80070005)\nUser jane: Fatal error! or not\n\
                 python: Traceback is what I said\nLogTemp: MyException\n";
    assert_eq!(verdict(&[("profile/x.log", words.into())]), "exited");
}

#[test]
fn a_fault_that_wine_reports_of_a_helper_or_long_ago_is_no_crash_of_the_game() {
    let fault = "wine: Unhandled page fault on read access to 0000000000000020 at address 00000001408D8B1A (thread 0124), starting debugger...\n";
    let helper = format!(
        "{fault}Unhandled exception: page fault on read access to 0x0000000000000020 in 64-bit code (0x000001408d8b1a).\nBacktrace:\n\
         =>0 0x000001408d8b1a in epicwebhelper (+0x8d8b1a) (0x0000000011fa10)\nThreads:\n00000020 (D) Z:\\Games\\EpicWebHelper.exe\n"
    );
    assert_eq!(verdict(&[("profile/steam-1.log", helper.into())]), "exited");
    let survived = format!("{fault}{}", "fixme:d3d:something is not implemented\n".repeat(4000));
    assert_eq!(verdict(&[("profile/steam-1.log", survived.into())]), "exited");
}

#[test]
fn an_error_as_last_words_is_a_crash_only_if_the_application_exited() {
    let log = b"loading\nthread 'main' panicked at src/shield.rs:12:5:\nshield is gone\n".to_vec();
    let files = [("profile/x.log", log)];
    assert_eq!(judgement(&files).reason.unwrap().code, "last-words");
    let ended = Ending { reason: Some("apiTerminated".to_owned()), lasted: None };
    let judgement = judge(findings(&files), &ended, &[]);
    assert_eq!((judgement.verdict.unwrap().to_string(), judgement.signature), ("clean".to_owned(), None));
}
