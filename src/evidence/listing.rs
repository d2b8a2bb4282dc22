//! Git's trees: a folder's listing names its files by their contents, and its folders by their listings. Pure: listings are
//! read and written by what it is given for that.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;

use anyhow::{Context, Result, bail};

use super::{Blob, Change, TreePath};
use crate::storage::hex;

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
    fn folder(&self) -> Option<&str> {
        (self.blob.mode == FOLDER).then_some(&self.blob.id)
    }

    fn file(&self) -> Option<&Blob> {
        (self.blob.mode != FOLDER && self.blob.mode != GITLINK).then_some(&self.blob)
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
        entries.push(Entry { name, blob: Blob { id: hex(id), mode } });
        bytes = rest;
    }
    Some(entries)
}

/// Writes the listings of these files, ordered by path, the innermost first, and gives the id of the outermost. The order of
/// paths is git's, who sees a folder `a` as `a/`.
pub(super) fn build(files: &[(&TreePath, &Blob)], mut store: impl FnMut(&[u8]) -> Result<String>) -> Result<String> {
    // The folders that the last file lies in, outermost first: their names and what is listed of them.
    let mut open: Vec<(&[u8], Vec<u8>)> = vec![(b"", Vec::new())];
    let mut close = |open: &mut Vec<(&[u8], Vec<u8>)>, depth: usize| -> Result<()> {
        while open.len() > depth
            && let Some((name, listing)) = open.pop()
            && let Some((_, outer)) = open.last_mut()
        {
            list(outer, FOLDER, name, &store(&listing)?)?;
        }
        Ok(())
    };
    for (path, blob) in files {
        let mut parts = path.as_bytes().split(|byte| *byte == b'/');
        let name = parts.next_back().unwrap_or_default();
        let same = open[1..].iter().zip(parts.clone()).take_while(|((open, _), folder)| open == folder).count();
        close(&mut open, same + 1)?;
        for (depth, folder) in parts.enumerate().skip(same) {
            if let Some(file) = path.folders().nth(depth).filter(|folder| is_among(folder, files)) {
                bail!("{file} became a folder");
            }
            open.push((folder, Vec::new()));
        }
        open.last_mut().map_or(Ok(()), |(_, listing)| list(listing, blob.mode, name, &blob.id))?;
    }
    close(&mut open, 1)?;
    store(&open.pop().unwrap_or_default().1)
}

fn is_among(path: &TreePath, files: &[(&TreePath, &Blob)]) -> bool {
    files.binary_search_by(|(file, _)| (*file).cmp(path)).is_ok()
}

fn list(listing: &mut Vec<u8>, mode: u32, name: &[u8], id: &str) -> Result<()> {
    write!(listing, "{mode:o} ")?;
    listing.extend(name);
    listing.push(0);
    listing.extend(unhex(id).context("no id of git's")?);
    Ok(())
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    digits.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// What differs between two trees, ordered by path. `read` gives a listing.
pub(super) fn compare(
    before: &str,
    after: &str,
    mut read: impl FnMut(&str) -> Result<Vec<Entry>>,
) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    let mut folders = vec![(TreePath::default(), [Some(before.to_owned()), Some(after.to_owned())])];
    while let Some((folder, trees)) = folders.pop() {
        if trees[0] == trees[1] {
            continue;
        }
        let mut names: BTreeMap<Vec<u8>, [Option<Entry>; 2]> = BTreeMap::new();
        for (side, tree) in trees.iter().enumerate() {
            for entry in tree.as_deref().map(&mut read).transpose()?.unwrap_or_default() {
                let name = entry.name.clone();
                names.entry(name).or_default()[side] = Some(entry);
            }
        }
        for (name, sides) in names.into_iter().filter(|(_, sides)| sides[0] != sides[1]) {
            let path = folder.join(OsStr::from_bytes(&name));
            let [before, after] = sides.each_ref().map(|entry| entry.as_ref().and_then(Entry::file).cloned());
            if before != after {
                changes.push(Change { path: path.clone(), before, after });
            }
            folders.push((path, sides.map(|entry| entry.and_then(|entry| entry.folder().map(str::to_owned)))));
        }
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::super::objects::{Kind, name};
    use super::*;

    fn blob(content: u8, mode: u32) -> Blob {
        Blob { id: name(Kind::Blob, &[content], 40), mode }
    }

    fn stored(files: &BTreeMap<TreePath, Blob>, listings: &mut HashMap<String, Vec<u8>>) -> Result<String> {
        build(&files.iter().collect::<Vec<_>>(), |bytes| {
            let id = name(Kind::Tree, bytes, 40);
            listings.insert(id.clone(), bytes.to_vec());
            Ok(id)
        })
    }

    #[test]
    fn trees_are_named_as_git_names_them() {
        let files = [("a.b", 1), ("a/c", 2), ("a/d/e", 3), ("a0", 4)];
        let files = files.iter().map(|(path, content)| (TreePath::new(*path), blob(*content, 0o100_644))).collect();
        let id = stored(&files, &mut HashMap::new()).unwrap();
        // printf '\1' >a.b and so on; git add .; git write-tree
        assert_eq!(id, "98d34606b2a8e5e7cf79ffaf2009f08100c1434e");
        assert_eq!(stored(&BTreeMap::new(), &mut HashMap::new()).unwrap(), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
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

    proptest! {
        #[test]
        fn two_trees_differ_where_their_files_do(before in files(), after in files()) {
            let mut listings = HashMap::new();
            let ids = [&before, &after].map(|files| stored(files, &mut listings).unwrap());
            let read = |id: &str| Ok(parse(&listings[id], 40).unwrap());
            let changes = compare(&ids[0], &ids[1], read).unwrap();
            let paths: std::collections::BTreeSet<&TreePath> = before.keys().chain(after.keys()).collect();
            let expected: Vec<Change> = paths
                .into_iter()
                .map(|path| Change {
                    path: path.clone(),
                    before: before.get(path).cloned(),
                    after: after.get(path).cloned(),
                })
                .filter(|change| change.before != change.after)
                .collect();
            prop_assert_eq!(changes, expected);
        }
    }
}
