//! Triage as a whole: from the files of a zip to the record's part that triage decides.

mod clean;
mod details;
mod files;
mod hostile;
mod large_dumps;
mod records;
mod redaction;
mod same_crash;
pub(crate) mod stories;

#[path = "../../../tests/fixtures/bombs.rs"]
pub(super) mod bombs;
#[path = "../../../tests/fixtures/dumps.rs"]
pub(super) mod dumps;

use std::io::{Cursor, Write};
use std::path::PathBuf;

use bytes::Bytes;
use zip::write::{SimpleFileOptions, ZipWriter};

pub(crate) use super::performance::tests::csv;
use super::*;
use crate::record::{Judgement, Signature};
use crate::verdict::{Ending, judge};

pub(crate) type Session<'a> = Vec<(&'a str, Vec<u8>)>;

/// What a zip of these files tells.
pub(crate) fn findings(files: &[(&str, Vec<u8>)]) -> Findings {
    findings_by(files, &Rules::default())
}

/// What a zip of these files tells by a studio's rules.
pub(super) fn findings_by(files: &[(&str, Vec<u8>)], rules: &Rules) -> Findings {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    let bytes: Bytes = zip.finish().unwrap().into_inner().into();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(examine(&bytes, Some(bytes.len() as u64), None, rules)).unwrap()
}

/// What is made of a session that ended by `applicationExit` after half an hour.
pub(super) fn judgement(files: &[(&str, Vec<u8>)]) -> Judgement {
    judge(findings(files), &exited(), &[])
}

pub(super) fn exited() -> Ending {
    Ending { reason: Some("applicationExit".to_owned()), lasted: Some(jiff::SignedDuration::from_mins(30)) }
}

/// The signature of a crash.
pub(super) fn signature(files: &[(&str, Vec<u8>)]) -> Signature {
    let judgement = judgement(files);
    judgement.signature.unwrap_or_else(|| panic!("no crash: {:?}", judgement.reason))
}

/// A file of the collection of real crash files that is handed to developers beside the project.
///
/// Where it is absent the test says so and is skipped; in CI it fails.
pub(super) fn sample(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/samples").join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CI must have the sample {name}");
        writeln!(std::io::stderr(), "skipped: the sample {name} is not here").unwrap();
    }
    bytes
}
