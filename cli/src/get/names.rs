//! From the names in a zip to names of files: such as every system can have, and no two the same.

use std::collections::HashMap;

use super::folder::UNFINISHED;

/// The longest name of a file, in bytes: file systems take 255, and a file has a longer one while it is written.
const LONGEST: usize = 200;

/// The deepest path.
const DEEPEST: usize = 64;

/// Names that are devices on Windows, whatever comes behind a dot (Microsoft, "Naming Files, Paths, and Namespaces").
const DEVICES: [&str; 7] = ["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"];

/// Where something was put already, in lower case: for macOS and Windows, `A` and `a` are one.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: HashMap<String, Kind>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
}

/// Where a file goes, below the target folder.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Folders, and the file's name. Never empty; none is empty, `.`, `..`, a device, or holds a separator.
    pub(super) parts: Vec<String>,
    /// Whether its path in the zip is another one.
    pub(super) is_renamed: bool,
}

impl Names {
    /// A place of its own for a file of this path in the zip, with `/` between folders.
    pub(super) fn place(&mut self, path: &str) -> Place {
        let given: Vec<&str> = path.split('/').collect();
        let mut parts: Vec<String> =
            given.iter().filter(|part| !part.is_empty() && **part != ".").map(|part| fit(part)).collect();
        if parts.is_empty() {
            parts.push("_".to_owned());
        }
        if parts.len() > DEEPEST {
            let name = parts.pop().unwrap_or_default();
            parts.truncate(DEEPEST - 1);
            parts.push(name);
        }
        self.claim(&mut parts);
        let is_renamed = !parts.iter().map(String::as_str).eq(given.iter().copied());
        Place { parts, is_renamed }
    }

    /// Changes names until there is no other file in the place, and none where a folder has to be.
    fn claim(&mut self, parts: &mut [String]) {
        let mut prefix = String::new();
        let last = parts.len() - 1;
        for (index, part) in parts.iter_mut().enumerate() {
            let wanted = part.clone();
            let kind = if index == last { Kind::File } else { Kind::Folder };
            let mut count = 1;
            let key = loop {
                let key = format!("{prefix}{}", part.to_lowercase());
                match self.taken.get(&key) {
                    None => break key,
                    Some(Kind::Folder) if kind == Kind::Folder => break key,
                    Some(_) => {
                        count += 1;
                        *part = numbered(&wanted, count);
                    }
                }
            };
            self.taken.insert(key.clone(), kind);
            prefix = key + "/";
        }
    }
}

/// `Game.log` becomes `Game (2).log`.
fn numbered(name: &str, number: usize) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => format!("{stem} ({number}).{extension}"),
        _ => format!("{name} ({number})"),
    }
}

/// A name that is one on every system.
fn fit(part: &str) -> String {
    let is_unfit = |c: char| {
        c.is_control()
            || matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*' | '/' | '\\' | char::REPLACEMENT_CHARACTER)
    };
    let mut name = shortened(&part.replace(is_unfit, "_"));
    // Windows drops dots and spaces at the end. This takes care of `..`, too.
    if name.ends_with(['.', ' ']) {
        name.pop();
        name.push('_');
    }
    // It would be in the way of a file that is being written.
    if name.to_lowercase().ends_with(UNFINISHED) {
        name.push('_');
    }
    if is_device(&name) { format!("_{name}") } else { name }
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_lowercase();
    let is_port = |port: &str| {
        stem.strip_prefix(port).is_some_and(|number| {
            let mut digits = number.chars();
            matches!((digits.next(), digits.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
        })
    };
    DEVICES.contains(&stem.as_str()) || is_port("com") || is_port("lpt")
}

/// Keeps the extension, by which people know what it is.
fn shortened(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let extension = if extension.len() <= 16 { extension } else { "" };
    let mut end = LONGEST - extension.len() - 1;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    if extension.is_empty() { name[..end].to_owned() } else { format!("{}.{extension}", &name[..end]) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn placed(paths: &[&str]) -> Vec<String> {
        let mut names = Names::default();
        paths.iter().map(|path| names.place(path).parts.join("/")).collect()
    }

    #[test]
    fn a_usual_path_stays_as_it_is() {
        for path in
            ["profile/AppData/Local/Game/Saved/Logs/Game.log", "temp/.hidden", "Spieler Ä/宽.txt", "a/b..c/d"]
        {
            let place = Names::default().place(path);
            assert_eq!((place.parts.join("/").as_str(), place.is_renamed), (path, false));
        }
    }

    #[test]
    fn nothing_leads_out_of_the_folder() {
        for (path, expected) in [
            ("../../etc/passwd", "._/._/etc/passwd"),
            ("/etc/passwd", "etc/passwd"),
            ("//host/share/x", "host/share/x"),
            ("C:/Windows/x.dll", "C_/Windows/x.dll"),
            ("c:x", "c_x"),
            ("a/./b//c", "a/b/c"),
            ("a/..", "a/._"),
            ("...", ".._"),
            ("", "_"),
            ("/", "_"),
            ("a\u{0}b", "a_b"),
            ("x/file.txt:stream", "x/file.txt_stream"),
        ] {
            let place = Names::default().place(path);
            assert_eq!((place.parts.join("/").as_str(), place.is_renamed), (expected, true), "{path:?}");
        }
    }

    #[test]
    fn devices_get_another_name() {
        for path in ["CON", "nul.txt", "Aux.tar.gz", "com1", "LPT9.log", "COM¹", "conin$", "con .txt"] {
            let place = Names::default().place(path);
            assert!(place.parts[0].starts_with('_') && place.is_renamed, "{path}: {place:?}");
        }
        for path in ["console.log", "com.txt", "com10", "lpt", "auxiliary"] {
            assert!(!Names::default().place(path).is_renamed, "{path}");
        }
    }

    #[test]
    fn no_file_is_called_like_one_that_is_being_written() {
        assert_eq!(placed(&["a", "a.unfinished", "b.UNFINISHED"]), ["a", "a.unfinished_", "b.UNFINISHED_"]);
    }

    #[test]
    fn no_two_files_get_the_same_place() {
        assert_eq!(
            placed(&["a/Game.log", "a/game.LOG", "a/Game.log", "A/x", "noext", "NOEXT"]),
            ["a/Game.log", "a/game (2).LOG", "a/Game (3).log", "A/x", "noext", "NOEXT (2)"]
        );
        assert_eq!(placed(&["x", "x/y", "x/z"]), ["x", "x (2)/y", "x (2)/z"]);
        assert_eq!(placed(&["x/y", "x"]), ["x/y", "x (2)"]);
    }

    #[test]
    fn a_name_that_is_too_long_keeps_its_extension() {
        let place = Names::default().place(&format!("{}.dmp", "ä".repeat(200)));
        assert!(place.parts[0].len() <= LONGEST && place.parts[0].ends_with("ä.dmp") && place.is_renamed);
        let deep = Names::default().place(&vec!["a"; 1000].join("/"));
        assert_eq!(deep.parts.len(), DEEPEST);
    }

    proptest! {
        #[test]
        fn whatever_the_names_are_each_place_is_fit_and_its_own(paths in prop::collection::vec("[a-bA-B./: \\\\\u{0}-\u{1f}]{0,12}", 1..20)) {
            let mut names = Names::default();
            let mut seen = std::collections::HashSet::new();
            for path in &paths {
                let parts = names.place(path).parts;
                for part in &parts {
                    prop_assert!(!part.is_empty() && part != "." && part != "..", "{path:?}: {parts:?}");
                    prop_assert!(!part.contains(['/', '\\', ':', '\0']), "{path:?}: {parts:?}");
                }
                prop_assert!(seen.insert(parts.join("/").to_lowercase()), "{path:?}: {parts:?}");
            }
        }
    }
}
