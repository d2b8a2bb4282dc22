//! A file's next content beside it, until it takes its place. Its name says what became of it where the program was killed
//! meanwhile, for the next run to find ([`Writer::tidy`]).

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use tempfile::{NamedTempFile, TempPath};

use super::{Writer, effect, sha256, sync};

/// Before the name of the file that it is beside, hashed, then a random part: nothing but our own bytes, perhaps not all.
pub const PREFIX: &str = ".kanban-codex-exec-";
/// Then follow the hashes of what goes in and of what is to come out.
const EXCHANGED: &str = "-swap-";

/// So much of a hash tells one thing from another in a name.
fn short(bytes: &[u8]) -> String {
    sha256(bytes)[..16].to_owned()
}

fn prefix(target: &Path) -> String {
    format!("{PREFIX}{}-", short(target.file_name().map(OsStr::as_bytes).unwrap_or_default()))
}

pub(super) struct Staged {
    file: NamedTempFile,
    target: PathBuf,
    folder: PathBuf,
}

impl Staged {
    /// On disk. An existing file's mode is kept; a new one gets 0600. A symlink is followed.
    pub fn new(path: &Path, bytes: &[u8]) -> Result<Staged> {
        let staged = Staged::written(path, bytes)?;
        staged.sync()?;
        Ok(staged)
    }

    pub fn sync(&self) -> Result<()> {
        let synced = effect("sync", &self.target, || self.file.as_file().sync_all());
        synced.with_context(|| format!("cannot write {}", self.target.display()))
    }

    /// For as long as the system is up.
    pub fn written(path: &Path, bytes: &[u8]) -> Result<Staged> {
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let folder = target.parent().unwrap_or(Path::new(".")).to_owned();
        let stage = || -> io::Result<NamedTempFile> {
            let prefix = prefix(&target);
            let mut builder = tempfile::Builder::new();
            let mut file = effect("create", &target, || builder.prefix(&prefix).tempfile_in(&folder))?;
            if let Ok(old) = fs::metadata(&target) {
                file.as_file().set_permissions(fs::Permissions::from_mode(old.mode() & 0o7777))?;
            }
            effect("write", &target, || file.write_all(bytes))?;
            Ok(file)
        };
        let file = stage().with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Staged { file, target, folder })
    }

    /// Gives the folder, which is to be synced.
    pub fn rename(self) -> Result<PathBuf> {
        let Staged { file, target, folder } = self;
        let renamed = effect("rename", &target, || file.persist(&target));
        renamed.with_context(|| format!("cannot replace {}", target.display()))?;
        Ok(folder)
    }

    pub fn commit(self) -> Result<()> {
        sync(&self.rename()?)
    }

    /// Changes places with a file that holds `expected`, in one step, and looks at what that took out: where it is something
    /// else, written in the instant since it was compared, it goes back; false. Looks again once the folder is synced, for
    /// one who had opened the old file and wrote into it since. File systems that can't exchange get a rename.
    pub fn exchange(self, expected: &[u8], ours: &[u8]) -> Result<bool> {
        let exchange = self.named(expected, ours)?;
        match exchange.change_places() {
            Ok(()) => {}
            Err(Errno::NOENT) => return Ok(false),
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => return exchange.commit().map(|()| true),
            Err(error) => return Err(error).with_context(|| format!("cannot replace {}", exchange.target.display())),
        }
        let replaced = exchange
            .taken_out(expected)
            .and_then(|out| if out == expected { Ok(true) } else { exchange.put_back(out, ours) });
        match replaced {
            // Synced before the second look.
            Ok(true) => Ok(true),
            Ok(false) => sync(&exchange.folder).map(|()| false),
            Err(error) => {
                let kept = exchange.staged.keep()?;
                let told =
                    format!("cannot replace {}: what stood there is in {}", exchange.target.display(), kept.display());
                Err(error).context(told)
            }
        }
    }

    /// Under the name that tells what goes in and what is to come out.
    fn named(self, expected: &[u8], ours: &[u8]) -> Result<Exchange> {
        let Staged { file, target, folder } = self;
        let mut name = file.path().file_name().unwrap_or_default().to_owned();
        name.push(format!("{EXCHANGED}{}-{}", short(ours), short(expected)));
        let staged = folder.join(name);
        let renamed = effect("name", &target, || file.persist_noclobber(&staged));
        renamed.with_context(|| format!("cannot write {}", staged.display()))?;
        Ok(Exchange { staged: TempPath::try_from_path(staged)?, target, folder })
    }
}

struct Exchange {
    staged: TempPath,
    target: PathBuf,
    folder: PathBuf,
}

impl Exchange {
    fn commit(self) -> Result<()> {
        let renamed = effect("rename", &self.target, || self.staged.persist(&self.target));
        renamed.with_context(|| format!("cannot replace {}", self.target.display()))?;
        sync(&self.folder)
    }

    fn change_places(&self) -> rustix::io::Result<()> {
        effect("exchange", &self.target, || renameat_with(CWD, &*self.staged, CWD, &self.target, RenameFlags::EXCHANGE))
    }

    fn taken_out(&self, expected: &[u8]) -> Result<Vec<u8>> {
        let out = fs::read(&self.staged)?;
        if out != expected {
            return Ok(out);
        }
        sync(&self.folder)?;
        Ok(fs::read(&self.staged)?)
    }

    /// The newest stays: where what comes out is not what went in, somebody wrote once more.
    fn put_back(&self, mut theirs: Vec<u8>, ours: &[u8]) -> Result<bool> {
        tracing::debug!("the board changed as it was written");
        let mut inside = ours.to_vec();
        loop {
            self.change_places()?;
            let out = fs::read(&self.staged)?;
            if out == inside {
                return Ok(false);
            }
            inside = std::mem::replace(&mut theirs, out);
        }
    }
}

impl Writer {
    /// Removes what a killed run left beside a board, which is a file or a folder of files: what it was about to write, and
    /// what it took out. Gives the files that hold something else, and so somebody's writing that is on the board no more.
    /// For who holds the board's lock.
    pub fn tidy(&self, board: &Path) -> Result<Vec<PathBuf>> {
        let is_folder = board.is_dir();
        let prefix = if is_folder { PREFIX.to_owned() } else { prefix(board) };
        let mut kept = Vec::new();
        let mut folders = vec![if is_folder { board } else { board.parent().unwrap_or(board) }.to_owned()];
        if is_folder {
            folders.extend(entries(board)?.into_iter().filter(|path| path.is_dir() && !path.is_symlink()));
        }
        for path in folders.iter().map(|folder| entries(folder)).collect::<Result<Vec<_>>>()?.concat() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !name.starts_with(&prefix) || path.is_dir() {
                continue;
            }
            match name.split_once(EXCHANGED) {
                Some((_, hashes)) if !hashes.contains(&short(&super::read(&path)?)) => kept.push(path),
                _ => self.remove(&path)?,
            }
        }
        Ok(kept)
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>();
    read().with_context(|| format!("cannot read {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn staged(path: &Path) -> Staged {
        Staged::new(path, b"ours").unwrap()
    }

    #[test]
    fn what_was_written_in_the_instant_before_the_exchange_goes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board.md");
        for (there, replaced, left) in [("old", true, "ours"), ("theirs", false, "theirs"), ("", false, "")] {
            fs::write(&path, there).unwrap();
            assert_eq!(staged(&path).exchange(b"old", b"ours").unwrap(), replaced, "{there:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), left);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        }
        fs::remove_file(&path).unwrap();
        assert!(!staged(&path).exchange(b"old", b"ours").unwrap() && !path.exists(), "a deleted file stays deleted");
    }

    #[test]
    fn what_was_written_once_more_in_the_instant_before_that_goes_back_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board.md");
        fs::write(&path, "theirs").unwrap();
        let exchange = staged(&path).named(b"old", b"ours").unwrap();
        exchange.change_places().unwrap();
        fs::write(&path, "newer").unwrap();
        assert!(!exchange.put_back(b"theirs".to_vec(), b"ours").unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "newer");
    }

    /// What stands on the board and in what is left beside it, each time that a run is killed; and whether it is somebody's.
    #[test]
    fn what_a_killed_run_left_is_removed_unless_somebody_wrote_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board.md");
        let writer = Writer { root: None, own: None };
        for (case, named, exchanged, there, is_kept) in [
            ("half staged", false, false, "old", false),
            ("before the exchange", true, false, "old", false),
            ("after the exchange", true, true, "old", false),
            ("after an exchange that took out what somebody had just written", true, true, "theirs", true),
        ] {
            fs::write(&path, there).unwrap();
            if named {
                let exchange = staged(&path).named(b"old", b"ours").unwrap();
                if exchanged {
                    exchange.change_places().unwrap();
                }
                exchange.staged.keep().unwrap();
            } else {
                staged(&path).file.keep().unwrap();
            }
            for other in ["board.md.old", ".kanban-codex-exec-0123456789abcdef-swap-of-another-board"] {
                fs::write(folder.path().join(other), "other").unwrap();
            }
            let kept = writer.tidy(&path).unwrap();
            let texts: Vec<String> = kept.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
            assert_eq!(texts, if is_kept { vec!["theirs"] } else { vec![] }, "{case}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3 + kept.len(), "{case}");
        }
    }

    #[test]
    fn of_a_board_that_is_a_folder_its_folders_are_tidied() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("tasks")).unwrap();
        let path = folder.path().join("tasks/task-1.md");
        staged(&path).file.keep().unwrap();
        let kept = staged(&path).named(b"old", b"ours").unwrap().staged.keep().unwrap();
        fs::write(&kept, "theirs").unwrap();
        assert_eq!(Writer { root: None, own: None }.tidy(folder.path()).unwrap(), [kept]);
        assert_eq!(fs::read_dir(folder.path().join("tasks")).unwrap().count(), 1);
    }
}
