//! Files of the workspace, put as git knows them. Git knows of a file whether it may be executed and whether it is a symlink.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{Writer, effect, sha256, sync};

const LINK: u32 = 0o120_000;
const FILE: u32 = 0o100_644;
const EXECUTABLE: u32 = 0o100_755;

impl Writer {
    /// Puts a file in its place, atomically and durably, or where `mode` is a symlink's one whose target is `bytes`. Without
    /// `permissions` what an existing file's say beside that is kept. `still` is asked last; false where it says no.
    pub fn put(
        &self,
        path: &Path,
        mode: u32,
        permissions: Option<u32>,
        bytes: &[u8],
        still: impl FnOnce() -> bool,
    ) -> Result<bool> {
        self.allow(path)?;
        let staged = staged(path);
        let put = || -> Result<bool> {
            let folder = path.parent().unwrap_or(Path::new("."));
            effect("mkdir", folder, || fs::create_dir_all(folder))?;
            stage(&staged, path, mode, permissions, bytes)?;
            if !still() {
                self.remove(&staged)?;
                return Ok(false);
            }
            // An empty folder is nothing to lose.
            if fs::symlink_metadata(path).is_ok_and(|data| data.is_dir()) {
                effect("rmdir", path, || fs::remove_dir(path))?;
            }
            effect("rename", path, || fs::rename(&staged, path))?;
            sync(folder)?;
            Ok(true)
        };
        put().map_err(|error| {
            self.remove(&staged).ok();
            error.context(format!("cannot put {} in its place", path.display()))
        })
    }

    /// Puts a new file in its place; false where something stands there already.
    pub fn add(&self, path: &Path, bytes: &[u8]) -> Result<bool> {
        let free = || fs::symlink_metadata(path).is_err();
        if free() { self.put(path, FILE, None, bytes, free) } else { Ok(false) }
    }

    /// Puts a file in its place that can be made again, whatever stood there.
    pub fn reproduce(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        self.put(path, FILE, None, bytes, || true).map(drop)
    }

    /// Creates a folder of the user's and what is missing above it.
    pub fn open_folder(&self, folder: &Path) -> Result<()> {
        self.allow(folder)?;
        let created = effect("mkdir", folder, || fs::create_dir_all(folder));
        created.with_context(|| format!("cannot create the folder {}", folder.display()))
    }

    /// Creates a folder of the user's that was there, and what is missing above it. Its owner can put files into it.
    pub fn put_folder(&self, folder: &Path, permissions: u32) -> Result<()> {
        self.open_folder(folder)?;
        let permissions = Permissions::from_mode(permissions | 0o700);
        let changed = effect("chmod", folder, || fs::set_permissions(folder, permissions));
        changed.with_context(|| format!("cannot set the permissions of {}", folder.display()))
    }

    /// Removes a file of the workspace `top`, if it is there, and the folders above it that are empty without it.
    pub fn take(&self, path: &Path, top: &Path) -> Result<()> {
        if fs::symlink_metadata(path).is_ok_and(|data| !data.is_dir()) {
            self.remove(path)?;
        }
        let folders = path.ancestors().skip(1).take_while(|folder| *folder != top && folder.starts_with(top));
        for folder in folders {
            match effect("rmdir", folder, || fs::remove_dir(folder)) {
                Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => break,
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove {}", folder.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes what a [`Writer::put`] that was killed left beside `path`.
    pub fn unstage(&self, path: &Path) -> Result<()> {
        self.remove(&staged(path))
    }
}

/// Of the same name each time, so that a repetition finds what a kill left.
fn staged(path: &Path) -> PathBuf {
    let name = path.file_name().map(OsStr::as_bytes).unwrap_or_default();
    path.with_file_name(format!(".kanban-codex-exec-{}", &sha256(name)[..16]))
}

fn stage(staged: &Path, path: &Path, mode: u32, permissions: Option<u32>, bytes: &[u8]) -> io::Result<()> {
    if mode == LINK {
        return effect("symlink", path, || symlink(OsStr::from_bytes(bytes), staged));
    }
    let executable = mode == EXECUTABLE;
    let new = if executable { 0o777 } else { 0o666 };
    let old =
        fs::symlink_metadata(path).ok().filter(|data| data.is_file()).map(|data| data.permissions().mode() & 0o777);
    let kept = old.map(|old| if executable { old | (old & 0o444) >> 2 } else { old & !0o111 });
    let permissions = permissions.or(kept);
    let mut options = OpenOptions::new();
    // Nobody else reads it meanwhile.
    options.write(true).create_new(true).mode(permissions.map_or(new, |permissions| permissions & new | 0o200));
    let mut file = effect("create", path, || options.open(staged))?;
    if let Some(permissions) = permissions {
        file.set_permissions(Permissions::from_mode(permissions))?;
    }
    effect("write", path, || file.write_all(bytes))?;
    effect("sync", path, || file.sync_all())
}
