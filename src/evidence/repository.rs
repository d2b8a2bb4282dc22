//! The user's repository, found by reading: no git runs under its configuration.

use std::fs;
use std::path::{Path, PathBuf};

use super::TreePath;

use crate::storage;

/// The repository that a workspace lies in.
#[derive(Debug)]
pub(super) struct Repository {
    /// The folder that holds `.git`.
    pub top: PathBuf,
    /// `.git`, or what its file names: a linked worktree has its own.
    pub folder: PathBuf,
    /// Shared by the worktrees of a repository: objects, `info/exclude`, configuration.
    pub common: PathBuf,
}

impl Repository {
    pub fn of(workspace: &Path) -> Option<Repository> {
        workspace.ancestors().find_map(|top| {
            let folder = git_folder(top)?;
            folder.join("HEAD").symlink_metadata().ok()?;
            let common = match small_file(&folder.join("commondir")) {
                Some(text) => folder.join(text.trim_end()),
                None => folder.clone(),
            };
            Some(Repository { top: top.to_owned(), folder, common })
        })
    }

    /// A path from the top, as one from the workspace; None where it is beside that.
    pub fn inside(&self, path: TreePath, workspace: &Path) -> Option<TreePath> {
        match self.top == workspace {
            true => Some(path),
            false => TreePath::below(workspace, &self.top.join(path.as_path())),
        }
    }

    /// The commit that is checked out; None where there is none yet, or where its name is kept in a way that is not read here.
    pub fn head(&self) -> Option<String> {
        let head = small_file(&self.folder.join("HEAD"))?;
        let Some(name) = head.strip_prefix("ref:").map(str::trim) else { return Some(head.trim().to_owned()) };
        if let Some(commit) = small_file(&self.common.join(name)) {
            return Some(commit.trim().to_owned());
        }
        let packed = storage::read_to_string(self.common.join("packed-refs")).ok()?;
        let named = packed.lines().filter_map(|line| line.split_once(' ')).find(|(_, found)| *found == name);
        named.map(|(commit, _)| commit.to_owned())
    }

    /// Whether its objects are named by SHA-256.
    pub fn sha256(&self) -> bool {
        self.says("objectformat", "sha256")
    }

    /// Whether the file system tells which files may be executed; Windows' own don't.
    pub fn knows_modes(&self) -> bool {
        !self.says("filemode", "false")
    }

    /// Whether branches are files that can be read here.
    pub fn has_plain_refs(&self) -> bool {
        !self.says("refstorage", "reftable")
    }

    /// Of its own configuration.
    fn says(&self, key: &str, value: &str) -> bool {
        let config = small_file(&self.common.join("config")).unwrap_or_default();
        config.lines().filter_map(|line| line.split_once('=')).any(|(name, said)| {
            name.trim().eq_ignore_ascii_case(key) && said.trim().trim_matches('"').eq_ignore_ascii_case(value)
        })
    }
}

fn git_folder(top: &Path) -> Option<PathBuf> {
    let dot_git = top.join(".git");
    if dot_git.is_dir() {
        return Some(dot_git);
    }
    let text = small_file(&dot_git)?;
    Some(top.join(text.strip_prefix("gitdir:")?.trim()))
}

/// The text of a plain file of at most 1 MiB; of what is not UTF-8, what can be read. A pipe would block for ever.
pub(super) fn small_file(path: &Path) -> Option<String> {
    let data = fs::symlink_metadata(path).ok()?;
    if !data.is_file() || data.len() > 1 << 20 {
        return None;
    }
    storage::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}
