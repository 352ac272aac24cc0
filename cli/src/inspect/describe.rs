//! What is told of a zip, in words.

use std::fmt::{self, Write as _};

use crash_capture::record::Judgement;
use crash_capture::redacted::Redacted;
use crash_capture::report::size;

use crate::format::counted;

use super::entries::Listed;

/// What happened, where, in which build; what the zip holds; and what was in the way.
pub(super) fn describe(judgement: &Judgement, entries: Option<&[Listed]>) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    write(&mut text, judgement, entries.unwrap_or_default()).ok();
    text
}

fn write(text: &mut String, judgement: &Judgement, entries: &[Listed]) -> fmt::Result {
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
        writeln!(text, "{} of {}", counted(files.count, "file"), size(files.bytes))?;
    }
    for evidence in &judgement.evidence {
        writeln!(text, "  {}: {}, {}", evidence.kind, evidence.path, size(evidence.size))?;
    }
    for problem in &judgement.problems {
        writeln!(text, "  problem {}: {}", problem.code, problem.detail)?;
    }
    for entry in entries {
        write!(text, "{:>14} {}", entry.size, entry.path)?;
        for flag in &entry.flags {
            write!(text, " [{flag}]")?;
        }
        writeln!(text)?;
    }
    Ok(())
}
