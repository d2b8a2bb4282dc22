//! Files of a board, which others write as well: one is read once it rests; an edit is planned on it as it was just read and
//! written only while it is still so, else it is planned again.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Error, Result, anyhow};

use crate::board::CardId;
use crate::failure::{Failure, Kind, Problem};
use crate::provider::Applied;
use crate::provider::markdown::edit::Edited;
use crate::storage::{self, Stamp, Writer};

/// How often a file that others write is looked at again, and the pause before each. What was written less than that ago may
/// be half of what somebody is writing.
pub(super) const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(25);
/// How often one is looked at that is there and does not rest.
const LOOKS: usize = 6 * TRIES;

/// An edit of a file that held `text`.
#[derive(Debug)]
pub(super) struct Planned {
    pub path: PathBuf,
    pub text: String,
    pub edited: Edited,
}

/// Reads and replaces files, and knows those that it wrote itself.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Files as this program last left them: whole.
    ours: Mutex<HashMap<PathBuf, Stamp>>,
}

impl Shared {
    /// Plans and writes, again and again while others write in between. That an edit can't be made is believed when it is
    /// said twice of the same.
    pub fn edit(&self, board: &Path, writer: &Writer, plan: impl Fn() -> Result<Planned>) -> Result<Edited> {
        let mut doubted = None;
        for tries in 0..TRIES {
            if tries > 0 {
                std::thread::sleep(PAUSE);
            }
            let planned = plan();
            let seen = match &planned {
                Ok(Planned { edited: Edited::Already, .. }) => return Ok(Edited::Already),
                Ok(Planned { path, text, edited: Edited::Text(new) }) => {
                    if writer.swap(path, text.as_bytes(), new.as_bytes())? {
                        self.left(path);
                        return planned.map(|planned| planned.edited);
                    }
                    tracing::debug!("the board changed before it was written");
                    continue;
                }
                Ok(elsewhere) => elsewhere.text.clone(),
                Err(error) => format!("{error:#}"),
            };
            if doubted.as_ref() == Some(&seen) {
                return planned.map(|planned| planned.edited);
            }
            doubted = Some(seen);
        }
        let text = anyhow!("{} changed each of the {TRIES} times that it was to be written", board.display());
        Err(Error::msg(Failure::new(Kind::Error, text).hint("stop the other program that writes it")))
    }

    /// Remembers a file as it was just written.
    fn left(&self, path: &Path) {
        let mut ours = self.ours.lock().unwrap_or_else(PoisonError::into_inner);
        match fs::metadata(path) {
            Ok(data) => ours.insert(path.to_owned(), Stamp::from(&data)),
            Err(_) => ours.remove(path),
        };
    }

    fn is_ours(&self, path: &Path, stamp: Stamp) -> bool {
        self.ours.lock().unwrap_or_else(PoisonError::into_inner).get(path) == Some(&stamp)
    }

    /// A file's bytes, once it has rested for a moment: half of what somebody is writing is no board. Nor is none, for the
    /// instant in which an editor puts a new file in the old one's place.
    pub fn bytes(&self, path: &Path) -> io::Result<Vec<u8>> {
        let (mut before, mut missed) = (None, 0);
        for _ in 0..LOOKS {
            match fs::metadata(path) {
                Ok(data) => {
                    let stamp = Stamp::from(&data);
                    if before == Some(stamp) || self.is_ours(path, stamp) || changed_long_ago(&data) {
                        return storage::read(path);
                    }
                    before = Some(stamp);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound && missed + 1 < TRIES => missed += 1,
                Err(error) => return Err(error),
            }
            std::thread::sleep(PAUSE);
        }
        Err(io::Error::other("it is written all the time: stop the other program that writes it"))
    }

    /// A board file's text, or an error that downcasts to [`Failure`].
    pub fn text(&self, path: &Path) -> Result<String> {
        let bytes = self.bytes(path).map_err(|error| {
            // There is none, or it is no file.
            let none = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidInput);
            let kind = if none { Kind::Usage } else { Kind::Error };
            let failure = Failure::new(kind, Error::new(error).context(format!("cannot read {}", path.display())));
            Error::msg(if none { failure.hint("--source names the board") } else { failure })
        })?;
        String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let line = 1 + error.as_bytes()[..valid].iter().filter(|&&byte| byte == b'\n').count();
            problem(path, line, "not UTF-8 text", "save the file as UTF-8")
        })
    }
}

/// Readings of the newest texts of a board in one file: what an edit leaves is read to check the edit, and most often is the
/// next thing to be read.
#[derive(Debug)]
pub(super) struct Readings<R>(Mutex<VecDeque<Arc<R>>>);

/// So many are kept: of the text before an edit and of the one after it.
const KEPT: usize = 2;

impl<R> Default for Readings<R> {
    fn default() -> Readings<R> {
        Readings(Mutex::default())
    }
}

/// A reading gives its text.
impl<R: AsRef<str>> Readings<R> {
    fn all(&self) -> MutexGuard<'_, VecDeque<Arc<R>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn of(&self, text: &str) -> Option<Arc<R>> {
        self.all().iter().find(|reading| (***reading).as_ref() == text).cloned()
    }

    pub fn newest(&self) -> Option<Arc<R>> {
        self.all().front().cloned()
    }

    pub fn keep(&self, reading: R) -> Arc<R> {
        let (reading, mut all) = (Arc::new(reading), self.all());
        all.truncate(KEPT - 1);
        all.push_front(reading.clone());
        reading
    }
}

/// Where the clock was set back it can't be told.
fn changed_long_ago(data: &fs::Metadata) -> bool {
    let changed = Duration::new(data.ctime().try_into().unwrap_or(0), data.ctime_nsec().try_into().unwrap_or(0));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    now.checked_sub(changed).is_some_and(|age| age > PAUSE)
}

/// What is wrong with a file as a whole, as an error that downcasts to [`Failure`].
pub(super) fn problem(path: &Path, line: usize, text: &str, hint: &str) -> Error {
    let hint = Some(hint.to_owned()).filter(|hint| !hint.is_empty());
    let problem = Problem { file: path.display().to_string(), line, column: 0, text: text.to_owned(), hint };
    Error::msg(Failure::from(vec![problem]))
}

/// The board can be read, and this one thing can't be written on it.
#[derive(Debug)]
pub(super) struct Refusal(pub String);

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

pub(super) fn applied(edited: Result<Edited>, id: &CardId) -> Result<Applied> {
    Ok(match edited {
        Ok(Edited::Text(_)) => Applied::Done { id: id.clone() },
        Ok(Edited::Already) => Applied::Already,
        Ok(Edited::Elsewhere(column)) => Applied::Elsewhere(column),
        Ok(Edited::Reworded) => Applied::Reworded,
        Err(error) => Applied::Refused(error.downcast::<Refusal>()?.0),
    })
}
