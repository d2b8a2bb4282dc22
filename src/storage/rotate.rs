//! A log file of bounded size: when it is full it becomes `.1`, that `.2`, and the oldest goes.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Writer;

const LARGEST: u64 = 4 << 20;
const FILES: u32 = 3;

/// Opened at the first write, and again after an error: a disk that was full may have room later.
pub struct RotatingFile {
    writer: Writer,
    path: PathBuf,
    open: Option<(File, u64)>,
}

impl RotatingFile {
    pub fn new(writer: Writer, path: PathBuf) -> RotatingFile {
        RotatingFile { writer, path, open: None }
    }

    fn numbered(&self, number: u32) -> PathBuf {
        match number {
            0 => self.path.clone(),
            n => Path::new(&format!("{}.{n}", self.path.display())).to_owned(),
        }
    }

    fn rotate(&mut self) -> anyhow::Result<()> {
        for number in (0..FILES).rev().filter(|number| self.numbered(*number).exists()) {
            self.writer.rename(&self.numbered(number), &self.numbered(number + 1))?;
        }
        self.writer.remove(&self.numbered(FILES))
    }
}

impl Write for RotatingFile {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.open.as_ref().is_some_and(|(_, size)| *size >= LARGEST) {
            self.open = None;
            self.rotate().map_err(io::Error::other)?;
        }
        let (file, size) = match &mut self.open {
            Some(open) => open,
            None => {
                let file = self.writer.append(&self.path).map_err(io::Error::other)?.into_file();
                let size = file.metadata()?.len();
                self.open.insert((file, size))
            }
        };
        let written = file.write(piece);
        match &written {
            Ok(count) => *size += *count as u64,
            Err(_) => self.open = None,
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
