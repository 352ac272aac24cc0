//! What one piece of evidence tells of one crash, before it is compared with any other.
//!
//! Everything here is as the file has it. It leaves triage only as [`Redacted`](crate::redacted::Redacted) text.

use jiff::Timestamp;
use minidump::CrashReason;

use super::modules::{Owner, owner, stem};

/// How many frames of a stack are kept.
pub(super) const MAX_FRAMES: usize = 64;

/// What kind of crash it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Cause {
    /// A processor exception or a signal.
    #[default]
    Native,
    /// A condition that the program checks and that did not hold.
    Assert,
    /// The program found that it could not go on, and said so.
    Fatal,
    /// The graphics device was lost or hung.
    Gpu,
    /// Memory ran out.
    OutOfMemory,
    /// The program stopped answering, and its engine ended it.
    Hang,
    /// An exception or panic of a language's runtime that nobody caught.
    Managed,
    /// A script's error that ended the program.
    Script,
    /// A line of a log that tells of a crash, and little more.
    Line,
    /// A file that is there only because of a crash, and whose contents tell nothing.
    File,
}

/// A frame of a stack, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Frame {
    /// The module's name, with or without its extension.
    pub(super) module: String,
    /// From the module's base address.
    pub(super) offset: Option<u64>,
    pub(super) function: Option<String>,
}

/// What kind of address could not be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AddressClass {
    /// Below 64 KiB, where nothing is ever mapped: a null pointer, or a field behind one.
    Null,
    /// An address that user code cannot have: garbage taken for a pointer.
    NonCanonical,
    /// Any other.
    Other,
}

impl AddressClass {
    pub(super) fn of(address: u64) -> Self {
        match address {
            0..=0xffff => Self::Null,
            0x0000_8000_0000_0000.. => Self::NonCanonical,
            _ => Self::Other,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::NonCanonical => "non-canonical",
            Self::Other => "other",
        }
    }
}

/// What one piece of evidence tells of one crash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Crash {
    pub(super) cause: Cause,
    /// The exception, the signal, the type, the device's error: the engine's or the crate `minidump`'s word.
    pub(super) reason: Option<String>,
    pub(super) address: Option<AddressClass>,
    /// What was said, for people; or the condition that did not hold.
    pub(super) message: Option<String>,
    /// The source file that an assertion names.
    pub(super) file: Option<String>,
    /// The crashing thread's, innermost first.
    pub(super) frames: Vec<Frame>,
    /// The program's file name.
    pub(super) executable: Option<String>,
    pub(super) thread: Option<String>,
    /// When it was written down, by the machine's clock.
    pub(super) at: Option<Timestamp>,
    /// What distinguishes hangs of the graphics device: the hash of Unreal's breadcrumbs.
    pub(super) device_state: Option<String>,
    /// Whether its exception is one that a runtime raises to report something else, which is told elsewhere.
    pub(super) is_marker: bool,
    /// Which pattern, or which kind of file, told it.
    pub(super) told_by: &'static str,
}

impl Crash {
    /// A crash of which only a file tells, by being there.
    pub(super) fn of_file(kind: &'static str) -> Self {
        Self { cause: Cause::File, told_by: kind, ..Self::default() }
    }

    /// The first frame that lies in the game.
    pub(super) fn in_game(&self) -> Option<&Frame> {
        self.frames.iter().find(|frame| owner(&stem(&frame.module)) == Owner::Game)
    }

    /// Whether it tells what happened: other evidence cannot decide better.
    pub(super) fn is_telling(&self) -> bool {
        match self.cause {
            Cause::File | Cause::Line => false,
            Cause::Native => {
                !self.is_marker
                    && self.reason.is_some()
                    && (self.in_game().is_some() || self.executable.is_some())
            }
            _ => true,
        }
    }

    /// Takes from another piece of evidence of the same crash what this one does not tell.
    pub(super) fn complete_with(&mut self, other: &Self) {
        fn fill<T: Clone>(mine: &mut Option<T>, theirs: Option<&T>) {
            *mine = mine.take().or_else(|| theirs.cloned());
        }
        fill(&mut self.thread, other.thread.as_ref());
        fill(&mut self.executable, other.executable.as_ref());
        fill(&mut self.at, other.at.as_ref());
        if self.cause == other.cause {
            fill(&mut self.reason, other.reason.as_ref());
            fill(&mut self.message, other.message.as_ref());
            fill(&mut self.address, other.address.as_ref());
            fill(&mut self.file, other.file.as_ref());
        }
        fill(&mut self.device_state, other.device_state.as_ref());
        // A place that a processor exception has, and only from another account of one.
        let has_place = |crash: &Self| crash.frames.iter().any(|frame| frame.offset.is_some());
        let is_native = |crash: &Self| crash.cause == Cause::Native && !crash.is_marker;
        let is_better = is_native(self) && is_native(other) && !has_place(self) && has_place(other);
        if self.frames.is_empty() || is_better {
            self.frames.clone_from(&other.frames);
        }
    }
}

/// The word for a processor exception or a signal that all kinds of evidence share.
///
/// `code` is an exception's or signal's name, a number of Windows (`0x…`) or of Linux (decimal), or words of Wine or Unity; `access`
/// is how memory was accessed, where that is told.
pub(super) fn reason(code: &str, access: Option<&str>) -> String {
    let code = code.trim();
    let lower = code.to_ascii_lowercase();
    let name = if let Some(hex) = lower.rsplit(' ').next().and_then(|word| word.strip_prefix("0x")) {
        u32::from_str_radix(hex, 16)
            .map_or_else(|_| code.to_owned(), |code| CrashReason::from_windows_code(code).to_string())
    } else if let Ok(signal) = code.parse::<u32>() {
        signal_name(signal)
    } else {
        match lower.as_str() {
            "page fault" | "access violation" => "EXCEPTION_ACCESS_VIOLATION".to_owned(),
            "stack overflow" => "EXCEPTION_STACK_OVERFLOW".to_owned(),
            "division by zero" | "divide by zero" => "EXCEPTION_INT_DIVIDE_BY_ZERO".to_owned(),
            "illegal instruction" => "EXCEPTION_ILLEGAL_INSTRUCTION".to_owned(),
            "privileged instruction" => "EXCEPTION_PRIV_INSTRUCTION".to_owned(),
            _ => code.to_owned(),
        }
    };
    match (
        name.as_str(),
        access.and_then(|access| access.bytes().next()).map(|first| first.to_ascii_lowercase()),
    ) {
        ("EXCEPTION_ACCESS_VIOLATION" | "EXCEPTION_IN_PAGE_ERROR", Some(b'r')) => name + "_READ",
        ("EXCEPTION_ACCESS_VIOLATION" | "EXCEPTION_IN_PAGE_ERROR", Some(b'w')) => name + "_WRITE",
        ("EXCEPTION_ACCESS_VIOLATION" | "EXCEPTION_IN_PAGE_ERROR", Some(b'e')) => name + "_EXEC",
        // Of a dump the crate tells it as an exception, of a number as a status.
        ("STATUS_STACK_BUFFER_OVERRUN", _) => "EXCEPTION_STACK_BUFFER_OVERRUN".to_owned(),
        _ => name,
    }
}

/// Linux' names of the signals that end a program with a core file (`signal(7)`).
pub(super) fn signal_name(signal: u32) -> String {
    let name = match signal {
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        11 => "SIGSEGV",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}

/// A hexadecimal number, with or without `0x`.
pub(super) fn hex(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    u64::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_exception_has_one_word_whoever_tells_it() {
        for (code, access) in [
            ("EXCEPTION_ACCESS_VIOLATION", "reading"),
            ("page fault", "read"),
            ("0xc0000005", "Read"),
            ("Access Violation", "read"),
        ] {
            assert_eq!(reason(code, Some(access)), "EXCEPTION_ACCESS_VIOLATION_READ");
        }
        assert_eq!(reason("0xC00000FD", None), reason("stack overflow", None));
        assert_eq!(reason("exception 0xc0000094", None), reason("division by zero", None));
        assert_eq!(
            (reason("11", None), reason("SIGSEGV", Some("read"))),
            ("SIGSEGV".into(), "SIGSEGV".into())
        );
    }

    #[test]
    fn a_code_is_the_same_word_in_a_dump_and_in_a_log() {
        use minidump::{Minidump, MinidumpException, MinidumpSystemInfo};
        for code in [
            0x8000_0003_u32,
            0xc000_0005,
            0xc000_0006,
            0xc000_001d,
            0xc000_0025,
            0xc000_008c,
            0xc000_0094,
            0xc000_0096,
            0xc000_00fd,
            0xc000_0194,
            0xc000_0374,
            0xc000_0409,
            0xc000_0417,
            0xc000_0420,
            0xe06d_7363,
            0xe043_4352,
            0x4000_0015,
            0x4000,
        ] {
            let mut dump = crate::triage::tests::dumps::Dump::windows(0x1_4000_0000, 0x1234);
            (dump.code, dump.parameters) = (code, vec![0, 0x20, 0xc000_009c]);
            let dump = Minidump::read(dump.bytes()).unwrap();
            let system = dump.get_stream::<MinidumpSystemInfo>().unwrap();
            let exception = dump.get_stream::<MinidumpException<'_>>().unwrap();
            let told = exception.get_crash_reason(system.os, system.cpu).to_string();
            let told = told.split(" / ").next().unwrap();
            assert_eq!(reason(&format!("0x{code:08x}"), Some("reading")), told, "{code:#x}");
        }
    }

    #[test]
    fn addresses_are_told_by_their_class() {
        for (address, class) in [
            (0, AddressClass::Null),
            (0xffff, AddressClass::Null),
            (0x1_0000, AddressClass::Other),
            (0x7fff_ffff_ffff, AddressClass::Other),
            (u64::MAX, AddressClass::NonCanonical),
        ] {
            assert_eq!(AddressClass::of(address), class);
        }
    }
}
