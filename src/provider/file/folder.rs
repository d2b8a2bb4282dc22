//! The card files of a folder, each read once for each time that it was written.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use anyhow::{Context, Error, Result};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, open, statat};
use rustix::io::Errno;

use super::keys::Keys;
use super::layout::File;
use super::rank::natural;
use super::sheet::{Format, Sheet};
use super::tree::Wrong;
use crate::provider::swap::Shared;
use crate::storage::Stamp;

/// A folder of a board.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// What the board puts before the names of its files.
    within: &'static str,
    /// Files that nobody had written for a moment when they were read, by name.
    kept: Mutex<HashMap<String, (Stamp, Arc<File>)>>,
}

impl Folder {
    pub fn new(board: &Path, within: &'static str) -> Folder {
        Folder { path: board.join(within), within, kept: Mutex::default() }
    }

    pub fn is_there(&self) -> bool {
        self.path.is_dir()
    }

    /// The files whose names begin with `prefix`, in the order of their names. One that goes meanwhile is not there.
    pub fn files(&self, prefix: &str, shared: &Shared, keys: &Keys) -> Result<Vec<Arc<File>>> {
        let context = || format!("cannot read {}", self.path.display());
        let opened = open(&self.path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        let mut entries = match opened.and_then(Dir::new) {
            Ok(entries) => entries,
            Err(Errno::NOENT) => return Ok(Vec::new()),
            Err(error) => return Err(Error::new(error).context(context())),
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut files = Vec::with_capacity(kept.len());
        while let Some(entry) = entries.read() {
            let entry = entry.with_context(context)?;
            let name = entry.file_name().to_string_lossy();
            if !is_card(&name, prefix) {
                continue;
            }
            let looked = SystemTime::now();
            let stat = statat(entries.fd()?, entry.file_name(), AtFlags::empty());
            let kind = stat.map_or(entry.file_type(), |stat| FileType::from_raw_mode(stat.st_mode));
            if !matches!(kind, FileType::RegularFile | FileType::Unknown) {
                continue;
            }
            let stamp = stat.ok().map(|stat| Stamp::from(&stat)).filter(|stamp| stamp.is_settled(looked));
            match kept.get(&*name) {
                Some((known, file)) if Some(*known) == stamp => files.push(file.clone()),
                _ => {
                    let read = self.read(OsStr::from_bytes(entry.file_name().to_bytes()), shared, keys)?;
                    let Some(file) = read.map(Arc::new) else { continue };
                    files.push(file.clone());
                    stamp.map(|stamp| kept.insert(name.into_owned(), (stamp, file)));
                }
            }
        }
        files.sort_unstable_by(|one, other| one.order.cmp(&other.order).then_with(|| one.name.cmp(&other.name)));
        Ok(files)
    }

    /// The file that the board calls so, as it stands now. None: it is not there, or not here.
    pub fn again(&self, called: &str, shared: &Shared, keys: &Keys) -> Result<Option<File>> {
        let name = called.strip_prefix(self.within).filter(|name| !name.is_empty() && !name.contains('/'));
        name.map_or(Ok(None), |name| self.read(OsStr::new(name), shared, keys))
    }

    fn read(&self, name: &OsStr, shared: &Shared, keys: &Keys) -> Result<Option<File>> {
        let Some(name) = name.to_str() else {
            let wrong = Wrong::new(0, "its name is not UTF-8 text: give it another");
            return Ok(Some(self.file(&name.to_string_lossy(), String::new(), Err(wrong))));
        };
        let path = self.path.join(name);
        let bytes = match shared.bytes(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::new(error).context(format!("cannot read {}", path.display()))),
        };
        Ok(Some(match String::from_utf8(bytes) {
            Ok(text) => {
                let sheet = Sheet::parse(&text, &self.called(name), Format::Front, keys);
                self.file(name, text, sheet)
            }
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let wrong = Wrong::new(at, "not UTF-8 text: save the file as UTF-8");
                self.file(name, String::from_utf8_lossy(error.as_bytes()).into_owned(), Err(wrong))
            }
        }))
    }

    /// What the board calls a file.
    fn called(&self, name: &str) -> String {
        format!("{}{name}", self.within)
    }

    fn file(&self, name: &str, text: String, sheet: Result<Sheet, Wrong>) -> File {
        File { order: natural(name), name: self.called(name), text, sheet }
    }
}

/// By its name. `prefix` is in lower case.
fn is_card(name: &str, prefix: &str) -> bool {
    let mut lower = name.chars().flat_map(char::to_lowercase);
    prefix.chars().all(|char| lower.next() == Some(char))
        && !name.starts_with('.')
        && Format::of(name) == Some(Format::Front)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "the tests write boards as other programs do")]

    use std::fs;
    use std::time::Duration;

    use super::*;

    const CARD: &str = "---\nid: a\nstatus: Todo\n---\n";

    fn read(folder: &Folder, prefix: &str) -> Vec<Arc<File>> {
        folder.files(prefix, &Shared::default(), &Keys::default()).unwrap()
    }

    fn names(files: &[Arc<File>]) -> Vec<&str> {
        files.iter().map(|file| file.name.as_str()).collect()
    }

    #[test]
    fn its_files_are_those_of_the_prefix_in_the_order_of_their_numbers() {
        let board = tempfile::tempdir().unwrap();
        let path = board.path().join("tasks");
        fs::create_dir_all(path.join("task-4.md")).unwrap();
        for name in ["task-10.md", "TASK-2.md", "task-01.md", "task-1.md", ".task-3.md", "task-5.txt", "note-6.md"] {
            fs::write(path.join(name), CARD).unwrap();
        }
        std::os::unix::fs::symlink("note-6.md", path.join("task-7.md")).unwrap();
        std::os::unix::fs::symlink("nothing", path.join("task-8.md")).unwrap();
        let folder = Folder::new(board.path(), "tasks/");
        let expected = ["TASK-2.md", "task-01.md", "task-1.md", "task-7.md", "task-10.md"];
        assert_eq!(names(&read(&folder, "task-")), expected.map(|name| format!("tasks/{name}")));
        assert!(read(&Folder::new(board.path(), "completed/"), "").is_empty(), "a folder that is not there");
    }

    #[test]
    fn a_file_is_read_again_only_once_it_was_written() {
        let board = tempfile::tempdir().unwrap();
        let path = board.path().join("a.md");
        fs::write(&path, CARD).unwrap();
        let folder = Folder::new(board.path(), "");
        std::thread::sleep(Duration::from_millis(100));
        let first = read(&folder, "");
        assert!(Arc::ptr_eq(&first[0], &read(&folder, "")[0]));
        fs::write(&path, CARD.replace("Todo", "Done")).unwrap();
        assert!(read(&folder, "")[0].text.contains("Done"));
        fs::remove_file(&path).unwrap();
        assert!(read(&folder, "").is_empty());
    }

    /// Other systems have no such names.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_whose_name_is_no_text_is_refused() {
        let board = tempfile::tempdir().unwrap();
        fs::write(board.path().join(OsStr::from_bytes(b"b\xff.md")), CARD).unwrap();
        let files = read(&Folder::new(board.path(), ""), "");
        assert_eq!(names(&files), ["b\u{fffd}.md"]);
        assert_eq!(files[0].sheet.as_ref().unwrap_err().text, "its name is not UTF-8 text: give it another");
    }
}
