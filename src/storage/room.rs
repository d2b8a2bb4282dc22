//! Room on a disk, kept from others for what is to be recorded there.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use rustix::fs::{FallocateFlags, fallocate, fstatvfs};
use rustix::io::Errno;

use super::{Writer, effect};

/// The file that keeps room, once it was needed.
#[derive(Debug, Default)]
pub struct Reserve(Option<Arc<File>>);

/// Room on a disk.
#[derive(Debug)]
pub struct Room(Arc<File>);

impl Writer {
    /// Keeps so many bytes of the folder's disk free until it is dropped, in a file without a name, which serves again. Where
    /// the file system can't do that, nothing is kept.
    pub fn reserve(&self, reserve: &mut Reserve, folder: &Path, bytes: u64) -> Result<Room> {
        self.allow(folder)?;
        let mut take = || -> io::Result<Room> {
            let file = match &reserve.0 {
                Some(file) => file.clone(),
                None => Arc::new(effect("create", folder, || tempfile::tempfile_in(folder))?),
            };
            let room = Room(reserve.0.insert(file).clone());
            if room.0.metadata()?.len() == bytes {
                return Ok(room);
            }
            match effect("fallocate", folder, || fallocate(&room.0, FallocateFlags::empty(), 0, bytes)) {
                Err(Errno::NOSYS | Errno::OPNOTSUPP) | Ok(()) => Ok(room),
                Err(error) => Err(error.into()),
            }
        };
        take().with_context(|| format!("cannot keep {} MiB free in {}", bytes >> 20, folder.display()))
    }
}

impl Room {
    /// Whether the disk, or the user's share of it, has no such room again.
    fn is_needed(&self) -> io::Result<bool> {
        let (disk, kept) = (fstatvfs(&self.0)?, self.0.metadata()?.len());
        let file = Path::new("reserve");
        let more = effect("fallocate", file, || fallocate(&self.0, FallocateFlags::empty(), kept, disk.f_frsize));
        effect("cut", file, || self.0.set_len(kept))?;
        Ok(more.is_err() || disk.f_bavail.saturating_mul(disk.f_frsize) < kept)
    }
}

impl Drop for Room {
    /// What nobody needs is kept for the next time: a disk that is memory takes 10 ms to give it, and one that is told of what
    /// is free 4.
    fn drop(&mut self) {
        if self.is_needed().unwrap_or(true) {
            effect("release", Path::new("reserve"), || self.0.set_len(0)).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_that_the_disk_has_twice_is_kept_for_the_next_time() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::within(folder.path());
        let mut reserve = Reserve::default();
        for _ in 0..2 {
            drop(writer.reserve(&mut reserve, folder.path(), 1 << 20).unwrap());
            assert_eq!(reserve.0.as_ref().unwrap().metadata().unwrap().len(), 1 << 20);
        }
    }

    /// No disk has room for all that it has free, and that once more.
    #[test]
    fn room_that_the_disk_lacks_is_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = Arc::new(tempfile::tempfile_in(folder.path()).unwrap());
        let disk = fstatvfs(&file).unwrap();
        file.set_len((disk.f_bavail * disk.f_frsize) + (1 << 30)).unwrap();
        drop(Room(file.clone()));
        assert_eq!(file.metadata().unwrap().len(), 0);
    }
}
