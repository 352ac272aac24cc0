//! What `index-export` answers. Lambda publishes it: it is what news is made of.

use serde::Serialize;

use crate::record::{Exception, Judgement, Record, Verdict};

/// The longest answer, in bytes: far below what EventBridge takes for an event (256 KiB), in which the announcement of the
/// object lies as well.
const MOST_BYTES: usize = 16 * 1024;

/// The longest name of a type or module in a headline, in bytes.
const LONGEST_NAME: usize = 64;

/// The record of the export that it was told of, or what it was told of instead.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// One export was indexed.
    One(Box<Announced>),
    /// None, or several: S3's own notification may hold several records.
    Several(Several),
}

/// What became of several objects, or of none.
#[derive(Debug, Default, Serialize)]
pub struct Several {
    /// The records.
    captures: Vec<Announced>,
    /// Objects that are not indexed, and why.
    ignored: Vec<Ignored>,
    /// How many of either there was no room for.
    #[serde(skip_serializing_if = "is_zero")]
    unnamed: usize,
}

/// An object that is not indexed, and why.
#[derive(Debug, Serialize)]
pub struct Ignored {
    /// Its key.
    pub(super) key: String,
    /// `not-ours`, `unknown-key`, `gone`.
    pub(super) code: &'static str,
}

/// A record, and whether it is news.
#[derive(Debug, Serialize)]
pub struct Announced {
    /// The record that is in the index now.
    #[serde(flatten)]
    pub record: Record,
    /// `false` where the index told the same of this object before, by another invocation.
    pub announce: bool,
    /// What a crash is called in a mail: its kind, and where it happened. No text of the session's files is in it but names.
    #[serde(skip_serializing_if = "Option::is_none")]
    headline: Option<String>,
    /// The fields of the record that are left out, as the answer would be too long.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cut: Vec<&'static str>,
}

/// What is left out of an answer that is too long, in this order. What remains is shorter, however long its texts.
const CUTS: [Cut; 4] = [
    Cut { field: "problems", apply: |record| record.judgement.problems.clear() },
    Cut { field: "alarms", apply: |record| record.alarms.clear() },
    Cut { field: "evidence", apply: |record| record.judgement.evidence.clear() },
    Cut { field: "exception", apply: |record| record.judgement.exception = None },
];

/// A field of the record, and how it is left out.
struct Cut {
    field: &'static str,
    apply: fn(&mut Record),
}

impl Announced {
    pub(super) fn new(record: Record, announce: bool) -> Self {
        let headline = headline(&record.judgement);
        Self { record, announce, headline, cut: Vec::new() }
    }

    /// Leaves out of the answer what makes it too long.
    fn fit(mut self) -> Self {
        for Cut { field, apply } in CUTS {
            if length(&self) <= MOST_BYTES {
                break;
            }
            apply(&mut self.record);
            self.cut.push(field);
        }
        self
    }
}

impl Answer {
    /// The answer that tells of these.
    pub(super) fn of(mut captures: Vec<Announced>, ignored: Vec<Ignored>) -> Self {
        match captures.pop() {
            Some(one) if captures.is_empty() && ignored.is_empty() => Self::One(Box::new(one.fit())),
            last => {
                captures.extend(last);
                Self::Several(Several::fitting(captures, ignored))
            }
        }
    }
}

impl Several {
    /// As many as there is room for.
    fn fitting(captures: Vec<Announced>, ignored: Vec<Ignored>) -> Self {
        let mut several = Self::default();
        // Of the brackets and names.
        let mut room = MOST_BYTES - 128;
        for capture in captures {
            let capture = capture.fit();
            if take(&mut room, &capture) {
                several.captures.push(capture);
            } else {
                several.unnamed += 1;
            }
        }
        for object in ignored {
            if take(&mut room, &object) {
                several.ignored.push(object);
            } else {
                several.unnamed += 1;
            }
        }
        several
    }
}

/// Whether there is room for it and a comma; then there is less.
fn take(room: &mut usize, value: &impl Serialize) -> bool {
    let rest = room.checked_sub(length(value) + 1);
    *room = rest.unwrap_or(*room);
    rest.is_some()
}

/// How long it is as JSON, in bytes.
fn length(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX, |json| json.len())
}

/// `EXCEPTION_ACCESS_VIOLATION_READ/null in game-win64-shipping.exe`. A signature's title may hold what the game said, and
/// who knows what that is: of the crash's texts, only those get in here that are names.
fn headline(judgement: &Judgement) -> Option<String> {
    if judgement.verdict != Some(Verdict::Crash) {
        return None;
    }
    let unknown = Exception::default();
    let Exception { kind, address, module, .. } = judgement.exception.as_ref().unwrap_or(&unknown);
    // What the crate `minidump` puts behind ` / ` are details.
    let kind = kind.as_ref().and_then(|kind| name(kind.as_str().split(" / ").next()?));
    let kind = kind.unwrap_or("a crash of a kind that has no name");
    let class = match address.as_deref() {
        Some("null") => "/null",
        Some("non-canonical") => "/non-canonical",
        _ => "",
    };
    let module = module.as_ref().and_then(|module| name(module.as_str()));
    let place = module.map(|module| format!(" in {module}")).unwrap_or_default();
    Some(format!("{kind}{class}{place}"))
}

/// The text, if it is a name: that of an exception, of a type, of a module.
fn name(text: &str) -> Option<&str> {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || "_-.:+".contains(c);
    let is_name = (1..=LONGEST_NAME).contains(&text.len()) && text.chars().all(is_of_name);
    is_name.then_some(text)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if passes a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{
        AlarmNote, Build, Evidence, ExportObject, Problem, Reason, SessionFacts, Signature, State,
    };
    use crate::redacted::Redacted;
    use crate::session::{Id, SessionName};

    /// The longest text that a record can have: four bytes for each character.
    fn long() -> Redacted {
        Redacted::new(&"𝕏".repeat(512))
    }

    fn record(judgement: Judgement) -> Record {
        let id = |length| Id::try_from("x".repeat(length)).unwrap();
        let session = SessionFacts {
            application_id: Some(id(32)),
            ..SessionFacts::of_name(&SessionName { stream_group: id(32), id: id(32) })
        };
        Record { judgement, ..Record::new(State::Indexed, session) }
    }

    fn longest() -> Record {
        let text = || Some(long());
        let problem = Problem::new("code", long().as_str());
        let at = "2026-11-23T10:15:02Z".parse().unwrap();
        let judgement = Judgement {
            verdict: Some(Verdict::Crash),
            reason: Some(Reason::new("evidence", format!("the session left {}", long()))),
            signature: Some(Signature {
                version: 1,
                id: "0".repeat(16),
                title: Redacted::new(&"𝕏".repeat(255)),
                fingerprint: "0".repeat(16),
                confidence: "medium".into(),
                first_seen: Some(true),
                regressed: Some(true),
                first_regressed: Some(true),
                muted: Some(true),
            }),
            exception: Some(Exception {
                kind: text(),
                message: text(),
                module: text(),
                thread: text(),
                ..Exception::default()
            }),
            build: Some(Build {
                id: Some("0".repeat(64)),
                version: text(),
                engine_version: text(),
                configuration: text(),
                ..Build::default()
            }),
            evidence: vec![Evidence { kind: "log".into(), path: long(), size: u64::MAX, tells: text() }; 64],
            problems: vec![problem; 64],
            ..Judgement::default()
        };
        let export = ExportObject {
            bucket: "b".repeat(63),
            key: "k".repeat(1024),
            version_id: Some("v".repeat(1024)),
            etag: Some("e".repeat(64)),
            size: Some(u64::MAX),
            expires_on: None,
        };
        let alarms = vec![AlarmNote { name: "𝕏".repeat(255), at }; 50];
        Record { alarms, export: Some(export), ..record(judgement) }
    }

    #[test]
    fn the_longest_answer_is_bounded_and_says_what_it_leaves_out() {
        let answer = Answer::of(vec![Announced::new(longest(), true)], vec![]);
        assert!(length(&answer) <= MOST_BYTES, "{}", length(&answer));
        let json = serde_json::to_value(answer).unwrap();
        assert_eq!(json["cut"], serde_json::json!(["problems", "alarms", "evidence", "exception"]));
        assert!(json["signature"]["title"].is_string() && json["export"]["key"].is_string(), "{json}");
    }

    #[test]
    fn nothing_more_is_left_out_than_has_to_be() {
        let short = Record { alarms: Vec::new(), ..record(Judgement::default()) };
        let answer = serde_json::to_value(Answer::of(vec![Announced::new(short, true)], vec![])).unwrap();
        assert_eq!(answer.get("cut"), None);
        let mut long = longest();
        long.judgement.problems.clear();
        long.judgement.evidence.clear();
        long.judgement.problems = vec![Problem::new("code", "detail")];
        long.judgement.build = None;
        let long = serde_json::to_value(Answer::of(vec![Announced::new(long, true)], vec![])).unwrap();
        assert_eq!(long["cut"], serde_json::json!(["problems", "alarms"]));
        assert!(long["exception"]["message"].is_string());
    }

    #[test]
    fn of_several_as_many_are_told_of_as_there_is_room_for() {
        let captures = (0..10).map(|_| Announced::new(longest(), true)).collect();
        let ignored = (0..10).map(|_| Ignored { key: "𝕏".repeat(256), code: "gone" }).collect();
        let answer = Answer::of(captures, ignored);
        assert!(length(&answer) <= MOST_BYTES, "{}", length(&answer));
        let Answer::Several(Several { captures, ignored, unnamed }) = answer else { panic!() };
        assert!(!captures.is_empty() && !ignored.is_empty());
        assert_eq!(captures.len() + ignored.len() + unnamed, 20);
    }

    fn headline_of(kind: Option<&str>, address: Option<&str>, module: Option<&str>) -> String {
        let exception = Exception {
            kind: kind.map(Redacted::new),
            message: Some("Jane has no pawn".into()),
            address: address.map(ToOwned::to_owned),
            module: module.map(Redacted::new),
            ..Exception::default()
        };
        let verdict = Some(Verdict::Crash);
        headline(&Judgement { verdict, exception: Some(exception), ..Judgement::default() }).unwrap()
    }

    #[test]
    fn a_headline_is_made_of_names() {
        for (kind, address, module, expected) in [
            (Some("SIGSEGV / SEGV_MAPERR"), Some("null"), Some("libgame.so"), "SIGSEGV/null in libgame.so"),
            (Some("System.NullReferenceException"), None, None, "System.NullReferenceException"),
            (Some("Assert"), Some("other"), Some("Game-Win64.exe"), "Assert in Game-Win64.exe"),
            (Some("std::bad_alloc"), None, Some("Jane's game.exe"), "std::bad_alloc"),
            (None, None, None, "a crash of a kind that has no name"),
        ] {
            assert_eq!(headline_of(kind, address, module), expected);
        }
        for text in ["Jane has no pawn", "https://evil.example/x", "", &"x".repeat(65), "pawn\u{2028}x"] {
            let told = headline_of(Some(text), None, Some(text));
            assert_eq!(told, "a crash of a kind that has no name", "{text}");
        }
    }

    #[test]
    fn only_a_crash_has_a_headline() {
        assert_eq!(headline(&Judgement { verdict: Some(Verdict::Suspect), ..Judgement::default() }), None);
    }
}
