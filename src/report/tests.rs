//! Reports of each kind of capture, and of the worst that a session can hold.
//!
//! `REPORT_PAGES=folder cargo test --lib report::` writes the pages there: `.ci/report` opens them in a browser.

mod gallery;

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::redacted::Redacted;
use crate::verdict;

use self::gallery::{Case, crash, gallery, hostile, largest, not_captured};

/// What begins a tag, a comment or a declaration.
fn tags(page: &str) -> usize {
    page.matches('<').count()
}

/// The page without its tags and its style, as it is read.
fn words(page: &str) -> String {
    let body = page.split_once("<body>").map_or("", |(_, body)| body);
    let pieces: Vec<_> = body.split('<').filter_map(|piece| Some(piece.split_once('>')?.1)).collect();
    let text = pieces.join(" ");
    let text = text.replace("&#34;", "\"").replace("&#39;", "'").replace("&#60;", "<").replace("&#62;", ">");
    text.replace("&#38;", "&").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn each_kind_of_capture_has_a_page_that_needs_nothing_else() {
    let pages: Vec<_> = gallery().iter().map(|case| (case.name, case.page())).collect();
    for (name, page) in &pages {
        assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"), "{name}");
        assert!(page.len() <= MAX_BYTES, "{name}: {} bytes", page.len());
        let policy = "content=\"default-src 'none'; style-src 'sha256-";
        assert!(page.contains(policy), "{name}");
        for loaded in [
            "<script",
            "<link rel=\"stylesheet",
            "<iframe",
            "<img",
            "src=",
            "url(",
            "@import",
            " style=",
            " on",
        ] {
            let tags = page.split('<').filter_map(|piece| piece.split_once('>')).map(|(tag, _)| tag);
            let all: Vec<_> =
                tags.filter(|tag| format!("<{tag}").contains(loaded) && !tag.starts_with("meta")).collect();
            assert!(all.is_empty(), "{name}: {loaded} in {all:?}");
        }
        assert_eq!(page.matches("<h1>").count(), 1, "{name}");
    }
    if let Some(folder) = std::env::var_os("REPORT_PAGES").map(std::path::PathBuf::from) {
        std::fs::create_dir_all(&folder).unwrap();
        for (name, page) in &pages {
            std::fs::write(folder.join(format!("{name}.html")), page).unwrap();
        }
    }
}

#[test]
fn what_one_needs_first_comes_first() {
    let words = words(&crash().page());
    let mut rest = words.as_str();
    for next in [
        "Crash",
        "EXCEPTION_ACCESS_VIOLATION_READ/null | skylark-win64-shipping",
        "Build ++Skylark+Release-1.2-CL-4711",
        "Engine Unreal Engine 5.3.2",
        "Crashed 23 Nov 2026, 10:01:59 UTC",
        "Location us-west-2",
        "Into the session 2 min 29 s",
        "First seen 20 Nov 2026, 18:33:12 UTC, in build 1B2C, session FIRST1",
        "Session ABC123def4567",
        "crash-capture get ABC123def4567",
        "crash-capture list --signature",
        "What happened",
        "Why it ended the game exited or crashed (applicationExit)",
        "the sweep found it",
        "The crash",
        "Exception EXCEPTION_ACCESS_VIOLATION",
        "Call stack",
        "skylark-win64-shipping + 0x8d8b1a",
        "The log where it tells of it",
        "=== Critical error: ===",
        "Over the session",
        "The moment of the crash.",
        "Memory 98 %",
        "Files",
        "What bears on the verdict",
        "What the zip holds, the largest first",
        "Problems and limits",
        "time-limit",
        "Get the files",
        "S3 deletes the zip when 23 May 2027 begins",
        "aws s3 cp s3://captures/exports/a-9ZY8X7Wv6/sg-1AB2C3De4/2026-11-23/ABC123def4567.zip .",
        "Signature",
    ] {
        let found = rest.to_lowercase().find(&next.to_lowercase());
        let Some(at) = found else { panic!("no {next:?} in {rest:?} of {words:?}") };
        rest = &rest[at + next.len()..];
    }
}

#[test]
fn a_crash_that_had_been_resolved_or_muted_says_so_at_the_top() {
    let mut case = crash();
    let before = words(&case.page());
    assert!(!before.contains("Regressed") && !before.contains("Muted"), "{before}");
    if let Some(signature) = &mut case.record.judgement.signature {
        (signature.regressed, signature.first_regressed) = (Some(true), Some(false));
        signature.muted = Some(true);
    }
    let words = words(&case.page());
    for told in ["Crash Regressed Muted", "Resolved it had been, and is back in this build"] {
        assert!(words.contains(told), "no {told:?} in {words}");
    }
}

#[test]
fn nothing_that_a_game_wrote_gets_out_of_its_place() {
    let page = hostile().page();
    for text in ["<script>alert", "<img", "onerror=\"", "</title><", "</style><b"] {
        assert!(!page.contains(text), "{text}");
    }
    assert!(page.contains("&#60;script&#62;alert(1)&#60;/script&#62;"), "it is shown as text");
    let disturbing = |c: char| {
        matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            || (c.is_control() && c != '\n')
    };
    assert!(!page.contains(disturbing), "{:?}", page.chars().find(|c| disturbing(*c)));
    for (secret, _) in gallery::SECRETS {
        assert!(!page.contains(secret), "{secret}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_changes_the_pages_structure(text in r#"([<>&"'`=/a-z -]|\PC|<!--|\]\]>|\{\{|</code>){1,40}"#) {
        let with = |text: &str| {
            let mut case = crash();
            let text = Redacted::new(&format!("x{text}"));
            let judgement = &mut case.record.judgement;
            if let Some(signature) = &mut judgement.signature {
                signature.title = text.clone();
            }
            if let Some(exception) = &mut judgement.exception {
                (exception.kind, exception.message, exception.thread) =
                    (Some(text.clone()), Some(text.clone()), Some(text.clone()));
            }
            judgement.reason = Some(crate::record::Reason::new("evidence", text.to_string()));
            judgement.problems = vec![crate::record::Problem::new(text.as_str(), text.as_str())];
            case.record.session.location = Some(text.to_string());
            case.record.session.end_reason = Some(text.to_string());
            if let Some(log) = &mut case.details.log {
                log.path = text.clone();
                log.lines.iter_mut().for_each(|line| line.text = text.clone());
            }
            case.page()
        };
        prop_assert_eq!(tags(&with(&text)), tags(&with("")));
    }
}

#[test]
fn a_report_is_bounded_whatever_a_zip_holds() {
    for text in ["\"", "𝄞", "<&"] {
        let page = largest(text).page();
        assert!(page.len() <= MAX_BYTES, "{text}: {} bytes", page.len());
        assert!(page.len() > MAX_BYTES / 4, "{text}: {} bytes: is it the worst case?", page.len());
    }
}

#[test]
fn whoever_makes_a_report_of_the_same_makes_the_same_report() {
    let (one, mut other) = (crash(), crash());
    other.record.indexed_by = Some("another invocation".to_owned());
    other.record.indexed_at = Some("2026-11-24T00:00:00Z".parse().unwrap());
    assert!(one.record.says_the_same(&other.record));
    assert_eq!(one.page(), other.page());
}

#[test]
fn every_reason_that_a_session_was_not_captured_has_a_page_that_says_what_to_change() {
    let documented = include_str!("../../docs/record.md");
    let (_, table) = documented.split_once("## Why a session was not captured").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let codes = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let codes: BTreeSet<_> = codes.filter(|code| *code != "reason.code").collect();
    assert_eq!(codes.len(), 7);
    for code in codes {
        let case = not_captured(code);
        let words = words(&case.page());
        assert!(
            !words.contains("<h1><bdi>Missed")
                && words.contains(&case.record.judgement.reason.clone().unwrap().detail[1..]),
            "{words}"
        );
        assert!(words.contains("What to do"), "{code}: {words}");
        assert!(!words.contains("Get the files") && !words.contains("There is no log"), "{code}: {words}");
    }
}

#[test]
fn every_row_of_the_verdicts_has_a_title_of_its_own() {
    let title = |code: &str| {
        let mut case = not_captured("never-seen");
        case.record.state = crate::record::State::Indexed;
        case.record.judgement.reason = Some(crate::record::Reason::new(code, "detail"));
        let page = case.page();
        page.split_once("<h1><bdi>").unwrap().1.split_once("</bdi>").unwrap().0.to_owned()
    };
    for row in verdict::ROWS {
        assert_ne!(title(row.code), title("unknown"), "{}", row.code);
    }
}

#[test]
fn the_moment_of_the_crash_is_what_the_machine_noted_if_that_can_be() {
    let at = |case: &Case| case.story().crashed_at().map(|at| at.to_string());
    let mut case = crash();
    case.details.crashed_at = Some("2026-11-23T10:01:40Z".parse().unwrap());
    assert_eq!(at(&case).as_deref(), Some("2026-11-23T10:01:40Z"));
    for wrong in ["2024-02-29T00:00:00Z", "2027-01-01T00:00:00Z"] {
        case.details.crashed_at = Some(wrong.parse().unwrap());
        assert_eq!(at(&case).as_deref(), Some("2026-11-23T10:01:59Z"), "the session's end");
    }
    case.lasted = None;
    assert_eq!(at(&case), None, "no session lasts for so long");
    case.details.crashed_at = Some("2026-11-23T20:00:00Z".parse().unwrap());
    assert_eq!(at(&case).as_deref(), Some("2026-11-23T20:00:00Z"), "nobody knows better");
}
