//! Unreal's own account of a crash: `CrashContext.runtime-xml`.
//!
//! Game data becomes element names without being escaped, and the encoding is not always what the prolog says
//! (`GenericPlatformCrashContext.cpp`): an XML parser would refuse real files. So the elements that are wanted are looked up by name, and
//! nothing else is interpreted: no declarations, no entities but the five of XML and numeric ones.

use std::sync::LazyLock;

use jiff::Timestamp;
use regex::Regex;

use super::crash::{Cause, Crash, Frame, MAX_FRAMES, hex};
use super::log;
use super::text::decode;

/// The longest element that is kept, in characters.
const MAX_ELEMENT: usize = 64 * 1024;

/// What a crash context tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Context {
    /// What happened; nothing where the program went on.
    pub(super) crash: Option<Crash>,
    /// `IsEnsure`, `IsStall`: the program went on.
    pub(super) went_on: bool,
    pub(super) engine_version: Option<String>,
    pub(super) build_version: Option<String>,
    pub(super) configuration: Option<String>,
}

/// Whether a file begins as a crash context does.
pub(super) fn is_context(beginning: &[u8]) -> bool {
    let text = decode(&beginning[..beginning.len().min(1024)]);
    text.contains("<FGenericCrashContext")
}

/// Reads a crash context, or as much of it as there is, in UTF-8 or UTF-16.
pub(super) fn context(bytes: &[u8]) -> Option<Context> {
    let text = decode(bytes);
    // In a dump it is followed by what is left of its buffer.
    let text = text.split('\0').next().unwrap_or_default();
    let (_, text) = text.split_once("<FGenericCrashContext")?;
    let is_true = |name| element(text, name).is_some_and(|value| value == "true" || value == "1");
    let kind = element(text, "CrashType").unwrap_or_default();
    let went_on = is_true("IsEnsure") || is_true("IsStall") || matches!(kind.as_str(), "Ensure" | "Stall");
    Some(Context {
        crash: (!went_on).then(|| crash(text, &kind, is_true("MemoryStats.bIsOOM"), is_true("IsAssert"))),
        went_on,
        engine_version: element(text, "EngineVersion"),
        build_version: element(text, "BuildVersion"),
        configuration: element(text, "BuildConfiguration"),
    })
}

fn crash(text: &str, kind: &str, is_out_of_memory: bool, is_assert: bool) -> Crash {
    let message = element(text, "ErrorMessage");
    let mut crash = message.as_deref().map(log::crash_in).unwrap_or_default();
    crash.told_by = "ue-crash-context";
    // What is said beside an assertion's condition varies; an exception's message is its reason and address again.
    if crash.message.is_none() {
        crash.message.clone_from(&message);
    }
    let cause = match kind {
        "GPUCrash" => Cause::Gpu,
        "OutOfMemory" => Cause::OutOfMemory,
        "Hang" => Cause::Hang,
        _ if is_out_of_memory => Cause::OutOfMemory,
        "Assert" if crash.cause != Cause::Fatal => Cause::Assert,
        _ if is_assert && crash.cause != Cause::Fatal => Cause::Assert,
        _ => crash.cause,
    };
    if cause != crash.cause && !matches!(crash.cause, Cause::Gpu) {
        crash.reason = None;
    }
    crash.cause = cause;
    crash.at = element(text, "TimeOfCrash").and_then(|ticks| time(&ticks));
    crash.executable = element(text, "ExecutableName");
    crash.frames = stack(text);
    crash.device_state = element(text, "ActiveHash");
    crash
}

/// A time in Unreal's ticks: tenths of a microsecond since the year 1, in UTC (`FDateTime`).
fn time(ticks: &str) -> Option<Timestamp> {
    const SECOND_1970: i64 = 62_135_596_800;
    const TICKS_OF_A_MILLISECOND: i64 = 10_000;
    let milliseconds = ticks.parse::<i64>().ok()? / TICKS_OF_A_MILLISECOND - SECOND_1970 * 1000;
    Timestamp::from_millisecond(milliseconds).ok().filter(|at| at.as_second() > 0)
}

/// The crashing thread's stack, with offsets where they are known.
fn stack(text: &str) -> Vec<Frame> {
    static FRAME: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?m)^\s*(\S.*?)\s+0x([0-9a-fA-F]{8,16}) \+ ([0-9a-fA-F]+)\s*$").ok());
    let portable = element(text, "PCallStack").unwrap_or_default();
    let frames = FRAME.iter().flat_map(|frame| frame.captures_iter(&portable)).filter_map(|frame| {
        let (base, offset) = (hex(&frame[2])?, hex(&frame[3])?);
        // Frames that could not be resolved: `Unknown`, base 0.
        let is_resolved = base != 0 && offset != 0xffff_ffff && !frame[1].starts_with("0x");
        is_resolved.then(|| Frame { module: frame[1].to_owned(), offset: Some(offset), function: None })
    });
    let frames: Vec<_> = frames.take(MAX_FRAMES).collect();
    if !frames.is_empty() {
        return frames;
    }
    let readable = element(text, "CallStack").unwrap_or_default();
    let frames = readable.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| {
        let (module, function) = line.split_once('!').unwrap_or((line, ""));
        let function = function.split(" [").next().unwrap_or_default().trim();
        Frame {
            module: module.to_owned(),
            offset: None,
            function: (!function.is_empty()).then(|| function.to_owned()),
        }
    });
    frames.take(MAX_FRAMES).collect()
}

/// The text of the first element of a name, if there is any in it.
fn element(text: &str, name: &str) -> Option<String> {
    let open = format!("<{name}>");
    let start = text.find(&open)? + open.len();
    let rest = &text[start..];
    let content = rest.split("</").next().unwrap_or_default();
    // Unreal 4 escapes twice.
    let content: String = content.chars().take(MAX_ELEMENT).collect();
    let content = unescape(&unescape(&content));
    let content = content.trim();
    (!content.is_empty()).then(|| content.to_owned())
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let entity =
            after.find(';').filter(|end| *end <= 8).and_then(|end| Some((entity(&after[..end])?, end)));
        if let Some((c, end)) = entity {
            plain.push(c);
            rest = &after[end + 1..];
        } else {
            plain.push('&');
            rest = after;
        }
    }
    plain + rest
}

fn entity(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let hexadecimal =
                number.strip_prefix(['x', 'X']).map(|digits| u32::from_str_radix(digits, 16).ok());
            char::from_u32(hexadecimal.unwrap_or_else(|| number.parse().ok())?)
        }
    }
}

#[cfg(test)]
mod tests;
