//! From what each file tells to what happened: which crash counts, and what is known of it.

use std::collections::BTreeMap;

use crate::record::{Build, Evidence, Exception, Files, Performance, Problem};
use crate::redacted::Redacted;

use super::crash::{Cause, Crash};
use super::details::{self, Details};
use super::modules::file_name;
use super::signature::{self, Decision};

/// How many files are told of, the most telling first.
const MAX_EVIDENCE: usize = 16;

/// An access to memory that could not be, of which it is not told whether it was reading, writing or executing.
const UNTOLD_ACCESS: &str = "EXCEPTION_ACCESS_VIOLATION";

/// What the files of a session tell. Text of theirs is in it only as [`Redacted`], and in [`Problem`]s that were made of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// What the zip holds.
    pub files: Files,
    /// The files that bear on the verdict: what decided first.
    pub evidence: Vec<Evidence>,
    /// What happened, if there is evidence of a crash.
    pub crash: Option<Found>,
    /// An error after which nothing was said any more: evidence of a crash if the application exited.
    pub last_words: Option<Found>,
    /// Which build it was.
    pub build: Option<Build>,
    /// The path of a log that ends as logs of a clean exit do.
    pub clean_exit: Option<Redacted>,
    /// How the session fared.
    pub performance: Option<Performance>,
    /// What was in the way, and limits that were hit.
    pub problems: Vec<Problem>,
    /// What people want to see beside all that.
    pub details: Details,
}

/// A crash that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its signature, and how that came about.
    pub decision: Decision,
    /// Where and how it crashed.
    pub exception: Exception,
    /// The evidence that decided.
    pub evidence: Evidence,
}

/// One file, and what it tells.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) kind: &'static str,
    /// As in the zip, in lower case with `/`.
    pub(super) path: String,
    pub(super) shown: Redacted,
    pub(super) size: u64,
    pub(super) modified: Option<String>,
    pub(super) crash: Option<Crash>,
    /// Whether it is evidence of a crash, or only of one if the application exited.
    pub(super) standing: Standing,
    pub(super) build: Build,
}

/// What a piece means for the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Evidence of a crash.
    Crash,
    /// Evidence of one if the application exited.
    LastWords,
    /// It is told of, and no evidence of a crash.
    Mention,
}

impl Piece {
    pub(super) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Which kind of file tells it best: Unreal's own account, a dump, a report, a log, a file's mere being there.
    fn rank(&self) -> u8 {
        match self.kind {
            "ue-crash-context" => 4,
            "minidump" => 3,
            "log" => 1,
            "crash-file" | "gpu-dump" | "sentry-native" => 0,
            _ => 2,
        }
    }

    /// How well it tells what happened.
    fn telling(&self) -> (bool, bool, u8) {
        let crash = self.crash.as_ref();
        let has_place = crash.is_some_and(|crash| crash.cause != Cause::Native || crash.in_game().is_some());
        (crash.is_some_and(Crash::is_telling), has_place, self.rank())
    }

    fn when(&self) -> (Option<&str>, &str) {
        (self.modified.as_deref(), &self.path)
    }

    fn evidence(&self) -> Evidence {
        let tells = self.crash.as_ref().filter(|_| self.standing != Standing::Mention);
        let tells = tells.map(|crash| signature::of(crash, &self.build).signature.title);
        Evidence { kind: self.kind.to_owned(), path: self.shown.clone(), size: self.size, tells }
    }
}

/// What all files tell together.
pub(super) fn conclude(pieces: &[Piece], mut findings: Findings) -> Findings {
    let build = build(pieces, &findings.build.take().unwrap_or_default());
    let decided = [Standing::Crash, Standing::LastWords].map(|it| decide(pieces, it));
    if let Some((crash, _)) = decided.iter().flatten().next() {
        findings.details.stack = details::stack(crash);
        findings.details.crashed_at = crash.at;
    }
    let [crash, last_words] = decided.map(|decided| {
        decided.map(|(crash, best)| Found {
            decision: signature::of(&crash, &build),
            exception: exception(&crash),
            evidence: best.evidence(),
        })
    });
    (findings.crash, findings.last_words) = (crash, last_words);
    findings.build = (build != Build::default()).then_some(build);
    let mut told: Vec<_> = pieces.iter().filter(|piece| piece.standing != Standing::LastWords).collect();
    told.sort_by_key(|piece| (piece.standing != Standing::Crash, std::cmp::Reverse(piece.telling())));
    let mut evidence: Vec<_> = told.into_iter().map(Piece::evidence).collect();
    if let Some(found) = &findings.crash
        && let Some(place) =
            evidence.iter().position(|it| it.path == found.evidence.path && it.kind == found.evidence.kind)
    {
        evidence[..=place].rotate_right(1);
    }
    if evidence.len() > MAX_EVIDENCE {
        let detail = format!(
            "{MAX_EVIDENCE} files are told of; {} more bear on the verdict",
            evidence.len() - MAX_EVIDENCE
        );
        findings.problems.push(Problem::new("evidence-limit", detail));
        evidence.truncate(MAX_EVIDENCE);
    }
    findings.evidence = evidence;
    findings
}

/// Which crash counts, with what all files tell of it, and the piece that decided.
fn decide(pieces: &[Piece], standing: Standing) -> Option<(Crash, &Piece)> {
    let mut folders: BTreeMap<&str, Vec<&Piece>> = BTreeMap::new();
    for piece in pieces.iter().filter(|piece| piece.standing == standing && piece.crash.is_some()) {
        folders.entry(piece.folder()).or_default().push(piece);
    }
    // The best account in each folder; of the folders, the last one with a good account.
    let best = folders
        .values()
        .filter_map(|folder| folder.iter().copied().max_by_key(|piece| (piece.telling(), piece.when())));
    let best = best.max_by_key(|piece| {
        let (is_telling, _, rank) = piece.telling();
        (is_telling, rank >= 3, piece.when())
    })?;
    let mut crash = best.crash.clone()?;
    if super::targets::is_in_crash_folder(&best.path) {
        for piece in folders.get(best.folder()).into_iter().flatten() {
            complete(&mut crash, piece);
        }
    }
    // A log tells what an exception was about that a dump only marks; the dump tells the thread.
    let mut dumps =
        pieces.iter().filter(|piece| piece.kind == "minidump" && piece.standing == Standing::Crash);
    if let (Some(dump), None) = (dumps.next(), dumps.next())
        && let Some(dump) = &dump.crash
    {
        crash.thread = crash.thread.or_else(|| dump.thread.clone());
        crash.executable = crash.executable.or_else(|| dump.executable.clone());
        crash.at = crash.at.or(dump.at);
    }
    // Windows' own report does not tell how memory was accessed; others of the same crash do.
    if crash.reason.as_deref() == Some(UNTOLD_ACCESS) {
        let others = pieces.iter().filter(|piece| piece.standing == standing);
        let other = others.filter_map(|piece| piece.crash.as_ref()).find(|other| {
            other
                .reason
                .as_deref()
                .is_some_and(|reason| reason.starts_with(UNTOLD_ACCESS) && reason != UNTOLD_ACCESS)
                && signature::module(other) == signature::module(&crash)
        });
        if let Some(other) = other {
            (crash.reason, crash.address) = (other.reason.clone(), other.address);
        }
    }
    if crash.cause == Cause::Gpu && crash.reason.is_none() {
        let others = pieces.iter().filter_map(|piece| piece.crash.as_ref());
        crash.reason =
            others.filter(|other| other.cause == Cause::Gpu).find_map(|other| other.reason.clone());
    }
    Some((crash, best))
}

fn complete(crash: &mut Crash, piece: &Piece) {
    if let Some(other) = &piece.crash {
        crash.complete_with(other);
    }
}

fn exception(crash: &Crash) -> Exception {
    let frame = if crash.cause == Cause::Native { crash.frames.first() } else { crash.in_game() };
    let word = match crash.cause {
        Cause::Assert => Some("Assert"),
        Cause::Fatal => Some("Fatal"),
        Cause::OutOfMemory => Some("OutOfMemory"),
        Cause::Hang => Some("Hang"),
        Cause::Gpu => Some("GPUCrash"),
        Cause::Script => Some("ScriptError"),
        _ => None,
    };
    Exception {
        kind: crash.reason.as_deref().or(word).map(Redacted::new),
        message: crash.message.as_deref().map(Redacted::new),
        address: crash.address.map(|class| class.word().to_owned()),
        module: frame
            .filter(|frame| !frame.module.is_empty())
            .map(|frame| Redacted::new(file_name(&frame.module))),
        offset: frame.and_then(|frame| frame.offset).map(|offset| format!("{offset:#x}")),
        thread: crash.thread.as_deref().map(Redacted::new),
    }
}

/// Which build it was: each field from the file that tells it best.
fn build(pieces: &[Piece], from_logs: &Build) -> Build {
    let mut sorted: Vec<_> = pieces.iter().collect();
    sorted.sort_by_key(|piece| std::cmp::Reverse((piece.rank(), piece.when())));
    let mut build = Build::default();
    for one in sorted.into_iter().map(|piece| &piece.build).chain([from_logs]) {
        merge(&mut build, one);
    }
    build
}

/// Takes from another account of the build what is not known yet.
pub(super) fn merge(build: &mut Build, other: &Build) {
    build.id = build.id.take().or_else(|| other.id.clone());
    build.version = build.version.take().or_else(|| other.version.clone());
    build.engine = build.engine.take().or_else(|| other.engine.clone());
    build.engine_version = build.engine_version.take().or_else(|| other.engine_version.clone());
    build.configuration = build.configuration.take().or_else(|| other.configuration.clone());
}
