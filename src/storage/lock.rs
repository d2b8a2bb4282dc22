//! The run lock: kernel locks on files among the temporary ones, where a cleaner may remove them. A second run would then lock
//! a new file of the same name: so that the lock is of the file that stands there is seen when it is taken, and again later.
//! Another user, a container, a service with temporary files of its own don't see them: CACHE_DIR itself is locked as well.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, anyhow};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use super::{Writer, effect, private_folder, sha256};
use crate::failure::{Failure, Kind};

/// How long a lock may stay with a dead holder, or with one that is not named yet.
const HANDOVER: Duration = Duration::from_secs(2);

const HISTORY: &str = "history";

/// For itself alone, or shared.
type TryLock = fn(&File) -> Result<(), TryLockError>;

/// Proof that this process is the only runner of its board and of its workspace. Held until dropped.
#[derive(Debug)]
pub struct RunLock {
    folder: PathBuf,
    /// What this process writes of itself.
    holder: String,
    locks: Vec<Lock>,
    marker: String,
    cache_dir: PathBuf,
    history: Option<File>,
}

/// One of its files.
#[derive(Debug)]
struct Lock {
    kind: &'static str,
    name: String,
    path: PathBuf,
    file: File,
    lock: TryLock,
}

/// What a run is about, by its one name each: paths are canonical.
#[derive(Debug, Clone, Copy)]
pub struct Places<'p> {
    pub source: &'p str,
    pub workspace: &'p Path,
    /// Folders above, in which a run would see what this one changes. Several runs may share one: no run is at work there.
    pub seen_from: &'p [PathBuf],
    pub cache_dir: &'p Path,
}

/// Another process holds the board or the workspace.
#[derive(Debug)]
pub struct Held {
    /// `board`, `workspace` or `history`.
    pub kind: &'static str,
    /// Which one.
    pub name: String,
    /// What the holder wrote of itself: `pid 123, run board.md`.
    pub holder: String,
}

impl Held {
    /// Not only the workspace.
    pub fn is_of_board(&self) -> bool {
        self.kind != "workspace"
    }

    /// Its other locks are not to be seen from here.
    pub fn is_elsewhere(&self) -> bool {
        self.kind == HISTORY
    }

    fn elsewhere(cache_dir: &Path) -> Held {
        let holder = "one of another user, in a container or in a service with temporary files of its own".to_owned();
        Held { kind: HISTORY, name: cache_dir.display().to_string(), holder }
    }

    /// Why there is no run beside it.
    pub fn refusal(&self) -> Failure {
        let text = anyhow!("another run holds the {} {}: {}", self.kind, self.name, self.holder);
        Failure::new(Kind::Error, text)
            .hint("one runner a board and a workspace, and none in a folder of another's: stop that one first")
    }
}

impl Lock {
    fn take(folder: &Path, kind: &'static str, name: &str, lock: TryLock, holder: &str) -> Result<Result<Lock, Held>> {
        let path = lock_file(folder, kind, name);
        loop {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false).mode(0o600);
            let mut file = effect("open", &path, || options.open(&path))
                .with_context(|| format!("cannot open the lock {}", path.display()))?;
            let locked = held(&mut file, lock);
            if let Some(holder) = locked.with_context(|| format!("cannot lock {}", path.display()))? {
                return Ok(Err(Held { kind, name: name.to_owned(), holder }));
            }
            let mut taken = Lock { kind, name: name.to_owned(), path: path.clone(), file, lock };
            if taken.stands() {
                effect("truncate", &path, || taken.file.set_len(0))?;
                effect("write", &path, || taken.file.write_all(holder.as_bytes()))?;
                return Ok(Ok(taken));
            }
        }
    }

    fn stands(&self) -> bool {
        is_at(&self.file, &self.path)
    }
}

/// Whether a file or folder is still the one of that name.
fn is_at(file: &File, path: &Path) -> bool {
    let place = |data: fs::Metadata| (data.dev(), data.ino());
    let there = fs::metadata(path).map(place).ok();
    there.is_some() && there == file.metadata().map(place).ok()
}

impl RunLock {
    /// Locks the board and the workspace with kernel locks on files in `folder`, which belongs to this user alone. `holder`
    /// is written into them for the error that a second runner gets.
    pub fn acquire(folder: &Path, places: Places<'_>, holder: &str) -> Result<Result<RunLock, Held>> {
        private_folder(folder)?;
        let (source, workspace) = (places.source, places.workspace.to_string_lossy());
        let holder = format!("{holder}\n{}", places.cache_dir.display());
        let mut locks = Vec::new();
        let own = [("board", source.into()), ("workspace", workspace)]
            .map(|(kind, name)| (kind, name, File::try_lock as TryLock));
        let above = places
            .seen_from
            .iter()
            .map(|above| ("workspace", above.to_string_lossy(), File::try_lock_shared as TryLock));
        for (kind, name, lock) in own.into_iter().chain(above) {
            match Lock::take(folder, kind, &name, lock, &holder)? {
                Ok(lock) => locks.push(lock),
                Err(held) => return Ok(Err(held)),
            }
        }
        let marker = RunLock::marker_of(places.workspace);
        let (folder, cache_dir) = (folder.to_owned(), places.cache_dir.to_owned());
        Ok(Ok(RunLock { folder, holder, locks, marker, cache_dir, history: None }))
    }

    /// Locks CACHE_DIR, which has been made, against runs that don't see the other locks.
    pub fn hold_history(&mut self) -> Result<Result<(), Held>> {
        let name = self.cache_dir.display();
        let folder = File::open(&self.cache_dir).with_context(|| format!("cannot open the folder {name}"))?;
        let began = Instant::now();
        // As below: a killed runner's child may have it for a moment, or who looks.
        while matches!(folder.try_lock(), Err(TryLockError::WouldBlock)) {
            if began.elapsed() > HANDOVER {
                return Ok(Err(Held::elsewhere(&self.cache_dir)));
            }
            std::thread::sleep(HANDOVER / 100);
        }
        // Not every file system locks folders: then it is as if there were no others.
        self.history = Some(folder);
        Ok(Ok(()))
    }

    /// Takes anew what was removed since, CACHE_DIR included, unless another run has. What is there looks new again, to who
    /// cleans by age.
    pub fn keep(&mut self) -> Result<Result<(), Held>> {
        for lock in &mut self.locks {
            if lock.stands() {
                lock.file.set_modified(SystemTime::now()).ok();
                continue;
            }
            private_folder(&self.folder)?;
            match Lock::take(&self.folder, lock.kind, &lock.name, lock.lock, &self.holder)? {
                Ok(again) => *lock = again,
                Err(held) => return Ok(Err(held)),
            }
        }
        match &self.history {
            Some(folder) if !is_at(folder, &self.cache_dir) => {
                self.writer().cache_folder(&self.cache_dir)?;
                self.hold_history()
            }
            Some(_) | None => Ok(Ok(())),
        }
    }

    /// Who holds the board, or else the workspace, one around it, or the history. It only looks: the lock is shared for an
    /// instant, in which a run that starts asks again.
    pub fn held_by(folder: &Path, places: Places<'_>) -> Result<Option<Held>> {
        let workspaces = std::iter::once(places.workspace).chain(places.seen_from.iter().map(PathBuf::as_path));
        let workspaces = workspaces.map(|workspace| ("workspace", workspace.to_string_lossy()));
        for (kind, name) in std::iter::once(("board", places.source.into())).chain(workspaces) {
            let path = lock_file(folder, kind, &name);
            let mut file = match File::open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                opened => opened.with_context(|| format!("cannot open the lock {}", path.display()))?,
            };
            let locked = held(&mut file, File::try_lock_shared);
            if let Some(holder) = locked.with_context(|| format!("cannot look at the lock {}", path.display()))? {
                return Ok(Some(Held { kind, name: name.into_owned(), holder }));
            }
        }
        let history = File::open(places.cache_dir).map(|folder| folder.try_lock_shared());
        let held = matches!(history, Ok(Err(TryLockError::WouldBlock)));
        Ok(held.then(|| Held::elsewhere(places.cache_dir)))
    }

    /// Where the board's newest runner kept its history.
    pub fn last_cache_dir(folder: &Path, source: &str) -> Option<PathBuf> {
        let holder = fs::read_to_string(lock_file(folder, "board", source)).ok()?;
        holder.split_once('\n').map(|(_, folder)| PathBuf::from(folder))
    }

    /// [`RunLock::marker`] of whoever runs a board in that workspace: what another board's run left there would change the
    /// files that a card is judged by.
    pub fn marker_of(workspace: &Path) -> String {
        sha256(workspace.as_os_str().as_bytes())[..32].to_owned()
    }

    /// What every child of a runner in this workspace carries in its environment, so that a later run finds strays.
    pub fn marker(&self) -> &str {
        &self.marker
    }

    pub fn writer(&self) -> Writer {
        Writer { root: None, own: Some(self.cache_dir.clone()) }
    }
}

fn lock_file(folder: &Path, kind: &str, name: &str) -> PathBuf {
    folder.join(format!("{}.lock", &sha256(format!("{kind}\0{name}").as_bytes())[..32]))
}

/// Locks the file, or says who holds it. Asks again for a moment where that is a process that is gone: a killed runner's
/// child has the file open until it has become the program that it was made for, and a new runner has yet to write itself.
fn held(file: &mut File, lock: TryLock) -> io::Result<Option<String>> {
    let began = Instant::now();
    loop {
        let locked = lock(file);
        let mut holder = String::new();
        file.seek(SeekFrom::Start(0))?;
        match locked {
            Ok(()) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => file.read_to_string(&mut holder).map(drop)?,
        }
        let pid = holder.strip_prefix("pid ").and_then(|rest| rest.split(',').next()?.parse().ok());
        let alive = pid.and_then(Pid::from_raw).is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH));
        if alive || began.elapsed() > HANDOVER {
            return Ok(Some(holder.lines().next().unwrap_or_default().to_owned()));
        }
        std::thread::sleep(HANDOVER / 100);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_runs_see_what_the_other_changes() {
        let root = tempfile::tempdir().unwrap();
        let acquire = |workspace: &str, seen_from: &[&str]| {
            let seen_from: Vec<PathBuf> = seen_from.iter().map(PathBuf::from).collect();
            let (workspace, cache_dir) = (Path::new(workspace), Path::new("/cache"));
            let source = workspace.join("board.md").display().to_string();
            let places = Places { source: &source, workspace, seen_from: &seen_from, cache_dir };
            RunLock::acquire(&root.path().join("locks"), places, &source).unwrap()
        };
        let [one, two] = ["/repo/one", "/repo/two"].map(|workspace| acquire(workspace, &["/repo", "/"]).unwrap());
        let refused = acquire("/repo", &["/"]).unwrap_err();
        assert_eq!((&*refused.name, &*refused.holder), ("/repo", "/repo/two/board.md"));
        drop((one, two));
        let whole = acquire("/repo", &["/"]).unwrap();
        assert_eq!(acquire("/repo/one", &["/repo", "/"]).unwrap_err().holder, "/repo/board.md");
        acquire("/repo/ignored", &["/"]).unwrap();
        drop(whole);
    }

    #[test]
    fn a_lock_whose_file_was_removed_is_taken_anew_unless_another_run_has_it() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("locks");
        let (workspace, cache_dir) = (Path::new("/repo"), Path::new("/repo/.cache"));
        let places = Places { source: "board.md", workspace, seen_from: &["/".into()], cache_dir };
        let acquire = |holder| RunLock::acquire(&folder, places, holder).unwrap();
        let mut first = acquire("first").unwrap();
        let clean: [fn(&Path); 2] = [
            |folder| fs::remove_dir_all(folder).unwrap(),
            |folder| fs::read_dir(folder).unwrap().for_each(|entry| fs::remove_file(entry.unwrap().path()).unwrap()),
        ];
        for clean in clean {
            clean(&folder);
            first.keep().unwrap().unwrap();
            assert_eq!(acquire("second").unwrap_err().holder, "first");
            assert_eq!(RunLock::last_cache_dir(&folder, "board.md").unwrap(), places.cache_dir);
            clean(&folder);
            let second = acquire("second").unwrap();
            let told = first.keep().unwrap().unwrap_err().refusal();
            assert_eq!(told.error.to_string(), "another run holds the board board.md: second");
            drop(second);
            first.keep().unwrap().unwrap();
        }
    }

    #[test]
    fn a_run_that_sees_none_of_the_lock_files_is_kept_from_the_same_history() {
        let root = tempfile::tempdir().unwrap();
        let cache_dir = root.path().join("cache");
        fs::create_dir(&cache_dir).unwrap();
        let places =
            Places { source: "board.md", workspace: Path::new("/repo"), seen_from: &[], cache_dir: &cache_dir };
        let [here, there] = ["here", "there"].map(|name| root.path().join(name));
        let acquire = |folder: &Path| RunLock::acquire(folder, places, "pid").unwrap().unwrap();
        let mut first = acquire(&here);
        first.hold_history().unwrap().unwrap();
        let held = RunLock::held_by(&there, places).unwrap().unwrap();
        assert!(held.is_of_board() && held.is_elsewhere(), "{held:?}");
        let mut second = acquire(&there);
        let told = second.hold_history().unwrap().unwrap_err().refusal();
        assert!(told.error.to_string().starts_with("another run holds the history "), "{told:?}");
        // Codex removes it, and so does who tidies up.
        for replace in [fs::remove_dir_all, |folder: &Path| fs::rename(folder, folder.with_extension("old"))] {
            replace(&cache_dir).unwrap();
            first.keep().unwrap().unwrap();
            assert!(second.hold_history().unwrap().is_err());
        }
        fs::remove_dir_all(&cache_dir).unwrap();
        fs::create_dir(&cache_dir).unwrap();
        second.hold_history().unwrap().unwrap();
        assert!(first.keep().unwrap().unwrap_err().is_elsewhere(), "another run was faster");
        drop(first);
        second.keep().unwrap().unwrap();
        drop(second);
        assert!(RunLock::held_by(&there, places).unwrap().is_none());
    }
}
