//! Files: those that bear on the verdict, and what else the zip holds.

use crate::record::Record;
use crate::triage::Listing;

use super::text::{count, short, short_path, size};

/// The longest path that is shown, in characters.
const LONGEST_PATH: usize = 200;

/// A file that bears on the verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Evidence {
    pub(super) kind: String,
    pub(super) path: String,
    pub(super) size: String,
    /// What it tells, unless that is what the page's title says.
    pub(super) tells: Option<String>,
}

/// A folder of the zip, and the largest files in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folder {
    pub(super) name: &'static str,
    pub(super) holds: String,
    pub(super) files: Vec<File>,
    pub(super) more: Option<String>,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    pub(super) path: String,
    pub(super) size: String,
}

pub(super) fn evidence(record: &Record) -> Vec<Evidence> {
    let title = record.judgement.signature.as_ref().map(|signature| &signature.title);
    let all = record.judgement.evidence.iter().take(MOST_EVIDENCE);
    all.map(|evidence| Evidence {
        kind: kind_in_words(&evidence.kind),
        path: short_path(evidence.path.as_str(), LONGEST_PATH),
        size: size(evidence.size),
        tells: evidence.tells.as_ref().filter(|it| Some(*it) != title).map(|it| short(it.as_str(), 160)),
    })
    .collect()
}

/// How many files are shown that bear on the verdict: as many as a record has.
const MOST_EVIDENCE: usize = 17;

/// The kinds of `docs/triage.md`, for people.
fn kind_in_words(kind: &str) -> String {
    let words = match kind {
        "minidump" => "Minidump",
        "ue-crash-context" => "Unreal's account of the crash",
        "ue-ensure" => "Unreal's account of an ensure, after which it went on",
        "helper-minidump" => "Minidump of a helper process",
        "requested-minidump" => "Minidump that was asked for",
        "wer-report" => "Windows Error Reporting",
        "core" => "Core file",
        "gpu-dump" => "Dump of the graphics processor",
        "sentry-native" => "Sentry's note of a crash",
        "jvm-error-log" => "JVM's error log",
        "unity-error-log" => "Unity's error log",
        "log" => "Log",
        "clean-exit-log" => "Log that ends in a clean exit",
        "crash-file" => "File that only a crash leaves",
        other => return short(other, 64),
    };
    words.to_owned()
}

/// The zip's tree: its folders, the largest first, and the largest files of all below them.
pub(super) fn tree(listing: &Listing) -> Vec<Folder> {
    let names: Vec<_> = listing.folders.iter().map(|folder| folder.name).collect();
    let folder_of = |path: &str| {
        let root = path.split_once('/').map(|(root, _)| root.to_ascii_lowercase());
        root.and_then(|root| names.iter().find(|name| **name == root)).copied().unwrap_or("other")
    };
    let folders = listing.folders.iter().map(|folder| {
        let largest: Vec<_> =
            listing.largest.iter().filter(|file| folder_of(file.path.as_str()) == folder.name).collect();
        let more = folder.count.saturating_sub(largest.len() as u64);
        let shown: u64 = largest.iter().fold(0, |sum, file| sum.saturating_add(file.size));
        let rest = size(folder.bytes.saturating_sub(shown));
        Folder {
            name: folder.name,
            holds: format!("{}, {}", count(folder.count, "file"), size(folder.bytes)),
            more: (more > 0).then(|| match largest.len() {
                0 => format!("{}, {rest}", count(more, "smaller file")),
                _ => format!("and {}, {rest}", count(more, "smaller file")),
            }),
            files: largest
                .iter()
                .map(|file| File {
                    path: short_path(below(folder.name, file.path.as_str()), LONGEST_PATH),
                    size: size(file.size),
                })
                .collect(),
        }
    });
    folders.collect()
}

/// A path without its first folder, which stands above it.
fn below<'p>(folder: &str, path: &'p str) -> &'p str {
    match path.split_once('/') {
        Some((root, rest)) if folder != "other" && root.eq_ignore_ascii_case(folder) => rest,
        _ => path,
    }
}
