//! Artifacts: what the changed files were when a card passed, and whether they still are.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::walk::LARGEST;
use super::{ChangedFile, TreePath};
use crate::storage::{self, sha256};

/// A changed file as an attempt left it.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Artifact {
    pub path: TreePath,
    /// Of the bytes, or of a symlink's target; None where the file was deleted.
    pub sha256: Option<String>,
}

pub fn artifacts<'c>(files: impl Iterator<Item = &'c ChangedFile>) -> Vec<Artifact> {
    files.map(|file| Artifact { path: file.path.clone(), sha256: file.sha256.clone() }).collect()
}

/// Whether every artifact is still as recorded. What can't be read, or lies behind a symlink, is not.
pub fn artifacts_unchanged(workspace: &Path, artifacts: &[Artifact]) -> bool {
    artifacts.iter().all(|artifact| unchanged(workspace, artifact))
}

fn unchanged(workspace: &Path, artifact: &Artifact) -> bool {
    if !artifact.path.stays_inside() {
        return false;
    }
    let real = |folder: TreePath| match fs::symlink_metadata(workspace.join(folder.as_path())) {
        Ok(data) => !data.is_symlink(),
        Err(_) => true,
    };
    let path = workspace.join(artifact.path.as_path());
    let now = match fs::symlink_metadata(&path) {
        Ok(data) if data.is_symlink() => fs::read_link(&path).ok().map(|target| sha256(target.as_os_str().as_bytes())),
        Ok(data) if data.is_file() && data.len() <= LARGEST => storage::read(&path).ok().map(|bytes| sha256(&bytes)),
        // A folder or the like in its place: the file itself is gone, as it was when a deletion was recorded.
        Ok(data) if data.is_dir() => return artifact.sha256.is_none(),
        Ok(_) => return false,
        Err(error) if is_absent(&error) => return artifact.sha256.is_none(),
        Err(_) => return false,
    };
    now.is_some() && now == artifact.sha256 && artifact.path.folders().all(real)
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}
