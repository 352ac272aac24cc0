//! What engines write when they crash, faithful to real files, with what differs from session to session left open.

use std::fmt::Write as _;

use super::Session;
use super::dumps::{Dump, UNREAL_CONTEXT};
use crate::triage::text::utf16;

/// One session of Skylark, an Unreal game: what differs from others.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) user: &'static str,
    pub(crate) base: u64,
    pub(crate) offset: u64,
    pub(crate) build: &'static str,
    pub(crate) guid: &'static str,
    pub(crate) time: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) message: &'static str,
}

pub(crate) const NULL_READ: Run = Run {
    user: "jane",
    base: 0x7ff6_1234_0000,
    offset: 0x8d_8b1a,
    build: "++Skylark+Release-1.2-CL-4711",
    guid: "379993BB42BD8FBED67986857D8844B5",
    time: "2026.11.23-10.00.00",
    kind: "Crash",
    message: "Unhandled Exception: EXCEPTION_ACCESS_VIOLATION reading address 0x0000000000000020",
};

/// `CrashContext.runtime-xml`, as Unreal 5.3 writes it on Windows.
pub(crate) fn context(run: &Run) -> String {
    let Run { user, base, offset, build, guid, kind, message, .. } = run;
    let ensure = *kind == "Ensure";
    let (system, shipping) = (base + 0x1000_0000, "Skylark-Win64-Shipping");
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<FGenericCrashContext>
<RuntimeProperties>
<CrashVersion>3</CrashVersion>
<ExecutionGuid>{guid}</ExecutionGuid>
<CrashGUID>UECC-Windows-{guid}_0000</CrashGUID>
<IsEnsure>{ensure}</IsEnsure>
<IsStall>false</IsStall>
<IsAssert>{}</IsAssert>
<CrashType>{kind}</CrashType>
<ErrorMessage>{}</ErrorMessage>
<SecondsSinceStart>1830</SecondsSinceStart>
<GameName>UE-Skylark</GameName>
<ExecutableName>{shipping}</ExecutableName>
<BuildConfiguration>Shipping</BuildConfiguration>
<PlatformName>Windows</PlatformName>
<EngineVersion>5.3.2-29314046+++UE5+Release-5.3</EngineVersion>
<CommandLine>Skylark -AuthToken=eyJhbGciOiJub25l.eyJzdWIiOiJqYW5l.c2lnbmF0dXJl -user={user}@example.com</CommandLine>
<BuildVersion>{build}</BuildVersion>
<LoginId>6b5ef42f48669c4d7dfe11b7f59bb6ac</LoginId>
<EpicAccountId>2e7d369327054a448be6c8d3601213cb</EpicAccountId>
<UserName>{user}</UserName>
<BaseDir>C:/Users/{user}/Skylark/Binaries/Win64/</BaseDir>
<MemoryStats.bIsOOM>{}</MemoryStats.bIsOOM>
<CallStack></CallStack>
<PCallStack>
{shipping}         0x{base:016x} + {offset:<16x}
{shipping}         0x{base:016x} + 8d7000
KERNEL32                       0x{system:016x} + 1257d
{shipping}         0x{base:016x} + 11223344
ntdll                          0x{system:016x} + 5aa48
</PCallStack>
<PCallStackHash>DA39A3EE5E6B4B0D3255BFEF95601890AFD80709</PCallStackHash>
</RuntimeProperties>
<PlatformProperties><PlatformIsRunningWindows>1</PlatformIsRunningWindows></PlatformProperties>
<GameData><player name=1>unescaped & not well-formed</player name=1></GameData>
</FGenericCrashContext>
"#,
        *kind == "Assert",
        message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
        u8::from(*kind == "OutOfMemory"),
    )
}

/// The dump of the same crash, with the context inside as Unreal puts it there.
pub(crate) fn dump(run: &Run, with_context: bool) -> Vec<u8> {
    let mut dump = Dump::windows(run.base, run.offset);
    dump.code = match run.kind {
        "Assert" | "Ensure" => 0x4000,
        "GPUCrash" => 0x8000,
        "OutOfMemory" => 0xc000,
        _ => dump.code,
    };
    if dump.code != 0xc000_0005 {
        // Raised by RaiseException.
        (dump.instruction, dump.parameters) = (dump.modules[2].base + 0x64f69, Vec::new());
    }
    dump.modules[0].build =
        u32::try_from(run.build.len()).unwrap() + u32::from(run.build.as_bytes()[run.build.len() - 1]);
    if with_context {
        let mut stream: Vec<u8> = utf16(&context(run))[2..].to_vec();
        stream.resize(128 * 1024, 0);
        dump.streams.push((UNREAL_CONTEXT, stream));
    }
    dump.bytes()
}

/// The log of the same session.
pub(crate) fn log(run: &Run) -> String {
    let Run { user, base, time, message, build, .. } = run;
    let mut log = format!("\u{feff}Log file open, 11/23/26 10:00:00\nLogInit: Build: {build}\n");
    log +=
        "LogInit: Engine Version: 5.3.2-29314046+++UE5+Release-5.3\nLogInit: Build Configuration: Shipping\n";
    for n in 0..40 {
        writeln!(
            log,
            "[{time}:{n:03}][{n:>3}]LogNet: Warning: {user} lost packet {n} of 203.0.113.{n}:7777, no crash"
        )
        .unwrap();
    }
    writeln!(log, "[{time}:728][ 41]LogWindows: Error: === Critical error: ===").unwrap();
    writeln!(log, "[{time}:728][ 41]LogWindows: Error: ").unwrap();
    for line in message.lines() {
        writeln!(log, "[{time}:728][ 41]LogWindows: Error: {line}").unwrap();
    }
    writeln!(log, "[{time}:728][ 41]LogWindows: Error: ").unwrap();
    for (module, at) in
        [("Skylark-Win64-Shipping.exe", base + run.offset), ("KERNEL32.DLL", base + 0x1001_257d)]
    {
        writeln!(
            log,
            "[{time}:728][ 41]LogWindows: Error: [Callstack] 0x{at:016x} {module}!UnknownFunction []"
        )
        .unwrap();
    }
    writeln!(log, "[{time}:730][ 41]LogExit: Executing StaticShutdownAfterError").unwrap();
    log
}

/// The whole crash of an Unreal game: context, dump and log in its folder, and the log where it always is.
pub(crate) fn unreal(run: &Run) -> Session<'static> {
    vec![
        (
            "profile/AppData/Local/Skylark/Saved/Crashes/UECC-Windows-1_0000/CrashContext.runtime-xml",
            context(run).into(),
        ),
        ("profile/AppData/Local/Skylark/Saved/Crashes/UECC-Windows-1_0000/UEMinidump.dmp", dump(run, true)),
        ("profile/AppData/Local/Skylark/Saved/Crashes/UECC-Windows-1_0000/Skylark.log", utf16(&log(run))),
        ("profile/AppData/Local/Skylark/Saved/Logs/Skylark.log", log(run).into()),
    ]
}

/// An Unreal game's log on Linux, with module offsets and no functions.
pub(crate) const UNREAL_ON_LINUX: &str = "\
[2026.11.23-10.00.00:728][ 41]LogCore: === Critical error: ===
Unhandled Exception: SIGSEGV: invalid attempt to read memory at address 0x0000000000000020

[2026.11.23-10.00.00:728][ 41]LogCore: Fatal error!

0x00005561d2f01788 Skylark-Linux-Shipping!UnknownFunction(0x8d8b1a)
0x00005561d2f01799 Skylark-Linux-Shipping!UnknownFunction(0x8d7000)
0x00007f3a11e29d90 libc.so.6!UnknownFunction(0x29d8f)

[2026.11.23-10.00.00:730][ 41]LogCore: Engine crash handling finished; re-raising signal 11 for the default handler. Good bye.
";

/// Unity's crash folder: `base` is where its modules lie.
pub(crate) fn unity(base: u64) -> Session<'static> {
    let player = base + 0x1000_0000;
    let low = (player + 0x8d_8b1a) & 0xffff_ffff;
    let log = format!(
        "Initialize engine version: 6000.0.30f1 (62b05ba0686a)\nNullReferenceException: Object reference not set to an instance of an object\n  \
         at Skylark.Hud.Update () [0x00000] in <0>:0\n\nCrash!!!\nSymInit: Symbol-SearchPath: '.;C:/users/steamuser/x'\n\
         C:\\Games\\Skylark.exe:Skylark.exe ({base:016X}), size: 667648 (result: 0), SymType: '-exported-', PDB: '', fileVersion: 6000.0.30.1\n\
         C:\\Games\\UnityPlayer.dll:UnityPlayer.dll ({player:016X}), size: 33554432 (result: 0), SymType: '-exported-', PDB: ''\n\
         \n========== OUTPUTTING STACK TRACE ==================\n\n\
         0x{:016X} (UnityPlayer) (function-name not available)\n0x{:016X} (UnityPlayer) UnityMain\n\
         0x{:016X} (Skylark) (function-name not available)\n0x000000007B62CE59 (kernel32) BaseThreadInitThunk\n\
         \n========== END OF STACKTRACE ===========\n\nA crash has been intercepted by the crash handler. For call stack and other details, \
         see the latest crash report generated in:\n * C:/users/steamuser/Temp/Skylark/Crashes/Crash_2026-11-23\n",
        player + 0x8d_8b1a,
        player + 0x123,
        base + 0x11f2,
    );
    let error = format!(
        "Unity Player [version: Unity 6000.0.30f1_62b05ba0686a]\n\nSkylark.exe caused an Access Violation (0xc0000005)\n  in module \
         UnityPlayer.dll at 0033:{low:08x}.\n\nError occurred at 2026-11-23_100000.\nC:\\Games\\Skylark.exe, run by steamuser.\n\
         Read from location 0000000000000000 caused an access violation.\n"
    );
    vec![
        ("temp/Orbit/Skylark/Crashes/Crash_2026-11-23_100000000/error.log", error.into()),
        ("temp/Orbit/Skylark/Crashes/Crash_2026-11-23_100000000/Player.log", log.into()),
    ]
}

/// What Proton's log tells of a game that crashed in it.
pub(crate) const PROTON: &str = "\
fixme:ntdll:NtQuerySystemInformation info_class SYSTEM_PERFORMANCE_INFORMATION
wine: Unhandled page fault on read access to 0000000000000020 at address 00000001408D8B1A (thread 0124), starting debugger...
Unhandled exception: page fault on read access to 0x0000000000000020 in 64-bit code (0x000001408d8b1a).
Register dump:
 rip:00000001408d8b1a rsp:000000000011f9b0 rbp:000000000011fa10 eflags:00010202 (  R- --  I   - - - )
Backtrace:
=>0 0x000001408d8b1a in skylark-win64-shipping (+0x8d8b1a) (0x0000000011fa10)
  1 0x000001408d7000 in skylark-win64-shipping (+0x8d7000) (0x0000000011fb00)
  2 0x0000007b62ce59 BaseThreadInitThunk+0x9() in kernel32 (0x0000000011fb30)
Modules:
Module	Address					Debug info	Name (64 modules)
Threads:
process  tid      prio    name (all IDs are in hex)
00000020 Skylark-Win64-Shipping.exe
	[\"Z:\\Games\\Skylark-Win64-Shipping.exe\"]
";
