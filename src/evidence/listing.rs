//! Git's trees: a folder's listing names its files by their contents, and its folders by their listings. Pure: listings are
//! read and written by what it is given for that.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;

use anyhow::{Result, bail};

use super::{Blob, Change, Id, TreePath};

const FOLDER: u32 = 0o40_000;
/// Another repository.
pub(super) const GITLINK: u32 = 0o160_000;

/// A line of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    name: Vec<u8>,
    blob: Blob,
}

impl Entry {
    fn folder(&self) -> Option<Id> {
        (self.blob.mode == FOLDER).then_some(self.blob.id)
    }

    fn file(&self) -> Option<Blob> {
        (self.blob.mode != FOLDER && self.blob.mode != GITLINK).then_some(self.blob)
    }
}

/// `MODE NAME NUL id`..., the id in bytes.
pub(super) fn parse(mut bytes: &[u8], digits: usize) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let space = bytes.iter().position(|byte| *byte == b' ')?;
        let end = bytes.iter().position(|byte| *byte == 0)?;
        let mode = u32::from_str_radix(str::from_utf8(bytes.get(..space)?).ok()?, 8).ok()?;
        let name = bytes.get(space + 1..end)?.to_vec();
        let (id, rest) = bytes.get(end + 1..)?.split_at_checked(digits / 2)?;
        entries.push(Entry { name, blob: Blob { id: Id::new(id)?, mode } });
        bytes = rest;
    }
    Some(entries)
}

/// The listings of a tree, by folder.
#[derive(Debug, Default)]
pub(super) struct Folders(HashMap<TreePath, Id>);

impl Folders {
    /// What is at this path changed: so did all that it lies in.
    pub fn forget(&mut self, path: &TreePath) {
        for folder in path.folders().chain([path.clone()]) {
            self.0.remove(&folder);
        }
    }

    /// Forgets the listings that are not there any more.
    pub fn retain(&mut self, held: impl Fn(Id) -> bool) {
        let lost: Vec<TreePath> = self.0.iter().filter(|(_, id)| !held(**id)).map(|(path, _)| path.clone()).collect();
        lost.iter().for_each(|path| self.forget(path));
    }
}

/// Gives the id of the tree of these files, ordered by path. `folders` knows the listings of folders in which nothing changed,
/// and of all of them afterwards; `store` is given those of the others, the innermost first. The order of paths is git's,
/// who sees a folder `a` as `a/`.
pub(super) fn build(
    files: &[(&TreePath, Blob)],
    folders: &mut Folders,
    mut store: impl FnMut(&[u8]) -> Result<Id>,
) -> Result<Id> {
    let known = &mut folders.0;
    // The folders that the last file lies in, outermost first, and what is listed of them.
    let mut open: Vec<(TreePath, Vec<u8>)> = vec![(TreePath::default(), Vec::new())];
    let mut close = |open: &mut Vec<(TreePath, Vec<u8>)>, known: &mut HashMap<TreePath, Id>| -> Result<()> {
        if let Some((folder, listing)) = open.pop()
            && let Some((_, outer)) = open.last_mut()
        {
            let id = store(&listing)?;
            list(outer, FOLDER, folder.name(), id)?;
            known.insert(folder, id);
        }
        Ok(())
    };
    let mut left = files;
    'files: while let Some(((path, blob), rest)) = left.split_first() {
        while open.last().is_some_and(|(folder, _)| !path.is_below(folder)) {
            close(&mut open, known)?;
        }
        for folder in path.folders().skip(open.len() - 1) {
            if is_among(&folder, files) {
                bail!("{folder} became a folder");
            }
            match (known.get(&folder), open.last_mut()) {
                (Some(id), Some((_, outer))) => {
                    list(outer, FOLDER, folder.name(), *id)?;
                    left = &left[left.partition_point(|(path, _)| path.is_below(&folder))..];
                    continue 'files;
                }
                (_, _) => open.push((folder, Vec::new())),
            }
        }
        open.last_mut().map_or(Ok(()), |(_, listing)| list(listing, blob.mode, path.name(), blob.id))?;
        left = rest;
    }
    while open.len() > 1 {
        close(&mut open, known)?;
    }
    store(&open.pop().unwrap_or_default().1)
}

fn is_among(path: &TreePath, files: &[(&TreePath, Blob)]) -> bool {
    files.binary_search_by(|(file, _)| (*file).cmp(path)).is_ok()
}

fn list(listing: &mut Vec<u8>, mode: u32, name: &[u8], id: Id) -> Result<()> {
    write!(listing, "{mode:o} ")?;
    listing.extend(name);
    listing.push(0);
    listing.extend(id.as_bytes());
    Ok(())
}

/// What differs between two trees, ordered by path. `read` gives a listing.
pub(super) fn compare(before: Id, after: Id, mut read: impl FnMut(Id) -> Result<Vec<Entry>>) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    let mut folders = vec![(TreePath::default(), [Some(before), Some(after)])];
    while let Some((folder, trees)) = folders.pop() {
        if trees[0] == trees[1] {
            continue;
        }
        let mut names: BTreeMap<Vec<u8>, [Option<Entry>; 2]> = BTreeMap::new();
        for (side, tree) in trees.iter().enumerate() {
            for entry in tree.map(&mut read).transpose()?.unwrap_or_default() {
                let name = entry.name.clone();
                names.entry(name).or_default()[side] = Some(entry);
            }
        }
        for (name, sides) in names.into_iter().filter(|(_, sides)| sides[0] != sides[1]) {
            let path = folder.join(OsStr::from_bytes(&name));
            let [before, after] = sides.each_ref().map(|entry| entry.as_ref().and_then(Entry::file));
            if before != after {
                changes.push(Change { path: path.clone(), before, after });
            }
            folders.push((path, sides.map(|entry| entry.and_then(|entry| entry.folder()))));
        }
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::super::objects::{Kind, name};
    use super::*;

    fn blob(content: u8, mode: u32) -> Blob {
        Blob { id: name(Kind::Blob, &[content], 40), mode }
    }

    fn stored(files: &BTreeMap<TreePath, Blob>, listings: &mut HashMap<Id, Vec<u8>>) -> Result<Id> {
        stored_beside(files, &mut Folders::default(), listings)
    }

    fn stored_beside(
        files: &BTreeMap<TreePath, Blob>,
        folders: &mut Folders,
        listings: &mut HashMap<Id, Vec<u8>>,
    ) -> Result<Id> {
        build(&files.iter().map(|(path, blob)| (path, *blob)).collect::<Vec<_>>(), folders, |bytes| {
            let id = name(Kind::Tree, bytes, 40);
            listings.insert(id, bytes.to_vec());
            Ok(id)
        })
    }

    #[test]
    fn trees_are_named_as_git_names_them() {
        let files = [("a.b", 1), ("a/c", 2), ("a/d/e", 3), ("a0", 4)];
        let files = files.iter().map(|(path, content)| (TreePath::new(*path), blob(*content, 0o100_644))).collect();
        let id = stored(&files, &mut HashMap::new()).unwrap();
        // printf '\1' >a.b and so on; git add .; git write-tree
        assert_eq!(id.to_string(), "98d34606b2a8e5e7cf79ffaf2009f08100c1434e");
        let empty = stored(&BTreeMap::new(), &mut HashMap::new()).unwrap();
        assert_eq!(empty.to_string(), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
    }

    #[test]
    fn a_name_is_a_file_or_a_folder() {
        let files = ["a", "a.b", "a/c"].map(|path| (TreePath::new(path), blob(1, 0o100_644)));
        let error = stored(&files.into(), &mut HashMap::new()).unwrap_err();
        assert_eq!(error.to_string(), "a became a folder");
    }

    #[test]
    fn bytes_that_are_no_listing_are_none() {
        for bytes in [&b"100644"[..], b"100644 a", b"100644 a\0short", b"\xff a\0", b"8 a\0aaaaaaaaaaaaaaaaaaaa"] {
            assert_eq!(parse(bytes, 40), None, "{bytes:?}");
        }
    }

    fn files() -> impl Strategy<Value = BTreeMap<TreePath, Blob>> {
        let file = ("[ab.](/[ab-]){0,3}", 0_u8..3, prop::sample::select(vec![0o100_644, 0o100_755, 0o120_000]));
        prop::collection::vec(file, 0..12).prop_map(|files| {
            let mut kept: BTreeMap<TreePath, Blob> = BTreeMap::new();
            for (path, content, mode) in files {
                let path = TreePath::new(path);
                let inside = |outer: &TreePath, inner: &TreePath| inner.folders().any(|folder| folder == *outer);
                if !kept.keys().any(|other| inside(other, &path) || inside(&path, other)) {
                    kept.insert(path, blob(content, mode));
                }
            }
            kept
        })
    }

    fn differing(before: &BTreeMap<TreePath, Blob>, after: &BTreeMap<TreePath, Blob>) -> Vec<Change> {
        let paths: BTreeSet<&TreePath> = before.keys().chain(after.keys()).collect();
        let change = |path: &TreePath| Change {
            path: path.clone(),
            before: before.get(path).copied(),
            after: after.get(path).copied(),
        };
        paths.into_iter().map(change).filter(|change| change.before != change.after).collect()
    }

    proptest! {
        #[test]
        fn two_trees_differ_where_their_files_do(before in files(), after in files()) {
            let mut listings = HashMap::new();
            let ids = [&before, &after].map(|files| stored(files, &mut listings).unwrap());
            let read = |id: Id| Ok(parse(&listings[&id], 40).unwrap());
            let changes = compare(ids[0], ids[1], read).unwrap();
            prop_assert_eq!(changes, differing(&before, &after));
        }

        #[test]
        fn folders_without_a_change_need_not_be_listed_again(before in files(), after in files(), lost in 0_usize..4) {
            let (mut listings, mut folders) = (HashMap::new(), Folders::default());
            stored_beside(&before, &mut folders, &mut listings).unwrap();
            for change in differing(&before, &after) {
                folders.forget(&change.path);
            }
            let lost = folders.0.values().nth(lost).copied();
            folders.retain(|id| Some(id) != lost);
            lost.and_then(|id| listings.remove(&id));
            let id = stored_beside(&after, &mut folders, &mut listings).unwrap();
            prop_assert_eq!(id, stored(&after, &mut HashMap::new()).unwrap());
            for id in folders.0.values() {
                prop_assert!(listings.contains_key(id));
            }
            let all: BTreeSet<TreePath> = after.keys().flat_map(TreePath::folders).collect();
            prop_assert_eq!(folders.0.into_keys().collect::<BTreeSet<_>>(), all);
        }
    }
}
