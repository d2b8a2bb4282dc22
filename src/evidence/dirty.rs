//! What of a workspace is not committed in the user's repository.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use anyhow::Result;

use super::git::names;
use super::ignored::{IgnoreRules, Level};
use super::listing::GITLINK;
use super::objects::{Kind, name};
use super::repository::Repository;
use super::saved::text;
use super::trees::patterns;
use super::walk::{Found, LINK, mode, walk};
use super::{Blob, Change, Id, TreePath, Trees};

use crate::storage;

/// Git would run under their own configurations.
const SUBMODULES: &str = "--ignore-submodules=all";

impl Trees {
    /// Paths in the workspace that differ from the index, or the index from the commit that is checked out, and those that
    /// git does not know. None outside a repository. Not what is never in a tree. Read under the private configuration.
    pub fn uncommitted(&self) -> Result<Option<BTreeSet<TreePath>>> {
        let Some(repository) = Repository::of(&self.workspace) else { return Ok(None) };
        let has_index = repository.folder.join("index").exists();
        let tracked = self.tracked(&repository)?;
        let (workspace, excluded) = (&self.workspace, &self.excluded);
        let here = |path| repository.inside(path, workspace);
        let mut paths = BTreeSet::new();
        match repository.head() {
            Some(commit) if has_index => {
                let staged = ["diff-index", "--cached", "--name-only", "--no-renames", SUBMODULES, "-z", &commit];
                paths.extend(names(&self.saved().ask_index(&staged, &repository)?).filter_map(here));
            }
            None if !repository.has_plain_refs() => {}
            Some(_) | None => paths.extend(tracked.iter().map(|(path, _)| path.clone())),
        }
        let above = IgnoreRules::above(Some(&repository), workspace);
        let patterns = |folder: &TreePath, there: bool| there.then(|| patterns(workspace, folder)).flatten();
        let nested = |path: &TreePath| fs::symlink_metadata(workspace.join(path.as_path()).join(".git")).is_ok();
        let passed = |path: &TreePath, is_folder| excluded.contains(path) || is_folder && nested(path);
        let mut files = walk(workspace, Level::above(&above), passed, patterns)?.files;
        self.remembered(&mut files)?;
        let (unknown, doubtful) = beside(&tracked, files);
        paths.extend(unknown);
        if !doubtful.is_empty() {
            paths.extend(self.saved().differing_files(&doubtful, &repository)?.filter_map(here));
        }
        paths.retain(|path| !path.folders().chain([path.clone()]).any(|part| excluded.contains(&part)));
        Ok(Some(paths))
    }
}

/// The files that are not tracked, and the tracked paths that are not known to be as they are tracked. Both lists are ordered
/// by path.
fn beside(tracked: &[(TreePath, Blob)], files: Vec<Found>) -> (Vec<TreePath>, Vec<&TreePath>) {
    let (mut unknown, mut doubtful) = (Vec::new(), Vec::new());
    let mut tracked = tracked.iter().peekable();
    for found in files {
        doubtful.extend(std::iter::from_fn(|| tracked.next_if(|(path, _)| *path < found.path)).map(|(path, _)| path));
        let mut known = false;
        while let Some((path, blob)) = tracked.next_if(|(path, _)| *path == found.path) {
            known = true;
            doubtful.extend((found.blob != Some(*blob)).then_some(path));
        }
        unknown.extend((!known).then_some(found.path));
    }
    doubtful.extend(tracked.map(|(path, _)| path));
    (unknown, doubtful)
}

/// So many paths are asked for by name, rather than all.
const FEW: usize = 32;

impl super::SavedTrees {
    /// What git says of the user's index, in paths from `repository`'s top.
    fn ask_index(&self, args: &[&str], repository: &Repository) -> Result<Vec<u8>> {
        let top = ("GIT_WORK_TREE", repository.top.as_os_str());
        self.run_at(args, Some(&repository.folder.join("index")), Some(top), b"")
    }

    /// Those of the files, or of all, that are not as the index has them. To git, one that was only touched is one of them until
    /// it has written the index anew, which is the user's.
    fn differing_files(
        &self,
        doubtful: &[&TreePath],
        repository: &Repository,
    ) -> Result<impl Iterator<Item = TreePath>> {
        let named =
            doubtful.iter().map(|path| str::from_utf8(path.as_bytes()).ok().map(|path| format!(":(literal){path}")));
        let named = named.collect::<Option<Vec<String>>>().filter(|named| named.len() <= FEW).unwrap_or_default();
        let mut args = vec!["diff-files", "--raw", "--no-abbrev", SUBMODULES, "-z", "--"];
        args.extend(named.iter().map(String::as_str));
        let raw = self.ask_index(&args, repository)?;
        let modes = repository.knows_modes();
        let plain = |blob: &Blob| [false, true].map(|executable| mode(false, executable)).contains(&blob.mode);
        let differs = |Change { path, before, after }: &Change| match (before, after) {
            (Some(index), Some(now)) if index.mode == now.mode || !modes && plain(index) && plain(now) => {
                !holds(&repository.top.join(path.as_path()), index)
            }
            _ => true,
        };
        Ok(changes(&raw).filter(differs).map(|change| change.path).collect::<Vec<_>>().into_iter())
    }
}

/// Whether what stands there is what the index has. Line ends may be those of another system: by which settings git takes
/// them for the same is not read here.
fn holds(place: &Path, index: &Blob) -> bool {
    let bytes = match index.mode {
        LINK => fs::read_link(place).map(|target| target.into_os_string().into_vec()),
        _ => storage::read(place),
    };
    let is = |bytes: &[u8]| name(Kind::Blob, bytes, index.id.digits()) == index.id;
    bytes.is_ok_and(|bytes| is(&bytes) || index.mode != LINK && is(&with_line_feeds(&bytes)))
}

/// Without the CR before each LF.
fn with_line_feeds(bytes: &[u8]) -> Vec<u8> {
    let followed = |at: usize| bytes.get(at + 1) == Some(&b'\n');
    bytes.iter().enumerate().filter(|(at, byte)| **byte != b'\r' || !followed(*at)).map(|(_, byte)| *byte).collect()
}

/// Splits what `git diff-files --raw -z` says: `:OLD-MODE MODE OLD-ID ID STATUS NUL path NUL`... Without those that are other
/// repositories on both sides.
fn changes(raw: &[u8]) -> impl Iterator<Item = Change> {
    let mut pieces = raw.split(|byte| *byte == 0);
    std::iter::from_fn(move || Some((pieces.next()?, pieces.next()?))).filter_map(|(about, path)| {
        let about = text(about.strip_prefix(b":")?);
        let mut words = about.split(' ');
        let (mode, new_mode, id, new_id) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let change = Change { path: TreePath::new(path), before: blob(mode, id), after: blob(new_mode, new_id) };
        (change.before.is_some() || change.after.is_some()).then_some(change)
    })
}

fn blob(mode: &str, id: &str) -> Option<Blob> {
    let mode = u32::from_str_radix(mode, 8).ok().filter(|mode| *mode != 0 && *mode != GITLINK)?;
    Some(Blob { id: Id::parse(id)?, mode })
}
