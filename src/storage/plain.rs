//! Reads plain files. Somebody may have put something else in their place: a pipe would be waited for, for ever.

use std::fs::{File, OpenOptions};
use std::io::{self, Error, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// Opens a pipe without waiting for its other end. Of a file it says nothing.
pub(super) const UNBLOCKED: i32 = OFlags::NONBLOCK.bits().cast_signed();

/// Opens a file to read it. The error says what stands in its place.
pub fn open(path: impl AsRef<Path>) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(UNBLOCKED).open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(Error::new(ErrorKind::IsADirectory, "is a folder, not a file"));
    }
    if kind.is_fifo() {
        return Err(Error::new(ErrorKind::InvalidInput, "is a pipe, not a file"));
    }
    Ok(file)
}

pub fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let mut file = open(path)?;
    let length = file.metadata().map_or(0, |data| data.len());
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The same of a text.
pub fn read_to_string(path: impl AsRef<Path>) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|error| Error::new(ErrorKind::InvalidData, error))
}
