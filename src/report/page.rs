//! The template, and what it is filled with.

use askama::Template;

use crate::record::{Problem, Record, State, Verdict};
use crate::redacted::Redacted;
use crate::triage::{Details, Excerpt};

use super::Story;
use super::advice::{self, Step};
use super::chart::{Chart, HEIGHT, WIDTH};
use super::commands::{self, Command};
use super::facts::{self, Fact};
use super::files::{self, Evidence, Folder};
use super::text::{day, sentence, short, short_path};

/// The page's only style.
const STYLE: &str = include_str!("../../templates/report.css");

/// The SHA-256 of [`STYLE`] in base64: the one style that the page's Content-Security-Policy allows. A test compares them.
const STYLE_HASH: &str = "sha256-tWRGqqNrBr0iSyPUk3vws1XN8+FtLkK1r9FBXfug6pI=";

/// How many characters of a line of a log are shown, of a frame's parts, of a problem.
const LONGEST_LINE: usize = 240;
const LONGEST_FRAME: usize = 160;
const LONGEST_PROBLEM: usize = 240;

/// How many problems are shown.
const MOST_PROBLEMS: usize = 20;

#[derive(Template)]
#[template(path = "report.html")]
#[expect(clippy::struct_excessive_bools, reason = "what a template asks, each by itself")]
struct Page<'a> {
    style: &'static str,
    style_hash: &'static str,
    width: u32,
    height: u32,
    session: &'a str,
    /// The verdict or the state, as a word for people and as a class.
    word: String,
    class: &'static str,
    title: String,
    lead: String,
    top: Vec<Fact>,
    next: Vec<Step>,
    what_happened: Vec<Fact>,
    exception: Vec<Fact>,
    stack: Vec<Frame>,
    log: Option<Log>,
    chart: Option<Chart>,
    figures: Vec<Fact>,
    evidence: Vec<Evidence>,
    zip: Option<String>,
    tree: Vec<Folder>,
    problems: Vec<Problem>,
    more_problems: Option<String>,
    expires: Option<String>,
    commands: Vec<Command>,
    signature: Vec<Fact>,
    /// Whether it is the first crash of its kind.
    is_new: bool,
    is_back: bool,
    is_muted: bool,
    is_crash: bool,
    was_captured: bool,
    /// Whether its zip could be read.
    was_read: bool,
}

/// A frame of the stack.
struct Frame {
    place: String,
    function: Option<String>,
    is_games: bool,
}

/// Lines of a log.
struct Log {
    path: String,
    lines: Vec<Line>,
    tells: bool,
}

struct Line {
    text: String,
    tells: bool,
}

/// The page that tells a story.
pub(super) fn render(story: &Story<'_>) -> String {
    let Story { record, details, .. } = *story;
    let (word, class) = word(record);
    let judgement = &record.judgement;
    let problems: Vec<_> = judgement.problems.iter().take(MOST_PROBLEMS).map(shortened).collect();
    let more_problems = judgement.problems.len() - problems.len();
    let page = Page {
        style: STYLE,
        style_hash: STYLE_HASH,
        width: WIDTH,
        height: HEIGHT,
        session: record.session.id.as_str(),
        title: title(record, &word),
        word,
        class,
        lead: lead(record),
        top: facts::top(story),
        next: advice::next(record, story.bucket),
        what_happened: facts::what_happened(story),
        exception: facts::exception(record),
        stack: if story.is_crash() { stack(details) } else { Vec::new() },
        log: details.log.as_ref().map(log),
        chart: Chart::draw(&details.samples, story.crashed_at()),
        figures: facts::figures(record),
        evidence: files::evidence(record),
        zip: facts::zip(record),
        tree: files::tree(&details.listing),
        problems,
        more_problems: (more_problems > 0).then(|| format!("and {more_problems} more, in the record")),
        expires: record.export.as_ref().and_then(|export| export.expires_on).map(day),
        commands: commands(story),
        signature: judgement.signature.as_ref().map(facts::signature).unwrap_or_default(),
        is_new: judgement.signature.as_ref().and_then(|it| it.first_seen) == Some(true),
        is_back: judgement.signature.as_ref().and_then(|it| it.regressed) == Some(true),
        is_muted: judgement.signature.as_ref().and_then(|it| it.muted) == Some(true),
        is_crash: story.is_crash(),
        was_captured: record.state == State::Indexed,
        was_read: judgement.files.is_some(),
    };
    // Writing into a text cannot fail.
    page.render().unwrap_or_default()
}

/// The verdict, or the state of a session that has none.
fn word(record: &Record) -> (String, &'static str) {
    let known = |word: &str, class| (word.to_owned(), class);
    match (&record.state, &record.judgement.verdict) {
        (State::Missed, _) => known("Missed", "missed"),
        (State::Failed, _) => known("Failed", "missed"),
        (State::Indexed, Some(Verdict::Crash)) => known("Crash", "crash"),
        (State::Indexed, Some(Verdict::Suspect)) => known("Suspect", "suspect"),
        (State::Indexed, Some(Verdict::Exited)) => known("Exited", "exited"),
        (State::Indexed, Some(Verdict::Clean)) => known("Clean", "clean"),
        (State::Indexed, Some(Verdict::Unreadable)) => known("Unreadable", "suspect"),
        (State::Other(word), _) | (State::Indexed, Some(Verdict::Other(word))) => (short(word, 40), "other"),
        (State::Indexed, None) => known("No verdict", "other"),
    }
}

/// The title of the crash; else what happened, in a few words.
fn title(record: &Record, word: &str) -> String {
    if let Some(signature) = &record.judgement.signature {
        return signature.title.to_string();
    }
    match record.judgement.reason.as_ref().map(|reason| reason.code.as_str()) {
        Some("never-armed") => "The session ended before its files were asked for",
        Some("never-seen") => "The session was over before anybody saw it",
        Some("never-started") => "The session never ran",
        Some("exported-elsewhere") => "The files went elsewhere",
        Some("export-failed") => "GameLift Streams could not export the files",
        Some("export-stuck") => "The export never came",
        Some("not-indexed") => "The export is there, and was not indexed",
        Some("evidence" | "last-words") => "The game crashed",
        Some("alarm") => "An alarm selected the session",
        Some("pressure") => "Memory ran short at the end",
        Some("end-reason-unknown") => "Nobody knows why the session ended",
        Some("early-exit") => "The game exited within a minute",
        Some("application-exit") => "The game exited, and did not say why",
        Some("clean-exit-mark") => "The game exited cleanly",
        Some("ended-in-order") => "The session ended in order",
        Some("ended-by-fault") => "GameLift Streams ended the session",
        Some("not-a-zip") => "The zip could not be read",
        _ => word,
    }
    .to_owned()
}

/// Why the verdict, or the state, is what it is.
fn lead(record: &Record) -> String {
    let reason = record.judgement.reason.as_ref();
    reason.map(|reason| sentence(&short(Redacted::new(&reason.detail).as_str(), 512))).unwrap_or_default()
}

fn shortened(problem: &Problem) -> Problem {
    Problem::new(&short(&problem.code, 64), short(Redacted::new(&problem.detail).as_str(), LONGEST_PROBLEM))
}

fn stack(details: &Details) -> Vec<Frame> {
    let frames = details.stack.iter().map(|frame| {
        let module = short(frame.module.as_str(), LONGEST_FRAME / 2);
        let place = match (&frame.offset, module.is_empty()) {
            (Some(offset), false) => format!("{module} + {offset}"),
            (Some(offset), true) => offset.clone(),
            (None, _) => module,
        };
        let function = frame.function.as_ref().map(|it| short(it.as_str(), LONGEST_FRAME));
        Frame { place, function, is_games: frame.is_games }
    });
    frames.collect()
}

fn log(excerpt: &Excerpt) -> Log {
    let line = |line: &crate::triage::Line| Line {
        text: short(line.text.as_str(), LONGEST_LINE),
        tells: line.tells,
    };
    Log {
        path: short_path(excerpt.path.as_str(), 256),
        lines: excerpt.lines.iter().map(line).collect(),
        tells: excerpt.lines.iter().any(|line| line.tells),
    }
}

/// What fetches the files, or tells more of a session that has none.
fn commands(story: &Story<'_>) -> Vec<Command> {
    match &story.record.export {
        Some(export) => commands::fetch(story.record, export, story.details.listing.largest.first()),
        None => commands::without_files(&story.record.session.id),
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    fn base64(bytes: &[u8]) -> String {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for three in bytes.chunks(3) {
            let bits = three.iter().fold(0_usize, |bits, byte| (bits << 8) | usize::from(*byte))
                << (8 * (3 - three.len()));
            for place in 0..4 {
                let digit = char::from(ALPHABET[(bits >> (18 - 6 * place)) & 63]);
                text.push(if place > three.len() { '=' } else { digit });
            }
        }
        text
    }

    #[test]
    fn the_policy_allows_the_style_that_the_page_has() {
        assert_eq!(base64(b"any carnal pleas"), "YW55IGNhcm5hbCBwbGVhcw==");
        assert_eq!(STYLE_HASH, format!("sha256-{}", base64(&Sha256::digest(STYLE))));
    }
}
