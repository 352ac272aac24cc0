//! From the files of a session to findings: bytes in, findings out.
//!
//! What the archive holds was written by a game that a player can influence. Names only nominate a file; its bytes
//! decide. A file that cannot be read is a [`Problem`], and whatever else there is still counts. `docs/triage.md` has the whole table
//! of evidence and signatures.
//!
//! ```text
//! targets: names nominate ─► dump, unreal, wer, core_file, log, performance: what each file tells ─► findings: which crash counts
//!                                                                                                ─► signature: the same as which
//! ```

mod core_file;
mod crash;
mod details;
mod dump;
mod file;
mod findings;
mod log;
mod modules;
mod normalize;
mod performance;
mod signature;
mod studio;
mod targets;
mod text;
mod unreal;
mod wer;

pub use details::{Details, Excerpt, Folder, Line, Listed, Listing, Sample, StackFrame};
pub use findings::{Findings, Found};
pub use performance::{CPU_PRESSURE, MEMORY_PRESSURE, VRAM_PRESSURE};
pub use signature::{Decision, ROWS, Row, VERSION as SIGNATURE_VERSION};
pub use studio::Rules;

use std::ops::ControlFlow;

use tokio::time::Instant;

use crate::archive::{
    Archive, ArchiveError, Entry, Limit, Method, Outcome, Read, Reads, Rest, Sink, Source, Stop,
    Target as ToRead,
};
use crate::record::Problem;

use self::dump::Parts;
use self::file::{File, Files};
use self::targets::{Kind, Survey, Surveyed, Target};

/// How much of a minidump is fetched at first, in bytes of the archive. Of every dump measured that was enough to tell
/// exception, thread and modules, a full dump of 318 MB included.
const DUMP_HEAD: u64 = 256 * 1024;

/// How much of a minidump is kept at first, in bytes inflated. Of what follows only the parts that are wanted are.
const DUMP_HEAD_INFLATED: u64 = 1024 * 1024;

/// Small texts are read up to this length, in bytes.
const SMALL: u64 = 4 * 1024 * 1024;

/// How much of an envelope is looked at, in bytes.
const ENVELOPE: u64 = 256 * 1024;

/// How much of a log is scanned: in bytes of the archive, and inflated, where it is compressed.
const LOG_MAX: (u64, u64) = (256 * 1024 * 1024, 2 * 1024 * 1024 * 1024);

/// How much of a log's end is scanned, in bytes, where it is stored.
const LOG_TAIL: u64 = 8 * 1024 * 1024;

/// Reads an archive and finds out what its files tell, by the project's rules and a studio's; `size` is its length in bytes, where that
/// is known. Nothing is read after the `deadline`.
pub async fn examine<S: Source>(
    source: &S,
    size: Option<u64>,
    deadline: Option<Instant>,
    rules: &Rules,
) -> Result<Findings, ArchiveError<S::Error>> {
    let mut survey = Survey::new(rules);
    let archive = Archive::open(source, size, deadline, |entry| survey.add(entry)).await?;
    let Surveyed { files: counted, listing, targets, problem } = survey.finish();
    let mut files = Files::default();
    files.problems.extend(problem);
    let odd = archive.directory().findings.iter().map(|it| Problem::new(it.code, it.detail.clone()));
    files.problems.extend(odd);
    let mut reads = archive.reads();
    for target in targets {
        if let Kind::Present(kind) = target.kind {
            files.present(kind, &file_of(&target.entry));
        } else {
            reads.add(to_read(target, rules));
        }
    }
    while let Some(read) = reads.next().await {
        take(&mut files, read?, &mut reads);
    }
    let mut findings = files.conclude();
    findings.files = counted;
    findings.details.listing = listing;
    Ok(findings)
}

/// Finds out what a single file tells, as if it were alone in an archive.
#[must_use]
pub fn examine_file(path: &str, bytes: &[u8], rules: &Rules) -> Findings {
    let path = path.replace('\\', "/");
    let file = File {
        path: path.to_ascii_lowercase(),
        shown: path.as_str().into(),
        size: bytes.len() as u64,
        modified: None,
    };
    let kind = Kind::of(&file.path).unwrap_or(Kind::Studio);
    let is_studios = rules.is_crash_file(&file.path);
    let mut files = Files::default();
    match kind {
        Kind::Present(kind) => files.present(kind, &file),
        Kind::Performance => {
            let mut scan = performance::Scan::default();
            scan.push(bytes);
            (files.performance, files.samples) = scan.finish();
        }
        Kind::Log => files.log(&file, scanned(bytes, rules)),
        _ if file::is_known(bytes) || kind != Kind::Studio || is_studios => {
            files.bytes(&file, kind, is_studios, bytes);
        }
        // A text of whatever name.
        _ => files.log(&file, scanned(bytes, rules)),
    }
    files.conclude()
}

fn scanned(bytes: &[u8], rules: &Rules) -> log::Told {
    let mut scan = log::Scan::new(rules.patterns());
    scan.push(bytes);
    scan.finish()
}

fn file_of(entry: &Entry) -> File {
    let path = entry.path_to_match();
    File {
        path: path.to_ascii_lowercase(),
        shown: path.as_ref().into(),
        size: entry.size,
        modified: entry.modified(),
    }
}

/// How a target is read.
fn to_read(target: Target, rules: &Rules) -> ToRead<Reader> {
    let Target { kind, entry, is_studios } = target;
    let keep = |kind| Reader::Keep { kind, is_studios, bytes: Vec::new() };
    match kind {
        Kind::Log => {
            let scan = Reader::Log(Box::new(log::Scan::new(rules.patterns())));
            match entry.method {
                Method::Stored => ToRead::tail(entry, LOG_TAIL, scan),
                _ => ToRead::stream(entry, LOG_MAX.0, LOG_MAX.1, scan),
            }
        }
        Kind::Performance => ToRead::stream(entry, LOG_MAX.0, LOG_MAX.1, Reader::Performance(Box::default())),
        Kind::Context | Kind::Wer => ToRead::whole(entry, SMALL, keep(kind)),
        Kind::Core => ToRead::head(entry, core_file::READ, core_file::READ, keep(kind)),
        Kind::Envelope => ToRead::head(entry, ENVELOPE, ENVELOPE, keep(kind)),
        Kind::Dump | Kind::Studio | Kind::Present(_) => {
            ToRead::head(entry, DUMP_HEAD, DUMP_HEAD_INFLATED, keep(kind))
        }
    }
}

/// A dump that is read in parts.
struct Dump {
    kind: Kind,
    is_studios: bool,
    parts: Parts,
}

/// Who takes what a file holds.
enum Reader {
    Keep { kind: Kind, is_studios: bool, bytes: Vec<u8> },
    Parts(Dump),
    Log(Box<log::Scan>),
    Performance(Box<performance::Scan>),
}

impl Sink for Reader {
    fn take(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        match self {
            Self::Keep { bytes: kept, .. } => return kept.take(bytes),
            Self::Parts(dump) => dump.parts.take(bytes),
            Self::Log(scan) => scan.push(bytes),
            Self::Performance(scan) => scan.push(bytes),
        }
        ControlFlow::Continue(())
    }

    fn expect(&mut self, at_most: usize) {
        if let Self::Keep { bytes, .. } = self {
            bytes.expect(at_most);
        }
    }
}

/// Takes what was read of a file, and asks for more of a dump whose beginning does not suffice.
fn take<S: Source>(files: &mut Files, read: Read<Reader>, reads: &mut Reads<'_, S, Reader>) {
    let Read { entry, sink, result, rest, .. } = read;
    let file = file_of(&entry);
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(unreadable) => return files.unreadable(&file, &unreadable.to_string()),
    };
    match sink {
        Reader::Log(scan) => {
            note_limit(files, &file, &outcome);
            if outcome.given.start > 0 {
                files.note(
                    &file,
                    "log-tail",
                    &format!("only what follows its first {} bytes was scanned", outcome.given.start),
                );
            }
            files.log(&file, scan.finish());
        }
        Reader::Performance(scan) => {
            note_limit(files, &file, &outcome);
            (files.performance, files.samples) = scan.finish();
        }
        Reader::Keep { kind, is_studios, bytes } => {
            let is_enough = matches!(kind, Kind::Dump | Kind::Core | Kind::Envelope | Kind::Studio)
                && matches!(outcome.stop, Stop::Limit(Limit::Compressed(_) | Limit::Inflated(_)));
            if is_enough && rest.is_some() && file::needs_more(&bytes) {
                let parts = Parts::new(bytes);
                return read_on(files, &file, Dump { kind, is_studios, parts }, rest, reads);
            }
            if !is_enough {
                note_limit(files, &file, &outcome);
            }
            files.bytes(&file, kind, is_studios, &bytes);
        }
        Reader::Parts(dump) => {
            let is_on_the_way = matches!(outcome.stop, Stop::Limit(Limit::Inflated(_)));
            if !is_on_the_way {
                note_limit(files, &file, &outcome);
            }
            read_on(files, &file, dump, rest.filter(|_| is_on_the_way), reads);
        }
    }
}

/// Asks for what is wanted of a dump whose beginning does not suffice; where all of that has come, or no more can be had, that is what
/// the file tells.
fn read_on<S: Source>(
    files: &mut Files,
    file: &File,
    mut dump: Dump,
    rest: Option<Rest>,
    reads: &mut Reads<'_, S, Reader>,
) {
    let next = rest.and_then(|rest| Some((dump.parts.next(rest.can_jump())?, rest)));
    let Some((wanted, rest)) = next else {
        return files.bytes(file, dump.kind, dump.is_studios, &dump.parts.dump());
    };
    let most = Parts::most(DUMP_HEAD_INFLATED);
    let target = ToRead::further(rest, Some(wanted.start), dump::REACH, wanted.end, Reader::Parts(dump));
    reads.add(target.kept(most));
}

/// Notes a limit that was hit, or damage.
fn note_limit(files: &mut Files, file: &File, outcome: &Outcome) {
    if let Some(finding) = outcome.finding() {
        files.note(file, finding.code, &finding.detail);
    }
}

#[cfg(test)]
pub(crate) mod tests;
