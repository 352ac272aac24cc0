//! The zip as a whole. What was written of it stays, and the next attempt goes on from there, if it is the same zip still.

use std::fs::File;
use std::io::Write as _;

use crash_capture::archive::{ArchiveError, Body as _, Source as _, Span};
use crash_capture::store::{ExportReader, ReadError};

use crate::captures::{Captures, Export};
use crate::failure::Failure;
use crate::output::{Output, note};

use super::Written;
use super::folder::{Folder, failed};

/// How often a connection may break before any byte arrives.
const ATTEMPTS: u32 = 5;

/// Downloads a session's zip.
pub(super) async fn run(
    captures: &Captures,
    export: &Export,
    folder: &Folder,
    output: Output,
) -> Result<Written, Failure> {
    let name = format!("{}.zip", export.session);
    // The part of another zip of the same session has another name.
    let version: String = export.etag.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
    let mut unfinished = folder.place(&[name], &format!(".{version}.part"))?;
    let (mut file, mut length) = unfinished.go_on()?;
    if length > export.size {
        (file, length) = (unfinished.create()?, 0);
    }
    if length > 0 {
        note(format!("going on from {length} of {} bytes", export.size));
    }
    let bar = output.bytes(export.size);
    bar.set_position(length);
    let reader = export.reader(captures);
    let mut attempts = ATTEMPTS;
    while length < export.size {
        let before = length;
        let copied = copy(&reader, length..export.size, &mut file, &unfinished.part, |bytes| {
            length += bytes;
            bar.set_position(length);
        });
        let error = match copied.await {
            Ok(()) => continue,
            Err(Broken::Disk(failure)) => return Err(failure),
            Err(Broken::Network(error)) => error,
        };
        attempts = if length > before { ATTEMPTS } else { attempts - 1 };
        if attempts == 0 || error == ReadError::Gone {
            let failure = export.failure(ArchiveError::Source(error));
            if length > 0 {
                note(format!(
                    "{length} of {} bytes are kept: the same command goes on from there",
                    export.size
                ));
            }
            return Err(failure);
        }
    }
    bar.finish_and_clear();
    file.sync_all().map_err(|error| failed(&unfinished.part, &error))?;
    unfinished.finish()?;
    Ok(Written { path: None, file: unfinished.path.clone(), size: length })
}

/// What stopped a copy.
enum Broken {
    Network(ReadError),
    Disk(Failure),
}

/// Copies a range; ends early where the body does.
async fn copy(
    reader: &ExportReader,
    range: std::ops::Range<u64>,
    file: &mut File,
    path: &std::path::Path,
    mut tell: impl FnMut(u64),
) -> Result<(), Broken> {
    let mut opened = reader.open(Span::Range(range.clone())).await.map_err(Broken::Network)?;
    if opened.offset != range.start {
        return Err(Broken::Disk(Failure::other("S3 did not answer with the range that it was asked for")));
    }
    while let Some(piece) = opened.body.piece().await.map_err(Broken::Network)? {
        file.write_all(&piece).map_err(|error| Broken::Disk(failed(path, &error)))?;
        tell(piece.len() as u64);
    }
    Ok(())
}
