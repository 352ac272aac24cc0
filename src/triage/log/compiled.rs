//! The patterns, compiled: one that finds lines of interest in one pass, and each by itself for those lines.

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::patterns::{Class, FOLLOWS, STARTS, Start, Weight};

/// The names of what a studio teaches.
pub(super) const STUDIO_CRASH: &str = "studio.crash";
pub(super) const STUDIO_EXIT: &str = "studio.exit";

/// A pattern is at most this large, compiled, in bytes.
const SIZE_LIMIT: usize = 4 * 1024 * 1024;

/// All patterns, ready for use.
#[derive(Debug)]
pub(in crate::triage) struct Patterns {
    /// Any line that begins a report.
    any: Regex,
    /// Which of them a line is.
    which: RegexSet,
    starts: Vec<(&'static str, Class, Weight, Regex)>,
    follow: RegexSet,
    follows: Vec<(&'static str, Regex)>,
}

impl Patterns {
    /// The project's own, and what a studio teaches.
    pub(in crate::triage) fn new(
        crash: Option<&str>,
        clean_exit: Option<&str>,
    ) -> Result<Self, regex::Error> {
        let studio = |name, class, weight, pattern: Option<&str>| {
            pattern.map(|pattern| (name, class, weight, format!("(?u:{pattern})")))
        };
        let own = STARTS
            .iter()
            .map(|(name, class, weight, pattern): &Start| (*name, *class, *weight, (*pattern).to_owned()));
        let taught = [
            studio(STUDIO_CRASH, Class::Line, Weight::Fatal, crash),
            studio(STUDIO_EXIT, Class::CleanExit, Weight::None, clean_exit),
        ];
        let all: Vec<_> = taught.into_iter().flatten().chain(own).collect();
        let unnamed = all.iter().map(|(.., pattern)| format!("(?:{})", without_names(pattern)));
        let which = set(all.iter().map(|(.., pattern)| pattern.as_str()))?;
        let any = builder(&unnamed.collect::<Vec<_>>().join("|")).build()?;
        let starts = all
            .iter()
            .map(|(name, class, weight, pattern)| Ok((*name, *class, *weight, builder(pattern).build()?)));
        let starts = starts.collect::<Result<_, regex::Error>>()?;
        let follow = set(FOLLOWS.iter().map(|(_, pattern)| *pattern))?;
        let follows = FOLLOWS.iter().map(|(name, pattern)| Ok((*name, builder(pattern).build()?)));
        Ok(Self { any, which, starts, follow, follows: follows.collect::<Result<_, regex::Error>>()? })
    }

    /// Where the next line of interest is.
    pub(super) fn find_at(&self, block: &[u8], at: usize) -> Option<usize> {
        self.any.find_at(block, at).map(|found| found.start())
    }

    /// The first pattern that a line matches, and what its groups hold.
    pub(super) fn start(&self, line: &[u8]) -> Option<(&'static str, Class, Weight, Groups)> {
        let index = self.which.matches(line).iter().next()?;
        let (name, class, weight, regex) = self.starts.get(index)?;
        Some((*name, *class, *weight, Groups::of(regex, line)?))
    }

    /// The first pattern that a line of a report matches, and what its groups hold.
    pub(super) fn follow(&self, line: &[u8]) -> Option<(&'static str, Groups)> {
        let index = self.follow.matches(line).iter().next()?;
        let (name, regex) = self.follows.get(index)?;
        Some((name, Groups::of(regex, line)?))
    }
}

/// What the named groups of a pattern hold.
#[derive(Debug, Clone)]
pub(super) struct Groups(Vec<(String, String)>);

impl Groups {
    fn of(regex: &Regex, line: &[u8]) -> Option<Self> {
        let captures = regex.captures(line)?;
        let named = regex.capture_names().flatten().filter_map(|name| {
            let text = String::from_utf8_lossy(captures.name(name)?.as_bytes());
            Some((name.to_owned(), text.trim().to_owned()))
        });
        Some(Self(named.collect()))
    }

    /// What a group holds, unless that is nothing.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let text = self.0.iter().find(|(key, _)| key == name).map(|(_, text)| text.as_str());
        text.filter(|text| !text.is_empty())
    }

    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(ToOwned::to_owned)
    }
}

fn builder(pattern: &str) -> RegexBuilder {
    let mut builder = RegexBuilder::new(pattern);
    builder.unicode(false).multi_line(true).crlf(true).size_limit(SIZE_LIMIT);
    builder
}

fn set<'p>(patterns: impl Iterator<Item = &'p str>) -> Result<RegexSet, regex::Error> {
    RegexSetBuilder::new(patterns).unicode(false).multi_line(true).crlf(true).size_limit(SIZE_LIMIT).build()
}

/// A pattern whose groups have no names, so that it can stand beside others.
fn without_names(pattern: &str) -> String {
    let mut rest = pattern;
    let mut unnamed = String::with_capacity(pattern.len());
    while let Some(start) = rest.find("(?") {
        let (before, group) = rest.split_at(start);
        unnamed.push_str(before);
        let is_escaped = before.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1;
        let name = group.strip_prefix("(?P<").or_else(|| group.strip_prefix("(?<")).filter(|_| !is_escaped);
        if let Some((_, after)) = name.and_then(|name| name.split_once('>')) {
            unnamed.push_str("(?:");
            rest = after;
        } else {
            unnamed.push_str("(?");
            rest = &group[2..];
        }
    }
    unnamed + rest
}
