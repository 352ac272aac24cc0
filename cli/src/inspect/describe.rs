//! What is told of a zip, in words.

use std::fmt::{self, Write as _};

use crash_capture::record::Judgement;

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
    if let Some(exception) = &judgement.exception {
        let unknown = || "?".to_owned();
        let (module, offset) = (exception.module.clone(), exception.offset.clone());
        let place = format!("{}+{}", module.unwrap_or_else(unknown), offset.unwrap_or_else(unknown));
        let thread = exception.thread.clone().unwrap_or_else(unknown);
        writeln!(text, "{} at {place}, thread {thread}", exception.kind.clone().unwrap_or_else(unknown))?;
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
    for entry in entries {
        write!(text, "{:>14} {}", entry.size, entry.path)?;
        for flag in &entry.flags {
            write!(text, " [{flag}]")?;
        }
        writeln!(text)?;
    }
    Ok(())
}
