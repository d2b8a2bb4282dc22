//! What stands in the way in CACHE_DIR, which is this program's own: a folder in a file's place, or the other way round. Codex
//! can leave one there, at which each later run would end.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{Writer, effect};

/// What a path is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    File,
    Folder,
}

impl Writer {
    /// Does it, and where something was in its way, once more without that.
    pub(super) fn making_way<T>(&self, path: &Path, place: Place, act: impl Fn() -> Result<T>) -> Result<T> {
        let error = match act() {
            Err(error) => error,
            done => return done,
        };
        let Some(wrong) = self.in_the_way(path, place) else { return Err(error) };
        let removed = match wrong.is_dir() {
            true => effect("clear", &wrong, || fs::remove_dir_all(&wrong)),
            false => effect("clear", &wrong, || fs::remove_file(&wrong)),
        };
        removed.with_context(|| format!("{} is in the way and can't be removed", wrong.display()))?;
        tracing::warn!("{} was in the way and is removed: {error:#}", wrong.display());
        act()
    }

    /// A folder where a file belongs, or something else where a folder does.
    fn in_the_way(&self, path: &Path, place: Place) -> Option<PathBuf> {
        let own = self.own.as_ref()?;
        let inside: Vec<_> = path.strip_prefix(own).ok()?.components().collect();
        (1..=inside.len()).map(|length| (length, own.join(inside[..length].iter().collect::<PathBuf>()))).find_map(
            |(length, at)| {
                let place = if length < inside.len() { Place::Folder } else { place };
                let data = fs::metadata(&at).ok()?;
                let right = match place {
                    Place::File => data.is_file(),
                    Place::Folder => data.is_dir(),
                };
                (!right).then_some(at)
            },
        )
    }
}

#[cfg(test)]
mod tests {
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
        for outside in [root.path().join("elsewhere"), cache.clone()] {
            fs::remove_dir_all(&outside).ok();
            put(&outside, false);
            assert!(writer.folder(&outside).is_err(), "{}", outside.display());
            assert_eq!(fs::read(&outside).unwrap(), b"in the way");
            fs::remove_file(&outside).unwrap();
        }
    }
}
