//! What each file tells, by its bytes first and its name second.

use std::collections::BTreeSet;

use crate::record::{Build, Performance, Problem};
use crate::redacted::Redacted;

use super::crash::Crash;
use super::details::{Details, Log, Sample, excerpt};
use super::dump::{self, Dump, DumpError, Nature};
use super::findings::{Findings, Piece, Standing, conclude, merge};
use super::modules::is_helper;
use super::targets::Kind;
use super::{core_file, log, unreal, wer};

/// A file of the session.
#[derive(Debug, Clone)]
pub(super) struct File {
    /// Its path in lower case, with `/`.
    pub(super) path: String,
    pub(super) shown: Redacted,
    /// In bytes, as declared.
    pub(super) size: u64,
    pub(super) modified: Option<String>,
}

/// What the files tell, one by one.
#[derive(Debug, Default)]
pub(super) struct Files {
    pieces: Vec<Piece>,
    build: Build,
    clean_exit: Option<Redacted>,
    pub(super) performance: Option<Performance>,
    pub(super) samples: Vec<Sample>,
    logs: Vec<Log>,
    pub(super) problems: Vec<Problem>,
}

/// Whether some bytes begin as one of the kinds of file that are known by their beginning.
pub(super) fn is_known(bytes: &[u8]) -> bool {
    bytes.starts_with(b"MDMP")
        || core_file::is_core(bytes)
        || unreal::is_context(bytes)
        || wer::is_report(bytes)
}

/// Whether the beginning of a dump does not suffice.
pub(super) fn needs_more(bytes: &[u8]) -> bool {
    match dump::read(bytes) {
        Ok(dump) => !dump.has_place,
        Err(DumpError::Damaged(_)) => true,
        Err(_) => false,
    }
}

impl Files {
    /// What they tell together.
    pub(super) fn conclude(mut self) -> Findings {
        self.give_ensures_their_dumps();
        let findings = Findings {
            build: Some(self.build),
            clean_exit: self.clean_exit,
            performance: self.performance,
            problems: self.problems,
            details: Details { samples: self.samples, ..Details::default() },
            ..Findings::default()
        };
        let mut findings = conclude(&self.pieces, findings);
        let found = findings.crash.as_ref().or(findings.last_words.as_ref());
        findings.details.log = excerpt(&self.logs, found.map(|found| &found.evidence.path));
        findings
    }

    /// Unreal has a folder for each event: a dump beside the context of an ensure is the ensure's, even if it does not say so.
    fn give_ensures_their_dumps(&mut self) {
        let of = |kind: &str| {
            let pieces = self.pieces.iter().filter(|piece| piece.kind == kind);
            pieces.map(|piece| piece.folder().to_owned()).collect::<BTreeSet<_>>()
        };
        let ensures = &of("ue-ensure") - &of("ue-crash-context");
        let dumps = self.pieces.iter_mut().filter(|piece| piece.kind == "minidump");
        for dump in dumps.filter(|dump| ensures.contains(dump.folder())) {
            (dump.kind, dump.standing) = ("ue-ensure", Standing::Mention);
        }
    }

    /// A file that only a crash leaves, and that is not read.
    pub(super) fn present(&mut self, kind: &'static str, file: &File) {
        let mut crash = Crash::of_file(kind);
        if kind == "gpu-dump" {
            crash.cause = super::crash::Cause::Gpu;
        }
        self.add(file, kind, Standing::Crash, Some(crash), Build::default());
    }

    /// A file that cannot be read. A dump is evidence all the same.
    pub(super) fn unreadable(&mut self, file: &File, why: &str) {
        self.note(file, "unreadable-file", why);
        if Kind::of(&file.path) == Some(Kind::Dump) {
            self.present("minidump", file);
        }
    }

    /// Something that was in the way.
    pub(super) fn note(&mut self, file: &File, code: &str, detail: &str) {
        let detail = Redacted::new(&format!("{}: {detail}", file.shown));
        self.problems.push(Problem::new(code, detail.to_string()));
    }

    /// A log that was scanned.
    pub(super) fn log(&mut self, file: &File, told: log::Told) {
        let log::Told { crashes, last_words, clean_exit, build, around } = told;
        let telling = if crashes.is_empty() { u8::from(last_words.is_some()) } else { 2 };
        let (shown, modified) = (file.shown.clone(), file.modified.clone());
        self.logs.push(Log { shown, modified, telling, around });
        merge(&mut self.build, &build);
        let kind = match file.path.rsplit('/').next() {
            Some(name) if name.starts_with("hs_err_pid") => "jvm-error-log",
            Some("error.log") => "unity-error-log",
            _ => "log",
        };
        if clean_exit {
            self.add(file, "clean-exit-log", Standing::Mention, None, Build::default());
            self.clean_exit = Some(file.shown.clone());
        } else if let Some(crash) = crashes.into_iter().next() {
            self.add(file, kind, Standing::Crash, Some(crash), build);
        } else if let Some(crash) = last_words {
            self.add(file, kind, Standing::LastWords, Some(crash), build);
        }
    }

    /// The bytes of a file that was kept, or of its beginning.
    pub(super) fn bytes(&mut self, file: &File, kind: Kind, is_studios: bool, bytes: &[u8]) {
        let pieces = self.pieces.len();
        if bytes.starts_with(b"MDMP") || (bytes.is_empty() && kind == Kind::Dump) {
            self.dump(file, dump::read(bytes));
        } else if unreal::is_context(bytes) {
            self.context(file, bytes);
        } else if wer::is_report(bytes) {
            if let Some(crash) = wer::report(bytes) {
                self.report(file, "wer-report", crash);
            }
        } else if core_file::is_core(bytes) {
            self.report(file, "core", core_file::read(bytes));
        } else {
            self.by_name(file, kind, bytes);
        }
        if is_studios && self.pieces.len() == pieces {
            self.present("crash-file", file);
        }
    }

    /// What only its name tells of.
    fn by_name(&mut self, file: &File, kind: Kind, bytes: &[u8]) {
        match kind {
            Kind::Dump => self.note(file, "not-a-minidump", "it has a minidump's name, and other contents"),
            Kind::Context if bytes.is_empty() => {
                self.note(file, "crash-context-unreadable", "it is empty");
                self.present("ue-crash-context", file);
            }
            Kind::Context => self.note(file, "not-a-crash-context", "it has its name, and other contents"),
            Kind::Envelope => {
                let text = super::text::decode(bytes);
                let is_fatal = [r#""level":"fatal""#, r#""attachment_type":"event.minidump""#];
                if is_fatal.iter().any(|mark| text.contains(mark)) {
                    self.present("sentry-native", file);
                }
            }
            _ => {}
        }
    }

    fn context(&mut self, file: &File, bytes: &[u8]) {
        let Some(context) = unreal::context(bytes) else { return };
        let build = build_of(&context);
        let standing = if context.went_on { Standing::Mention } else { Standing::Crash };
        let kind = if context.went_on { "ue-ensure" } else { "ue-crash-context" };
        self.add(file, kind, standing, context.crash, build);
    }

    fn dump(&mut self, file: &File, told: Result<Dump, DumpError>) {
        let dump = match told {
            Ok(dump) => dump,
            // A crash handler that was cut off leaves nothing, or less than a whole dump: still evidence.
            Err(error) => {
                self.note(file, "minidump-unreadable", &error.to_string());
                return self.present("minidump", file);
            }
        };
        let went_on = dump.unreal.as_ref().is_some_and(|context| context.went_on);
        let (kind, standing) = match dump.nature {
            Nature::Helper => ("helper-minidump", Standing::Mention),
            Nature::Requested => ("requested-minidump", Standing::Mention),
            Nature::Game if went_on => ("ue-ensure", Standing::Mention),
            Nature::Game => ("minidump", Standing::Crash),
        };
        let mut build = Build::default();
        let mut crash = dump.crash;
        if let Some(context) = dump.unreal {
            build = build_of(&context);
            if let Some(told) = context.crash {
                let told_by_dump = std::mem::replace(&mut crash, told);
                crash.complete_with(&told_by_dump);
            }
        }
        if dump.nature == Nature::Game {
            build.id = dump.build_id;
        }
        self.add(file, kind, standing, Some(crash), build);
    }

    /// What the system tells of whatever program crashed.
    fn report(&mut self, file: &File, kind: &'static str, crash: Crash) {
        let is_helpers = crash.executable.as_deref().is_some_and(is_helper);
        let (kind, standing) =
            if is_helpers { ("helper-report", Standing::Mention) } else { (kind, Standing::Crash) };
        self.add(file, kind, standing, Some(crash), Build::default());
    }

    fn add(
        &mut self,
        file: &File,
        kind: &'static str,
        standing: Standing,
        crash: Option<Crash>,
        build: Build,
    ) {
        let File { path, shown, size, modified } = file.clone();
        self.pieces.push(Piece { kind, path, shown, size, modified, crash, standing, build });
    }
}

fn build_of(context: &unreal::Context) -> Build {
    let text = |text: &Option<String>| text.as_deref().map(Redacted::new);
    Build {
        id: None,
        version: text(&context.build_version),
        engine: Some("unreal".to_owned()),
        engine_version: text(&context.engine_version),
        configuration: text(&context.configuration),
    }
}
