//! Minidumps: what crashed, where, in which build.

use std::panic::{AssertUnwindSafe, catch_unwind};

use minidump::{
    Minidump, MinidumpException, MinidumpMiscInfo, MinidumpModule, MinidumpModuleList, MinidumpSystemInfo,
    MinidumpThreadNames, Module, system_info::Os,
};

use crate::record::Exception;

use super::guard;

/// What a minidump tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) exception: Exception,
    /// The main module's.
    pub(super) build_id: Option<String>,
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
pub(super) fn read(bytes: &[u8]) -> Result<Facts, DumpError> {
    if !bytes.starts_with(b"MDMP") {
        return Err(DumpError::NotADump);
    }
    guard::check(bytes).map_err(DumpError::Refused)?;
    // The parser is fuzzed, and a hostile dump may still find a way: that must cost this dump alone.
    catch_unwind(AssertUnwindSafe(|| parse(bytes))).unwrap_or(Err(DumpError::Panicked))
}

fn parse(bytes: &[u8]) -> Result<Facts, DumpError> {
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
    let thread = exception.get_crashing_thread_id();
    let names = dump.get_stream::<MinidumpThreadNames>().unwrap_or_default();
    Ok(Facts {
        exception: Exception {
            kind: Some(exception.get_crash_reason(system.os, system.cpu).to_string()),
            module: place.map(|(module, _)| file_name(module, system.os)),
            offset: place.map(|(_, offset)| format!("{offset:#x}")),
            thread: Some(names.get_name(thread).map_or_else(|| thread.to_string(), |name| short(&name))),
        },
        build_id: modules.main_module().and_then(build_id),
    })
}

/// A module's file name; Windows does not mind the case, so one case is chosen for it.
fn file_name(module: &MinidumpModule, os: Os) -> String {
    let path = module.code_file();
    let name = short(path.rsplit(['/', '\\']).next().unwrap_or(&path));
    if os == Os::Windows { name.to_lowercase() } else { name }
}

fn build_id(module: &MinidumpModule) -> Option<String> {
    let id = module.debug_identifier().map(|id| id.breakpad().to_string())?;
    (!id.bytes().all(|byte| byte == b'0')).then_some(id)
}

/// Names come from the dump: enough to recognise them, and harmless to show.
fn short(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(128).collect()
}
