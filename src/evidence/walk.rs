//! Finds the files of a tree.

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context, Result};
use rustix::fs::{Access, access};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ignored::{Level, ignored};
use super::{Blob, TreePath};
use crate::storage::Stamp;

/// Bytes beyond which a file is left out of trees: 64 MiB.
pub(super) const LARGEST: u64 = 64 << 20;

/// Git's mode of a symlink.
pub(super) const LINK: u32 = 0o120_000;

/// Git knows of a file whether it may be executed and whether it is a symlink.
pub(super) fn mode(data: &Metadata) -> u32 {
    match (data.is_symlink(), data.mode() & 0o100 != 0) {
        (true, _) => LINK,
        (false, true) => 0o100_755,
        (false, false) => 0o100_644,
    }
}

/// A path that is passed over, and why: not in a tree though no rule ignores it, or not put back.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Skipped {
    pub path: TreePath,
    pub reason: String,
}

/// A file or a symlink, as the walk came by.
#[derive(Debug)]
pub(super) struct Found {
    pub path: TreePath,
    /// As git knows it.
    pub mode: u32,
    pub stamp: Stamp,
    /// What it holds, where that is remembered.
    pub blob: Option<Blob>,
}

#[derive(Debug, Default)]
pub(super) struct Walked {
    /// Ordered by path.
    pub files: Vec<Found>,
    pub skipped: Vec<Skipped>,
    /// A pipe or the like where git reads attributes: gits before 2.41 would wait for it for ever.
    pub blocking: Option<TreePath>,
}

/// All files and symlinks below `workspace`, nested repositories included, `.git` never. `left_out` is given a path and
/// whether it is a folder, and says that it is passed over with all that is below it; `patterns` gives the text of a folder's
/// `.gitignore`.
///
/// # Errors
/// Only where the workspace itself can't be read.
pub(super) fn walk(
    workspace: &Path,
    above: Option<Rc<Level>>,
    left_out: impl Fn(&TreePath, bool) -> bool,
    mut patterns: impl FnMut(&TreePath) -> Option<String>,
) -> Result<Walked> {
    fs::read_dir(workspace).with_context(|| format!("cannot read the workspace {}", workspace.display()))?;
    let mut walked = Walked::default();
    // The folders that are open, each with what is left of it in order.
    let mut open = vec![vec![(TreePath::default(), None)].into_iter()];
    let mut levels = vec![above];
    while let Some(entries) = open.last_mut() {
        let Some((folder, data)) = entries.next() else {
            open.pop();
            levels.pop();
            continue;
        };
        if let Some(data) = data {
            walked.file(folder, &data);
            continue;
        }
        let outer = levels.last().cloned().flatten();
        let level = match patterns(&folder) {
            Some(text) => Some(Level::within(&folder, &text, outer)),
            None => outer,
        };
        let entries = match fs::read_dir(workspace.join(folder.as_path())) {
            Ok(entries) => entries,
            Err(error) => {
                walked.skip(folder, &error);
                continue;
            }
        };
        let mut inside = Vec::new();
        for entry in entries {
            let (name, data) = match entry.and_then(|entry| Ok((entry.file_name(), entry.metadata()?))) {
                Ok(entry) => entry,
                Err(error) => {
                    walked.skip(folder.clone(), &error);
                    continue;
                }
            };
            let path = folder.join(&name);
            if name == ".git" || left_out(&path, data.is_dir()) || ignored(level.as_ref(), &path, data.is_dir()) {
                continue;
            }
            match data.is_dir() {
                true if name.eq_ignore_ascii_case(".git") => walked.refuse(path, UNNAMEABLE),
                true => inside.push((path, None)),
                false => inside.push((path, Some(data))),
            }
        }
        // A folder's files all begin with its name and a slash.
        inside.sort_unstable_by(|a, b| order(a).cmp(order(b)));
        open.push(inside.into_iter());
        levels.push(level);
    }
    Ok(walked)
}

/// By which a path comes before another.
fn order((path, data): &(TreePath, Option<Metadata>)) -> impl Iterator<Item = &u8> {
    let slash: &[u8] = if data.is_none() { b"/" } else { b"" };
    path.as_bytes().iter().chain(slash)
}

const UNNAMEABLE: &str = "git can hold no file of this name";

impl Walked {
    /// Takes a path in that is no folder, or says why not.
    pub fn file(&mut self, path: TreePath, data: &Metadata) {
        let name = path.as_path().file_name().map(OsStrExt::as_bytes).unwrap_or_default();
        let link = data.is_symlink();
        if name.eq_ignore_ascii_case(b".git") || link && name.eq_ignore_ascii_case(b".gitmodules") {
            self.refuse(path, UNNAMEABLE);
        } else if !link && !data.is_file() {
            if name == b".gitattributes" {
                self.blocking = Some(path.clone());
            }
            self.refuse(path, "it is a pipe, a socket or a device");
        } else if data.len() > LARGEST {
            self.refuse(path, "it is larger than 64 MiB");
        } else {
            self.files.push(Found { path, mode: mode(data), stamp: Stamp::from(data), blob: None });
        }
    }

    /// Passes over what can't be read. What is remembered was read as it is.
    pub fn readable(&mut self, workspace: &Path) {
        for found in std::mem::take(&mut self.files) {
            if found.mode == LINK || found.blob.is_some() {
                self.files.push(found);
                continue;
            }
            match access(workspace.join(found.path.as_path()), Access::READ_OK) {
                Ok(()) => self.files.push(found),
                Err(error) => self.skip(found.path, &error.into()),
            }
        }
    }

    fn refuse(&mut self, path: TreePath, reason: &str) {
        self.skipped.push(Skipped { path, reason: reason.to_owned() });
    }

    /// What has vanished since its folder was read is simply not there.
    fn skip(&mut self, path: TreePath, error: &std::io::Error) {
        if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) {
            self.skipped.push(Skipped { path, reason: format!("it cannot be read: {error}") });
        }
    }
}
