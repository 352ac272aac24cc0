//! `crash-capture signature`: what makes a crash the same as others, and why.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crash_capture::archive::FileSource;
use crash_capture::triage::{self, Findings, Found, Rules};
use serde_json::json;

use crate::failure::Failure;
use crate::output::Output;

/// The most of a single file that is read, in bytes; a log that is longer is put into a zip.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Tells the signature of each file: a zip, or one file of a session. What cannot be read is told of, and the rest goes on.
pub(crate) async fn run(files: &[PathBuf], output: Output) -> Result<(), Failure> {
    let mut failed = None;
    for file in files {
        let findings = match examine(file).await.map_err(|failure| failure.about(file.display())) {
            Ok(findings) => findings,
            Err(failure) => {
                if let Some(earlier) = failed.replace(failure) {
                    earlier.report();
                }
                continue;
            }
        };
        let text = if output.is_json() {
            line(file, &findings)
        } else {
            describe(file, &findings).map_err(Failure::other)?
        };
        io::stdout().write_all(text.as_bytes()).map_err(|error| Failure::printing(&error))?;
    }
    failed.map_or(Ok(()), Err)
}

/// An error after which nothing was said counts here: nobody can ask how the session ended.
fn crash(findings: &Findings) -> Option<&Found> {
    findings.crash.as_ref().or(findings.last_words.as_ref())
}

fn line(file: &Path, findings: &Findings) -> String {
    let told = crash(findings).map(|found| {
        json!({
            "signature": found.decision.signature,
            "row": found.decision.row.number,
            "toldBy": found.decision.told_by,
            "place": found.decision.place,
            "evidence": found.evidence,
            "exception": found.exception,
        })
    });
    json!({"file": file.display().to_string(), "crash": told}).to_string() + "\n"
}

fn describe(file: &Path, findings: &Findings) -> Result<String, fmt::Error> {
    let mut text = String::new();
    writeln!(text, "{}", file.display())?;
    let Some(found) = crash(findings) else {
        writeln!(text, "  no crash, so no signature")?;
        for problem in &findings.problems {
            writeln!(text, "  problem {}: {}", problem.code, problem.detail)?;
        }
        return Ok(text);
    };
    let decision = &found.decision;
    let signature = &decision.signature;
    writeln!(text, "  title        {}", signature.title)?;
    writeln!(text, "  id           {}", signature.id)?;
    writeln!(text, "  fingerprint  {}, with: {}", signature.fingerprint, decision.place)?;
    writeln!(text, "  confidence   {}", signature.confidence)?;
    writeln!(
        text,
        "  row {:<8} {}: {}",
        decision.row.number,
        decision.row.crash,
        decision.row.id.replace('\\', "")
    )?;
    writeln!(
        text,
        "  told by      {}, in {} ({})",
        decision.told_by, found.evidence.path, found.evidence.kind
    )?;
    for evidence in &findings.evidence {
        if let (Some(tells), true) = (&evidence.tells, evidence.path != found.evidence.path) {
            writeln!(text, "  also         {}: {tells}", evidence.path)?;
        }
    }
    for problem in &findings.problems {
        writeln!(text, "  problem      {}: {}", problem.code, problem.detail)?;
    }
    Ok(text)
}

async fn examine(file: &Path) -> Result<Findings, Failure> {
    let rules = Rules::default();
    if is_zip(file).map_err(Failure::other)? {
        let source = FileSource::open(file).map_err(Failure::other)?;
        return triage::examine(&source, Some(source.size()), None, &rules).await.map_err(Failure::reading);
    }
    let length = std::fs::metadata(file).map_err(Failure::other)?.len();
    if length > LONGEST {
        return Err(Failure::usage(format!("it is {length} bytes long; put it into a zip")));
    }
    let bytes = std::fs::read(file).map_err(Failure::other)?;
    Ok(triage::examine_file(&file.to_string_lossy(), &bytes, &rules))
}

/// Whether a file is a zip, by its name or by its beginning.
fn is_zip(file: &Path) -> io::Result<bool> {
    let mut beginning = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(std::fs::File::open(file)?, 4), &mut beginning)?;
    let is_named = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
    Ok(is_named || beginning.starts_with(b"PK\x03\x04") || beginning.starts_with(b"PK\x05\x06"))
}
