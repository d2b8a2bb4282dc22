//! Several files that reach the disk together: it brings them to rest side by side, in little more than the time of one.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Error, Result};

use super::way::Place;
use super::{Staged, Writer, sync};

/// So many files are open at once.
const TOGETHER: usize = 64;
/// A thread takes as long to start as a fast disk to sync: it is worth so many files.
const EACH: usize = 4;
/// More threads wait for each other.
const THREADS: usize = 8;

/// Files that are written, and are in their places and on disk after [`Batch::commit`].
pub struct Batch<'w> {
    writer: &'w Writer,
    staged: Vec<Staged>,
}

impl Writer {
    pub fn batch(&self) -> Batch<'_> {
        Batch { writer: self, staged: Vec::new() }
    }
}

impl Batch<'_> {
    /// Like [`Writer::replace`], less the disk; the folder is made where it is missing. Of very many files the first are
    /// committed with it.
    pub fn put(&mut self, path: &Path, bytes: &[u8]) -> Result<()> {
        path.parent().map_or(Ok(()), |folder| self.writer.folder(folder))?;
        self.staged.push(self.writer.making_way(path, Place::File, || Staged::written(path, bytes))?);
        if self.staged.len() < TOGETHER { Ok(()) } else { self.commit() }
    }

    /// No file is in its place before all of them are on disk.
    pub fn commit(&mut self) -> Result<()> {
        let staged = std::mem::take(&mut self.staged);
        side_by_side(&staged, Staged::sync)?;
        let folders: BTreeSet<PathBuf> = staged.into_iter().map(Staged::rename).collect::<Result<_>>()?;
        side_by_side(&Vec::from_iter(folders), |folder| sync(folder))
    }
}

/// The first failure, after all were tried.
fn side_by_side<T: Sync>(all: &[T], act: impl Fn(&T) -> Result<()> + Sync) -> Result<()> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mine = std::iter::from_fn(|| all.get(next.fetch_add(1, Ordering::Relaxed)));
        mine.map(&act).fold(Ok(()), Result::and)
    };
    thread::scope(|scope| {
        // Where the system has no thread left, it is done without.
        let helps = |_| thread::Builder::new().spawn_scoped(scope, work).ok();
        let helpers: Vec<_> = (1..all.len().div_ceil(EACH).min(THREADS)).filter_map(helps).collect();
        let died = |_| Err(Error::from(io::Error::other("a thread died")));
        helpers.into_iter().fold(work(), |done, helper| done.and(helper.join().unwrap_or_else(died)))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_are_in_their_places_after_the_commit_and_not_before() {
        let root = tempfile::tempdir().unwrap();
        let writer = Writer::within(root.path());
        let paths: Vec<PathBuf> = (0..9).map(|n| root.path().join(format!("{}/{n}", n % 3))).collect();
        let mut batch = writer.batch();
        for path in &paths {
            batch.put(path, path.as_os_str().as_encoded_bytes()).unwrap();
        }
        assert!(paths.iter().all(|path| !path.exists()));
        batch.commit().unwrap();
        for path in &paths {
            assert_eq!(fs::read(path).unwrap(), path.as_os_str().as_encoded_bytes());
        }
        assert_eq!(fs::read_dir(root.path().join("0")).unwrap().count(), 3, "nothing is left beside them");
    }

    #[test]
    fn of_very_many_files_few_are_open_at_once() {
        let root = tempfile::tempdir().unwrap();
        let writer = Writer::within(root.path());
        let mut batch = writer.batch();
        for n in 0..=TOGETHER {
            batch.put(&root.path().join(n.to_string()), b"").unwrap();
        }
        assert_eq!(batch.staged.len(), 1);
    }

    #[test]
    fn a_file_that_gets_no_place_is_told_and_so_is_one_outside() {
        let root = tempfile::tempdir().unwrap();
        let writer = Writer::within(root.path());
        let mut batch = writer.batch();
        batch.put(&root.path().join("gone/file"), b"").unwrap();
        fs::remove_dir_all(root.path().join("gone")).unwrap();
        let error = format!("{:#}", batch.commit().unwrap_err());
        assert!(error.starts_with("cannot replace ") && error.contains("gone/file: "), "{error}");
        let outside = batch.put(Path::new("/elsewhere/file"), b"").unwrap_err().to_string();
        assert!(outside.contains("/elsewhere is outside "), "{outside}");
    }

    #[test]
    fn all_are_done_though_one_fails() {
        let done = AtomicUsize::new(0);
        let act = |n: &usize| {
            done.fetch_add(1, Ordering::Relaxed);
            if n % 7 == 3 { Err(Error::msg(format!("{n}"))) } else { Ok(()) }
        };
        assert!(side_by_side(&Vec::from_iter(0..20), act).is_err());
        assert_eq!(done.load(Ordering::Relaxed), 20);
        assert!(side_by_side(&[1, 2], act).is_ok() && side_by_side(&[], act).is_ok());
    }
}
