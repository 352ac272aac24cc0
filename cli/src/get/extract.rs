//! Files out of the zip: its directory is read, and of the rest only what these files are made of.

use std::fs::File;
use std::io::{self, Write as _};
use std::ops::ControlFlow;

use crash_capture::archive::{Archive, Entry, Read, Sink, Target};
use indicatif::ProgressBar;

use crate::captures::{Captures, Export};
use crate::failure::Failure;
use crate::output::{Output, harmless};
use crate::pattern::Patterns;

use super::folder::{Folder, UNFINISHED, Unfinished, failed};
use super::names::Names;
use super::{Written, tell_of_new_name};

/// How many files are open at a time.
const OPEN: usize = 64;

/// Where a file's contents go.
struct Into {
    unfinished: Unfinished,
    file: Result<File, io::Error>,
    is_renamed: bool,
    bar: ProgressBar,
}

/// Writes the files that are meant. One that cannot be had does not keep the others from being written.
pub(super) async fn run(
    captures: &Captures,
    export: &Export,
    paths: &[String],
    folder: &Folder,
    output: Output,
) -> Result<(), Failure> {
    let mut patterns = Patterns::new(paths)?;
    let reader = export.reader(captures);
    let mut meant = Vec::new();
    let archive = Archive::open(&reader, Some(export.size), None, |entry| {
        if !entry.is_folder && patterns.take(&entry.path_to_match()) {
            meant.push(entry.clone());
        }
    });
    let archive = archive.await.map_err(|error| export.failure(error))?;
    let bar = output.bytes(meant.iter().map(|entry| entry.size).sum());
    let mut failures = Failures::default();
    let mut reads = archive.reads();
    let (mut names, mut meant) = (Names::default(), meant.into_iter().peekable());
    while meant.peek().is_some() {
        for entry in meant.by_ref().take(OPEN) {
            match begin(entry, folder, &mut names, &bar) {
                Ok(target) => reads.add(target),
                Err(failure) => failures.add(failure),
            }
        }
        while let Some(read) = reads.next().await {
            let read = read.map_err(|error| export.failure(error))?;
            match finish(read) {
                Ok(written) => bar.suspend(|| written.print(output))?,
                Err(failure) => failures.add(failure),
            }
        }
    }
    bar.finish_and_clear();
    failures.last.map_or(Ok(()), Err)?;
    patterns.all_matched()
}

/// Gives a file its place.
fn begin(
    entry: Entry,
    folder: &Folder,
    names: &mut Names,
    bar: &ProgressBar,
) -> Result<Target<Into>, Failure> {
    let place = names.place(&entry.path_to_match());
    let unfinished = folder.place(&place.parts, UNFINISHED)?;
    let file = Ok(unfinished.create()?);
    let into = Into { unfinished, file, is_renamed: place.is_renamed, bar: bar.clone() };
    // No more than is declared, or it would fill the disk.
    let most = entry.size.saturating_add(1);
    Ok(Target::stream(entry, u64::MAX, most, into))
}

impl Sink for Into {
    fn take(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        if let Ok(file) = &mut self.file
            && let Err(error) = file.write_all(bytes)
        {
            self.file = Err(error);
        }
        self.bar.inc(bytes.len() as u64);
        if self.file.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// Gives a file its name once it is whole.
fn finish(read: Read<Into>) -> Result<Written, Failure> {
    let Read { entry, sink, result, .. } = read;
    let Into { mut unfinished, file, is_renamed, .. } = sink;
    let whole = match (file, result) {
        (Err(error), _) => Err(failed(&unfinished.part, &error)),
        (_, Err(unreadable)) => Err(damaged(&entry, &unreadable.to_string())),
        (_, Ok(outcome)) if outcome.is_complete() => Ok(outcome.given.end),
        (_, Ok(outcome)) => {
            let detail =
                outcome.finding().map_or_else(|| "it ends early".to_owned(), |finding| finding.detail);
            Err(damaged(&entry, &detail))
        }
    };
    let size = whole?;
    unfinished.finish()?;
    if is_renamed {
        tell_of_new_name(&entry.path, &unfinished.path);
    }
    Ok(Written { path: Some(entry.path), file: unfinished.path.clone(), size })
}

fn damaged(entry: &Entry, why: &str) -> Failure {
    Failure::other(format!("{} is not written: {why}", harmless(&entry.path)))
}

/// Failures of single files: each is told of at once, and the last one is that of the command.
#[derive(Default)]
struct Failures {
    last: Option<Failure>,
}

impl Failures {
    fn add(&mut self, failure: Failure) {
        if let Some(earlier) = self.last.replace(failure) {
            earlier.report();
        }
    }
}
