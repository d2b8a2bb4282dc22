//! The only place that writes: atomic replacement, synced appending, the run lock.
//!
//! A [`Writer`] comes from the [`RunLock`], or is bound to one folder (CACHE_DIR) for commands that hold no lock.

#![expect(clippy::disallowed_methods, reason = "this is the place that they are kept for")]

mod batch;
mod effect;
mod lock;
mod plain;
mod room;
mod rotate;
mod staged;
mod way;
mod workspace;

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Error, Result, anyhow, bail};
use rustix::fs::Stat;
use sha2::{Digest, Sha256};

pub use batch::Batch;
#[cfg(debug_assertions)]
pub use effect::arm;
pub use effect::effect;
pub use lock::{Held, Places, RunLock};
pub use plain::{open, read, read_to_string};
pub use room::Reserve;
pub use rotate::RotatingFile;
pub use staged::PREFIX as TEMPORARY_PREFIX;
use staged::Staged;
use way::Place;

/// Lower-case hex SHA-256.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// In lower case.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| DIGITS[usize::from(digit)]).collect()
}

/// A new folder, for this user only, among the system's temporary files. It stays.
pub fn temporary_folder(prefix: &str) -> Result<PathBuf> {
    let made = tempfile::Builder::new().prefix(prefix).tempdir().context("cannot make a temporary folder")?;
    Ok(made.keep())
}

/// The right to write. Made from the run lock, or bound to one folder.
#[derive(Debug, Clone)]
pub struct Writer {
    root: Option<PathBuf>,
    /// CACHE_DIR or a folder in it, where nobody else's files are.
    own: Option<PathBuf>,
}

impl Writer {
    /// A writer that refuses every path outside `folder`.
    pub fn within(folder: &Path) -> Writer {
        Writer { root: Some(folder.to_owned()), own: None }
    }

    /// The same for CACHE_DIR or a folder in it: what stands in the way there goes.
    pub fn within_own(folder: &Path) -> Writer {
        Writer { own: Some(folder.to_owned()), ..Writer::within(folder) }
    }

    fn allow(&self, path: &Path) -> Result<()> {
        match &self.root {
            Some(root) if !path.starts_with(root) => {
                bail!("{} is outside {}", path.display(), root.display())
            }
            _ => Ok(()),
        }
    }

    /// Creates `folder` and what is missing above it, for this user only (0700).
    pub fn folder(&self, folder: &Path) -> Result<()> {
        self.allow(folder)?;
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        self.making_way(folder, Place::Folder, || {
            let created = effect("mkdir", folder, || builder.create(folder));
            created.with_context(|| format!("cannot create the folder {}", folder.display()))
        })
    }

    /// Makes CACHE_DIR, which keeps itself out of the user's repository.
    pub fn cache_folder(&self, folder: &Path) -> Result<()> {
        self.folder(folder)?;
        let ignore = folder.join(".gitignore");
        if ignore.exists() { Ok(()) } else { self.replace(&ignore, b"*\n") }
    }

    /// Replaces a file as a whole, atomically and durably: a temporary file beside it, fsync, rename, fsync of the folder.
    /// An existing file's mode is kept; a new one gets 0600. A symlink is followed, so that it stays one, but for those in
    /// CACHE_DIR, which are removed. What holds these bytes already is brought to disk as it is.
    pub fn replace(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        self.allow(path)?;
        let alike = fs::metadata(path).is_ok_and(|data| data.is_file() && data.len() == bytes.len() as u64);
        if alike && read(path).is_ok_and(|now| now == bytes) {
            sync(path)?;
            return path.parent().map_or(Ok(()), sync);
        }
        self.making_way(path, Place::File, || Staged::new(path, bytes)?.commit())
    }

    /// Like [`Writer::replace`], for a file that counts only as long as the system is up: it is not brought to disk.
    pub fn leave(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        self.allow(path)?;
        self.making_way(path, Place::File, || Staged::written(path, bytes)?.rename().map(drop))
    }

    /// Like [`Writer::replace`], for a file that is to be executed: 0700.
    pub fn program(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        self.replace(path, bytes)?;
        let executable = effect("chmod", path, || fs::set_permissions(path, fs::Permissions::from_mode(0o700)));
        executable.with_context(|| format!("cannot make {} executable", path.display()))
    }

    /// Like [`Writer::replace`], but only while the file still holds `expected`; false where it does not. Nobody else's
    /// bytes are replaced unseen: see `Staged::exchange`.
    pub fn swap(&self, path: &Path, expected: &[u8], bytes: &[u8]) -> Result<bool> {
        self.allow(path)?;
        let staged = Staged::new(path, bytes)?;
        match read(path) {
            Ok(now) if now == expected => staged.exchange(expected, bytes),
            Ok(_) => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Opens a file for durable appending, creating it with 0600.
    pub fn append(&self, path: &Path) -> Result<Appender> {
        self.allow(path)?;
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true).mode(0o600);
        let file = self.making_way(path, Place::Growing, || {
            let file = effect("open", path, || options.open(path));
            file.with_context(|| format!("cannot open {}", path.display()))
        })?;
        let mut appender = Appender { file, path: path.to_owned(), stamp: None };
        appender.stamp();
        Ok(appender)
    }

    /// A new empty file for streaming, 0600, replacing what was there.
    pub fn create(&self, path: &Path) -> Result<File> {
        self.allow(path)?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600).custom_flags(plain::UNBLOCKED);
        self.making_way(path, Place::File, || {
            let file = effect("create", path, || options.open(path));
            file.with_context(|| format!("cannot create {}", path.display()))
        })
    }

    /// Renames within one file system.
    pub fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.allow(from)?;
        self.allow(to)?;
        let renamed = effect("rename", to, || fs::rename(from, to));
        renamed.with_context(|| format!("cannot rename {} to {}", from.display(), to.display()))
    }

    /// Removes a file; one that is not there is fine.
    pub fn remove(&self, path: &Path) -> Result<()> {
        self.allow(path)?;
        self.making_way(path, Place::File, || match effect("unlink", path, || fs::remove_file(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", path.display()))
            }
            _ => Ok(()),
        })
    }

    /// Removes a folder and all that is in it; one that is not there is fine.
    pub fn remove_folder(&self, path: &Path) -> Result<()> {
        self.allow(path)?;
        self.making_way(path, Place::Folder, || match effect("rmdir", path, || fs::remove_dir_all(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", path.display()))
            }
            _ => Ok(()),
        })
    }
}

/// Brings a file or a folder's list of names to disk.
fn sync(path: &Path) -> Result<()> {
    let synced = effect("sync", path, || File::open(path).and_then(|file| file.sync_all()));
    synced.with_context(|| format!("cannot sync {}", path.display()))
}

/// Which file stands at a path and when it last changed: what another program writes there changes it, whatever times it
/// sets, for nobody sets a file's ctime.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stamp([i64; 5]);

impl Stamp {
    /// None where there is no file.
    pub fn of(path: &Path) -> Option<Stamp> {
        fs::symlink_metadata(path).ok().map(|data| Stamp::from(&data))
    }

    /// Whether what it is of changed after `time`.
    pub fn is_after(&self, time: SystemTime) -> bool {
        time.duration_since(UNIX_EPOCH).is_ok_and(|time| self.changed() > time)
    }

    fn changed(&self) -> Duration {
        let Stamp([.., seconds, nanoseconds]) = *self;
        Duration::new(u64::try_from(seconds).unwrap_or_default(), u32::try_from(nanoseconds).unwrap_or_default())
    }

    /// Whether a write from `time` on changes it. Clocks of file systems tick: some every few milliseconds, some every other
    /// second, and those know of no parts of one.
    pub fn is_settled(&self, time: SystemTime) -> bool {
        let changed = self.changed();
        let tick = if changed.subsec_nanos() == 0 { Duration::from_secs(2) } else { Duration::from_millis(50) };
        time.duration_since(UNIX_EPOCH).is_ok_and(|now| changed + tick < now)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [device, file, size, seconds, nanoseconds] = self.0;
        write!(f, "{device},{file},{size},{seconds},{nanoseconds}")
    }
}

impl FromStr for Stamp {
    type Err = Error;

    fn from_str(text: &str) -> Result<Stamp> {
        let numbers: Vec<i64> = text.split(',').map(str::parse).collect::<Result<_, _>>()?;
        numbers.try_into().map(Stamp).map_err(|_| anyhow!("`{text}` is no stamp"))
    }
}

impl From<&Stat> for Stamp {
    fn from(stat: &Stat) -> Stamp {
        let [device, seconds, nanoseconds] = [wide(stat.st_dev), wide(stat.st_ctime), wide(stat.st_ctime_nsec)];
        Stamp([device, stat.st_ino.cast_signed(), stat.st_size, seconds, nanoseconds])
    }
}

/// Systems differ in how wide these numbers are.
fn wide(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

impl From<&fs::Metadata> for Stamp {
    fn from(data: &fs::Metadata) -> Stamp {
        let [dev, ino, size] = [data.dev(), data.ino(), data.size()].map(u64::cast_signed);
        Stamp([dev, ino, size, data.ctime(), data.ctime_nsec()])
    }
}

/// A file that only grows, each piece on disk before the call returns.
#[derive(Debug)]
pub struct Appender {
    file: File,
    path: PathBuf,
    /// As this program last left it.
    stamp: Option<Stamp>,
}

impl Appender {
    /// For a log, whose pieces need no sync.
    fn into_file(self) -> File {
        self.file
    }

    /// Cuts the file to `length` bytes: what a crash tore off half-written is not built upon.
    pub fn cut(&mut self, length: u64) -> Result<()> {
        if self.file.metadata().is_ok_and(|data| data.len() == length) {
            return Ok(());
        }
        let cut = effect("truncate", &self.path, || self.file.set_len(length).and_then(|()| self.file.sync_data()));
        self.stamp();
        cut.with_context(|| format!("cannot repair {}", self.path.display()))
    }

    fn stamp(&mut self) {
        self.stamp = self.file.metadata().ok().map(|data| Stamp::from(&data));
    }

    /// Takes back what somebody else did to the file since the last piece, as far as that can be: what was added goes, a
    /// file that was replaced or removed comes back. True where something was done to it.
    pub fn mend(&mut self) -> Result<bool> {
        if self.stamp.is_none() || Stamp::of(&self.path) == self.stamp {
            return Ok(false);
        }
        let length = self.stamp.map_or(0, |stamp| stamp.0[2] as u64);
        let same = |now: Stamp| self.stamp.is_some_and(|ours| now.0[..2] == ours.0[..2]);
        if !Stamp::of(&self.path).is_some_and(same) {
            let mut bytes = vec![0; length.min(self.file.metadata().map_or(0, |data| data.len())) as usize];
            let read = self.file.read_exact_at(&mut bytes, 0);
            read.with_context(|| format!("cannot restore {}", self.path.display()))?;
            let writer = Writer { root: None, own: self.path.parent().map(Path::to_owned) };
            writer.replace(&self.path, &bytes)?;
            *self = writer.append(&self.path)?;
        }
        if self.file.metadata().is_ok_and(|data| data.len() > length) {
            self.cut(length)?;
        }
        self.stamp();
        Ok(true)
    }

    /// Appends and syncs. A piece that does not fit whole is taken back, so that the file never ends in the middle of one.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let before = self.file.metadata().map(|data| data.len());
        let written = effect("append", &self.path, || self.file.write_all(bytes));
        let written = written.and_then(|()| effect("sync", &self.path, || self.file.sync_data()));
        if written.is_err()
            && let Ok(length) = before
        {
            effect("truncate", &self.path, || self.file.set_len(length)).ok();
        }
        self.stamp();
        written.with_context(|| format!("cannot append to {}", self.path.display()))
    }
}

/// Creates a folder that belongs to this user alone, or checks that it does.
fn private_folder(folder: &Path) -> Result<()> {
    match effect("mkdir", folder, || DirBuilder::new().mode(0o700).create(folder)) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error).with_context(|| format!("cannot create {}", folder.display())),
    }
    let data = fs::symlink_metadata(folder)?;
    if !data.is_dir() || data.uid() != rustix::process::geteuid().as_raw() || data.mode() & 0o022 != 0 {
        bail!("{} is not a folder of this user alone: remove it", folder.display());
    }
    Ok(())
}
