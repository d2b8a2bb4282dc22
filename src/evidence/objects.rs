//! Git's loose objects: each a compressed file, named by the hash of what it holds. Those of the private folder are read and
//! written here. What the user's repository lends, packs included, is git's to read.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::Id;
use super::walk::LARGEST;
use crate::storage::{self, Batch, Writer};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Blob,
    Tree,
}

impl Kind {
    fn header(self, length: usize) -> String {
        let kind = match self {
            Kind::Blob => "blob",
            Kind::Tree => "tree",
        };
        format!("{kind} {length}\0")
    }
}

/// What git calls these bytes: the SHA-1 of 40 digits or the SHA-256 of 64.
pub(super) fn name(kind: Kind, bytes: &[u8], digits: usize) -> Id {
    let header = kind.header(bytes.len());
    match digits {
        40 => Id::Sha1(Sha1::new().chain_update(header).chain_update(bytes).finalize().into()),
        _ => Id::Sha256(Sha256::new().chain_update(header).chain_update(bytes).finalize().into()),
    }
}

#[derive(Debug)]
pub(super) struct Objects {
    folder: PathBuf,
    /// Of a name.
    digits: usize,
}

impl Objects {
    /// Those in this folder of git's.
    pub fn within(git: &Path, digits: usize) -> Objects {
        Objects { folder: git.join("objects"), digits }
    }

    fn path(&self, id: Id) -> PathBuf {
        let digits = id.to_string();
        let (folder, file) = digits.split_at(2);
        self.folder.join(folder).join(file)
    }

    pub fn holds(&self, id: Id) -> bool {
        self.path(id).is_file()
    }

    /// What the object of that name holds; None where it isn't here, or is damaged.
    pub fn read(&self, kind: Kind, id: Id) -> Option<Vec<u8>> {
        let packed = storage::read(self.path(id)).ok()?;
        let mut bytes = decompress_to_vec_zlib_with_limit(&packed, LARGEST as usize + 64).ok()?;
        let end = bytes.iter().position(|byte| *byte == 0)? + 1;
        let sound = bytes[..end] == *kind.header(bytes.len() - end).as_bytes();
        sound.then(|| bytes.split_off(end))
    }

    pub fn name(&self, kind: Kind, bytes: &[u8]) -> Id {
        name(kind, bytes, self.digits)
    }

    /// Puts the object of that name among the files that are written.
    pub fn write(&self, files: &mut Batch<'_>, kind: Kind, id: Id, bytes: &[u8]) -> Result<()> {
        let path = self.path(id);
        if !path.is_file() {
            let whole = [kind.header(bytes.len()).as_bytes(), bytes].concat();
            files.put(&path, &compress_to_vec_zlib(&whole, 1))?;
        }
        Ok(())
    }

    /// Removes what a kill left of objects that were about to be written.
    pub fn tidy(&self, writer: &Writer) -> Result<()> {
        for folder in fs::read_dir(&self.folder)?.flatten().filter(|entry| entry.file_name().len() == 2) {
            for file in fs::read_dir(folder.path())?.flatten() {
                if file.file_name().len() != self.digits - 2 {
                    writer.remove(&file.path())?;
                }
            }
        }
        Ok(())
    }
}
