//! From the files of a session to findings: bytes in, findings out.
//!
//! What the archive holds was written by a game that a player can influence. Names only nominate a file; its bytes
//! decide. A file that cannot be read is a [`Problem`], and whatever else there is still counts.

mod dump;
mod guard;
mod log;
mod targets;

use crate::archive::{Archive, ArchiveError, Content, Entry, Source};
use crate::record::{Build, Evidence, Exception, Files, Problem};

use self::targets::{Survey, Target};

/// How much of a minidump is fetched at first, in bytes of the archive. Of every dump measured that was enough to tell
/// exception, thread and modules, a full dump of 318 MB included.
const DUMP_HEAD: u64 = 256 * 1024;

/// How much of a minidump is read at most, in bytes inflated.
const DUMP_MAX: usize = 32 * 1024 * 1024;

/// How much of a log is read at most, in bytes of the archive, and inflated.
const LOG_MAX: (u64, usize) = (8 * 1024 * 1024, 24 * 1024 * 1024);

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

/// Reads an archive and finds out what its files tell; `size` is its length in bytes, where that is known.
pub async fn examine<S: Source>(source: &S, size: Option<u64>) -> Result<Findings, ArchiveError<S::Error>> {
    let archive = Archive::open(source, size).await?;
    let mut survey = Survey::default();
    archive.visit(|entry| survey.add(entry))?;
    let (files, targets, problems) = survey.finish();
    let mut findings = Findings { files, problems, ..Findings::default() };
    for target in targets {
        match target {
            Target::Dump(entry) => read_dump(&archive, &entry, &mut findings).await?,
            Target::Log(entry) => read_log(&archive, &entry, &mut findings).await?,
        }
    }
    Ok(findings)
}

/// Reads a minidump from its beginning, and further only if that does not suffice.
async fn read_dump<S: Source>(
    archive: &Archive<'_, S>,
    entry: &Entry,
    findings: &mut Findings,
) -> Result<(), ArchiveError<S::Error>> {
    let mut content = match archive.read_head(entry, DUMP_HEAD, DUMP_MAX).await? {
        Ok(content) => content,
        Err(unreadable) => {
            findings.note(entry, "unreadable-file", &unreadable.to_string());
            return Ok(());
        }
    };
    let mut told = dump::read(&content.bytes);
    let more = entry.compressed_size > DUMP_HEAD;
    let suffices = told.as_ref().is_ok_and(|facts| facts.exception.module.is_some());
    if more
        && !suffices
        && let Ok(further) = archive.read_head(entry, DUMP_MAX as u64, DUMP_MAX).await?
    {
        told = dump::read(&further.bytes);
        content = further;
    }
    findings.add_dump(entry, &content, told);
    Ok(())
}

async fn read_log<S: Source>(
    archive: &Archive<'_, S>,
    entry: &Entry,
    findings: &mut Findings,
) -> Result<(), ArchiveError<S::Error>> {
    match archive.read_head(entry, LOG_MAX.0, LOG_MAX.1).await? {
        Err(unreadable) => findings.note(entry, "unreadable-file", &unreadable.to_string()),
        Ok(content) => {
            if !content.complete {
                findings.note(entry, "log-limit", "only its beginning was read");
            } else if log::ends_cleanly(&content.bytes) {
                findings.add_evidence("clean-exit-log", entry);
                findings.clean_exit = Some(entry.path.clone());
            }
        }
    }
    Ok(())
}

impl Findings {
    fn add_dump(&mut self, entry: &Entry, content: &Content, told: Result<dump::Facts, dump::DumpError>) {
        match told {
            Ok(facts) => {
                self.crashed = true;
                self.add_evidence("minidump", entry);
                // The last dump of the directory is the one that is told of.
                self.exception = Some(facts.exception);
                self.build = facts.build_id.map(|id| Build { id: Some(id) });
            }
            Err(dump::DumpError::NotADump) if !content.bytes.is_empty() => {
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
