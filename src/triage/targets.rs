//! Which files of an archive are worth reading.

use crate::archive::Entry;
use crate::record::{Files, Problem};

/// How many files of a kind are read at most: what a session leaves behind is a handful.
const MAX_OF_A_KIND: usize = 16;

/// A file to read.
#[derive(Debug)]
pub(super) enum Target {
    /// Has a minidump's name.
    Dump(Entry),
    /// Has a log's name.
    Log(Entry),
}

/// Counts what an archive holds, and picks what is worth reading.
#[derive(Debug, Default)]
pub(super) struct Survey {
    files: Files,
    dumps: Vec<Entry>,
    logs: Vec<Entry>,
    left_out: usize,
}

impl Survey {
    /// Takes note of an entry.
    pub(super) fn add(&mut self, entry: Entry) {
        if entry.is_folder {
            return;
        }
        self.files.count += 1;
        self.files.bytes = self.files.bytes.saturating_add(entry.size);
        let path = entry.path_to_match().into_owned();
        *self.root_of(&path) += 1;
        let kind = match extension(&path).as_str() {
            "dmp" | "mdmp" | "hdmp" => &mut self.dumps,
            "log" => &mut self.logs,
            _ => return,
        };
        if kind.len() < MAX_OF_A_KIND { kind.push(entry) } else { self.left_out += 1 }
    }

    fn root_of(&mut self, path: &str) -> &mut u64 {
        let roots = &mut self.files.roots;
        match path.split_once('/').map_or("", |(root, _)| root) {
            "application" => &mut roots.application,
            "profile" => &mut roots.profile,
            "temp" => &mut roots.temp,
            "stats" => &mut roots.stats,
            _ => &mut roots.other,
        }
    }

    /// What was counted, what is worth reading, and what was too much.
    pub(super) fn finish(self) -> (Files, Vec<Target>, Vec<Problem>) {
        let targets = self.dumps.into_iter().map(Target::Dump).chain(self.logs.into_iter().map(Target::Log));
        let problem = || {
            let detail =
                format!("{MAX_OF_A_KIND} dumps and logs each are read; {} more were not", self.left_out);
            Problem::new("file-limit", detail)
        };
        let problems = (self.left_out > 0).then(problem).into_iter().collect();
        (self.files, targets.collect(), problems)
    }
}

/// The part of a file's name behind its last dot, in lower case.
fn extension(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default()
}
