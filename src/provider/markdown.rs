//! Markdown boards: headings with lists of cards, or a to-do list whose next item is the card.
//!
//! [`parse`] and [`edit`] are pure; here the file is read and replaced. Each write is planned on the file as it was just read
//! and made only while it is still so; else it is planned again.

mod card;
mod columns;
pub mod edit;
mod identity;
mod lines;
mod next;
mod note;
mod outline;
pub mod parse;
mod seen;

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use anyhow::{Error, Result, anyhow};

use self::edit::Edited;
use self::parse::{Mode, Parsed, parse};
use super::{Applied, Note, Provider};
use crate::board::{Board, Card, CardId, Column};
use crate::failure::{Failure, Kind, Problem};
use crate::storage::{Stamp, Writer};

/// How often a file that others write is looked at again, and the pause before each. What was written less than that ago may
/// be half of what somebody is writing.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(25);

/// A board in one markdown file.
#[derive(Debug)]
pub struct Markdown {
    path: PathBuf,
    mode: Mode,
    /// The file as this program last left it: whole.
    ours: Mutex<Option<Stamp>>,
}

impl Markdown {
    pub fn new(path: &Path, next: bool) -> Markdown {
        let mode = if next { Mode::Next } else { Mode::Board };
        Markdown { path: path.to_owned(), mode, ours: Mutex::default() }
    }

    /// Remembers the file as it was just written.
    fn left(&self) {
        if let Ok(mut ours) = self.ours.lock() {
            *ours = fs::metadata(&self.path).ok().map(|data| Stamp::from(&data));
        }
    }

    fn is_ours(&self, stamp: Stamp) -> bool {
        self.ours.lock().is_ok_and(|ours| *ours == Some(stamp))
    }

    /// The file's bytes, once it has rested for a moment: half of what somebody is writing is no board. Nor is none, for the
    /// instant in which an editor puts a new file in the old one's place.
    fn rested(&self) -> io::Result<Vec<u8>> {
        let mut before = None;
        let mut told = io::Error::other("it is written all the time: stop the other program that writes it");
        for _ in 0..TRIES {
            match fs::metadata(&self.path) {
                Ok(data) => {
                    let stamp = Stamp::from(&data);
                    if before == Some(stamp) || self.is_ours(stamp) || changed_long_ago(&data) {
                        return fs::read(&self.path);
                    }
                    before = Some(stamp);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => told = error,
                Err(error) => return Err(error),
            }
            std::thread::sleep(PAUSE);
        }
        Err(told)
    }

    fn text(&self) -> Result<String> {
        let bytes = self.rested().map_err(|error| {
            let missing = error.kind() == io::ErrorKind::NotFound;
            let kind = if missing { Kind::Usage } else { Kind::Error };
            let failure = Failure::new(kind, Error::new(error).context(format!("cannot read {}", self.path.display())));
            Error::msg(if missing { failure.hint("--source names the board") } else { failure })
        })?;
        // A board without columns is none anyway; a list without items could be one that is done.
        if self.mode == Mode::Next && bytes.iter().all(|byte| *byte == 0) {
            let hint = "put the list back; one that is done has a heading left, or its ticked items";
            return Err(self.problem(0, "no items: the file is empty", hint));
        }
        String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let line = 1 + error.as_bytes()[..valid].iter().filter(|&&byte| byte == b'\n').count();
            self.problem(line, "not UTF-8 text", "save the file as UTF-8")
        })
    }

    /// What is wrong with the file as a whole, as an error that downcasts to [`Failure`].
    fn problem(&self, line: usize, text: &str, hint: &str) -> Error {
        let file = self.path.display().to_string();
        let problem = Problem { file, line, column: 0, text: text.to_owned(), hint: Some(hint.to_owned()) };
        Error::msg(Failure::from(vec![problem]))
    }

    fn parse(&self, text: &str) -> Result<Parsed> {
        parse(text, self.mode).map_err(|wrong| self.problem(wrong.line, &wrong.text, columns::HINT))
    }

    /// Plans an edit on what the file holds and writes it, again and again while others write in between. That it can't be
    /// made is believed when the same text says so twice.
    fn edit(&self, writer: &Writer, plan: impl Fn(&str) -> Result<Edited>) -> Result<Edited> {
        let mut doubted = None;
        for tries in 0..TRIES {
            if tries > 0 {
                std::thread::sleep(PAUSE);
            }
            let text = self.text()?;
            let edited = match plan(&text) {
                Ok(Edited::Text(new)) if writer.swap(&self.path, text.as_bytes(), new.as_bytes())? => {
                    self.left();
                    return Ok(Edited::Text(new));
                }
                Ok(Edited::Text(_)) => {
                    tracing::debug!("the board changed before it was written");
                    continue;
                }
                Ok(Edited::Already) => return Ok(Edited::Already),
                Ok(elsewhere) => Ok(elsewhere),
                Err(error) => self.parse(&text).and_then(|_| Err(Error::new(Refusal(format!("{error:#}"))))),
            };
            if doubted.as_ref() == Some(&text) {
                return edited;
            }
            doubted = Some(text);
        }
        let text = anyhow!("{} changed each of the {TRIES} times that it was to be written", self.path.display());
        Err(Error::msg(Failure::new(Kind::Error, text).hint("stop the other program that writes it")))
    }
}

/// Where the clock was set back it can't be told.
fn changed_long_ago(data: &fs::Metadata) -> bool {
    let changed = Duration::new(data.ctime().try_into().unwrap_or(0), data.ctime_nsec().try_into().unwrap_or(0));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    now.checked_sub(changed).is_some_and(|age| age > PAUSE)
}

/// The board can be read, and this one thing can't be written on it.
#[derive(Debug)]
struct Refusal(String);

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

fn applied(edited: Result<Edited>, id: &CardId) -> Result<Applied> {
    Ok(match edited {
        Ok(Edited::Text(_)) => Applied::Done { id: id.clone() },
        Ok(Edited::Already) => Applied::Already,
        Ok(Edited::Elsewhere(column)) => Applied::Elsewhere(column),
        Err(error) => Applied::Refused(error.downcast::<Refusal>()?.0),
    })
}

impl Provider for Markdown {
    fn read(&self) -> Result<Board> {
        Ok(self.parse(&self.text()?)?.board())
    }

    fn claim(&self, writer: &Writer, card: &Card) -> Result<Applied> {
        let edited = self.edit(writer, |text| edit::stamp(text, self.mode, &card.id, &card.status));
        applied(edited, &card.id)
    }

    fn update(&self, writer: &Writer, card: &CardId, at: &Column, note: &Note) -> Result<Applied> {
        applied(self.edit(writer, |text| edit::note(text, self.mode, card, at, note)), card)
    }

    fn transition(
        &self,
        writer: &Writer,
        card: &CardId,
        from: &Column,
        to: &Column,
        note: Option<&Note>,
    ) -> Result<Applied> {
        applied(self.edit(writer, |text| edit::transition(text, self.mode, card, from, to, note)), card)
    }

    fn create_column(&self, writer: &Writer, column: &Column) -> Result<()> {
        self.edit(writer, |text| edit::create_column(text, self.mode, column)).map(drop)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "the tests write boards as other programs do")]

    use std::cell::Cell;

    use super::*;

    const BOARD: &str = "## Todo\n\n- [ ] A ^a\n\n## Done\n";

    fn world() -> (tempfile::TempDir, Markdown, Writer) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board.md");
        fs::write(&path, BOARD).unwrap();
        let writer = Writer::within(folder.path());
        (folder, Markdown::new(&path, false), writer)
    }

    #[test]
    fn a_change_in_between_is_planned_upon() {
        let (_folder, board, writer) = world();
        let (tries, id) = (Cell::new(0), CardId("a".to_owned()));
        let edited = board.edit(&writer, |text| {
            tries.set(tries.get() + 1);
            if tries.get() == 1 {
                fs::write(&board.path, text.replace("- [ ] A", "- [ ] new\n- [ ] A")).unwrap();
            }
            edit::transition(text, board.mode, &id, &Column("Todo".to_owned()), &Column("Done".to_owned()), None)
        });
        assert!(matches!(edited, Ok(Edited::Text(_))), "{edited:?}");
        assert_eq!(tries.get(), 2);
        assert_eq!(board.text().unwrap(), "## Todo\n\n- [ ] new\n\n## Done\n- [ ] A ^a\n");
    }

    #[test]
    fn a_board_that_never_rests_is_an_error_and_stays_whole() {
        let (_folder, board, writer) = world();
        let tries = Cell::new(0);
        let edited = board.edit(&writer, |text| {
            tries.set(tries.get() + 1);
            fs::write(&board.path, format!("{BOARD}- [ ] {}\n", tries.get())).unwrap();
            Ok(Edited::Text(text.replace('A', "B")))
        });
        assert!(edited.unwrap_err().to_string().contains("changed each of the 20 times"));
        assert_eq!(board.text().unwrap(), format!("{BOARD}- [ ] {TRIES}\n"));
    }

    #[test]
    fn a_symlinked_board_stays_a_symlink() {
        let (folder, board, writer) = world();
        let link = folder.path().join("link.md");
        std::os::unix::fs::symlink(&board.path, &link).unwrap();
        let linked = Markdown::new(&link, false);
        linked.create_column(&writer, &Column("Review".to_owned())).unwrap();
        assert!(link.is_symlink());
        assert_eq!(board.text().unwrap(), format!("{BOARD}\n## Review\n"));
    }

    #[test]
    fn what_is_wrong_with_the_file_exits_with_2_and_a_hint() {
        let (folder, board, _) = world();
        fs::write(&board.path, "| a |\n|---|\n").unwrap();
        for (board, text) in [
            (&board, "board.md:1: no column heading: found a table here"),
            (&Markdown::new(&folder.path().join("none.md"), false), "cannot read"),
        ] {
            let failure = board.read().unwrap_err().downcast::<Failure>().unwrap();
            assert_eq!((failure.kind, failure.hints.len()), (Kind::Usage, 1));
            assert!(failure.error.to_string().contains(text), "{failure}");
        }
    }
}
