//! Minidumps: what crashed, where, in which build.
//!
//! Read are the streams that tell that, and no other: not the environment, not the command line, not memory.

mod fields;
mod guard;
mod parts;

pub(super) use parts::{Parts, REACH};

use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;
use minidump::system_info::Os;
use minidump::{
    Minidump, MinidumpAssertion, MinidumpException, MinidumpMiscInfo, MinidumpModule, MinidumpModuleList,
    MinidumpSystemInfo, MinidumpThreadNames, Module,
};

use super::crash::{AddressClass, Cause, Crash, Frame};
use super::modules::{file_name, is_helper};
use super::unreal;

/// The stream in which Unreal puts its crash context (`FWindowsPlatformCrashContext`, `UE4_MINIDUMP_CRASHCONTEXT`).
const UNREAL_CONTEXT: u32 = 0x10000;

/// Exception codes of dumps that were asked for although nothing crashed, or of which another process was the subject
/// (Crashpad, `util/win/exception_codes.h`): `kSimulatedExceptionCode`, `kTriggeredExceptionCode`.
const NO_CRASH: [u32; 2] = [0x0517_a7ed, 0x0cca_11ed];

/// The signal number of dumps that Crashpad was asked for on Linux (`util/posix/signals.h`, `kSimulatedSigno`: -1).
const NO_SIGNAL: u32 = u32::MAX;

/// Exceptions that are raised to report something else: Unreal's for assertions, the GPU and memory (`AssertExceptionCode` and its
/// neighbours, and 1 in Unreal 4), C++'s and .NET's exceptions, and `STATUS_FATAL_APP_EXIT` of `abort`.
const MARKERS: [u32; 7] = [1, 0x4000, 0x8000, 0xc000, 0xe06d_7363, 0xe043_4352, 0x4000_0015];

/// What a minidump tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dump {
    pub(super) crash: Crash,
    pub(super) nature: Nature,
    /// The main module's.
    pub(super) build_id: Option<String>,
    /// Unreal's own account, which lies in the dump too.
    pub(super) unreal: Option<unreal::Context>,
    /// Whether where it crashed is told.
    pub(super) has_place: bool,
}

/// Whose crash a dump is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    /// The game's.
    Game,
    /// A helper process's.
    Helper,
    /// Nobody's: it was asked for.
    Requested,
}

/// Why a minidump tells nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum DumpError {
    /// It does not begin as minidumps do.
    #[error("empty, or no minidump")]
    NotADump,
    /// It begins as one, and a part that is needed is missing or damaged.
    #[error("a minidump that is truncated or damaged: {0}")]
    Damaged(String),
    /// It declares more than any real dump does.
    #[error("a minidump that is not read: {0}")]
    Refused(&'static str),
    /// The parser panicked on it.
    #[error("a minidump that the parser cannot cope with")]
    Panicked,
}

/// Reads a little-endian minidump, or as much of its beginning as there is.
pub(super) fn read(bytes: &[u8]) -> Result<Dump, DumpError> {
    if !bytes.starts_with(b"MDMP") {
        return Err(DumpError::NotADump);
    }
    guard::check(bytes).map_err(DumpError::Refused)?;
    // The parser is fuzzed, and a hostile dump may still find a way: that must cost this dump alone.
    contained(|| parse(bytes))
}

/// A parser's panic is one more way to fail; and what it logs about the dump is the dump's own text, which stays here.
fn contained(parse: impl FnOnce() -> Result<Dump, DumpError>) -> Result<Dump, DumpError> {
    let silent = tracing::subscriber::NoSubscriber::default();
    tracing::subscriber::with_default(silent, || catch_unwind(AssertUnwindSafe(parse)))
        .unwrap_or(Err(DumpError::Panicked))
}

fn parse(bytes: &[u8]) -> Result<Dump, DumpError> {
    let damaged = |error: minidump::Error| DumpError::Damaged(error.to_string());
    let dump = Minidump::read(bytes).map_err(damaged)?;
    let system = dump.get_stream::<MinidumpSystemInfo>().map_err(damaged)?;
    let exception = dump.get_stream::<MinidumpException<'_>>().map_err(damaged)?;
    // Without modules there is still a reason and a thread to tell.
    let modules = dump.get_stream::<MinidumpModuleList>().unwrap_or_default();
    let misc = dump.get_stream::<MinidumpMiscInfo>().ok();
    // The context's instruction pointer: `exception_address` is the fault's address on Linux, and may be none at all.
    let pointer = exception.context(&system, misc.as_ref()).map(|context| context.get_instruction_pointer());
    let place = pointer
        .and_then(|at| modules.module_at_address(at).map(|module| (module, at - module.base_address())));
    let frame = place.map(|(module, offset)| Frame {
        module: module_name(module, system.os),
        offset: Some(offset),
        function: None,
    });
    let thread = exception.get_crashing_thread_id();
    let names = dump.get_stream::<MinidumpThreadNames>().unwrap_or_default();
    let main = modules.main_module();
    let executable = main.map(|module| module_name(module, system.os));
    let code = exception.raw.exception_record.exception_code;
    let reason = exception.get_crash_reason(system.os, system.cpu).to_string();
    let assertion = dump.get_stream::<MinidumpAssertion>().ok();
    let unreal = dump.get_raw_stream(UNREAL_CONTEXT).ok().and_then(unreal::context);
    Ok(Dump {
        nature: match (&executable, system.os) {
            (Some(name), _) if is_helper(name) => Nature::Helper,
            (_, Os::Windows) if NO_CRASH.contains(&code) => Nature::Requested,
            (_, Os::Linux) if code == NO_SIGNAL => Nature::Requested,
            _ => Nature::Game,
        },
        has_place: frame.is_some(),
        build_id: main.and_then(build_id),
        crash: Crash {
            cause: Cause::Native,
            address: address(&exception, &system, &reason),
            reason: Some(reason),
            message: assertion.as_ref().and_then(assertion_text),
            frames: frame.into_iter().collect(),
            executable,
            thread: Some(
                names.get_name(thread).map_or_else(|| thread.to_string(), std::borrow::Cow::into_owned),
            ),
            at: written_at(&dump),
            is_marker: system.os == Os::Windows && MARKERS.contains(&code),
            told_by: "minidump",
            ..Crash::default()
        },
        unreal,
    })
}

/// When the dump was written, in its header: seconds since 1970, by the machine's clock.
fn written_at(dump: &Minidump<'_, &[u8]>) -> Option<Timestamp> {
    let seconds = i64::from(dump.header.time_date_stamp);
    (seconds > 0).then(|| Timestamp::from_second(seconds).ok()).flatten()
}

/// The class of the address that could not be reached, where it was about one.
fn address(
    exception: &MinidumpException<'_>,
    system: &MinidumpSystemInfo,
    reason: &str,
) -> Option<AddressClass> {
    let is_access =
        ["EXCEPTION_ACCESS_VIOLATION", "EXCEPTION_IN_PAGE_ERROR", "SIGSEGV", "SIGBUS", "EXC_BAD_ACCESS"];
    let about_memory = is_access.iter().any(|word| reason.starts_with(word));
    about_memory.then(|| AddressClass::of(exception.get_crash_address(system.os, system.cpu)))
}

/// What the C runtime's handler of invalid parameters was told.
fn assertion_text(assertion: &MinidumpAssertion) -> Option<String> {
    let parts = [assertion.expression(), assertion.function(), assertion.file()];
    let parts: Vec<_> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// A module's file name; Windows does not mind the case, so one case is chosen for it.
fn module_name(module: &MinidumpModule, os: Os) -> String {
    let path = module.code_file();
    let name: String = file_name(&path).chars().filter(|c| !c.is_control()).take(128).collect();
    if os == Os::Windows { name.to_lowercase() } else { name }
}

fn build_id(module: &MinidumpModule) -> Option<String> {
    let id = module.debug_identifier().map(|id| id.breakpad().to_string())?;
    (!id.bytes().all(|byte| byte == b'0')).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parsers_panic_costs_this_dump_alone() {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let told = contained(|| panic!("index out of bounds"));
        std::panic::set_hook(hook);
        assert_eq!(told, Err(DumpError::Panicked));
    }
}
