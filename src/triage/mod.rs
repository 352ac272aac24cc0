//! From the files of a session to findings: bytes in, findings out.
//!
//! What the archive holds was written by a game that a player can influence. Names only nominate a file; its bytes
//! decide. A file that cannot be read is a [`Problem`], and whatever else there is still counts.

mod dump;
mod guard;
mod log;
mod targets;

use std::ops::ControlFlow;

use tokio::time::Instant;

use crate::archive::{Archive, ArchiveError, Entry, Outcome, Read, Reads, Sink, Source, Target as ToRead};
use crate::record::{Build, Evidence, Exception, Files, Problem};

use self::targets::{Survey, Target};

/// How much of a minidump is fetched at first, in bytes of the archive. Of every dump measured that was enough to tell
/// exception, thread and modules, a full dump of 318 MB included.
const DUMP_HEAD: u64 = 256 * 1024;

/// How much of a minidump is kept at first, and at most, in bytes inflated.
const DUMP_HEAD_INFLATED: u64 = 2 * 1024 * 1024;
const DUMP_MAX: u64 = 16 * 1024 * 1024;

/// How much of a log is read at most, in bytes of the archive, and inflated.
const LOG_MAX: (u64, u64) = (8 * 1024 * 1024, 8 * 1024 * 1024);

/// What the files of a session tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// What the zip holds.
    pub files: Files,
    /// The files that bear on the verdict.
    pub evidence: Vec<Evidence>,
    /// Whether any of them is evidence of a crash.
    pub crashed: bool,
    /// Where and how it crashed.
    pub exception: Option<Exception>,
    /// Which build it was.
    pub build: Option<Build>,
    /// The path of a log that ends as logs of a clean exit do.
    pub clean_exit: Option<String>,
    /// What was in the way, and limits that were hit.
    pub problems: Vec<Problem>,
}

/// Reads an archive and finds out what its files tell; `size` is its length in bytes, where that is known. Nothing is read
/// after the `deadline`.
pub async fn examine<S: Source>(
    source: &S,
    size: Option<u64>,
    deadline: Option<Instant>,
) -> Result<Findings, ArchiveError<S::Error>> {
    let mut survey = Survey::default();
    let archive = Archive::open(source, size, deadline, |entry| survey.add(entry)).await?;
    let (files, targets, problems) = survey.finish();
    let mut findings = Findings { files, problems, ..Findings::default() };
    let odd = archive.directory().findings.iter().map(|it| Problem::new(it.code, it.detail.clone()));
    findings.problems.extend(odd);
    let mut reads = archive.reads();
    for target in targets {
        reads.add(match target {
            Target::Dump(entry) => ToRead::head(entry, DUMP_HEAD, DUMP_HEAD_INFLATED, Kept::Dump(Vec::new())),
            Target::Log(entry) => ToRead::head(entry, LOG_MAX.0, LOG_MAX.1, Kept::Log(Vec::new())),
        });
    }
    while let Some(read) = reads.next().await {
        findings.take(read?, &mut reads);
    }
    Ok(findings)
}

/// What is kept of a file.
enum Kept {
    Dump(Vec<u8>),
    Log(Vec<u8>),
}

impl Sink for Kept {
    fn take(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        let (Self::Dump(kept) | Self::Log(kept)) = self;
        kept.take(bytes)
    }

    fn expect(&mut self, at_most: usize) {
        let (Self::Dump(kept) | Self::Log(kept)) = self;
        kept.expect(at_most);
    }
}

impl Findings {
    fn take<S: Source>(&mut self, read: Read<Kept>, reads: &mut Reads<'_, S, Kept>) {
        let Read { entry, sink, result, rest, .. } = read;
        let outcome = match result {
            Ok(outcome) => outcome,
            Err(unreadable) => return self.note(&entry, "unreadable-file", &unreadable.to_string()),
        };
        match sink {
            Kept::Log(log) => self.add_log(&entry, &log, &outcome),
            Kept::Dump(content) => {
                let told = dump::read(&content);
                let suffices = told.as_ref().is_ok_and(|facts| facts.exception.module.is_some());
                match rest {
                    // Its beginning did not suffice: it is read further.
                    Some(rest) if !suffices && (content.len() as u64) < DUMP_MAX => {
                        let more = Kept::Dump(content);
                        reads.add(ToRead::further(rest, None, DUMP_MAX, DUMP_MAX, more).kept(DUMP_MAX));
                    }
                    _ => self.add_dump(&entry, &content, told),
                }
            }
        }
    }

    fn add_log(&mut self, entry: &Entry, log: &[u8], outcome: &Outcome) {
        if let Some(finding) = outcome.finding() {
            self.note(entry, finding.code, &finding.detail);
        } else if log::ends_cleanly(log) {
            self.add_evidence("clean-exit-log", entry);
            self.clean_exit = Some(entry.path.clone());
        }
    }

    fn add_dump(&mut self, entry: &Entry, content: &[u8], told: Result<dump::Facts, dump::DumpError>) {
        match told {
            Ok(facts) => {
                self.crashed = true;
                self.add_evidence("minidump", entry);
                // The last dump of the directory is the one that is told of.
                self.exception = Some(facts.exception);
                self.build = facts.build_id.map(|id| Build { id: Some(id) });
            }
            Err(dump::DumpError::NotADump) if !content.is_empty() => {
                self.note(entry, "not-a-minidump", "it has a minidump's name, and other contents");
            }
            // A crash handler that was cut off leaves nothing, or less than a whole dump: still evidence.
            Err(error) => {
                self.crashed = true;
                self.add_evidence("minidump", entry);
                self.note(entry, "minidump-unreadable", &error.to_string());
            }
        }
    }

    fn add_evidence(&mut self, kind: &str, entry: &Entry) {
        self.evidence.push(Evidence { kind: kind.to_owned(), path: entry.path.clone(), size: entry.size });
    }

    fn note(&mut self, entry: &Entry, code: &str, detail: &str) {
        self.problems.push(Problem::new(code, format!("{}: {detail}", entry.path)));
    }
}

#[cfg(test)]
mod tests;
