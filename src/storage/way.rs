//! What stands in the way in CACHE_DIR, which is this program's own: a folder in a file's place, or the other way round, at
//! which each later run would end; or a symlink, by which this program would write what and where its sandbox forbids codex to.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{Writer, effect};

/// What a path is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    File,
    Folder,
    /// A file that grows: its owner may have it elsewhere, behind a symlink.
    Growing,
}

impl Writer {
    /// Does it, without what is in its way.
    pub(super) fn making_way<T>(&self, path: &Path, place: Place, act: impl Fn() -> Result<T>) -> Result<T> {
        while let Some(wrong) = self.in_the_way(path, place) {
            let removed = match fs::symlink_metadata(&wrong).is_ok_and(|data| data.is_dir()) {
                true => effect("clear", &wrong, || fs::remove_dir_all(&wrong)),
                false => effect("clear", &wrong, || fs::remove_file(&wrong)),
            };
            removed.with_context(|| format!("{} is in the way and can't be removed", wrong.display()))?;
            tracing::warn!("{} was in the way and is removed", wrong.display());
        }
        act()
    }

    /// What is no plain file where one belongs, or no folder.
    fn in_the_way(&self, path: &Path, place: Place) -> Option<PathBuf> {
        let own = self.own.as_ref()?;
        let mut at = own.clone();
        let mut inside = path.strip_prefix(own).ok()?.components().peekable();
        while let Some(component) = inside.next() {
            at.push(component);
            let is_last = inside.peek().is_none();
            let look = if is_last && place == Place::Growing { fs::metadata } else { fs::symlink_metadata };
            let data = look(&at).ok()?;
            let right = if is_last && place != Place::Folder { data.is_file() } else { data.is_dir() };
            if !right {
                return Some(at);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_is_in_the_way_goes_in_cache_dir_alone() {
        let root = tempfile::tempdir().unwrap();
        let cache = root.path().join("cache");
        let writer = Writer { root: None, own: Some(cache.clone()) };
        let put = |path: &Path, folder: bool| {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if folder {
                fs::create_dir_all(path.join("in it")).unwrap()
            } else {
                fs::write(path, "in the way").unwrap()
            }
        };
        for (wrong, folder) in [("a", false), ("a/b", false), ("a/b/c", true)] {
            let put = || {
                fs::remove_dir_all(&cache).ok();
                put(&cache.join(wrong), folder);
            };
            let file = cache.join("a/b/c");
            put();
            writer.folder(file.parent().unwrap()).unwrap();
            writer.replace(&file, b"new").unwrap();
            assert_eq!(fs::read(&file).unwrap(), b"new", "{wrong}");
            put();
            writer.remove(&file).unwrap();
            assert!(!file.exists(), "{wrong}");
            put();
            writer.folder(&file).unwrap();
            assert!(file.is_dir(), "{wrong}");
        }
        let elsewhere = root.path().join("elsewhere");
        for (link, to) in [("a", ""), ("a/b", ""), ("a/b/c", "c"), ("a/b/c", "nothing")] {
            fs::remove_dir_all(&cache).ok();
            fs::create_dir_all(&elsewhere).unwrap();
            fs::write(elsewhere.join("c"), "somebody's").unwrap();
            fs::create_dir_all(cache.join(link).parent().unwrap()).unwrap();
            symlink(elsewhere.join(to), cache.join(link)).unwrap();
            let file = cache.join("a/b/c");
            writer.folder(file.parent().unwrap()).unwrap();
            writer.replace(&file, b"new").unwrap();
            assert_eq!(fs::read(&file).unwrap(), b"new", "{link}");
            assert_eq!(fs::read(elsewhere.join("c")).unwrap(), b"somebody's", "{link}");
            assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1, "{link}");
        }
        for outside in [root.path().join("elsewhere"), cache.clone()] {
            fs::remove_dir_all(&outside).ok();
            put(&outside, false);
            assert!(writer.folder(&outside).is_err(), "{}", outside.display());
            assert_eq!(fs::read(&outside).unwrap(), b"in the way");
            fs::remove_file(&outside).unwrap();
        }
        put(&cache.join("a"), true);
        assert!(Writer::within(&cache).replace(&cache.join("a"), b"new").is_err(), "a folder that may be the user's");
        assert!(cache.join("a/in it").is_dir());
    }
}
