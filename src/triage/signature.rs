//! What makes two crashes the same: signature version 1.
//!
//! The first row of [`ROWS`] that holds decides. `id` is the same across builds, `fingerprint` for the same place in the same build; both
//! are the first 16 hexadecimal digits of a SHA-256. Neither contains addresses, numbers, ids of people, paths or line numbers. A change
//! of any row is a new version: groups that exist must not move.

use sha2::{Digest, Sha256};

use crate::record::{Build, Signature};
use crate::redacted::Redacted;

use super::crash::{AddressClass, Cause, Crash, Frame};
use super::modules::{Owner, owner, stem};
use super::normalize::normalize;

/// The version of the rules.
pub const VERSION: u32 = 1;

/// The longest text that is hashed and shown, in characters.
const LONGEST: usize = 255;

/// How many frames of the game a fingerprint distinguishes.
const PLACES: usize = 3;

/// A row of the table of signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub number: u8,
    /// For which crashes it is.
    pub crash: &'static str,
    /// The text whose hash is the id.
    pub id: &'static str,
    /// What the fingerprint has beside that text and the build.
    pub place: &'static str,
    /// How surely equal ids mean equal crashes.
    pub confidence: &'static str,
}

/// The table. `docs/triage.md` has it too, and a test compares them.
pub const ROWS: [Row; 11] = [
    row(1, "an assertion", "`assert` \\| condition \\| file", "", "high"),
    row(2, "a fatal error in the program's own words", "`fatal` \\| message \\| file", "", "medium"),
    row(
        3,
        "the graphics device was lost",
        "`gpu` \\| the device's error",
        "hash of the GPU's breadcrumbs",
        "medium",
    ),
    row(
        4,
        "memory ran out",
        "`oom` \\| module",
        "the first frame, and the first three in the game",
        "medium",
    ),
    row(
        5,
        "the engine ended a program that hung",
        "`hang` \\| module",
        "the first frame, and the first three in the game",
        "medium",
    ),
    row(
        6,
        "an exception or signal, and a frame lies in the game",
        "reason/address class \\| module",
        "the first frame, and the first three in the game",
        "high",
    ),
    row(
        7,
        "an exception or signal elsewhere, or nobody knows where",
        "reason/address class \\| executable",
        "the first frame",
        "low",
    ),
    row(
        8,
        "an exception or panic that nobody caught",
        "type \\| first function of the game, else message",
        "",
        "medium",
    ),
    row(9, "a script's error", "`script` \\| file \\| message", "", "medium"),
    row(10, "a line of a log, and no more", "`log` \\| pattern \\| line", "", "low"),
    row(11, "a file that only a crash leaves, and no more", "`file` \\| kind", "", "low"),
];

const fn row(
    number: u8,
    crash: &'static str,
    id: &'static str,
    place: &'static str,
    confidence: &'static str,
) -> Row {
    Row { number, crash, id, place, confidence }
}

/// A signature, and how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The signature.
    pub signature: Signature,
    /// The row that decided.
    pub row: Row,
    /// The evidence that decided: a pattern's name, or a kind of file.
    pub told_by: &'static str,
    /// What the fingerprint was made of beside the id's text.
    pub place: Redacted,
}

/// The signature of a crash in a build.
pub(super) fn of(crash: &Crash, build: &Build) -> Decision {
    let (number, parts) = text(crash);
    let row = ROWS[usize::from(number) - 1];
    let text = parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(" | ");
    let title = Redacted::new(&text.chars().take(LONGEST).collect::<String>());
    let place = place(crash, number);
    let label =
        build.id.clone().or_else(|| build.version.as_ref().map(ToString::to_string)).unwrap_or_default();
    let knows_place = crash.frames.first().is_some_and(|frame| frame.offset.is_some() && is_in_game(frame));
    let confidence = match (row.confidence, number) {
        ("high", 6) if !knows_place => "medium",
        (confidence, _) => confidence,
    };
    Decision {
        signature: Signature {
            version: VERSION,
            id: hash(&[title.as_str()]),
            fingerprint: hash(&[title.as_str(), &place, &label]),
            title,
            confidence: confidence.to_owned(),
            first_seen: None,
            regressed: None,
            first_regressed: None,
            muted: None,
        },
        row,
        told_by: crash.told_by,
        place: Redacted::new(&[place, label].join(" ")),
    }
}

/// The row that holds, and the parts of its text.
fn text(crash: &Crash) -> (u8, Vec<String>) {
    let message = || normalize(crash.message.as_deref().unwrap_or_default());
    let file = || crash.file.as_deref().filter(|file| *file != "Unknown").map(normalize).unwrap_or_default();
    let word = |word: &str| word.to_owned();
    let module = || module(crash).unwrap_or_else(|| word("(unknown module)"));
    match crash.cause {
        Cause::Assert => (1, vec![word("assert"), message(), file()]),
        Cause::Fatal => (2, vec![word("fatal"), message(), file()]),
        Cause::Gpu => (3, vec![word("gpu"), crash.reason.clone().unwrap_or_else(|| word("device lost"))]),
        Cause::OutOfMemory => (4, vec![word("oom"), module()]),
        Cause::Hang => (5, vec![word("hang"), module()]),
        Cause::Native => {
            let number = if !crash.is_marker && crash.in_game().is_some() { 6 } else { 7 };
            (number, vec![exception(crash), module()])
        }
        Cause::Managed => {
            let function =
                crash.frames.iter().filter_map(|frame| frame.function.as_deref()).find(|name| is_games(name));
            let what = function.map_or_else(message, normalize);
            let kind = crash.reason.as_deref().map(normalize).unwrap_or_default();
            (8, vec![kind, what, file()])
        }
        Cause::Script => (9, vec![word("script"), file(), message()]),
        Cause::Line => (10, vec![word("log"), word(crash.told_by), message()]),
        Cause::File => (11, vec![word("file"), word(crash.told_by)]),
    }
}

/// `reason[/address class]`. What the crate `minidump` puts behind ` / ` only dumps know: it stays out. So does the address of
/// a signal: Unreal's context on Linux has its number alone, and x86-64 tells address 0 of every non-canonical one
/// (`SI_KERNEL`, sigaction(2)), so that `null` would not mean null.
fn exception(crash: &Crash) -> String {
    let reason = crash.reason.as_deref().unwrap_or("unknown exception");
    let reason = reason.split(" / ").next().unwrap_or_default();
    match crash.address {
        Some(class @ (AddressClass::Null | AddressClass::NonCanonical)) if !reason.starts_with("SIG") => {
            format!("{reason}/{}", class.word())
        }
        _ => reason.to_owned(),
    }
}

/// The game's module that it happened in: of the first frame that lies in one, else the executable.
pub(super) fn module(crash: &Crash) -> Option<String> {
    let frame = crash.in_game().map(|frame| frame.module.as_str());
    // Redacted before its case is lost, by which some secrets are known.
    let module = frame.or(crash.executable.as_deref()).map(|name| stem(Redacted::new(name).as_str()));
    module.filter(|module| !module.is_empty())
}

fn is_in_game(frame: &Frame) -> bool {
    owner(&stem(&frame.module)) == Owner::Game
}

/// Where it happened, as `module+offset`.
fn place(crash: &Crash, row: u8) -> String {
    let name = |frame: &Frame| stem(Redacted::new(&frame.module).as_str());
    let place = |frame: &Frame| frame.offset.map(|offset| format!("{}+{offset:#x}", name(frame)));
    match row {
        3 => crash.device_state.clone().unwrap_or_default(),
        4..=7 => {
            let mut places: Vec<_> = crash
                .frames
                .iter()
                .filter(|frame| is_in_game(frame))
                .filter_map(place)
                .take(PLACES)
                .collect();
            if let Some(first) = crash.frames.first().filter(|frame| !is_in_game(frame)).and_then(place) {
                places.insert(0, first);
            }
            places.join(" ")
        }
        _ => String::new(),
    }
}

/// Whether a function is none of the runtime's.
fn is_games(function: &str) -> bool {
    const RUNTIMES: [&str; 10] = [
        "System.",
        "UnityEngine.",
        "Mono.",
        "Microsoft.",
        "java.",
        "jdk.",
        "sun.",
        "std::",
        "core::",
        "(wrapper",
    ];
    !RUNTIMES.iter().any(|runtime| function.starts_with(runtime))
}

fn hash(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("\n"));
    let (id, _) = digest.split_at(8);
    id.iter().fold(String::new(), |id, byte| id + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests;
