//! What a studio teaches about its own engine: which files only a crash leaves, which lines tell of one, which of a clean exit.

use std::sync::{Arc, LazyLock};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::log::Patterns;

/// A studio's own rules, and with them all of the project's.
#[derive(Debug, Clone)]
pub struct Rules {
    files: GlobSet,
    /// All patterns, if the studio taught any.
    taught: Option<Arc<Patterns>>,
    /// What they were made from.
    source: [String; 3],
}

impl Rules {
    /// Reads rules: globs separated by commas, and two regular expressions over lines of logs, each empty where there is none. Gives
    /// every mistake that is in them, each with the parameter's name before it.
    ///
    /// A glob matches a path in the zip from its beginning or from any folder on, whatever its case; `*` does not match a `/`, `**`
    /// does. Regular expressions are those of the crate `regex`; a group named `message` is what the crash is told apart by.
    pub fn new(
        crash_files: &str,
        crash_pattern: &str,
        clean_exit_pattern: &str,
    ) -> Result<Self, Vec<String>> {
        let mut mistakes = Vec::new();
        let mut files = GlobSetBuilder::new();
        for glob in crash_files.split(',').map(str::trim).filter(|glob| !glob.is_empty()) {
            let anywhere = format!("**/{}", glob.trim_start_matches('/'));
            match GlobBuilder::new(&anywhere).case_insensitive(true).literal_separator(true).build() {
                Ok(glob) => {
                    files.add(glob);
                }
                Err(error) => mistakes.push(format!("CRASH_FILES: {glob:?} is no glob: {}", error.kind())),
            }
        }
        let crash = checked("CRASH_PATTERN", crash_pattern, &mut mistakes);
        let exit = checked("CLEAN_EXIT_PATTERN", clean_exit_pattern, &mut mistakes);
        let has_patterns = crash.is_some() || exit.is_some();
        let taught = has_patterns.then(|| Patterns::new(crash, exit).map(Arc::new)).transpose();
        let files = files.build();
        if let Err(error) = &files {
            mistakes.push(format!("CRASH_FILES: {error}"));
        }
        match (files, taught) {
            (Ok(files), Ok(taught)) if mistakes.is_empty() => {
                let source = [crash_files, crash_pattern, clean_exit_pattern].map(ToOwned::to_owned);
                Ok(Self { files, taught, source })
            }
            (_, Err(error)) if mistakes.is_empty() => {
                Err(vec![format!("CRASH_PATTERN, CLEAN_EXIT_PATTERN: {error}")])
            }
            _ => Err(mistakes),
        }
    }

    /// All patterns. The project's own are compiled when the first log is met: not at a cold start, and never in start-export.
    pub(super) fn patterns(&self) -> Arc<Patterns> {
        Arc::clone(self.taught.as_ref().unwrap_or(&OWN))
    }

    /// Whether a file is there only because of a crash.
    pub(super) fn is_crash_file(&self, path: &str) -> bool {
        self.files.is_match(path)
    }
}

/// A regular expression that can be used; nothing if there is none, or it is a mistake.
fn checked<'p>(name: &str, pattern: &'p str, mistakes: &mut Vec<String>) -> Option<&'p str> {
    if pattern.is_empty() {
        return None;
    }
    // Alone first, so that what is wrong is told of what was given.
    let tried = regex::bytes::Regex::new(pattern).and_then(|regex| {
        Patterns::new(Some(pattern), Some(pattern))?;
        Ok(regex)
    });
    match tried {
        Ok(regex) if regex.is_match(b"") => mistakes.push(format!("{name}: {pattern:?} matches every line")),
        Ok(_) => return Some(pattern),
        Err(error) => {
            let error = error.to_string();
            let lines: Vec<_> = error.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
            mistakes.push(format!("{name}: {pattern:?} is no regular expression: {}", lines.join(" ")));
        }
    }
    None
}

/// The project's patterns alone: compiled once.
static OWN: LazyLock<Arc<Patterns>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the project's own patterns are fixed, and every test uses them")]
    Arc::new(Patterns::new(None, None).expect("the project's own patterns are valid"))
});

impl Default for Rules {
    /// None of a studio's.
    fn default() -> Self {
        Self { files: GlobSet::empty(), taught: None, source: [const { String::new() }; 3] }
    }
}

impl PartialEq for Rules {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Rules {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_from_any_folder_on_whatever_the_case() {
        let rules = Rules::new("Crash/*.txt, boom_*.bin", "", "").unwrap();
        for (path, expected) in [
            ("profile/Saved/CRASH/one.TXT", true),
            ("Crash/one.txt", true),
            ("profile/boom_1.bin", true),
            ("profile/Crash/deep/one.txt", false),
            ("profile/NoCrash/one.txt", false),
            ("profile/one.txt", false),
        ] {
            assert_eq!(rules.is_crash_file(path), expected, "{path}");
        }
        assert!(!Rules::default().is_crash_file("Crash/one.txt"));
    }

    #[test]
    fn every_mistake_is_told_with_its_parameter() {
        let mistakes = Rules::new("a[, ok", "(", "x*").unwrap_err();
        assert_eq!(mistakes.len(), 3, "{mistakes:?}");
        for (mistake, part) in mistakes.iter().zip([
            "CRASH_FILES: \"a[\"",
            "CRASH_PATTERN: \"(\"",
            "CLEAN_EXIT_PATTERN: \"x*\" matches every line",
        ]) {
            assert!(mistake.starts_with(part), "{mistake}");
            assert_eq!(mistake.lines().count(), 1);
        }
    }

    #[test]
    fn a_pattern_may_have_names_flags_and_unicode() {
        for pattern in [r"(?i)boom (?P<message>\p{L}+)", r"(?<code>\w+) \(?<x>", "Überlauf$"] {
            assert!(Rules::new("", pattern, pattern).is_ok(), "{pattern}");
        }
    }
}
