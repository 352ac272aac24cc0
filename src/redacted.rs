//! Text that a session's files hold, made fit to leave them.
//!
//! Whatever triage tells is text that a game wrote and a player may have influenced: names of people, addresses, credentials. A
//! [`Redacted`] is the only form in which such text gets into a record, a report or a log line, and redacting is the only way to make
//! one. What is redacted is what crash services redact by default (Sentry's data scrubbing, `BugSplat`'s masks) and what AWS warns of:
//! credentials, e-mail and IP addresses, names of users in paths, accounts.
//!
//! By the crate `regex-lite`, which the AWS SDK brings anyway: these texts are short, and `start-export`, which redacts what it reads
//! back, needs no other (docs/decisions/0050). Its classes are ASCII's.

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use regex_lite::{Captures, Regex};
use serde::{Deserialize, Serialize};

/// The longest text that is kept, in characters.
const LONGEST: usize = 512;

/// How much of a text is looked at, in bytes.
const LOOKED_AT: usize = 8 * 1024;

/// Text without credentials, personal data and control characters, of at most 512 characters.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Redacted(String);

impl Redacted {
    /// Redacts a text. What is redacted already stays as it is.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut text = harmless(head(text));
        let mut lower = text.to_ascii_lowercase();
        for rule in &RULES {
            if !(rule.may_match)(&lower) {
                continue;
            }
            if let Cow::Owned(changed) = rule.apply(&text) {
                lower = changed.to_ascii_lowercase();
                text = changed;
            }
        }
        Self(text.trim().chars().take(LONGEST).collect())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing is left of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Redacted {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl PartialEq<str> for Redacted {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Redacted {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl<'de> Deserialize<'de> for Redacted {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'_, str>::deserialize(deserializer).map(|text| Self::new(&text))
    }
}

/// As much of a text as is looked at. What is cut off is cut off between words, so that no half of a secret stays, unrecognised.
fn head(text: &str) -> &str {
    if text.len() <= LOOKED_AT {
        return text;
    }
    let mut end = LOOKED_AT;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let head = &text[..end];
    head.rfind(char::is_whitespace).map_or("", |space| &head[..space])
}

/// White space, of whatever script, becomes spaces; what could disturb a terminal, a log line or the reading order goes.
fn harmless(text: &str) -> String {
    let is_bidirectional = |c| matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let text = text.chars().filter(|c| c.is_whitespace() || !(c.is_control() || is_bidirectional(*c)));
    text.map(|c| if c.is_whitespace() { ' ' } else { c }).collect()
}

enum Replacement {
    /// By this text; `$1` is what a group matched.
    Text(&'static str),
    /// By `[ip]`, if it is one.
    Ip,
}

/// What is redacted.
struct Rule {
    /// Whether the pattern may match a text in lower case: that is told sooner, and hardly ever it may.
    may_match: fn(&str) -> bool,
    pattern: &'static str,
    replacement: Replacement,
    /// The pattern, compiled when it is needed first.
    compiled: OnceLock<Regex>,
}

impl Rule {
    const fn new(may_match: fn(&str) -> bool, pattern: &'static str, replacement: Replacement) -> Self {
        Self { may_match, pattern, replacement, compiled: OnceLock::new() }
    }

    const fn text(may_match: fn(&str) -> bool, pattern: &'static str, by: &'static str) -> Self {
        Self::new(may_match, pattern, Replacement::Text(by))
    }

    fn regex(&self) -> &Regex {
        #[expect(clippy::expect_used, reason = "the patterns are fixed, and a test compiles each")]
        self.compiled.get_or_init(|| Regex::new(self.pattern).expect("a valid pattern"))
    }

    fn apply<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.replacement {
            Replacement::Text(replacement) => self.regex().replace_all(text, replacement),
            Replacement::Ip => self.regex().replace_all(text, |found: &Captures<'_>| {
                let is_one = found[1].split('.').all(|part| part.parse::<u8>().is_ok());
                if is_one { "[ip]".to_owned() } else { found[0].to_owned() }
            }),
        }
    }
}

fn has_any(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// Words that keys of credentials have.
const KEYS: [&str; 11] = [
    "auth",
    "bearer",
    "token",
    "secret",
    "passw",
    "pwd",
    "key",
    "credential",
    "cookie",
    "session",
    "signature",
];

/// What tokens of services begin with.
const PREFIXES: [&str; 9] = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "xox", "sk_live_", "sk-"];

/// Folders that have users in them.
fn has_users(text: &str) -> bool {
    has_any(text, &["users", "home", "documents and settings"])
}

/// What is redacted, in this order.
static RULES: [Rule; 13] = [
    // Credentials in an address.
    Rule::text(|text| text.contains("://"), r"://[^\s/@]+@", "://[secret]@"),
    // A key that tells of a credential, and its value, quoted or not.
    Rule::text(
        |text| has_any(text, &KEYS),
        r#"(?ix) ( [\w.-]* (?: authorization | auth[_-]?(?:key|code|ticket|token)? | bearer | token | secret | passw(?:or)?d | passwd | pwd
            | api[_-]?key | access[_-]?key | private[_-]?key | credentials? | cookie | session[_-]?(?:id|key|ticket)? | signature )
            ["']? \s* [:=] \s* ) (?: (?:bearer|basic|digest)\s+ )? (?: "[^"]*" | '[^']*' | [^\s"'\[][^\s"']* )"#,
        "${1}[secret]",
    ),
    Rule::text(
        |text| has_any(text, &["bearer", "basic", "digest"]),
        r"(?i)\b(bearer|basic|digest)\s+[a-z0-9._~+/=-]{6,}",
        "$1 [secret]",
    ),
    Rule::text(
        |text| has_any(text, &["akia", "asia", "aroa", "aida"]),
        r"\b(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{12,}",
        "[secret]",
    ),
    Rule::text(|text| text.contains("eyj"), r"\beyJ[\w-]{4,}(?:\.[\w-]*){0,2}", "[secret]"),
    Rule::text(
        |text| has_any(text, &PREFIXES),
        r"\b(?:gh[pousr]_|github_pat_|xox[abps]-|sk_live_|sk-)[\w-]{8,}",
        "[secret]",
    ),
    Rule::text(
        |text| text.contains('@'),
        r"(?i)[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}",
        "[email]",
    ),
    // Steam's 64-bit ids of people.
    Rule::text(|text| text.contains("7656119"), r"\b7656119\d{10}\b", "[account]"),
    Rule::text(|text| text.matches(':').count() >= 7, r"(?i)\b(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}\b", "[ip]"),
    Rule::text(
        |text| text.contains("::"),
        r"(?i)\b(?:fe80|f[cd][0-9a-f]{2}|2[0-9a-f]{3})(?::[0-9a-f]{1,4})*::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)?",
        "[ip]",
    ),
    // A user's name in a path; with spaces in it only where the path goes on.
    Rule::text(
        has_users,
        r#"(?i)((?:^|[\\/])(?:users|home|documents\ and\ settings)[\\/]{1,2})[^\\/:*?"<>|]{1,64}([\\/])"#,
        "${1}[user]${2}",
    ),
    Rule::text(
        has_users,
        r#"(?i)((?:^|[\\/])(?:users|home|documents\ and\ settings)[\\/]{1,2})[^\\/\s:*?"<>|\[]{1,64}"#,
        "${1}[user]",
    ),
    Rule::new(has_numbers_of_ip, r"\b(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})(?::\d{1,5})?\b", Replacement::Ip),
];

/// Whether there are four numbers with dots between them.
fn has_numbers_of_ip(text: &str) -> bool {
    let mut numbers = text.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    numbers.any(|it| it.matches('.').count() >= 3)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn redacted(text: &str) -> String {
        Redacted::new(text).to_string()
    }

    #[test]
    fn credentials_are_redacted() {
        for (text, expected) in [
            ("-AUTH_PASSWORD=hunter2 -log", "-AUTH_PASSWORD=[secret] -log"),
            (r#"{"access_token": "a b c", "x": 1}"#, r#"{"access_token": [secret], "x": 1}"#),
            ("Authorization: Bearer abc.def", "Authorization: [secret]"),
            ("sent Bearer abcdefgh12345", "sent Bearer [secret]"),
            ("key AKIAIOSFODNN7EXAMPLE.", "key [secret]."),
            ("jwt eyJhbGciOi.eyJzdWIiOiIx.SflKxwRJ!", "jwt [secret]!"),
            ("https://joe:pw@example.com/x", "https://[secret]@example.com/x"),
            ("http://h/x?sessionId=77&y=1", "http://h/x?sessionId=[secret]"),
            ("Passwort ä password\u{a0}=\u{3000}hünter2 x", "Passwort ä password = [secret] x"),
        ] {
            assert_eq!(redacted(text), expected);
        }
    }

    #[test]
    fn people_are_redacted() {
        for (text, expected) in [
            ("mail jane.doe+x@mail.example.com now", "mail [email] now"),
            (r"C:\Users\Jane Doe\AppData\x.sav", r"C:\Users\[user]\AppData\x.sav"),
            (r"C:\Users\Jürgen Groß\AppData\x.sav", r"C:\Users\[user]\AppData\x.sav"),
            ("C:/Users/jane", "C:/Users/[user]"),
            ("/home/jane/.config/x and /home/joe", "/home/[user]/.config/x and /home/[user]"),
            ("profile/drive_c/users/jane/Saved", "profile/drive_c/users/[user]/Saved"),
            ("peer 203.0.113.7:7777 left", "peer [ip] left"),
            ("peer 2001:db8::1 left, fe80::1", "peer [ip] left, [ip]"),
            ("id 76561198000000001", "id [account]"),
        ] {
            assert_eq!(redacted(text), expected);
        }
    }

    #[test]
    fn what_only_looks_like_it_stays() {
        for text in [
            "std::add failed in FDebug::AssertFailed()",
            "at 16:56:37:728 on 2018:10:29",
            "Assertion failed: false [File:NewActorComponent.cpp] [Line: 21] test",
            "profile/Saved/Crashes/UECC-Windows-379993BB42BD8FBED67986857D8844B5_0000/UEMinidump.dmp",
            "5.3.2-29314046+++UE5+Release-5.3",
            "version 10.0.19041.1",
        ] {
            assert_eq!(redacted(text), text);
        }
    }

    #[test]
    fn it_is_one_line_of_bounded_length_without_control_characters() {
        assert_eq!(redacted("a\r\n\u{1b}[31mb\u{202e}c\0"), "a  [31mbc");
        assert_eq!(redacted(&"x".repeat(2000)).len(), 512);
        let long = format!("{} jane@example.com{}", "token=abcdefgh ".repeat(545), "x".repeat(100));
        assert!(!redacted(&long).contains("jane"));
    }

    #[test]
    fn what_is_read_back_is_redacted_too() {
        let text: Redacted = serde_json::from_str(r#""jane@example.com""#).unwrap();
        assert_eq!(text, "[email]");
    }

    proptest! {
        #[test]
        fn a_rule_that_is_passed_over_would_have_matched_nothing(
            text in r#"((?i)[a-f0-9]{1,4}:|[a-z0-9]{0,14}|://|[@.:=/ "'-]|auth(orization|_key)?|bearer |basic|digest |token|secret|passwo?r?d|pwd|api_?key|credentials|cookie|session_id|signature|AKIA|asia|AROA|aida|eyJ|gh[pousr]_|github_pat_|xoxb-|sk_live_|sk-|7656119[0-9]{10}|fe80:|::|users[/\\]|/home/|documents and settings[/\\]|([0-9]{1,3}\.){3}[0-9]){0,10}"#
        ) {
            let lower = text.to_ascii_lowercase();
            for rule in RULES.iter().filter(|rule| !(rule.may_match)(&lower)) {
                prop_assert!(!rule.regex().is_match(&text), "{}", rule.pattern);
            }
        }

        #[test]
        fn redacting_twice_changes_nothing(text in r#"([a-zA-Z0-9@:/\\.="' \[\]-]{0,40}|/home/|token=|users\\|@x\.yz|1\.2\.3\.4|eyJ){0,8}"#) {
            let once = redacted(&text);
            prop_assert_eq!(redacted(&once), once);
        }
    }
}
