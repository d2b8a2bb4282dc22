//! Which paths are no part of a tree: the ignore rules as they were before an attempt.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use serde::{Deserialize, Serialize};

use super::repository::{Repository, small_file};
use super::trees::patterns;
use super::{Aside, TreePath};

/// What the tree before an attempt left out. The tree after it leaves out the same, so that an agent who edits a
/// `.gitignore` neither hides its work nor makes old files look new. Kept with the attempt, for a recovery.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IgnoreRules {
    /// From above the workspace, weakest first: `info/exclude`, then the `.gitignore`s from the repository's top down.
    pub(super) above: Vec<Patterns>,
    /// The `.gitignore`s of the workspace.
    pub(super) within: Vec<Patterns>,
    /// Ignored, but tracked by the user's index all the same, or named by a guard: these are in.
    pub(super) tracked: Vec<TreePath>,
    /// Excluded or unreadable then: what was there can't be told from what is new.
    pub(super) left_out: BTreeSet<TreePath>,
    /// What no tree could hold of what was there.
    #[serde(default)]
    pub aside: Aside,
}

/// One file of patterns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Patterns {
    /// Within: the file's folder. Above: the path from the file's folder down to the workspace.
    pub folder: TreePath,
    pub text: String,
}

/// Whether git's rules keep all that is in the workspace's top folder out of trees, and new files there and in its folders.
/// What is tracked is in trees all the same. `excluded` files are passed over.
pub fn ignores_all(workspace: &Path, excluded: &[PathBuf]) -> bool {
    let top = TreePath::default();
    let above = Level::above(&IgnoreRules::above(Repository::of(workspace).as_ref(), workspace));
    let level = match patterns(workspace, &top) {
        Some(text) => Some(Level::within(&top, &text, above)),
        None => above,
    };
    let out = |path: &TreePath, is_folder| ignored(level.as_ref(), path, is_folder);
    let wholly_out = |name: &OsStr, is_folder| {
        let path = top.join(name);
        out(&path, is_folder) || is_folder && out(&path.join(NEW.as_ref()), false)
    };
    let entries = fs::read_dir(workspace).into_iter().flatten().flatten();
    let mut counted = entries.filter(|entry| {
        let name = entry.file_name();
        name != ".git" && name != ".gitignore" && !excluded.contains(&entry.path())
    });
    wholly_out(NEW.as_ref(), false)
        && wholly_out(NEW.as_ref(), true)
        && counted.all(|entry| wholly_out(&entry.file_name(), entry.file_type().is_ok_and(|kind| kind.is_dir())))
}

/// The folders above that would have what this workspace holds in their trees, were one of them a workspace.
pub fn seen_from(workspace: &Path) -> Vec<PathBuf> {
    let sees = |above: &Path| {
        let Some(inside) = TreePath::below(above, workspace).filter(TreePath::can_be_held) else { return false };
        let outer = Level::above(&IgnoreRules::above(Repository::of(above).as_ref(), above));
        let mut on_the_way =
            [TreePath::default()].into_iter().chain(inside.folders()).zip(inside.folders().chain([inside.clone()]));
        let seen = on_the_way.try_fold(outer, |outer, (folder, next)| {
            let level = match patterns(above, &folder) {
                Some(text) => Some(Level::within(&folder, &text, outer)),
                None => outer,
            };
            (!ignored(level.as_ref(), &next, true)).then_some(level)
        });
        seen.is_some()
    };
    workspace.ancestors().skip(1).filter(|above| sees(above)).map(Path::to_owned).collect()
}

/// A name that only patterns for all files know.
const NEW: &str = "new";

impl IgnoreRules {
    /// What stands above the workspace.
    pub(super) fn above(repository: Option<&Repository>, workspace: &Path) -> Vec<Patterns> {
        let Some(repository) = repository else { return Vec::new() };
        let mut files = vec![(repository.top.as_path(), repository.common.join("info/exclude"))];
        let mut folders: Vec<&Path> = workspace.ancestors().skip(1).collect();
        folders.retain(|folder| folder.starts_with(&repository.top));
        files.extend(folders.into_iter().rev().map(|folder| (folder, folder.join(".gitignore"))));
        let read = |(folder, file): (&Path, PathBuf)| {
            Some(Patterns { folder: TreePath::below(folder, workspace)?, text: small_file(&file)? })
        };
        files.into_iter().filter_map(read).collect()
    }

    pub(super) fn by_folder(&self) -> HashMap<&TreePath, &str> {
        self.within.iter().map(|patterns| (&patterns.folder, patterns.text.as_str())).collect()
    }
}

/// Compiled patterns, and the weaker ones behind them.
pub(super) struct Level {
    matcher: Gitignore,
    place: Place,
    outer: Option<Arc<Level>>,
}

/// Where the file of patterns stands.
enum Place {
    /// This many bytes of a path are its folder and a slash.
    Within(usize),
    /// This leads from its folder down to the workspace.
    Above(TreePath),
}

impl Level {
    pub fn above(patterns: &[Patterns]) -> Option<Arc<Level>> {
        patterns.iter().fold(None, |outer, patterns| {
            let place = Place::Above(patterns.folder.clone());
            Some(Arc::new(Level { matcher: compile(&patterns.text), place, outer }))
        })
    }

    pub fn within(folder: &TreePath, text: &str, outer: Option<Arc<Level>>) -> Arc<Level> {
        let length = folder.as_bytes().len();
        let place = Place::Within(if length == 0 { 0 } else { length + 1 });
        Arc::new(Level { matcher: compile(text), place, outer })
    }

    fn matched(&self, path: &TreePath, is_folder: bool) -> Match<()> {
        let matched = match &self.place {
            Place::Within(length) => {
                let relative = OsStr::from_bytes(path.as_bytes().get(*length..).unwrap_or_default());
                self.matcher.matched(Path::new(relative), is_folder)
            }
            Place::Above(folder) => self.matcher.matched(folder.join(path.as_path().as_os_str()).as_path(), is_folder),
        };
        matched.map(|_| ())
    }
}

/// The nearest file of patterns that knows the path decides, as in git.
pub(super) fn ignored(level: Option<&Arc<Level>>, path: &TreePath, is_folder: bool) -> bool {
    let mut level = level;
    while let Some(current) = level {
        match current.matched(path, is_folder) {
            Match::Ignore(()) => return true,
            Match::Whitelist(()) => return false,
            Match::None => level = current.outer.as_ref(),
        }
    }
    false
}

/// A line that is no pattern is passed over, as git does.
fn compile(text: &str) -> Gitignore {
    let mut builder = GitignoreBuilder::new(".");
    for line in text.strip_prefix('\u{feff}').unwrap_or(text).lines() {
        builder.add_line(None, line).ok();
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}
