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
        let whole = workspace.display();
        let wrong = if workspace == real {
            format!("is the workspace {whole}")
        } else if workspace.starts_with(&real) {
            format!("holds the workspace {whole}")
        } else if named.is_some() && real.starts_with(workspace) && has_other_content(&real) {
            "is a folder of the project".to_owned()
        } else {
            return path;
        };
        let text = format!("CACHE_DIR {} {wrong}: nothing done in it would count as work", path.display());
        let origin = named.unwrap_or(Origin::Flag("cache-dir"));
        self.problem(&origin, text, "name a folder of its own, in the workspace or elsewhere, or none for the default");
        path
    }
}

/// Whether something is there that no run left: one makes `.gitignore` first.
fn has_other_content(folder: &Path) -> bool {
    let ours = storage::read(folder.join(".gitignore")).is_ok_and(|text| text == b"*\n")
        || ["board", "journal.jsonl", "attempts", "inputs"].iter().any(|name| folder.join(name).exists());
    // A killed run can have left what it was about to rename; a volume of its own has the other.
    let counts = |name: &str| !name.starts_with(storage::TEMPORARY_PREFIX) && name != "lost+found";
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
