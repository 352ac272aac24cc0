//! `crash-capture show`: all that is known of one session.

use std::iter;

use crash_capture::record::{
    AlarmNote, Build, Exception, Marker, Performance, Record, SessionFacts, Signature, TriggerNote,
};
use crash_capture::redacted::Redacted;
use crash_capture::report::{duration, size};
use jiff::SignedDuration;

use crate::captures::{Capture, Captures, Open, Recorded, SessionArgument};
use crate::failure::Failure;
use crate::format::{second, style};
use crate::list::stage;
use crate::output::{BOLD, DIM, DOUBTFUL, Output, PLAIN, harmless};

/// How many files of evidence, and problems, are shown.
const SHOWN: usize = 10;

/// How wide the labels are.
const LABELS: usize = 13;

/// Shows a session.
pub(crate) async fn run(
    captures: &Captures,
    session: &SessionArgument,
    output: Output,
) -> Result<(), Failure> {
    let page = Page { output };
    match captures.find(session).await? {
        Capture::Settled(record) if output.is_json() => output.json_text(&record.text),
        Capture::Open(open) if output.is_json() => output.json_text(&open.text),
        Capture::Settled(record) => page.settled(&record),
        Capture::Open(open) => page.open(&open),
    }
}

/// What is printed, line by line.
struct Page {
    output: Output,
}

impl Page {
    fn settled(&self, recorded: &Recorded) -> Result<(), Failure> {
        let record: Record = serde_json::from_slice(&recorded.text).map_err(Failure::other)?;
        let summary = &recorded.summary;
        let word = self.output.paint(style(summary.word()), &harmless(summary.word()));
        self.output.text(&format!("{word}  {}", self.output.paint(BOLD, &harmless(summary.title()))))?;
        self.session(&record.session)?;
        if let Some(reason) = &record.judgement.reason {
            self.line("why", &format!("{}: {}", reason.code, reason.detail))?;
        }
        self.crash(&record)?;
        self.capture(record.trigger.as_ref(), &record.alarms)?;
        self.maybe("armed", record.armed_at.map(second))?;
        self.maybe("indexed", record.indexed_at.map(second))?;
        self.performance(record.judgement.performance.as_ref())?;
        self.files(&record)?;
        self.what_next(&record)
    }

    fn open(&self, open: &Open) -> Result<(), Failure> {
        let (word, style, what) = stage(open);
        let Marker { session, trigger, alarms, .. } = &open.marker;
        self.output.text(&format!("{}  {}", self.output.paint(style, word), harmless(&what)))?;
        self.session(session)?;
        self.capture(Some(trigger), alarms)?;
        self.maybe("export to", open.marker.output_uri.clone())
    }

    fn session(&self, session: &SessionFacts) -> Result<(), Failure> {
        self.line("session", &session.name().to_string())?;
        self.maybe("application", session.application_id.as_ref().map(ToString::to_string))?;
        let location =
            session.location.as_ref().map(|location| format!(", in {location}")).unwrap_or_default();
        self.maybe("created", session.created_at.map(|at| second(at) + &location))?;
        self.maybe("user", session.user_id.clone())?;
        let end = [session.status.as_deref(), session.end_reason.as_deref()];
        self.maybe("status", joined(&end, ", "))
    }

    fn crash(&self, record: &Record) -> Result<(), Failure> {
        if let Some(Signature { id, fingerprint, confidence, first_seen, regressed, muted, .. }) =
            &record.judgement.signature
        {
            let news: String = [
                (first_seen, "; seen first in this session"),
                (regressed, "; had been resolved"),
                (muted, "; muted"),
            ]
            .into_iter()
            .filter_map(|(is_so, words)| (*is_so == Some(true)).then_some(words))
            .collect();
            self.line("signature", &format!("{id}, confidence {confidence}{news}"))?;
            self.line("fingerprint", fingerprint)?;
        }
        if let Some(exception) = &record.judgement.exception {
            self.maybe("exception", place(exception))?;
            self.maybe("message", exception.message.as_ref().map(ToString::to_string))?;
        }
        let known = record.judgement.build.as_ref();
        self.maybe("build", known.and_then(build))?;
        self.maybe("build id", known.and_then(|build| build.id.clone()))
    }

    fn capture(&self, trigger: Option<&TriggerNote>, alarms: &[AlarmNote]) -> Result<(), Failure> {
        self.maybe("noticed", trigger.map(|trigger| format!("by {}, {}", trigger.kind, second(trigger.at))))?;
        alarms
            .iter()
            .try_for_each(|alarm| self.line("alarm", &format!("{}, {}", alarm.name, second(alarm.at))))
    }

    fn performance(&self, performance: Option<&Performance>) -> Result<(), Failure> {
        let Some(performance) = performance else { return Ok(()) };
        let percent = |share: f64| format!("{:.0} %", 100.0 * share);
        let parts = [
            performance.seconds.map(lasted),
            performance.peak_memory_mib.map(|peak| format!("memory up to {peak} MiB")),
            performance.peak_memory_share.map(|share| format!("{} of its share", percent(share))),
            performance.peak_cpu_share.map(|share| format!("CPU up to {}", percent(share))),
            performance.peak_vram_percent.map(|peak| format!("VRAM up to {peak} %")),
        ];
        self.maybe("performance", joined(&parts.each_ref().map(Option::as_deref), ", "))?;
        if performance.pressure.is_empty() {
            return Ok(());
        }
        self.styled("ran short of", DOUBTFUL, &performance.pressure.join(", "))
    }

    fn files(&self, record: &Record) -> Result<(), Failure> {
        if let Some(export) = &record.export {
            let parts = [
                export.size.map(size),
                record
                    .judgement
                    .files
                    .as_ref()
                    .map(|files| format!("{} files of {}", files.count, size(files.bytes))),
                export.expires_on.map(|day| format!("kept until {day}")),
            ];
            self.maybe("zip", joined(&parts.each_ref().map(Option::as_deref), ", "))?;
            self.line("", &format!("s3://{}/{}", export.bucket, export.key))?;
        }
        let evidence = &record.judgement.evidence;
        for it in evidence.iter().take(SHOWN) {
            let tells = it.tells.as_ref().map(|tells| format!(": {tells}")).unwrap_or_default();
            self.line("evidence", &format!("{} ({}, {}){tells}", it.path, it.kind, size(it.size)))?;
        }
        self.more("evidence", evidence.len())?;
        let problems = &record.judgement.problems;
        for problem in problems.iter().take(SHOWN) {
            self.styled("problem", DOUBTFUL, &format!("{}: {}", problem.code, problem.detail))?;
        }
        self.more("problem", problems.len())
    }

    fn what_next(&self, record: &Record) -> Result<(), Failure> {
        if record.export.is_none() {
            return Ok(());
        }
        let id = &record.session.id;
        let next =
            format!("crash-capture open {id}   crash-capture files {id}   crash-capture get {id} [PATH…]");
        self.output.text(&format!("\n{}", self.output.paint(DIM, &next)))
    }

    fn more(&self, label: &str, count: usize) -> Result<(), Failure> {
        if count <= SHOWN {
            Ok(())
        } else {
            self.line(label, &format!("and {} more: --json has all", count - SHOWN))
        }
    }

    fn maybe(&self, label: &str, value: Option<String>) -> Result<(), Failure> {
        value.map_or(Ok(()), |value| self.line(label, &value))
    }

    fn line(&self, label: &str, value: &str) -> Result<(), Failure> {
        self.styled(label, PLAIN, value)
    }

    fn styled(&self, label: &str, style: anstyle::Style, value: &str) -> Result<(), Failure> {
        let value = harmless(value).replace('\n', " ");
        let labels = iter::once(label).chain(iter::repeat(""));
        labels.zip(self.output.lines(&value, LABELS)).try_for_each(|(label, line)| {
            let label = self.output.paint(DIM, &format!("{label:<LABELS$}"));
            self.output.text(&format!("{label}{}", self.output.paint(style, &line)))
        })
    }
}

fn lasted(seconds: u64) -> String {
    duration(SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX)))
}

/// Where it crashed.
fn place(exception: &Exception) -> Option<String> {
    let module = exception.module.as_ref().map(Redacted::as_str);
    let offset = exception.offset.as_ref().map(|offset| format!("+{offset}")).unwrap_or_default();
    let place = module.map(|module| format!("in {module}{offset}"));
    let thread = exception.thread.as_ref().map(|thread| format!("thread {thread}"));
    joined(&[exception.kind.as_ref().map(Redacted::as_str), place.as_deref(), thread.as_deref()], ", ")
}

fn build(build: &Build) -> Option<String> {
    let engine = [build.engine.as_deref(), build.engine_version.as_ref().map(Redacted::as_str)];
    let configuration = build.configuration.as_ref().map(Redacted::as_str);
    let engine = joined(&engine, " ");
    joined(&[build.version.as_ref().map(Redacted::as_str), engine.as_deref(), configuration], ", ")
}

/// What there is of these, in one text; nothing where there is nothing.
fn joined(parts: &[Option<&str>], between: &str) -> Option<String> {
    let parts: Vec<_> = parts.iter().flatten().copied().collect();
    (!parts.is_empty()).then(|| parts.join(between))
}
