//! Room on a disk, kept from others for what is to be recorded there.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use rustix::fs::{FallocateFlags, fallocate};
#[cfg(target_os = "linux")]
use rustix::fs::{fstatfs, fstatvfs};
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
    /// Whether others may need it. Where the disk is memory, to take it anew would be 10 ms each time.
    #[cfg(target_os = "linux")]
    fn is_needed(&self) -> io::Result<bool> {
        const TMPFS: i128 = 0x0102_1994;
        let (kind, disk) = (fstatfs(&self.0)?.f_type, fstatvfs(&self.0)?);
        let is_plenty = disk.f_bavail.saturating_mul(disk.f_frsize) >= self.0.metadata()?.len();
        Ok(i128::from(kind) != TMPFS || !is_plenty)
    }

    #[cfg(not(target_os = "linux"))]
    fn is_needed(&self) -> io::Result<bool> {
        Ok(true)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if self.is_needed().unwrap_or(true) {
            effect("release", Path::new("reserve"), || self.0.set_len(0)).ok();
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn room_in_memory_that_has_more_is_kept_for_the_next_time() {
        let folder = tempfile::tempdir_in("/dev/shm").unwrap();
        let writer = Writer::within(folder.path());
        let mut reserve = Reserve::default();
        for _ in 0..2 {
            drop(writer.reserve(&mut reserve, folder.path(), 1 << 20).unwrap());
            assert_eq!(reserve.0.as_ref().unwrap().metadata().unwrap().len(), 1 << 20);
        }
    }

    /// No disk has as much free as is free, and more.
    #[test]
    fn room_that_others_may_need_is_given_back() {
        for folder in [std::env::temp_dir().as_path(), Path::new("/dev/shm")] {
            let file = Arc::new(tempfile::tempfile_in(folder).unwrap());
            let disk = rustix::fs::fstatvfs(&file).unwrap();
            file.set_len((disk.f_bavail * disk.f_frsize) + (1 << 30)).unwrap();
            drop(Room(file.clone()));
            assert_eq!(file.metadata().unwrap().len(), 0, "{}", folder.display());
        }
    }
}
