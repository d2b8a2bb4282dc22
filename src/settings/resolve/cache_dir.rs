//! Where CACHE_DIR may not be.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::{Origin, Resolver};
use crate::storage;

impl Resolver<'_> {
    /// Git is told to ignore what lies in it, and none of that is evidence: a workspace in it would have no work at all, and
    /// what is done in a folder of the project would be seen by nobody.
    pub(super) fn cache_dir(&mut self, workspace: &Path) -> PathBuf {
        let named = self.raw("cacheDir").map(|raw| raw.origin);
        let path = self.path("cacheDir").unwrap_or_else(|| workspace.join(".cache/kanban-codex-exec"));
        let real = real(&path);
        let (shown, whole) = (path.display(), workspace.display());
        let wrong = if workspace == real {
            format!("CACHE_DIR {shown} is the workspace {whole}: nothing done in it would count as work")
        } else if workspace.starts_with(&real) {
            format!("CACHE_DIR {shown} holds the workspace {whole}: nothing done in it would count as work")
        } else if named.is_some() && real.starts_with(workspace) && has_other_content(&real) {
            format!("CACHE_DIR {shown} is a folder of the project: nothing done in it would count as work")
        } else {
            return path;
        };
        let origin = named.unwrap_or(Origin::Flag("cache-dir"));
        let hint = "name a folder of its own, in the workspace or elsewhere, or none for the default";
        self.problem(&origin, wrong, hint);
        path
    }
}

/// Whether something is there that no run left: one makes `.gitignore` first.
fn has_other_content(folder: &Path) -> bool {
    let ours = storage::read(folder.join(".gitignore")).is_ok_and(|text| text == b"*\n")
        || ["board", "journal.jsonl", "attempts", "inputs"].iter().any(|name| folder.join(name).exists());
    // A killed run can have left what it was about to rename; a volume of its own has the other.
    let counts = |name: &str| !name.starts_with(".kanban-codex-exec-") && name != "lost+found";
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    !ours && entries.into_iter().any(|entry| counts(&entry.file_name().to_string_lossy()))
}

/// Its one name; of what isn't there yet, the name that it will have.
pub fn real(path: &Path) -> PathBuf {
    let there = path.ancestors().find_map(|folder| Some((folder, folder.canonicalize().ok()?)));
    let Some((folder, real)) = there else { return path.to_owned() };
    let rest = path.strip_prefix(folder).unwrap_or(Path::new("")).components();
    rest.fold(real, |real, part| match part {
        Component::ParentDir => real.parent().map(Path::to_owned).unwrap_or(real),
        part => real.join(part),
    })
}
