//! Logs: scanned as they stream, for what tells of a crash, a clean exit or a build.
//!
//! Lines of interest are found by all patterns in one pass over what has arrived; only these lines, and those that follow them, are
//! looked at one by one. Memory is bounded: 64 KiB of text, 8 KiB of a line, 16 reports with at most 12 KiB of text each.

mod around;
mod compiled;
mod patterns;
mod report;

pub(super) use around::Around;
pub(super) use compiled::Patterns;

use std::sync::Arc;

use encoding_rs::{CoderResult, Decoder, UTF_8};

use super::crash::Crash;
use super::studio::Rules;
use super::text;
use crate::record::Build;
use crate::redacted::Redacted;

use self::compiled::{Groups, STUDIO_CRASH};
use self::patterns::{Class, Weight};
use self::report::Report;

/// Longer lines are cut, in bytes.
const MAX_LINE: usize = 8 * 1024;

/// What is looked through at a time, in bytes.
const BLOCK: usize = 64 * 1024;

/// How many reports are kept, the most telling and the last ones.
const MAX_REPORTS: usize = 16;

/// How far from the log's end a hit may be that only counts near it, and a clean-exit mark, in bytes.
const NEAR_END: u64 = 64 * 1024;

/// What a log tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The crashes that it reports: the most telling first, and the last of these before earlier ones.
    pub(super) crashes: Vec<Crash>,
    /// An error that did not end the program by itself, but after which nothing was said any more.
    pub(super) last_words: Option<Crash>,
    /// Whether it ends as logs of a clean exit do.
    pub(super) clean_exit: bool,
    pub(super) build: Build,
    /// The lines around the first crash, else the last words, else its last lines.
    pub(super) around: Around,
}

/// A line, where it ends in what was scanned, and the lines of the same block before it.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    text: &'a [u8],
    end: u64,
    before: &'a [u8],
}

/// How a log is written.
#[derive(Debug)]
enum Encoding {
    /// Nobody knows before its first bytes.
    Undecided,
    Utf8,
    Other(Box<Decoder>),
}

/// Reads a log as it arrives.
#[derive(Debug)]
pub(super) struct Scan {
    patterns: Arc<Patterns>,
    encoding: Encoding,
    beginning: Vec<u8>,
    /// What has arrived, decoded, and was not looked through: it begins with a line.
    block: Vec<u8>,
    /// The last lines of what was looked through.
    passed: Vec<u8>,
    /// Whether the rest of a line that was too long is being dropped.
    dropping: bool,
    /// How much was looked through, in bytes.
    scanned: u64,
    open: Option<Report>,
    reports: Vec<Report>,
    last_words: Option<Report>,
    clean_exit: Option<u64>,
    build: Build,
}

impl Scan {
    pub(super) fn new(patterns: Arc<Patterns>) -> Self {
        Self {
            patterns,
            encoding: Encoding::Undecided,
            beginning: Vec::new(),
            block: Vec::new(),
            passed: Vec::new(),
            dropping: false,
            scanned: 0,
            open: None,
            reports: Vec::new(),
            last_words: None,
            clean_exit: None,
            build: Build::default(),
        }
    }

    /// Takes the next bytes.
    pub(super) fn push(&mut self, mut bytes: &[u8]) {
        if matches!(self.encoding, Encoding::Undecided) {
            // As much as the encoding is told by, and no more.
            let (now, later) = bytes.split_at(bytes.len().min(text::GUESSED_FROM - self.beginning.len()));
            self.beginning.extend_from_slice(now);
            bytes = later;
            if self.beginning.len() == text::GUESSED_FROM {
                self.begin();
            }
        }
        match &self.encoding {
            Encoding::Undecided => {}
            Encoding::Utf8 => self.take(bytes),
            Encoding::Other(_) => self.decode(bytes, false),
        }
    }

    /// What all of it tells.
    pub(super) fn finish(mut self) -> Told {
        if matches!(self.encoding, Encoding::Undecided) {
            self.begin();
        }
        self.decode(&[], true);
        if !self.block.is_empty() {
            self.block.push(b'\n');
            let block = std::mem::take(&mut self.block);
            self.look_through(&block);
        }
        self.close();
        self.told()
    }

    fn begin(&mut self) {
        let beginning = std::mem::take(&mut self.beginning);
        let (encoding, mark) = text::encoding(&beginning);
        let is_utf8 = encoding == UTF_8;
        self.encoding = if is_utf8 {
            Encoding::Utf8
        } else {
            Encoding::Other(Box::new(encoding.new_decoder_without_bom_handling()))
        };
        if is_utf8 { self.take(&beginning[mark..]) } else { self.decode(&beginning[mark..], false) }
    }

    fn decode(&mut self, mut bytes: &[u8], last: bool) {
        let Encoding::Other(mut decoder) = std::mem::replace(&mut self.encoding, Encoding::Utf8) else {
            return;
        };
        let mut text = vec![0; 16 * 1024];
        loop {
            let (result, read, written, _) = decoder.decode_to_utf8(bytes, &mut text, last);
            bytes = &bytes[read..];
            self.take(&text[..written]);
            if result == CoderResult::InputEmpty {
                break;
            }
        }
        self.encoding = Encoding::Other(decoder);
    }

    /// Takes the next bytes of text.
    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = BLOCK - self.block.len();
            let (now, later) = bytes.split_at(bytes.len().min(room));
            bytes = later;
            if self.dropping {
                let Some(end) = now.iter().position(|byte| *byte == b'\n') else {
                    self.scanned += now.len() as u64;
                    continue;
                };
                self.dropping = false;
                self.scanned += end as u64;
                // The line's end.
                self.block.extend_from_slice(&now[end + 1..]);
            } else {
                self.block.extend_from_slice(now);
            }
            self.look_through_whole_lines();
        }
    }

    fn look_through_whole_lines(&mut self) {
        let whole = self.block.iter().rposition(|byte| *byte == b'\n').map(|end| end + 1);
        if let Some(end) = whole {
            let rest = self.block.split_off(end);
            let block = std::mem::replace(&mut self.block, rest);
            self.look_through(&block);
        }
        if self.block.len() >= MAX_LINE {
            let mut line = std::mem::take(&mut self.block);
            self.scanned += (line.len() - MAX_LINE) as u64;
            line.truncate(MAX_LINE);
            line.push(b'\n');
            self.dropping = true;
            self.look_through(&line);
        }
    }

    /// Looks through whole lines.
    fn look_through(&mut self, block: &[u8]) {
        let mut at = 0;
        while at < block.len() {
            // Within a report every line counts; outside, the next one of interest.
            if self.open.is_none() {
                match self.patterns.find_at(block, at) {
                    Some(found) => {
                        at = block[..found]
                            .iter()
                            .rposition(|byte| *byte == b'\n')
                            .map_or(0, |end| end + 1)
                            .max(at);
                    }
                    None => break,
                }
            }
            let end =
                block[at..].iter().position(|byte| *byte == b'\n').map_or(block.len(), |end| at + end + 1);
            let line = Line {
                text: block[at..end].trim_ascii_end(),
                end: self.scanned + end as u64,
                before: &block[..at],
            };
            self.take_line(line);
            at = end;
        }
        self.scanned += block.len() as u64;
        around::pass(&mut self.passed, block);
    }

    fn take_line(&mut self, line: Line<'_>) {
        let text = &line.text[..line.text.len().min(MAX_LINE)];
        let line = Line { text, ..line };
        let patterns = Arc::clone(&self.patterns);
        if let Some((name, class, weight, groups)) = patterns.start(text) {
            // Within a traceback the error's own line belongs to it.
            let is_part =
                self.open.as_ref().is_some_and(|open| open.crash.told_by == "py") && name == "managed";
            if !is_part {
                return self.take_hit(name, class, weight, &groups, line);
            }
        }
        let Some(open) = &mut self.open else { return };
        open.around.push(text, false);
        let goes_on = match patterns.follow(text) {
            Some((name, groups)) => {
                open.follow(name, &groups, line.end);
                true
            }
            None => open.other(&String::from_utf8_lossy(text), line.end),
        };
        if !goes_on {
            self.close();
        }
    }

    fn take_hit(
        &mut self,
        name: &'static str,
        class: Class,
        weight: Weight,
        groups: &Groups,
        line: Line<'_>,
    ) {
        let Line { text, end, before } = line;
        let said = || groups.get("msg").map(Redacted::new);
        match class {
            Class::CleanExit => {
                self.close();
                self.clean_exit = Some(end);
            }
            Class::Engine(engine) => {
                self.build.engine = Some(engine.to_owned());
                self.build.engine_version = said();
            }
            Class::BuildVersion => self.build.version = said(),
            Class::Configuration => self.build.configuration = said(),
            _ => {
                if let Some(open) = self.open.as_mut().filter(|open| open.takes(name, class, weight, groups))
                {
                    open.around.push(text, true);
                    return open.absorb(name, class, weight, groups, end);
                }
                self.close();
                let around = Around::begin(&self.passed, before, text);
                let mut report = Report::new(name, class, weight, groups, (end, around));
                if name == STUDIO_CRASH && report.crash.message.is_none() {
                    let said =
                        groups.owned("message").unwrap_or_else(|| String::from_utf8_lossy(text).into_owned());
                    report.crash.message = Some(said);
                }
                self.open = Some(report);
            }
        }
    }

    /// The report is over.
    fn close(&mut self) {
        let Some(report) = self.open.take().map(Report::finish) else { return };
        if report.version.is_some() {
            self.build.version = report.version.as_deref().map(Redacted::new);
        }
        if report.is_helpers() {
            return;
        }
        if report.weight == Weight::LastWords {
            self.last_words = Some(report);
            return;
        }
        if self.reports.len() == MAX_REPORTS {
            let least = self.reports.iter().enumerate().min_by_key(|(_, report)| report.telling());
            if let Some(least) = least.map(|(index, _)| index) {
                self.reports.remove(least);
            }
        }
        self.reports.push(report);
    }

    fn told(self) -> Told {
        let near_end = |end: u64| self.scanned.saturating_sub(end) <= NEAR_END;
        let exited = self.clean_exit.filter(|end| near_end(*end));
        let counts = |report: &Report| match report.weight {
            Weight::Fatal => true,
            Weight::NearEnd => near_end(report.end) && exited.is_none_or(|exit| exit < report.end),
            Weight::LastWords | Weight::None => false,
        };
        let mut reports: Vec<_> = self.reports.into_iter().filter(counts).collect();
        reports.reverse();
        reports.sort_by_key(|report| std::cmp::Reverse(report.telling()));
        // Nothing but its own lines, and little more, came after it.
        let last_words = self
            .last_words
            .filter(|words| self.scanned - words.end.min(self.scanned) <= 256 && exited.is_none());
        let around = reports.first().or(last_words.as_ref()).map(|report| report.around.clone());
        Told {
            around: around.unwrap_or_else(|| Around::end(&self.passed)),
            clean_exit: exited.is_some() && reports.is_empty(),
            crashes: reports.into_iter().map(|report| report.crash).collect(),
            last_words: last_words.map(|report| report.crash),
            build: self.build,
        }
    }
}

/// What a message that an engine wrote elsewhere tells, by the same patterns; nothing but a line if it matches none.
pub(super) fn crash_in(message: &str) -> Crash {
    let mut scan = Scan::new(Rules::default().patterns());
    scan.push(message.as_bytes());
    scan.finish().crashes.into_iter().next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
