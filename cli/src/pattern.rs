//! Which files of a zip are meant: by path, by folder, or by glob.

use globset::{GlobBuilder, GlobMatcher};

use crate::failure::Failure;

/// What stands for what was taken out of a path in a record: whoever copies such a path means what was there.
const REDACTED: [&str; 5] = ["[user]", "[secret]", "[email]", "[ip]", "[account]"];

/// What was asked for; everything where nothing was.
#[derive(Debug)]
pub(crate) struct Patterns {
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    /// As it was given.
    text: String,
    /// With `/` for every `\`, in lower case, without the one at the end.
    path: String,
    glob: GlobMatcher,
    /// Whether the glob is about the file's name alone.
    is_name: bool,
    matched: bool,
}

impl Patterns {
    /// Reads patterns. Case does not matter, as it does not to Windows. A glob without `/` is about names, in any folder; in one
    /// with `/`, `*` stays within a folder and `**` does not.
    pub(crate) fn new(texts: &[String]) -> Result<Self, Failure> {
        let patterns = texts.iter().map(|text| Pattern::new(text)).collect::<Result<_, _>>()?;
        Ok(Self { patterns })
    }

    /// Whether a file is meant.
    pub(crate) fn take(&mut self, path: &str) -> bool {
        let path = comparable(path);
        let mut takes = self.patterns.is_empty();
        // Each pattern has to know whether it matched anything.
        for pattern in &mut self.patterns {
            if pattern.takes(&path) {
                pattern.matched = true;
                takes = true;
            }
        }
        takes
    }

    /// Fails if one of them took nothing.
    pub(crate) fn all_matched(&self) -> Result<(), Failure> {
        let unmatched: Vec<_> =
            self.patterns.iter().filter(|it| !it.matched).map(|it| it.text.as_str()).collect();
        if unmatched.is_empty() {
            return Ok(());
        }
        let unmatched = unmatched.join(", ");
        Err(Failure::not_found(format!("the zip has no {unmatched}: crash-capture files lists what it has")))
    }
}

impl Pattern {
    fn new(text: &str) -> Result<Self, Failure> {
        let path = comparable(text);
        let wanted = REDACTED.iter().fold(path.clone(), |wanted, word| wanted.replace(word, "*"));
        let glob = GlobBuilder::new(&wanted).literal_separator(true).backslash_escape(false).build();
        // A path with an odd bracket in it is no glob, and may be a path.
        let glob = glob.or_else(|_| GlobBuilder::new(&globset::escape(&path)).build());
        let glob = glob.map_err(|error| Failure::usage(format!("{text}: {error}")))?.compile_matcher();
        Ok(Self { text: text.to_owned(), is_name: !path.contains('/'), path, glob, matched: false })
    }

    fn takes(&self, path: &str) -> bool {
        let is_below =
            path.strip_prefix(&self.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let name = path.rsplit('/').next().unwrap_or(path);
        is_below || self.glob.is_match(if self.is_name { name } else { path })
    }
}

/// A path as it is compared.
fn comparable(path: &str) -> String {
    path.replace('\\', "/").trim_matches('/').to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATHS: [&str; 5] = [
        "profile/Saved/Logs/Game.log",
        "profile/Saved/Logs/old/Game.log",
        "profile\\Saved\\Crashes\\UEMinidump.dmp",
        "application/Game[1].pak",
        "application/Game.exe",
    ];

    fn taken(patterns: &[&str]) -> Vec<usize> {
        let texts: Vec<_> = patterns.iter().map(|&it| it.to_owned()).collect();
        let mut patterns = Patterns::new(&texts).unwrap();
        (0..PATHS.len()).filter(|&index| patterns.take(PATHS[index])).collect()
    }

    #[test]
    fn files_are_meant_by_path_by_folder_and_by_glob() {
        for (patterns, expected) in [
            (&[] as &[_], &[0_usize, 1, 2, 3, 4] as &[_]),
            (&["profile/Saved/Logs/Game.log"], &[0]),
            (&["/PROFILE\\saved\\logs\\game.LOG"], &[0]),
            (&["profile/Saved/Logs"], &[0, 1]),
            (&["profile/Saved/"], &[0, 1, 2]),
            (&["*.log"], &[0, 1]),
            (&["game.log"], &[0, 1]),
            (&["profile/*/Logs/*"], &[0]),
            (&["profile/**/*.log"], &[0, 1]),
            (&["application/Game[1].pak"], &[3]),
            (&["application/Game["], &[]),
            (&["profile/[user]/Logs/Game.log"], &[0]),
            (&["*.{dmp,exe}"], &[2, 4]),
            (&["prof"], &[]),
        ] {
            assert_eq!(taken(patterns), expected, "{patterns:?}");
        }
    }

    #[test]
    fn a_pattern_that_took_nothing_is_named() {
        let mut patterns = Patterns::new(&["*.log".to_owned(), "*.dmp".to_owned(), "x".to_owned()]).unwrap();
        patterns.take("a.log");
        assert_eq!(
            patterns.all_matched().unwrap_err().to_string(),
            "the zip has no *.dmp, x: crash-capture files lists what it has"
        );
    }
}
