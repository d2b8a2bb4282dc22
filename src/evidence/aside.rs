//! What git does not keep of a workspace, as it was before an attempt: permissions, empty folders, and files that are too
//! large. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::TreePath;
use super::walk::{LINK, Walked};

/// Kept with the attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aside {
    /// The permissions that most files of a mode have.
    usual: BTreeMap<u32, u32>,
    /// Those of the other files.
    files: Vec<(TreePath, u32)>,
    /// Those of folders that are empty, or closed to others; the outermost first.
    pub(super) folders: Vec<(TreePath, u32)>,
    /// Files that are larger than a tree may hold, each with its stamp.
    pub(super) large: Vec<(TreePath, String)>,
}

impl Aside {
    pub(super) fn of(walked: &Walked) -> Aside {
        let mut counts: BTreeMap<(u32, u32), usize> = BTreeMap::new();
        let files = || walked.files.iter().filter(|found| found.mode != LINK);
        for found in files() {
            *counts.entry((found.mode, found.permissions)).or_default() += 1;
        }
        let mut usual: BTreeMap<u32, u32> = BTreeMap::new();
        for ((mode, permissions), count) in &counts {
            let most = usual.get(mode).and_then(|most| counts.get(&(*mode, *most))).copied().unwrap_or_default();
            if *count > most {
                usual.insert(*mode, *permissions);
            }
        }
        let others = files().filter(|found| usual.get(&found.mode) != Some(&found.permissions));
        let files = others.map(|found| (found.path.clone(), found.permissions)).collect();
        // One that is tracked was met twice.
        let large: BTreeMap<&TreePath, String> =
            walked.large.iter().map(|(path, stamp)| (path, stamp.to_string())).collect();
        let large = large.into_iter().map(|(path, stamp)| (path.clone(), stamp)).collect();
        Aside { usual, files, folders: walked.folders.clone(), large }
    }

    /// The permissions of a file that was there, of which git knew this mode.
    pub(super) fn permissions(&self, path: &TreePath, mode: u32) -> Option<u32> {
        let own = self.files.binary_search_by(|(known, _)| known.cmp(path)).ok().and_then(|at| self.files.get(at));
        own.map(|(_, permissions)| *permissions).or_else(|| self.usual.get(&mode).copied())
    }
}
