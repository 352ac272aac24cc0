//! Which files of an archive are worth reading.

use crate::archive::Entry;
use crate::record::{Files, Problem, Roots};

use super::details::{FOLDERS, Listing, Listings};
use super::studio::Rules;

/// How many files of a kind are read at most: what a session leaves behind is a handful.
const MAX_OF_A_KIND: usize = 16;

/// What a file's name promises. Its bytes decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A minidump.
    Dump,
    /// Unreal's crash context.
    Context,
    /// A report of Windows Error Reporting.
    Wer,
    /// A core file.
    Core,
    /// An envelope of sentry-native.
    Envelope,
    /// What a studio names as left by crashes only.
    Studio,
    /// A file that only a crash leaves: its kind. It is not read.
    Present(&'static str),
    /// A log.
    Log,
    /// The service's performance stats.
    Performance,
}

/// Files in a folder of these names were written because of a crash.
const CRASH_FOLDERS: [&str; 4] = ["crashes", "crashdumps", "crashpad", "crash"];

impl Kind {
    /// What a path promises, in lower case.
    pub(super) fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        Some(match extension {
            "dmp" | "mdmp" | "hdmp" => Self::Dump,
            "runtime-xml" => Self::Context,
            "wer" => Self::Wer,
            "core" => Self::Core,
            "nv-gpudmp" => Self::Present("gpu-dump"),
            "envelope" if path.contains(".sentry-native/") => Self::Envelope,
            "csv" if name == "perf_stats_v1.csv" => Self::Performance,
            _ if stem == "core" && (extension.is_empty() || is_number(extension)) => Self::Core,
            _ if name.starts_with("coredump.") => Self::Core,
            _ if name == "last_crash" && path.contains(".sentry-native/") => Self::Present("sentry-native"),
            // What a log was renamed to when the program started again tells of an earlier run.
            "log" | "txt" if stem.ends_with("-prev") || stem.contains("-backup-") => return None,
            "log" => Self::Log,
            "txt" if stem.contains("log") || stem.starts_with("std") || is_in_crash_folder(path) => Self::Log,
            _ => return None,
        })
    }

    /// Kinds share a limit by what they cost to read.
    fn pool(self) -> usize {
        match self {
            Self::Dump => 0,
            Self::Context | Self::Wer | Self::Envelope => 1,
            Self::Core => 2,
            Self::Studio | Self::Present(_) => 3,
            Self::Log => 4,
            Self::Performance => 5,
        }
    }
}

/// Whether a path in lower case leads through a folder of crashes.
pub(super) fn is_in_crash_folder(path: &str) -> bool {
    let mut folders = path.split('/').rev().skip(1);
    folders.any(|folder| {
        CRASH_FOLDERS.contains(&folder) || folder.starts_with("crash_") || folder.starts_with("crashinfo-")
    })
}

/// A file to read.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) kind: Kind,
    pub(super) entry: Entry,
    /// Whether a studio names it as left by crashes only.
    pub(super) is_studios: bool,
}

/// Counts what an archive holds, and picks what is worth reading.
#[derive(Debug)]
pub(super) struct Survey<'r> {
    rules: &'r Rules,
    files: Files,
    listings: Listings,
    pools: [Vec<(Rank, Target)>; 6],
    left_out: usize,
    /// The path of the entry at hand, in lower case.
    path: String,
}

/// What is rather kept: in a folder of crashes; modified last.
type Rank = (bool, Option<String>);

impl<'r> Survey<'r> {
    pub(super) fn new(rules: &'r Rules) -> Self {
        Self {
            rules,
            files: Files::default(),
            listings: Listings::default(),
            pools: Default::default(),
            left_out: 0,
            path: String::new(),
        }
    }

    /// Takes note of an entry.
    pub(super) fn add(&mut self, entry: &Entry) {
        if entry.is_folder {
            return;
        }
        self.files.count += 1;
        self.files.bytes = self.files.bytes.saturating_add(entry.size);
        let path = entry.path_to_match();
        self.path.clear();
        self.path.push_str(&path);
        self.path.make_ascii_lowercase();
        self.listings.add(folder_of(&self.path), &path, entry.size);
        let path = self.path.as_str();
        let is_studios = self.rules.is_crash_file(path);
        let Some(kind) = Kind::of(path).or(is_studios.then_some(Kind::Studio)) else { return };
        let pool = &mut self.pools[kind.pool()];
        pool.push((
            (is_studios || is_in_crash_folder(path), entry.modified()),
            Target { kind, entry: entry.clone(), is_studios },
        ));
        if pool.len() > MAX_OF_A_KIND {
            self.left_out += 1;
            let least = pool.iter().enumerate().min_by(|(_, (one, _)), (_, (other, _))| one.cmp(other));
            if let Some(least) = least.map(|(index, _)| index) {
                pool.remove(least);
            }
        }
    }

    /// What was counted, and what is worth reading.
    pub(super) fn finish(self) -> Surveyed {
        let Self { files, listings, pools, left_out, .. } = self;
        let [application, profile, temp, stats, other] = std::array::from_fn(|folder| listings.count(folder));
        let problem = || {
            let detail = format!("{MAX_OF_A_KIND} files of a kind are read; {left_out} more were not");
            Problem::new("file-limit", detail)
        };
        Surveyed {
            files: Files { roots: Roots { application, profile, temp, stats, other }, ..files },
            listing: listings.finish(),
            targets: pools.into_iter().flatten().map(|(_, target)| target).collect(),
            problem: (left_out > 0).then(problem),
        }
    }
}

/// What an archive holds.
#[derive(Debug)]
pub(super) struct Surveyed {
    pub(super) files: Files,
    pub(super) listing: Listing,
    /// What is worth reading.
    pub(super) targets: Vec<Target>,
    /// That this was too much.
    pub(super) problem: Option<Problem>,
}

/// Which of [`FOLDERS`] a path in lower case lies in.
fn folder_of(path: &str) -> usize {
    let root = path.split_once('/').map_or("", |(root, _)| root);
    FOLDERS.iter().position(|folder| *folder == root).unwrap_or(FOLDERS.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_nominate_by_their_ends() {
        for (path, kind) in [
            (
                "profile/appdata/local/skylark/saved/crashes/uecc-windows-1_0000/crashcontext.runtime-xml",
                Some(Kind::Context),
            ),
            ("profile/x/player.log", Some(Kind::Log)),
            ("profile/x/player-prev.log", None),
            ("profile/x/skylark-backup-2026.11.23-10.00.00.log", None),
            ("profile/x/output_log.txt", Some(Kind::Log)),
            ("application/readme.txt", None),
            ("application/core", Some(Kind::Core)),
            ("application/core.4242", Some(Kind::Core)),
            ("application/core.js", None),
            ("profile/x/.sentry-native/last_crash", Some(Kind::Present("sentry-native"))),
            ("profile/x/last_crash", None),
            ("stats/perf_stats_v1.csv", Some(Kind::Performance)),
            ("temp/uecrashcontext-4242.xml", None),
            ("profile/crashpad/settings.dat", None),
        ] {
            assert_eq!(Kind::of(path), kind, "{path}");
        }
    }
}
