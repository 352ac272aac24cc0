use std::collections::BTreeSet;

use super::patterns::{FOLLOWS, STARTS};
use super::*;

/// Lines that a pattern must hit first, and lines that it must not hit at all. The former are of real files or the sources named there.
const EXAMPLES: &[(&str, &[&str], &[&str])] = &[
    (
        "ue.critical",
        &[
            "LogWindows: Error: === Critical error: ===",
            "LogCore: Fatal error!",
            "LogExit: Executing StaticShutdownAfterError",
        ],
        &["=== Handled ensure: ===", "Fatal error!", "Critical error"],
    ),
    (
        "ue.assert",
        &[
            "Assertion failed: false [File:C:\\Users\\bruno\\Unreal Projects\\MyProject\\NewActorComponent.cpp] [Line: 21] test",
            "LogWindows: Error: Assertion failed: Index >= 0 [File:./Runtime/Array.h] [Line: 674]",
        ],
        &["Ensure condition failed: false [File:a.cpp] [Line: 21]", "Assertion failed: my spirits"],
    ),
    (
        "ue.fatal",
        &[
            "Fatal error: [File:D:\\x\\Engine.cpp] [Line: 870] ",
            "LowLevelFatalError [File:Unknown] [Line: 198] Failed to find shader map",
        ],
        &["Fatal error: no disk", "LowLevelFatalError"],
    ),
    (
        "ue.unhandled",
        &[
            "Unhandled Exception: EXCEPTION_ACCESS_VIOLATION reading address 0x0000000000000000",
            "Unhandled Exception: SIGSEGV: invalid attempt to write memory at address 0x0000000000000003",
            "Unhandled Exception: 0x00004000",
        ],
        &["Unhandled Exception: System.Exception", "Unhandled exception in chat"],
    ),
    (
        "ue.access",
        &["SIGSEGV: invalid attempt to read memory at address 0x0000000000000018"],
        &["SIGTERM: invalid argument", "it said SIGSEGV: invalid attempt to read memory at address 0x1"],
    ),
    (
        "ue.signal",
        &["Caught signal 11 Segmentation fault"],
        &[
            "caught signal",
            "Caught signals 11",
            "Caught signal 15",
            "Caught signal 115",
            "Caught signal 2, leaving",
        ],
    ),
    ("ue.oom", &["Ran out of memory allocating 1048576 bytes with alignment 0"], &["Ran out of memory"]),
    (
        "ue.gpu",
        &[
            "LogRHI: Error: GPU crash detected",
            "LogD3D12RHI: Error: GPU Crashed or D3D Device Removed.",
            "Device 0 Removed: DXGI_ERROR_DEVICE_HUNG",
            "Unreal Engine is exiting due to D3D device being lost. (Error: 0x887A0006 - 'HUNG')",
        ],
        &["GPU crash debugging is enabled", "GPU crashes: none"],
    ),
    (
        "d3d.removed",
        &["d3d11: Failed to present: DXGI_ERROR_DEVICE_REMOVED"],
        &["DXGI_ERROR_INVALID_CALL", "DEVICE_REMOVED"],
    ),
    (
        "vk.lost",
        &["DxvkSubmissionQueue: Command submission failed: VK_ERROR_DEVICE_LOST"],
        &["VK_ERROR_OUT_OF_DATE_KHR"],
    ),
    ("unity.crash", &["Crash!!!"], &["Crash!!! said the player", "Crash"]),
    (
        "unity.sig",
        &["Caught fatal signal - signo:11 code:1 errno:0 addr:0x8", "Caught fatal signal - signo:6 code:-6"],
        &["Caught fatal signal"],
    ),
    (
        "unity.errorlog",
        &["Skylark.exe caused an Access Violation (0xc0000005)"],
        &["A misconfiguration caused a failure (0x80070005)"],
    ),
    ("mono.sig", &["Got a SIGSEGV while executing native code. This usually indicates"], &["Got a SIGSEGV"]),
    (
        "godot",
        &["handle_crash: Program crashed with signal 11", "CrashHandlerException: Program crashed"],
        &["Program crashed", "handle_crash: nothing"],
    ),
    (
        "wine.pf",
        &[
            "wine: Unhandled page fault on write access to 0000000000000000 at address 00000001400011F2 (thread 0024), starting debugger...",
        ],
        &["wine: page fault"],
    ),
    (
        "wine.exc",
        &[
            "wine: Unhandled exception 0xc06d007e in thread 24 at address 7B62CE59",
            "wine: Unhandled stack overflow at address 1",
        ],
        &["wine: Unhandled"],
    ),
    (
        "wine.stub",
        &["wine: Unimplemented function d3dx9_43.dll.D3DXFoo called at address 1"],
        &["Unimplemented function"],
    ),
    (
        "winedbg",
        &[
            "Unhandled exception: page fault on read access to 0x0000000000000020 in 64-bit code (0x000001408d8b1a).",
        ],
        &["Unhandled exception: page fault"],
    ),
    (
        "java",
        &[
            "#  SIGSEGV (0xb) at pc=0x00007f3a11e29d90, pid=1, tid=2",
            "#  EXCEPTION_ACCESS_VIOLATION (0xc0000005) at pc=0x1",
        ],
        &["# SIGSEGV"],
    ),
    (
        "dotnet.unhandled",
        &[
            "Unhandled exception. System.InvalidOperationException: gone",
            "Unhandled Exception: System.Exception",
        ],
        &["Unhandled exception. None"],
    ),
    (
        "dotnet.fatal",
        &[
            "Fatal error. System.AccessViolationException: Attempted to read or write protected memory.",
            "Fatal error. Internal CLR error. (0x80131506)",
        ],
        &["Fatal error. The disk is full"],
    ),
    (
        "cxx.term",
        &["terminate called after throwing an instance of 'std::runtime_error'"],
        &["terminate called"],
    ),
    (
        "cxx.term2",
        &["terminate called without an active exception", "terminate called recursively"],
        &["terminate called by user"],
    ),
    (
        "rust.panic",
        &["thread 'worker' (28153) panicked at src/p.rs:1:137:", "thread '<unnamed>' panicked at a.rs:1:2:"],
        &["thread 'x' started"],
    ),
    ("py", &["Traceback (most recent call last):"], &["> Traceback (most recent call last):"]),
    (
        "java.unc",
        &["Exception in thread \"main\" java.lang.NullPointerException: x", "Exception in thread \"a\" x.Y"],
        &["Exception in thread main"],
    ),
    (
        "managed",
        &[
            "NullReferenceException: Object reference not set to an instance of an object",
            "System.IO.IOException: disk",
        ],
        &["LogTemp: Error: x", "Error loading: x", "ERROR: Condition is true"],
    ),
    (
        "c.assert",
        &["skylark: /x/t.cpp:4: int main(int, char **): Assertion `c<0' failed."],
        &["Assertion `c<0' failed."],
    ),
    (
        "glibc",
        &[
            "double free or corruption (top)",
            "free(): invalid pointer",
            "*** stack smashing detected ***: terminated",
        ],
        &["a double free or corruption"],
    ),
    (
        "asan",
        &["==4242==ERROR: AddressSanitizer: heap-use-after-free on address 0x6"],
        &["AddressSanitizer: nothing"],
    ),
    (
        "gm",
        &["ERROR in action number 1", "FATAL ERROR in action number 1", "action number 1"],
        &["ERROR in action", "ERROR in", "an action number 1"],
    ),
    (
        "lua",
        &["lua5.4: game/shield.lua:12: attempt to index a nil value", "game/shield.lua:12: bad"],
        &["shield.lua: bad"],
    ),
    (
        "linux.seg",
        &[
            "Segmentation fault (core dumped)",
            "Segmentation fault",
            "Aborted",
            "./run.sh: line 3: 4242 Trace/breakpoint trap (core dumped)",
        ],
        &["Aborted loading", "Segmentation faults are bad"],
    ),
    (
        "ue.exit",
        &["[2026.11.23-10.00.02:728][ 43]LogExit: Exiting.", "Log file closed, 11/23/26"],
        &["LogExit: Preparing to exit.", "the Log file closed"],
    ),
    ("ue.version", &["LogInit: Engine Version: 5.3.2-29314046+++UE5"], &["Engine Version: 5"]),
    ("ue.build", &["LogInit: Build: ++UE5+Release-5.3-CL-29314046"], &["Build: 5"]),
    ("ue.configuration", &["LogInit: Build Configuration: Shipping"], &["Build Configuration: Shipping"]),
    ("unity.version", &["Initialize engine version: 6000.0.30f1 (62b05ba0686a)"], &["engine version: 6"]),
    (
        "godot.version",
        &[
            "Godot Engine v4.2.1.stable.official - https://godotengine.org",
            "Engine version: Godot Engine v4.2",
        ],
        &["Godot Engine"],
    ),
    (
        "ue.frame",
        &[
            "[Callstack] 0x00007ff612345678 Skylark-Win64-Shipping.exe!UnknownFunction []",
            "LogWindows: Error: [Callstack] 0x00007ff612345678 Skylark.exe!AActor::BeginPlay() [D:\\x.cpp:12]",
            "0x0000000004f33788 Skylark!UnknownFunction(0x4b33788)",
        ],
        &["0x1234 Skylark", "Skylark!Function()"],
    ),
    (
        "unity.module",
        &[
            "C:\\Games\\UnityPlayer.dll:UnityPlayer.dll (0000007FE9750000), size: 33554432 (result: 0), SymType: '-nosymbols-'",
        ],
        &["UnityPlayer.dll: loaded"],
    ),
    ("unity.frame", &["0x0000007FEA028B1A (unityplayer) (function-name not available)"], &["0x1 (x) y"]),
    ("unity.errormod", &["  in module UnityPlayer.dll at 0033:ea028b1a."], &["in module UnityPlayer.dll"]),
    (
        "unity.access",
        &["Read from location 0000000000000000 caused an access violation."],
        &["Read from location a"],
    ),
    (
        "winedbg.frame",
        &[
            "=>0 0x000001408d8b1a in skylark (+0x8d8b1a) (0x0000000011fa10)",
            "  2 0x0000007b62ce59 BaseThreadInitThunk+0x9() in kernel32 (0x1)",
        ],
        &["0x1 in x"],
    ),
    ("winedbg.exe", &["00000020 (D) Z:\\Games\\Skylark.exe"], &["00000020 Skylark.exe"]),
    (
        "godot.frame",
        &[
            "[1] /lib/x86_64-linux-gnu/libc.so.6(+0x42520) [0x7f3a11e29d90] (??:0)",
            "[2] ./skylark.x86_64() [0x1a2b3c4] (??:0)",
        ],
        &["[i] x"],
    ),
    ("java.frame", &["# C  [libc.so.6+0x85f14]"], &["# C  libc"]),
    (
        "sanitizer.frame",
        &["    #0 0x5561d2f01788 in apply (/home/x/skylark+0xe1788)", "    #1 0x55  (/x/y+0x1)"],
        &["#0 apply"],
    ),
    (
        "managed.frame",
        &[
            "   at Skylark.Shield.Apply(Int32 damage) in C:\\x.cs:line 12",
            "  at Foo.Bar () [0x00000] in <0>:0",
        ],
        &["at x("],
    ),
    ("cxx.what", &["  what():  boom"], &["what is it"]),
    ("gm.event", &["of Step Event0 for object obj_shield:", "of  Step Event0"], &["for object obj_shield"]),
    ("gm.object", &["for object obj_shield:"], &["for object obj_shield", "wait for object x:"]),
];

/// Whose examples are those of others: they only add to a line that another pattern hits.
const IN_OTHERS: [&str; 1] = ["py.error"];

#[test]
fn each_pattern_hits_what_it_should_and_nothing_else() {
    let patterns = Rules::default().patterns();
    let hit = |line: &str| {
        let start = patterns.start(line.as_bytes()).map(|(name, ..)| name);
        [start, patterns.follow(line.as_bytes()).map(|(name, _)| name)]
    };
    for (name, positive, negative) in EXAMPLES {
        for line in *positive {
            assert!(hit(line).contains(&Some(name)), "{name} does not hit {line}: {:?}", hit(line));
        }
        for line in *negative {
            assert!(!hit(line).contains(&Some(name)), "{name} hits {line}");
        }
    }
    let named: BTreeSet<_> = EXAMPLES.iter().map(|(name, ..)| *name).chain(IN_OTHERS).collect();
    let all: BTreeSet<_> =
        STARTS.iter().map(|(name, ..)| *name).chain(FOLLOWS.iter().map(|(name, _)| *name)).collect();
    assert_eq!(named, all, "each pattern has examples");
}

fn told(text: &str) -> Told {
    let mut scan = Scan::new(Rules::default().patterns());
    scan.push(text.as_bytes());
    scan.finish()
}

#[test]
fn the_last_report_counts_and_what_it_says_goes_before_how_the_process_ended() {
    let filler = "LogNet: nothing\n".repeat(100);
    let log = format!(
        "Assertion failed: First [File:A.cpp] [Line: 1]\n{filler}Assertion failed: Second [File:B.cpp] [Line: 2]\n{filler}Segmentation fault (core dumped)\n"
    );
    let files: Vec<_> = told(&log).crashes.into_iter().map(|crash| crash.file.unwrap_or_default()).collect();
    assert_eq!(files, ["B.cpp", "A.cpp", ""]);
}

#[test]
fn a_fatal_errors_message_may_be_in_the_next_line() {
    let log = "[2026.11.23-10.00.00:728][ 41]LogWindows: Error: LowLevelFatalError [File:Unknown] [Line: 198] \n\
               [2026.11.23-10.00.00:728][ 41]LogWindows: Error: Failed to find shader map\n";
    assert_eq!(told(log).crashes[0].message.as_deref(), Some("Failed to find shader map"));
}

#[test]
fn what_gamemaker_says_is_the_same_in_one_line_and_in_several() {
    let (several, one) = (
        "ERROR in\naction number 1\nof  Step Event0\nfor object obj_shield:\n\nVariable not set\n at gml_Object_obj_shield_Step_0\n",
        "ERROR in action number 1\nof  Step Event0 for object obj_shield:\n\nVariable not set\n at gml_Object_obj_shield_Step_0\n",
    );
    assert_eq!(told(several).crashes, told(one).crashes);
    assert_eq!(told(one).crashes[0].message.as_deref(), Some("Step Event0 for object obj_shield"));
}

#[test]
fn reports_are_bounded_in_number_and_lines_in_length() {
    let log = "Assertion failed: Again [File:A.cpp] [Line: 1]\n".to_owned() + &"x\n".repeat(50);
    let told_all = told(&log.repeat(100));
    assert_eq!(told_all.crashes.len(), MAX_REPORTS);
    let endless = format!(
        "{}Crash!!!\n{}\nCaught fatal signal - signo:11 code:1\n",
        "x".repeat(200_000),
        "y".repeat(70_000)
    );
    let crashes = told(&endless).crashes;
    assert_eq!(crashes.len(), 1, "what lies behind the first 8 KiB of a line is not looked at");
    assert_eq!(crashes[0].reason.as_deref(), Some("SIGSEGV"));
}

#[test]
fn a_clean_exit_cancels_what_programs_survive_and_nothing_else() {
    let survived = "DXGI_ERROR_DEVICE_REMOVED\nmade again\nLogExit: Exiting.\n";
    assert!(told(survived).clean_exit);
    let fatal = "=== Critical error: ===\nLog file closed\n";
    assert!(!told(fatal).clean_exit && told(fatal).crashes.len() == 1);
}

#[test]
fn builds_are_told() {
    let build = told("LogInit: Build: ++A-CL-1\r\nLogInit: Engine Version: 5.3.2-1\r\nLogInit: Build Configuration: Test\r\n").build;
    assert_eq!(build.version.unwrap(), "++A-CL-1");
    assert_eq!(
        (build.engine.as_deref(), build.engine_version.unwrap().as_str()),
        (Some("unreal"), "5.3.2-1")
    );
}
