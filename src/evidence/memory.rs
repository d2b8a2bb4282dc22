//! What the files of the last tree held, so that the next one reads only those that changed.

use std::io::Write;
use std::path::Path;
use std::time::SystemTime;

use anyhow::Result;

use super::listing::{self, Folders};
use super::walk::Found;
use super::{Blob, Id, TreePath};
use crate::storage::{self, Stamp, Writer};

/// Fewer changed files are rather read again after a restart than written down now.
const WRITTEN_DOWN: usize = 256;

/// What the file begins with. Then the number of files, and for each `MODE ID STAMP PATH`; each piece ends with a NUL.
const FORMAT: &[u8] = b"files 2";

#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The tree of this process that holds them all.
    pub tree: Option<Id>,
    /// Of the last tree.
    folders: Folders,
    /// Ordered by path.
    files: Vec<Known>,
    /// So many files of it are not in its file.
    unwritten: usize,
}

#[derive(Debug, PartialEq, Eq)]
struct Known {
    path: TreePath,
    /// As it was read. None where it could still change without a trace: it has to be read again.
    stamp: Option<Stamp>,
    blob: Blob,
}

impl Memory {
    /// What the file holds; nothing where there is none, or it is damaged or of another format.
    pub fn load(path: &Path) -> Memory {
        let files = storage::read(path).ok().and_then(|bytes| read(&bytes)).unwrap_or_default();
        Memory { files, ..Memory::default() }
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    pub fn ids(&self) -> impl Iterator<Item = Id> {
        self.files.iter().map(|known| known.blob.id)
    }

    /// Keeps the files that hold these.
    pub fn retain(&mut self, holds: impl Fn(Id) -> bool) {
        self.files.retain(|known| holds(known.blob.id));
    }

    /// Tells of each file, ordered by path, what it holds, where it is as it was.
    pub fn recall(&self, files: &mut [Found]) {
        let mut known = self.files.iter().peekable();
        for found in files {
            while known.next_if(|known| known.path < found.path).is_some() {}
            let same = known.peek().filter(|known| known.path == found.path && known.stamp == Some(found.stamp));
            found.blob = same.map(|known| known.blob);
        }
    }

    /// Whether the file held this, which is saved then.
    pub fn held(&self, path: &TreePath, id: Id) -> bool {
        let known = self.files.binary_search_by(|known| known.path.cmp(path));
        known.is_ok_and(|at| self.files[at].blob.id == id)
    }

    /// Whether these, recalled, are the files of the last tree, all of them and no others, as they were.
    pub fn is_of(&self, files: &[Found]) -> bool {
        let same = |(known, found): (&Known, &Found)| found.blob == Some(known.blob);
        self.files.len() == files.len() && self.files.iter().zip(files).all(same)
    }

    /// Holds exactly these from now on, met by a walk that began at `began`. So many of them are new.
    pub fn replace(&mut self, files: Vec<Found>, began: SystemTime, new: usize) {
        let known = |Found { path, stamp, blob, .. }: Found| {
            let stamp = Some(stamp).filter(|stamp| stamp.is_settled(began));
            Some(Known { path, stamp, blob: blob? })
        };
        let files = files.into_iter().filter_map(known).collect();
        let before = std::mem::replace(&mut self.files, files);
        let mut before = before.iter().peekable();
        for known in &self.files {
            while let Some(gone) = before.next_if(|before| before.path < known.path) {
                self.folders.forget(&gone.path);
            }
            let same =
                before.next_if(|before| before.path == known.path).is_some_and(|before| before.blob == known.blob);
            if !same {
                self.folders.forget(&known.path);
            }
        }
        before.for_each(|gone| self.folders.forget(&gone.path));
        self.tree = None;
        self.unwritten += new;
    }

    /// The tree of all files. `held` says whether a listing is still there, `store` is given those that are not.
    pub fn list(&mut self, held: impl Fn(Id) -> bool, store: impl FnMut(&[u8]) -> Result<Id>) -> Result<Id> {
        self.folders.retain(held);
        let files: Vec<(&TreePath, Blob)> = self.files.iter().map(|known| (&known.path, known.blob)).collect();
        listing::build(&files, &mut self.folders, store)
    }

    /// Writes it down, where there is no file yet or enough is new.
    pub fn keep(&mut self, writer: &Writer, path: &Path) -> Result<()> {
        if self.unwritten >= WRITTEN_DOWN || !path.exists() {
            writer.replace(path, &self.written()?)?;
            self.unwritten = 0;
        }
        Ok(())
    }

    fn written(&self) -> Result<Vec<u8>> {
        let mut bytes = [FORMAT, b"\0"].concat();
        write!(bytes, "{}\0", self.files.len())?;
        for Known { path, stamp, blob } in &self.files {
            write!(bytes, "{:o} {} ", blob.mode, blob.id)?;
            match stamp {
                Some(stamp) => write!(bytes, "{stamp} ")?,
                None => bytes.extend(b"- "),
            }
            bytes.extend(path.as_bytes());
            bytes.push(0);
        }
        Ok(bytes)
    }
}

fn read(bytes: &[u8]) -> Option<Vec<Known>> {
    let mut pieces = bytes.strip_suffix(b"\0")?.split(|byte| *byte == 0);
    pieces.next().filter(|format| *format == FORMAT)?;
    let count = str::from_utf8(pieces.next()?).ok()?.parse();
    let files = pieces.map(known).collect::<Option<Vec<Known>>>()?;
    let sound = count == Ok(files.len()) && files.is_sorted_by(|a, b| a.path < b.path);
    sound.then_some(files)
}

fn known(piece: &[u8]) -> Option<Known> {
    let mut words = piece.splitn(4, |byte| *byte == b' ');
    let mut word = || str::from_utf8(words.next()?).ok();
    let (mode, id, stamp) = (word()?, word()?, word()?);
    let stamp = match stamp {
        "-" => None,
        stamp => Some(stamp.parse().ok()?),
    };
    let blob = Blob { id: Id::parse(id)?, mode: u32::from_str_radix(mode, 8).ok()? };
    Some(Known { path: TreePath::new(words.next()?), stamp, blob })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> Memory {
        let files = [(&b"a"[..], 0o100_755, Some("1,2,3,4,5")), (b"b c\n\xff", 0o120_000, None)];
        let known = |(path, mode, stamp): (&[u8], u32, Option<&str>)| Known {
            path: TreePath::new(path),
            stamp: stamp.map(|stamp| stamp.parse().unwrap()),
            blob: Blob { id: Id::Sha1([path[0]; 20]), mode },
        };
        Memory { files: files.map(known).into(), ..Memory::default() }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let memory = memory();
        assert_eq!(read(&memory.written().unwrap()).unwrap(), memory.files);
    }

    #[test]
    fn what_is_cut_or_of_another_format_is_nothing() {
        let mut written = memory().written().unwrap();
        for end in 0..written.len() {
            assert_eq!(read(&written[..end]), None, "{end}");
        }
        written[6] = b'1';
        assert_eq!(read(&written), None);
        assert_eq!(read(br#"[["a",[1,2,3,4,5],33188,"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"]]"#), None);
    }
}
