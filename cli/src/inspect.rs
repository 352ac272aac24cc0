//! `crash-capture inspect`: what an exported zip holds, what was found, the verdict.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use crash_capture::archive::{ArchiveError, FileSource};
use crash_capture::record::{Judgement, SCHEMA, State};
use crash_capture::redacted::Redacted;
use crash_capture::triage::{self, Rules};
use crash_capture::verdict::{Ending, judge};
use serde::Serialize;

/// Inspects a zip and prints what is found.
pub(crate) async fn run(file: &Path, json: bool) -> ExitCode {
    let judgement = match examine(file).await {
        Ok(judgement) => judgement,
        Err((message, code)) => {
            writeln!(io::stderr(), "crash-capture: {}: {message}", file.display()).ok();
            return code;
        }
    };
    let text = if json { record(judgement) } else { describe(&judgement) };
    match text.map(|text| io::stdout().write_all(text.as_bytes())) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// A record without what only the session could tell.
#[derive(Serialize)]
struct Sessionless {
    schema: u32,
    state: State,
    #[serde(flatten)]
    judgement: Judgement,
}

fn record(judgement: Judgement) -> Result<String, fmt::Error> {
    let record = Sessionless { schema: SCHEMA, state: State::Indexed, judgement };
    serde_json::to_string(&record).map(|line| line + "\n").map_err(|_| fmt::Error)
}

fn describe(judgement: &Judgement) -> Result<String, fmt::Error> {
    let mut text = String::new();
    if let (Some(verdict), Some(reason)) = (&judgement.verdict, &judgement.reason) {
        writeln!(text, "{verdict}: {}", reason.detail)?;
    }
    if let Some(signature) = &judgement.signature {
        writeln!(text, "{}", signature.title)?;
        writeln!(text, "signature {}, fingerprint {}", signature.id, signature.fingerprint)?;
    }
    if let Some(exception) = &judgement.exception {
        let or_unknown = |text: Option<&Redacted>| text.map_or_else(|| "?".to_owned(), ToString::to_string);
        let offset = exception.offset.as_deref().unwrap_or("?");
        let place = format!("{}+{offset}", or_unknown(exception.module.as_ref()));
        let thread = or_unknown(exception.thread.as_ref());
        writeln!(text, "{} at {place}, thread {thread}", or_unknown(exception.kind.as_ref()))?;
        if let Some(message) = &exception.message {
            writeln!(text, "{message}")?;
        }
    }
    if let Some(id) = judgement.build.as_ref().and_then(|build| build.id.as_ref()) {
        writeln!(text, "build {id}")?;
    }
    if let Some(files) = &judgement.files {
        writeln!(text, "{} files, {} bytes", files.count, files.bytes)?;
    }
    for evidence in &judgement.evidence {
        writeln!(text, "  {}: {}, {} bytes", evidence.kind, evidence.path, evidence.size)?;
    }
    for problem in &judgement.problems {
        writeln!(text, "  problem {}: {}", problem.code, problem.detail)?;
    }
    Ok(text)
}

/// Nothing is known of the session, so the verdict is that of the files alone.
async fn examine(file: &Path) -> Result<Judgement, (String, ExitCode)> {
    let source = FileSource::open(file).map_err(|error| (error.to_string(), ExitCode::FAILURE))?;
    let findings =
        triage::examine(&source, Some(source.size()), None, &Rules::default()).await.map_err(|error| {
            match error {
                ArchiveError::Source(error) => (error.to_string(), ExitCode::FAILURE),
                unreadable => (unreadable.to_string(), ExitCode::from(2)),
            }
        })?;
    Ok(judge(findings, &Ending::default(), &[]))
}
