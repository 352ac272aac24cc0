//! The whole judgement on one session of each kind, compared with what is committed under `records/`.
//!
//! `UPDATE_RECORDS=1 cargo test records` writes them anew: look at what changed.

use std::path::PathBuf;

use super::dumps::{Dump, MAC_OS};
use super::stories::{NULL_READ, PROTON, Run, UNREAL_ON_LINUX, unity, unreal};
use super::*;
use crate::triage::core_file::tests::core;
use crate::triage::performance::tests::csv;
use crate::triage::wer::tests::report_of;

fn check(name: &str, files: &[(&str, Vec<u8>)]) {
    check_by(name, files, &Rules::default());
}

fn check_by(name: &str, files: &[(&str, Vec<u8>)], rules: &Rules) {
    let judgement = judge(findings_by(files, rules), &exited(), &[]);
    let told = serde_json::to_string_pretty(&judgement).unwrap() + "\n";
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("src/triage/tests/records/{name}.json"));
    if std::env::var_os("UPDATE_RECORDS").is_some() {
        std::fs::write(&path, &told).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(told, expected, "{name}");
}

fn check_log(name: &str, file: &str, log: &str) {
    check(name, &[(file, log.into())]);
}

#[test]
fn real_dumps() {
    for name in ["test", "linux-mini", "simple-crashpad"] {
        let Some(dump) = sample(&format!("{name}.dmp")) else { return };
        check(&format!("real-{name}"), &[("profile/AppData/Local/CrashDumps/game.dmp", dump)]);
    }
}

#[test]
fn a_real_unreal_folder() {
    let mut files = Vec::new();
    for name in ["CrashContext.runtime-xml", "UE4Minidump.dmp", "MyProject.log", "CrashReportClient.ini"] {
        let Some(bytes) = sample(&format!("unreal-4.20-windows/{name}")) else { return };
        files.push((format!("application/MyProject/Saved/Crashes/UE4CC-Windows-379993BB42BD8FBED67986857D8844B5_0000/{name}"), bytes));
    }
    let files: Vec<_> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    check("real-unreal", &files);
}

#[test]
fn unreal_on_windows() {
    let mut files = unreal(&NULL_READ);
    let mut rows = vec![(0.5, 0.4, 40.0); 100];
    rows.extend(vec![(0.9, 0.97, 98.0); 20]);
    files.push(("stats/perf_stats_v1.csv", csv(&rows)));
    check("unreal-null-read", &files);
    for (name, kind, message) in [
        (
            "unreal-assert",
            "Assert",
            "Assertion failed: Health > 0 [File:D:\\x\\Shield.cpp] [Line: 214] \nHealth was -3",
        ),
        (
            "unreal-fatal",
            "Crash",
            "Fatal error: [File:Unknown] [Line: 870] \nCould not load map /Game/Maps/Arena for 10.1.2.3",
        ),
        ("unreal-gpu", "GPUCrash", "GPU crash detected: Device 0 Removed: DXGI_ERROR_DEVICE_HUNG"),
        ("unreal-memory", "OutOfMemory", "Ran out of memory allocating 1048576 bytes with alignment 16"),
        ("unreal-hang", "Hang", "Hang detected on GameThread (timeout 120)"),
    ] {
        check(name, &unreal(&Run { kind, message, ..NULL_READ }));
    }
}

#[test]
fn unreal_on_linux() {
    check_log("unreal-linux-log", "profile/.config/Epic/Skylark/Saved/Logs/Skylark.log", UNREAL_ON_LINUX);
}

#[test]
fn unity_crash_folders() {
    check("unity", &unity(0x1_4000_0000));
    check_log(
        "unity-linux",
        "profile/.config/unity3d/Orbit/Skylark/Player.log",
        "Initialize engine version: 2022.3.9f1 (x)\nCaught fatal signal - signo:11 code:1 errno:0 addr:0x8\nObtained 2 stack frames.\n\
         #0  0x007f3a11e29d90 in (Unknown)\n",
    );
}

#[test]
fn other_engines_and_runtimes() {
    check_log("proton", "profile/steam-4711.log", PROTON);
    check_log(
        "godot",
        "profile/.local/share/godot/app_userdata/Skylark/logs/godot.log",
        "Godot Engine v4.2.1.stable.official.b09f793f5 - https://godotengine.org\n\n================================================================\n\
         handle_crash: Program crashed with signal 11\nEngine version: Godot Engine v4.2.1.stable.official (b09f793f5)\nDumping the backtrace.\n\
         [1] /lib/x86_64-linux-gnu/libc.so.6(+0x42520) [0x7f3a11e29d90] (??:0)\n[2] ./skylark.x86_64(+0x1a2b3c) [0x5561d2f01788] (??:0)\n\
         -- END OF BACKTRACE --\n",
    );
    check_log(
        "jvm",
        "application/hs_err_pid4242.log",
        "#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n#  SIGSEGV (0xb) at pc=0x00007f3a11e29d90, pid=4242, tid=4243\n#\n\
         # Problematic frame:\n# C  [libskylark.so+0x85f14]  draw+0x14\n#\n\nEnvironment Variables:\nTOKEN=abcdefghijkl\n",
    );
    check_log(
        "dotnet",
        "profile/Skylark/log.txt",
        "Unhandled exception. System.InvalidOperationException: Shield 17 of jane@example.com is gone\n   at System.Linq.ThrowHelper.Throw()\n   \
         at Skylark.Shield.Apply(Int32 damage) in C:\\Users\\jane\\Shield.cs:line 12\n",
    );
    check_log(
        "rust-panic",
        "profile/skylark.log",
        "loading\nthread 'main' (4242) panicked at src/shield.rs:12:5:\nshield 17 is gone\nnote: run with `RUST_BACKTRACE=1`\n",
    );
    check_log(
        "cxx-terminate",
        "temp/stderr.txt",
        "terminate called after throwing an instance of 'std::runtime_error'\n  what():  shield 17 is gone\nAborted (core dumped)\n",
    );
    check_log("glibc", "temp/stderr.txt", "double free or corruption (top)\nAborted (core dumped)\n");
    check_log(
        "c-assert",
        "temp/stderr.txt",
        "skylark: /build/jane/src/shield.c:41: int main(int): Assertion `hp > 0' failed.\nAborted\n",
    );
    check_log(
        "sanitizer",
        "temp/stderr.txt",
        "==4242==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010 at pc 0x5561d2f01788\n    #0 0x5561d2f01788 in apply \
         (/home/jane/skylark+0xe1788)\n",
    );
    check_log(
        "gamemaker",
        "profile/Skylark/log.txt",
        "############################################################################################\nERROR in\naction number 1\nof  Step Event0\n\
         for object obj_shield:\n\nERROR in action number 1\nof  Step Event0 for object obj_shield:\n\nVariable obj_shield.hp(100003, -2147483648) not set\n",
    );
    check_log(
        "lua",
        "profile/main.log",
        "lua5.4: game/shield.lua:12: attempt to index a nil value (local 'shield')\nstack traceback:\n",
    );
    check_log(
        "python",
        "profile/game.log",
        "Traceback (most recent call last):\n  File \"/home/jane/game.py\", line 3, in <module>\n    main()\nValueError: shield 17 is gone\n",
    );
}

#[test]
fn reports_core_files_and_files_by_their_presence() {
    check(
        "wer",
        &[(
            "profile/AppData/Local/Microsoft/Windows/WER/ReportArchive/x/Report.wer",
            report_of("Skylark-Win64-Shipping.exe", "8d8b1a"),
        )],
    );
    check("core", &[("application/core.4242", core(11, "skylark", 0x20))]);
    check("gpu-dump", &[("profile/Skylark/Saved/Crashes/x/UEAftermathD3D12.nv-gpudmp", b"x".to_vec())]);
    check("sentry-native", &[("profile/x/.sentry-native/last_crash", b"2026-11-23T10:00:00Z".to_vec())]);
    check(
        "crashpad-folder-without-dumps",
        &[
            ("profile/x/Crashpad/settings.dat", b"DAPC".to_vec()),
            ("profile/x/Crashpad/metadata", b"DAPC".to_vec()),
        ],
    );
    let mut mac = Dump::windows(0x1_0000_0000, 0x1234);
    (mac.platform, mac.code, mac.flags) = (MAC_OS, 1, 1);
    check("mac-dump", &[("profile/Library/x.dmp", mac.bytes())]);
}

#[test]
fn what_a_studio_teaches() {
    let rules = Rules::new("Boom/*.bin", r"^ORBIT PANIC in \S+: (?P<message>.*)", "^orbit: bye$").unwrap();
    check_by(
        "studio-pattern",
        &[("profile/orbit.log", b"ok\nORBIT PANIC in job/4711: shield 17 is gone\nmore\n".to_vec())],
        &rules,
    );
    check_by("studio-file", &[("profile/Boom/1.bin", b"\0\x01".to_vec())], &rules);
    check_by("studio-clean-exit", &[("profile/orbit.log", b"ok\norbit: bye\n".to_vec())], &rules);
}
