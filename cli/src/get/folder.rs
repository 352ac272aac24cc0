//! The target folder: nothing is written outside of it, and nothing through a link.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// What the name of a file ends with while it is written. No file has such a name.
pub(super) const UNFINISHED: &str = ".unfinished";

/// The folder that files are written to. It may be a link itself; what is below it may not.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    overwrite: bool,
}

/// A file that is being written, under a name of its own until it is whole. What never becomes whole is removed, unless
/// somebody may go on with it.
#[derive(Debug)]
pub(super) struct Unfinished {
    /// The part of it that has been written.
    pub(super) part: PathBuf,
    /// What it will be.
    pub(super) path: PathBuf,
    is_kept: bool,
}

impl Folder {
    pub(super) fn new(root: PathBuf, overwrite: bool) -> Self {
        Self { root, overwrite }
    }

    /// A place for a file below the folder, by its folders and its name; `ending` is what its name has more until it is whole.
    /// Makes the folders.
    pub(super) fn place(&self, parts: &[String], ending: &str) -> Result<Unfinished, Failure> {
        let Some((name, folders)) = parts.split_last() else {
            return Err(Failure::other("a file without a name"));
        };
        let mut folder = self.root.clone();
        fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
        for part in folders {
            folder.push(part);
            make_folder(&folder)?;
        }
        let path = folder.join(name);
        self.may_become(&path)?;
        let part = folder.join(format!("{name}{ending}"));
        Ok(Unfinished { part, path, is_kept: false })
    }

    fn may_become(&self, path: &Path) -> Result<(), Failure> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed(path, &error)),
            Ok(there) if there.is_dir() => Err(Failure::other(format!("{} is a folder", path.display()))),
            // A link is replaced itself: renaming does not follow it.
            Ok(_) if self.overwrite => Ok(()),
            Ok(_) => {
                Err(Failure::other(format!("{} is there already: --overwrite replaces it", path.display())))
            }
        }
    }
}

impl Unfinished {
    /// Begins anew. Whatever lies there from an earlier attempt goes.
    pub(super) fn create(&self) -> Result<File, Failure> {
        match fs::remove_file(&self.part) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(&self.part, &error)),
            _ => {}
        }
        // Fails where there is anything, a link included.
        File::create_new(&self.part).map_err(|error| failed(&self.part, &error))
    }

    /// Goes on where an earlier attempt ended, as a later one may with this one; gives how many bytes there are.
    pub(super) fn go_on(&mut self) -> Result<(File, u64), Failure> {
        self.is_kept = true;
        match fs::symlink_metadata(&self.part) {
            Ok(there) if there.is_file() => {
                let file = OpenOptions::new().append(true).open(&self.part);
                Ok((file.map_err(|error| failed(&self.part, &error))?, there.len()))
            }
            _ => Ok((self.create()?, 0)),
        }
    }

    /// It is whole.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        fs::rename(&self.part, &self.path).map_err(|error| failed(&self.path, &error))?;
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_kept {
            fs::remove_file(&self.part).ok();
        }
    }
}

/// Makes a folder, or takes one that is there and no link.
fn make_folder(folder: &Path) -> Result<(), Failure> {
    match fs::create_dir(folder) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => match fs::symlink_metadata(folder) {
            Ok(there) if there.is_dir() => Ok(()),
            Ok(_) => Err(Failure::other(format!(
                "{} is a link or a file, and nothing is written through it: move it away, or give another folder with --to",
                folder.display()
            ))),
            Err(error) => Err(failed(folder, &error)),
        },
        Err(error) => Err(failed(folder, &error)),
    }
}

/// What could not be written.
pub(super) fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::other(format!("{}: {error}", path.display()))
}
