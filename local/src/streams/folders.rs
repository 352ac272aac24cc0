//! A session's folders on disk, and what its game changed in them.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The folders of the export, in its order. The game writes to the first three, the service to the last.
const PARTS: [&str; 4] = ["application", "profile", "temp", "stats"];

/// The folders of one session.
#[derive(Debug, Clone)]
pub(super) struct Folders {
    root: PathBuf,
}

/// What the folders held before the game started.
#[derive(Debug, Default)]
pub(super) struct Snapshot(HashMap<PathBuf, Stamp>);

/// What changes when a file is written.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl From<Metadata> for Stamp {
    fn from(metadata: Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

impl Folders {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The folder where the application is stored; the game's working directory.
    pub(super) fn application(&self) -> PathBuf {
        self.root.join("application")
    }

    /// The user profile folder.
    pub(super) fn profile(&self) -> PathBuf {
        self.root.join("profile")
    }

    /// The system temp folder.
    pub(super) fn temp(&self) -> PathBuf {
        self.root.join("temp")
    }

    /// The session's performance, second by second.
    pub(super) fn performance_file(&self) -> PathBuf {
        self.root.join("stats/perf_stats_v1.csv")
    }

    /// What the game writes to its standard error. Not part of the export.
    pub(super) fn error_file(&self) -> PathBuf {
        self.root.join("stderr.txt")
    }

    /// The zip, until it is delivered.
    pub(super) fn zip(&self) -> PathBuf {
        self.root.join("export.zip")
    }

    /// Makes the folders, with a copy of the application's content.
    pub(super) async fn prepare(&self, content: Option<PathBuf>) -> io::Result<Snapshot> {
        let folders = self.clone();
        let prepared = tokio::task::spawn_blocking(move || {
            for part in PARTS {
                fs::create_dir_all(folders.root.join(part))?;
            }
            if let Some(content) = content {
                copy(&content, &folders.application())?;
            }
            folders.snapshot()
        });
        prepared.await.map_err(io::Error::other)?
    }

    fn snapshot(&self) -> io::Result<Snapshot> {
        let mut files = Vec::new();
        collect(&self.root.join("application"), &mut files)?;
        let stamp = |path: PathBuf| Ok((fs::symlink_metadata(&path)?.into(), path));
        let stamps = files.into_iter().map(stamp).map(|stamped| stamped.map(|(stamp, path)| (path, stamp)));
        stamps.collect::<io::Result<_>>().map(Snapshot)
    }

    /// The files that were created or modified since, in the export's order: their names in it, and where they are.
    ///
    /// Files alone: links could lead anywhere, and a pipe has no end.
    pub(super) fn changed_since(&self, before: &Snapshot) -> io::Result<Vec<(String, PathBuf)>> {
        let mut changed = Vec::new();
        for part in PARTS {
            let mut files = Vec::new();
            collect(&self.root.join(part), &mut files)?;
            files.sort();
            for path in files {
                if before.0.get(&path) != Some(&fs::symlink_metadata(&path)?.into()) {
                    let name = path.strip_prefix(&self.root).map_err(io::Error::other)?;
                    changed.push((name.to_string_lossy().into_owned(), path));
                }
            }
        }
        Ok(changed)
    }
}

/// Adds all regular files below a folder.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            collect(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut files = Vec::new();
    collect(from, &mut files)?;
    for file in files {
        let target = to.join(file.strip_prefix(from).map_err(io::Error::other)?);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(&file, target)?;
    }
    Ok(())
}
