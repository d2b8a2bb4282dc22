//! Where CACHE_DIR may not be.

use std::path::{Component, Path, PathBuf};

use super::{Origin, Resolver};

impl Resolver<'_> {
    /// Git is told to ignore what lies in it, and none of that is evidence: a workspace in it would have no work at all.
    pub(super) fn cache_dir(&mut self, workspace: &Path) -> PathBuf {
        let path = self.path("cacheDir").unwrap_or_else(|| workspace.join(".cache/kanban-codex-exec"));
        let real = real(&path);
        if workspace.starts_with(&real) {
            let origin = self.raw("cacheDir").map_or(Origin::Flag("cache-dir"), |raw| raw.origin);
            let is = if workspace == real { "is" } else { "holds" };
            let (shown, workspace) = (path.display(), workspace.display());
            let text =
                format!("CACHE_DIR {shown} {is} the workspace {workspace}: nothing done in it would count as work");
            self.problem(
                &origin,
                text,
                "name a folder of its own, in the workspace or elsewhere, or none for the default",
            );
        }
        path
    }
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
