//! Finds the files of a tree.

use std::ffi::{CStr, OsStr};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use rustix::fs::{Access, AtFlags, Dir, FileType, Mode, OFlags, Stat, access, open, statat};
use rustix::io::Errno;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ignored::{Level, Patterns, ignored};
use super::spread::{Done, spread};
use super::{Blob, TreePath};
use crate::storage::Stamp;

/// Bytes beyond which a file is left out of trees: 64 MiB.
pub(super) const LARGEST: u64 = 64 << 20;

/// Git's mode of a symlink.
pub(super) const LINK: u32 = 0o120_000;

/// Git knows of a file whether it is a symlink and whether its owner may execute it.
pub(super) fn mode(link: bool, executable: bool) -> u32 {
    match (link, executable) {
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
    /// What git does not know of it.
    pub permissions: u32,
    pub stamp: Stamp,
    /// What it holds, where that is remembered.
    pub blob: Option<Blob>,
}

#[derive(Debug, Default)]
pub(super) struct Walked {
    /// Ordered by path.
    pub files: Vec<Found>,
    pub skipped: Vec<Skipped>,
    /// Those of them that are larger than [`LARGEST`].
    pub large: Vec<(TreePath, Stamp)>,
    /// Folders that are empty or closed to others, and their permissions. Ordered by path.
    pub folders: Vec<(TreePath, u32)>,
    /// The `.gitignore`s that held, the outermost first.
    pub patterns: Vec<Patterns>,
    /// A pipe or the like where git reads attributes: gits before 2.41 would wait for it for ever.
    pub blocking: Option<TreePath>,
}

/// All files and symlinks below `workspace`, nested repositories included, `.git` never. `left_out` is given a path and
/// whether it is a folder, and says that it is passed over with all that is below it; `patterns` gives the text of a folder's
/// `.gitignore`, and is told whether the folder has one.
///
/// # Errors
/// Only where the workspace itself can't be read.
pub(super) fn walk(
    workspace: &Path,
    above: Option<Arc<Level>>,
    left_out: impl Fn(&TreePath, bool) -> bool + Sync,
    patterns: impl Fn(&TreePath, bool) -> Option<String> + Sync,
) -> Result<Walked> {
    fs::read_dir(workspace).with_context(|| format!("cannot read the workspace {}", workspace.display()))?;
    let mut looked = spread((TreePath::default(), above), |(folder, outer)| {
        let mut inside = Folder::default();
        let level = inside.look(workspace, &folder, outer, &left_out, &patterns);
        let folders = inside.folders.iter().map(|(_, folder)| (folder.clone(), level.clone())).collect();
        (inside, folders)
    });
    let mut walked = Walked::default();
    walked.gather(0, &mut looked);
    walked.skipped.sort_by(|a, b| a.path.cmp(&b.path));
    walked.folders.sort_unstable();
    Ok(walked)
}

/// What a folder holds.
#[derive(Debug, Default)]
struct Folder {
    own: Walked,
    /// In order, each with the number of files that come before it.
    folders: Vec<(usize, TreePath)>,
}

impl Folder {
    /// Gives the rules that hold inside.
    fn look(
        &mut self,
        workspace: &Path,
        folder: &TreePath,
        outer: Option<Arc<Level>>,
        left_out: impl Fn(&TreePath, bool) -> bool,
        patterns: impl Fn(&TreePath, bool) -> Option<String>,
    ) -> Option<Arc<Level>> {
        // What took its place since it was found is not followed.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = open(workspace.join(folder.as_path()), flags, Mode::empty()).and_then(Dir::new);
        let mut opened = match opened {
            Ok(opened) => opened,
            Err(error) => {
                self.own.skip(folder.clone(), error);
                return outer;
            }
        };
        let mut entries = Vec::new();
        while let Some(entry) = opened.read() {
            match entry {
                Ok(entry) => entries.push(entry),
                Err(error) => self.own.skip(folder.clone(), error),
            }
        }
        self.own.folder(folder, opened.stat().ok(), entries.iter().all(|entry| DOTS.contains(&entry.file_name())));
        let text = patterns(folder, entries.iter().any(|entry| entry.file_name() == c".gitignore"));
        let level = match &text {
            Some(text) => Some(Level::within(folder, text, outer)),
            None => outer,
        };
        self.own.patterns.extend(text.map(|text| Patterns { folder: folder.clone(), text }));
        let mut folders = Vec::new();
        for entry in entries.iter().filter(|entry| !PASSED.contains(&entry.file_name())) {
            let (name, told) = (entry.file_name(), entry.file_type());
            let path = folder.join(OsStr::from_bytes(name.to_bytes()));
            let out = |is_folder| left_out(&path, is_folder) || ignored(level.as_ref(), &path, is_folder);
            // What is ignored is not looked at, as far as its kind is told.
            if told != FileType::Unknown && out(told == FileType::Directory) {
                continue;
            }
            let look = || statat(opened.fd()?, name, AtFlags::SYMLINK_NOFOLLOW);
            let stat = match (told != FileType::Directory).then(look).transpose() {
                Ok(stat) => stat,
                Err(error) => {
                    self.own.skip(folder.clone(), error);
                    continue;
                }
            };
            match stat.filter(|stat| !is_folder(stat)) {
                Some(_) if told == FileType::Unknown && out(false) => {}
                Some(stat) => self.own.file(path, &stat),
                None if told != FileType::Directory && out(true) => {}
                None if name.to_bytes().eq_ignore_ascii_case(b".git") => self.own.refuse(path, UNNAMEABLE),
                None => folders.push(path),
            }
        }
        self.own.files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        // A folder's files all begin with its name and a slash.
        let name = |folder: &TreePath| [folder.as_bytes(), b"/"].concat();
        folders.sort_by_cached_key(name);
        let place = |name: &[u8]| self.own.files.partition_point(|found| found.path.as_bytes() < name);
        self.folders = folders.into_iter().map(|folder| (place(&name(&folder)), folder)).collect();
        level
    }
}

const DOTS: [&CStr; 2] = [c".", c".."];
/// What is no part of a tree wherever it stands.
const PASSED: [&CStr; 3] = [c".", c"..", c".git"];
/// What group and others may do with most folders.
const OPEN: u32 = 0o055;

pub(super) fn is_folder(stat: &Stat) -> bool {
    kind(stat) == FileType::Directory
}

fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

fn permissions(stat: &Stat) -> u32 {
    Mode::from_raw_mode(stat.st_mode).bits()
}

const TOO_LARGE: &str = "it is larger than 64 MiB";
const UNNAMEABLE: &str = "git can hold no file of this name";

impl Walked {
    /// Takes a path in that is no folder, or says why not.
    pub fn file(&mut self, path: TreePath, stat: &Stat) {
        let name = path.name();
        let link = kind(stat) == FileType::Symlink;
        if name.eq_ignore_ascii_case(b".git") || link && name.eq_ignore_ascii_case(b".gitmodules") {
            self.refuse(path, UNNAMEABLE);
        } else if !link && kind(stat) != FileType::RegularFile {
            if name == b".gitattributes" {
                self.blocking = Some(path.clone());
            }
            self.refuse(path, "it is a pipe, a socket or a device");
        } else if stat.st_size.cast_unsigned() > LARGEST {
            self.large.push((path.clone(), Stamp::from(stat)));
            self.refuse(path, TOO_LARGE);
        } else {
            let mode = mode(link, Mode::from_raw_mode(stat.st_mode).contains(Mode::XUSR));
            self.files.push(Found { path, mode, permissions: permissions(stat), stamp: Stamp::from(stat), blob: None });
        }
    }

    fn folder(&mut self, path: &TreePath, stat: Option<Stat>, empty: bool) {
        let noted = stat.map(|stat| permissions(&stat)).filter(|permissions| empty || permissions & OPEN != OPEN);
        if let Some(permissions) = noted.filter(|_| *path != TreePath::default()) {
            self.folders.push((path.clone(), permissions));
        }
    }

    /// Passes over what can't be read. What is remembered was read as it is.
    pub fn readable(&mut self, workspace: &Path) {
        let unreadable = |found: &mut Found| match found.mode == LINK || found.blob.is_some() {
            true => None,
            false => access(workspace.join(found.path.as_path()), Access::READ_OK).err(),
        };
        let mut errors = Vec::new();
        self.files.retain_mut(|found| {
            let error = unreadable(found);
            errors.extend(error.map(|error| (found.path.clone(), error)));
            error.is_none()
        });
        errors.into_iter().for_each(|(path, error)| self.skip(path, error));
    }

    fn refuse(&mut self, path: TreePath, reason: &str) {
        self.skipped.push(Skipped { path, reason: reason.to_owned() });
    }

    /// Says which of these large files, each with its stamp, are no longer as they were.
    pub fn miss(&mut self, workspace: &Path, large: &[(TreePath, String)]) {
        for (path, then) in large {
            let reason = match Stamp::of(&workspace.join(path.as_path())) {
                Some(now) if now.to_string() == *then => continue,
                Some(_) => "it was changed",
                None => "it was removed",
            };
            self.refuse(path.clone(), &format!("{TOO_LARGE}, and {reason}"));
        }
    }

    /// What has vanished since its folder was read is simply not there.
    fn skip(&mut self, path: TreePath, error: Errno) {
        if !matches!(error, Errno::NOENT | Errno::NOTDIR | Errno::LOOP) {
            let error = std::io::Error::from(error);
            self.skipped.push(Skipped { path, reason: format!("it cannot be read: {error}") });
        }
    }

    /// Takes a folder in with all that is below it.
    fn gather(&mut self, place: usize, looked: &mut [Done<Folder>]) {
        let Some((Folder { own, folders }, inside)) = looked.get_mut(place).map(std::mem::take) else { return };
        self.skipped.extend(own.skipped);
        self.large.extend(own.large);
        self.folders.extend(own.folders);
        self.patterns.extend(own.patterns);
        self.blocking = own.blocking.or(self.blocking.take());
        let (mut files, mut taken) = (own.files.into_iter(), 0);
        for ((before, _), place) in folders.into_iter().zip(inside) {
            self.files.extend(files.by_ref().take(before - taken));
            taken = before;
            self.gather(place, looked);
        }
        self.files.extend(files);
    }
}
