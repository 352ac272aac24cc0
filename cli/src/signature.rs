//! `crash-capture signature`: what makes a crash the same as others, and why.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crash_capture::archive::{ArchiveError, FileSource};
use crash_capture::triage::{self, Findings, Found, Rules};
use serde_json::json;

/// The most of a single file that is read, in bytes; a log that is longer is put into a zip.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Tells the signature of each file: a zip, or one file of a session.
pub(crate) async fn run(files: &[PathBuf], json: bool) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for file in files {
        let told = match examine(file).await {
            Ok(findings) if json => Ok(line(file, &findings)),
            Ok(findings) => describe(file, &findings),
            Err((message, failed)) => {
                writeln!(io::stderr(), "crash-capture: {}: {message}", file.display()).ok();
                code = failed;
                continue;
            }
        };
        if !told.is_ok_and(|text| io::stdout().write_all(text.as_bytes()).is_ok()) {
            return ExitCode::FAILURE;
        }
    }
    code
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

async fn examine(file: &Path) -> Result<Findings, (String, ExitCode)> {
    let failed = |error: io::Error| (error.to_string(), ExitCode::FAILURE);
    let rules = Rules::default();
    if is_zip(file).map_err(failed)? {
        let source = FileSource::open(file).map_err(failed)?;
        return triage::examine(&source, Some(source.size()), None, &rules).await.map_err(
            |error| match error {
                ArchiveError::Source(error) => failed(error),
                unreadable => (unreadable.to_string(), ExitCode::from(2)),
            },
        );
    }
    let length = std::fs::metadata(file).map_err(failed)?.len();
    if length > LONGEST {
        return Err((format!("it is {length} bytes long; put it into a zip"), ExitCode::from(2)));
    }
    let bytes = std::fs::read(file).map_err(failed)?;
    Ok(triage::examine_file(&file.to_string_lossy(), &bytes, &rules))
}

/// Whether a file is a zip, by its name or by its beginning.
fn is_zip(file: &Path) -> io::Result<bool> {
    let mut beginning = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(std::fs::File::open(file)?, 4), &mut beginning)?;
    let is_named = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
    Ok(is_named || beginning.starts_with(b"PK\x03\x04") || beginning.starts_with(b"PK\x05\x06"))
}
