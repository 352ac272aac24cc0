//! The lines that tell of crashes, engine by engine.
//!
//! The groups of a pattern have the same meaning in all of them: `code`, `sig`, `what` (the exception), `op` and `addr` (an access to
//! memory), `type` and `msg` (an exception's type, what was said), `cond` and `file` (an assertion), `mod`, `off`, `fn` (a frame), `exe` (the
//! program), `thread`.

/// What a line tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// That a crash is reported in the next lines.
    Header,
    /// A processor exception or a signal.
    Native,
    /// A condition that did not hold.
    Assert,
    /// A fatal error, in the program's own words.
    Fatal,
    /// The graphics device is lost.
    Gpu,
    /// Memory ran out.
    OutOfMemory,
    /// An exception or panic of a language's runtime.
    Managed,
    /// A script's error.
    Script,
    /// That there was a crash, and no more.
    Line,
    /// That the program exits as it was asked to.
    CleanExit,
    /// The engine's version, of the engine named.
    Engine(&'static str),
    /// The build's own version.
    BuildVersion,
    /// The build's configuration.
    Configuration,
}

/// What a hit means for the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// Nothing.
    None,
    /// It is evidence where it is the last thing that was said, and the application exited.
    LastWords,
    /// It is evidence near the log's end: programs survive it, or it is a helper's.
    NearEnd,
    /// It is evidence.
    Fatal,
}

use Class::{
    Assert, BuildVersion, CleanExit, Configuration, Engine, Fatal, Gpu, Header, Line, Managed, Native,
    OutOfMemory, Script,
};
use Weight::{Fatal as Crash, LastWords, NearEnd, None as Nothing};

/// A line that begins a report: its stable name, what it tells, its weight, its pattern. In this order where several match.
pub(super) type Start = (&'static str, Class, Weight, &'static str);

/// A line that belongs to a report that has begun: its stable name, its pattern.
pub(super) type Follow = (&'static str, &'static str);

pub(super) const STARTS: &[Start] = &[
    // Unreal: GenericPlatformCrashContext.cpp, WindowsPlatformCrashContext.cpp, UnixPlatformCrashContext.cpp, AssertionMacros.cpp,
    // Horde's LogChannelEventMatcher.cs.
    (
        "ue.critical",
        Header,
        Crash,
        r"=== Critical error: ===|Log\w+: (?:Error: )?Fatal error!\s*$|LogExit: Executing StaticShutdownAfterError",
    ),
    (
        "ue.assert",
        Assert,
        Crash,
        r"Assertion failed: (?P<cond>.+?)\s+\[File:(?:[^\]]*[/\\])?(?P<file>[^\]/\\]+)\](?: \[Line: \d+\])?",
    ),
    (
        "ue.fatal",
        Fatal,
        Crash,
        r"(?:Fatal error:|LowLevelFatalError) \[File:(?:[^\]]*[/\\])?(?P<file>[^\]/\\]*)\] \[Line: \d+\]\s*(?P<msg>.*)",
    ),
    (
        "ue.unhandled",
        Native,
        Crash,
        r"Unhandled Exception: (?P<code>EXCEPTION_[A-Z_]+|SIG[A-Z]+|0x[0-9a-fA-F]{8})(?:[: ]+(?:invalid attempt to )?(?:(?P<op>reading|writing|read|write|access)[a-z ]*address )?(?P<addr>0x[0-9a-fA-F]+))?",
    ),
    // The same on Linux, where Unreal's context has it.
    (
        "ue.access",
        Native,
        Crash,
        r"^(?P<code>SIG[A-Z]+): invalid attempt to (?P<op>read|write|access) memory at address (?P<addr>0x[0-9a-fA-F]+)",
    ),
    // Not those by which a program is asked to end.
    ("ue.signal", Native, Crash, r"\bCaught signal (?P<sig>4|5|6|7|8|11|31)\b"),
    ("ue.oom", OutOfMemory, Crash, r"Ran out of memory allocating (?P<size>\d+)"),
    (
        "ue.gpu",
        Gpu,
        Crash,
        r"(?:GPU [Cc]rash(?:ed)?(?: detected| or D3D [Dd]evice [Rr]emoved| dump)|Device \d+ Removed: |D3D device being lost\.)(?:.*?(?P<code>DXGI_ERROR_[A-Z_]+|VK_ERROR_[A-Z_]+|0x887[aA]00[0-9a-fA-F]{2}))?",
    ),
    (
        "d3d.removed",
        Gpu,
        NearEnd,
        r"(?P<code>DXGI_ERROR_DEVICE_(?:REMOVED|HUNG|RESET)|DXGI_ERROR_DRIVER_INTERNAL_ERROR)",
    ),
    ("vk.lost", Gpu, NearEnd, r"(?P<code>VK_ERROR_DEVICE_LOST)"),
    // Unity: a real Unity 6 log, the crash-report-folder documentation; Mono's mini-exceptions.c.
    ("unity.crash", Header, Crash, r"^Crash!!!\s*$"),
    (
        "unity.sig",
        Native,
        Crash,
        r"Caught fatal signal - signo:(?P<sig>\d+) code:-?\d+(?: errno:-?\d+ addr:(?P<addr>0x[0-9a-fA-F]+|\(nil\)))?",
    ),
    (
        "unity.errorlog",
        Native,
        Crash,
        r"^(?P<exe>\S.*?\.exe) caused an? (?P<what>.+?) \((?P<code>0x[0-9a-fA-F]{8})\)",
    ),
    ("mono.sig", Native, Crash, r"Got a (?P<sig>SIG[A-Z]+|UNKNOWN) while executing native code"),
    // Godot: crash_handler_linuxbsd.cpp, crash_handler_windows.cpp.
    (
        "godot",
        Native,
        Crash,
        r"(?:handle_crash|CrashHandlerException): Program crashed(?: with signal (?P<sig>\d+))?",
    ),
    // Wine: dlls/kernelbase/debug.c, programs/winedbg.
    (
        "wine.pf",
        Native,
        NearEnd,
        r"wine: Unhandled page fault on (?P<op>read|write|execute) access to (?P<addr>(?:0x)?[0-9A-Fa-f]+) at address (?:0x)?[0-9A-Fa-f]+",
    ),
    (
        "wine.exc",
        Native,
        NearEnd,
        r"wine: Unhandled (?P<what>exception 0x[0-9a-fA-F]+|stack overflow|division by zero|illegal instruction|privileged instruction|overflow|array bounds|alignment)",
    ),
    ("wine.stub", Native, NearEnd, r"wine: (?P<what>Unimplemented function \S+) called"),
    (
        "winedbg",
        Native,
        NearEnd,
        r"^Unhandled exception: (?P<what>page fault|.+?)(?: on (?P<op>read|write|execute) access to (?P<addr>0x[0-9a-fA-F]+))? in (?:\d\d-bit|wow64 \d\d-bit) code \(0x[0-9a-fA-F]+\)",
    ),
    // JVM: hs_err files (vmError.cpp).
    ("java", Native, Crash, r"^#\s+(?P<sig>SIG[A-Z]+|EXCEPTION_[A-Z_]+) \(0x[0-9a-f]+\) at pc=0x[0-9a-f]+"),
    // .NET, C++, Rust, C, Python, Java: measured; the runtimes' own words.
    (
        "dotnet.unhandled",
        Managed,
        Crash,
        r"^Unhandled [Ee]xception[.:]\s*(?P<type>(?:[A-Za-z_][\w`+]*\.)+[A-Za-z_]\w*):?\s*(?P<msg>.*)$",
    ),
    (
        "dotnet.fatal",
        Managed,
        Crash,
        r"^Fatal error\. (?P<type>(?:[A-Za-z_]\w*\.)+[A-Za-z_]\w*|Internal CLR error)[.:]?\s*(?P<msg>.*)$",
    ),
    ("cxx.term", Managed, Crash, r"^terminate called after throwing an instance of '(?P<type>[^']+)'"),
    ("cxx.term2", Managed, Crash, r"^(?P<type>terminate called (?:without an active exception|recursively))"),
    (
        "rust.panic",
        Managed,
        LastWords,
        r"^thread '(?P<thread>[^']*)'(?: \(\d+\))? (?P<type>panicked) at (?P<file>[^:]+):\d+:\d+:?",
    ),
    ("py", Managed, LastWords, r"^(?P<type>Traceback) \(most recent call last\):"),
    (
        "java.unc",
        Managed,
        LastWords,
        r#"^Exception in thread "(?P<thread>[^"]*)" (?P<type>[\w.$]+)(?:: (?P<msg>.*))?$"#,
    ),
    (
        "managed",
        Managed,
        LastWords,
        r"^(?P<type>(?:[A-Za-z_][\w`]*\.)*[A-Za-z_]\w*(?:Exception|Error)):\s+(?P<msg>.*)$",
    ),
    (
        "c.assert",
        Assert,
        Crash,
        r"^\S+: (?:[^:\s]*/)?(?P<file>[^:\s/]+):\d+: .+: Assertion `(?P<cond>.+)' failed\.",
    ),
    (
        "glibc",
        Line,
        Crash,
        r"^(?P<msg>double free or corruption|free\(\): [a-z ]+|malloc\(\): [a-z ()]+|corrupted (?:size|double-linked)[a-z .\-]*|\*\*\* stack smashing detected \*\*\*|\*\*\* buffer overflow detected \*\*\*)",
    ),
    ("asan", Native, Crash, r"==\d+==\s?ERROR: (?P<what>\w+Sanitizer: [\w-]+)"),
    // GameMaker, in one line or in several; Lua.
    ("gm", Script, Crash, r"^(?:(?:FATAL )?ERROR in )?action number \d+"),
    ("lua", Script, LastWords, r"^(?:lua\S*: )?(?P<file>[^:\s]+\.lua):\d+: (?P<msg>.+)$"),
    (
        "linux.seg",
        Line,
        NearEnd,
        r"^(?P<msg>Segmentation fault|Aborted)(?: \(core dumped\))?\s*$|(?P<dumped>\(core dumped\))\s*$",
    ),
    // How a program says that it leaves on its own account: Unreal's FEngineLoop::Exit and FOutputDeviceFile::TearDown.
    ("ue.exit", CleanExit, Nothing, r"LogExit: Exiting\.|^Log file closed"),
    // Which build it is.
    ("ue.version", Engine("unreal"), Nothing, r"LogInit: Engine Version: (?P<msg>\S+)"),
    ("ue.build", BuildVersion, Nothing, r"LogInit: Build: (?P<msg>\S+)"),
    ("ue.configuration", Configuration, Nothing, r"LogInit: Build Configuration: (?P<msg>\w+)"),
    ("unity.version", Engine("unity"), Nothing, r"^Initialize engine version: (?P<msg>\S+)"),
    ("godot.version", Engine("godot"), Nothing, r"^(?:Engine version: )?Godot Engine v(?P<msg>\S+)"),
];

pub(super) const FOLLOWS: &[Follow] = &[
    // With the module's offset in parentheses on Linux, where the function is not known.
    (
        "ue.frame",
        r"(?:\[Callstack\]\s+)?0x[0-9a-fA-F]{8,16} (?P<mod>[^!\s(]+)!(?:UnknownFunction\((?P<off>0x[0-9a-fA-F]+)\)|(?P<fn>[^\[]*?))\s*(?:\[[^\]]*\])?\s*$",
    ),
    (
        "unity.module",
        r"^.+\.(?:exe|dll):(?P<mod>[^:]+) \((?P<base>[0-9A-Fa-f]{8,16})\), size: (?P<size>\d+)(?:.*fileVersion: (?P<version>[0-9.]+))?",
    ),
    ("unity.frame", r"^0x(?P<addr>[0-9A-Fa-f]{8,16}) \((?P<mod>[^)]+)\) (?P<fn>.+)$"),
    ("unity.errormod", r"^\s*in module (?P<mod>\S.*?) at [0-9a-fA-F]{4}:[0-9a-fA-F]{8,16}"),
    (
        "unity.access",
        r"^(?P<op>Read|Write|Execute)\w* (?:from|to|at|of) location (?P<addr>[0-9a-fA-F]{8,16})",
    ),
    (
        "winedbg.frame",
        r"^(?:=>)?\s*\d+ 0x[0-9a-fA-F]+ (?:(?P<fn>\S+?)(?:\+0x[0-9a-fA-F]+)?(?:\([^)]*\))? )?(?:\[[^\]]*\] )?in (?P<mod>\S+)(?: \(\+(?P<off>0x[0-9a-fA-F]+)\))?",
    ),
    ("winedbg.exe", r"^\s*[0-9a-fA-F]{8} \(D\) (?P<exe>\S.*)$"),
    ("godot.frame", r"^\[\d+\] (?P<mod>[^(\s]+)\((?:\+(?P<off>0x[0-9a-fA-F]+))?\)"),
    ("java.frame", r"^# [CVJjv]\s+\[(?P<mod>[^+\]]+)\+(?P<off>0x[0-9a-f]+)\]"),
    (
        "sanitizer.frame",
        r"^\s*#\d+ 0x[0-9a-fA-F]+ (?:in (?P<fn>\S+) )?.*?\((?P<mod>[^()+]+)\+(?P<off>0x[0-9a-fA-F]+)\)",
    ),
    ("managed.frame", r"^\s+at (?P<fn>[^\s(]+) ?\("),
    ("cxx.what", r"^\s*what\(\):\s+(?P<msg>.*)$"),
    ("gm.event", r"^\s*of +(?P<msg>\S.*?)(?: +for object (?P<obj>\w+):)?\s*$"),
    ("gm.object", r"^\s*for object (?P<obj>\w+):\s*$"),
    ("py.error", r"^(?P<type>[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit)): (?P<msg>.*)$"),
];
