//! Where objects lie on disk.
//!
//! `root/{bucket}/{key}` where that is a path that a person would expect. Keys that are none (`a//b`, `../x`, a segment
//! over 255 bytes, `a` beside `a/b`, or `A` beside `a` where the file system ignores case) go to
//! `root/.s3/other-keys/{bucket}/` under a name of our own: no bucket's name begins with a dot. Uploads in progress
//! are in `root/.s3/staging/`, so that an object appears by a rename and never half written.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};
use uuid::Uuid;

/// The longest file name that common file systems take, in bytes.
const LONGEST_NAME: usize = 255;

/// The folder that holds all buckets.
#[derive(Debug)]
pub(super) struct Files {
    root: PathBuf,
}

impl Files {
    /// Makes the folder, if it is not there yet. Only objects that are written through S3 become objects.
    pub(super) fn new(root: &Path) -> io::Result<Self> {
        let files = Self { root: std::path::absolute(root)? };
        fs::create_dir_all(files.staging())?;
        Ok(files)
    }

    /// Makes a bucket's folder.
    pub(super) fn create_bucket(&self, bucket: &str) -> io::Result<()> {
        fs::create_dir_all(self.bucket(bucket))
    }

    /// A new file for content that is on its way. It is deleted with its path, unless it is [placed](Self::place).
    pub(super) fn stage(&self) -> io::Result<(File, TempPath)> {
        NamedTempFile::new_in(self.staging()).map(NamedTempFile::into_parts)
    }

    /// Moves a finished file in for staging, from another file system if need be.
    pub(super) fn adopt(&self, path: &Path) -> io::Result<TempPath> {
        let (_, staged) = self.stage()?;
        if let Err(error) = fs::rename(path, &staged) {
            if error.kind() != io::ErrorKind::CrossesDevices {
                return Err(error);
            }
            fs::copy(path, &staged)?;
            fs::remove_file(path)?;
        }
        Ok(staged)
    }

    /// Moves a staged file to where an object with this key lies, over `previous` if the key has an object already.
    /// Whoever reads the previous file goes on reading it.
    pub(super) fn place(
        &self,
        staged: TempPath,
        bucket: &str,
        key: &str,
        previous: Option<&Path>,
    ) -> io::Result<PathBuf> {
        let path = match previous {
            Some(path) => path.to_owned(),
            None => self.free_path(bucket, key)?,
        };
        staged.persist(&path)?;
        Ok(path)
    }

    /// A bucket's folder.
    pub(super) fn bucket(&self, bucket: &str) -> PathBuf {
        self.root.join(bucket)
    }

    /// Deletes an object's file, and the folders that it leaves empty.
    pub(super) fn remove(&self, bucket: &str, path: &Path) -> io::Result<()> {
        fs::remove_file(path)?;
        let bucket = self.bucket(bucket);
        let folders =
            path.ancestors().skip(1).take_while(|folder| **folder != bucket && folder.starts_with(&bucket));
        for folder in folders {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// A path that no other object has, with its folders made.
    fn free_path(&self, bucket: &str, key: &str) -> io::Result<PathBuf> {
        if is_plain(key) {
            let path = self.bucket(bucket).join(key);
            // An ancestor that is an object makes the folders fail.
            if fs::symlink_metadata(&path).is_err()
                && path.parent().is_some_and(|it| fs::create_dir_all(it).is_ok())
            {
                return Ok(path);
            }
        }
        let folder = self.root.join(".s3").join("other-keys").join(bucket);
        fs::create_dir_all(&folder)?;
        Ok(folder.join(Uuid::new_v4().to_string()))
    }

    fn staging(&self) -> PathBuf {
        self.root.join(".s3").join("staging")
    }
}

/// Whether a key is a relative path that means the same file on every common file system.
fn is_plain(key: &str) -> bool {
    key.split('/').all(|segment| {
        !segment.is_empty()
            && segment.len() <= LONGEST_NAME
            // That is also `.` and `..`; Windows drops these characters.
            && !segment.ends_with(['.', ' '])
            && !segment.contains(|c: char| {
                c.is_control() || matches!(c, '\\' | ':' | '<' | '>' | '"' | '|' | '?' | '*')
            })
    })
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn keys_that_read_as_relative_paths_are_plain() {
        for key in
            ["a", "a/b.zip", "exports/a-1/sg-1/2026-01-01/x.zip", "dt=2026-01-01/ä b", ".hidden", "a..b"]
        {
            assert!(is_plain(key), "{key}");
        }
    }

    #[test]
    fn keys_that_could_leave_the_folder_or_mean_another_file_are_not_plain() {
        let long = "x".repeat(256);
        for key in ["..", "a/../b", "./a", "/a", "a/", "a//b", "a\0b", "a\\b", "C:x", "a/.", "a.", &long] {
            assert!(!is_plain(key), "{key}");
        }
    }
}
