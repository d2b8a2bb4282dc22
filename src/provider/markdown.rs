//! Markdown boards: headings with lists of cards, or a to-do list whose next item is the card.
//!
//! [`mod@parse`] and [`edit`] are pure; here the file is read and replaced.

mod again;
mod card;
mod columns;
pub mod edit;
pub(super) mod identity;
pub(super) mod lines;
pub mod next;
pub(super) mod note;
mod outline;
pub mod parse;
mod pattern;
mod seen;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Error, Result};

use self::again::Before;
use self::edit::Edited;
use self::parse::{Mode, Parsed, Reader, Unreadable};
use super::swap::{self, Planned, Readings, Refusal, Shared, applied};
use super::{Applied, Note, Provider, Wanted};
use crate::board::{Board, Card, CardId, Column};
use crate::storage::Writer;

/// A board in one markdown file.
#[derive(Debug)]
pub struct Markdown {
    path: PathBuf,
    mode: Mode,
    shared: Shared,
    readings: Readings<Reading>,
}

/// A text that was read.
#[derive(Debug)]
struct Reading {
    text: String,
    parsed: Arc<Parsed>,
}

impl AsRef<str> for Reading {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl Reader for &Markdown {
    fn mode(self) -> Mode {
        self.mode
    }

    fn parse(self, text: &str) -> Result<Arc<Parsed>, Unreadable> {
        if let Some(known) = self.readings.of(text) {
            return Ok(known.parsed.clone());
        }
        let newest = self.readings.newest();
        let before = newest.as_ref().map(|before| Before { text: &before.text, parsed: &before.parsed });
        let parsed = Arc::new(parse::parse_after(before, text, self.mode)?);
        self.readings.keep(Reading { text: text.to_owned(), parsed: parsed.clone() });
        Ok(parsed)
    }

    fn pass_by(self, text: &str) {
        self.parse(text).ok();
    }
}

impl Markdown {
    pub fn new(path: &Path, next: bool) -> Markdown {
        let mode = if next { Mode::Next } else { Mode::Board };
        Markdown { path: path.to_owned(), mode, shared: Shared::default(), readings: Readings::default() }
    }

    fn text(&self) -> Result<String> {
        let text = self.shared.text(&self.path)?;
        // A board without columns is none anyway; a list without items could be one that is done.
        if self.mode == Mode::Next && text.bytes().all(|byte| byte == 0) {
            let hint = "put the list back; one that is done has a heading left, or its ticked items";
            return Err(swap::problem(&self.path, 0, "no items: the file is empty", hint));
        }
        Ok(text)
    }

    fn parsed(&self, text: &str) -> Result<Arc<Parsed>> {
        self.parse(text).map_err(|wrong| swap::problem(&self.path, wrong.line, &wrong.text, columns::HINT))
    }

    fn edit(&self, writer: &Writer, plan: impl Fn(&str) -> Result<Edited>) -> Result<Edited> {
        self.shared.edit(&self.path, writer, || {
            let text = self.text()?;
            let edited = match plan(&text) {
                Ok(edited) => edited,
                Err(error) => return self.parsed(&text).and_then(|_| Err(Error::new(Refusal(format!("{error:#}"))))),
            };
            Ok(Planned { path: self.path.clone(), text, edited })
        })
    }
}

impl Provider for Markdown {
    fn read(&self, _wanted: &Wanted) -> Result<Arc<Board>> {
        Ok(self.parsed(&self.text()?)?.board())
    }

    fn claim(&self, writer: &Writer, card: &Card) -> Result<Applied> {
        let edited = self.edit(writer, |text| edit::stamp(text, self, &card.id, &card.status));
        applied(edited, &card.id)
    }

    fn update(&self, writer: &Writer, card: &CardId, at: &Column, note: &Note) -> Result<Applied> {
        applied(self.edit(writer, |text| edit::note(text, self, card, at, note)), card)
    }

    fn transition(&self, writer: &Writer, card: &Card, to: &Column, note: Option<&Note>) -> Result<Applied> {
        let edited = self.edit(writer, |text| match edit::reworded(text, self, card)? {
            true => Ok(Edited::Reworded),
            false => edit::transition(text, self, &card.id, &card.status, to, note),
        });
        applied(edited, &card.id)
    }

    fn create_column(&self, writer: &Writer, column: &Column) -> Result<()> {
        self.edit(writer, |text| edit::create_column(text, self, column)).map(drop)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "the tests write boards as other programs do")]

    use std::cell::Cell;
    use std::fs;

    use super::*;
    use crate::failure::{Failure, Kind};
    use crate::provider::swap::TRIES;

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
        let (tries, id) = (Cell::new(0), CardId::from("a"));
        let edited = board.edit(&writer, |text| {
            tries.set(tries.get() + 1);
            if tries.get() == 1 {
                fs::write(&board.path, text.replace("- [ ] A", "- [ ] new\n- [ ] A")).unwrap();
            }
            edit::transition(text, board.mode, &id, &Column::from("Todo"), &Column::from("Done"), None)
        });
        assert!(matches!(edited, Ok(Edited::Text(_))), "{edited:?}");
        assert_eq!(tries.get(), 2);
        assert_eq!(fs::read_to_string(&board.path).unwrap(), "## Todo\n\n- [ ] new\n\n## Done\n- [ ] A ^a\n");
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
        assert_eq!(fs::read_to_string(&board.path).unwrap(), format!("{BOARD}- [ ] {TRIES}\n"));
    }

    #[test]
    fn a_symlinked_board_stays_a_symlink() {
        let (folder, board, writer) = world();
        let link = folder.path().join("link.md");
        std::os::unix::fs::symlink(&board.path, &link).unwrap();
        let linked = Markdown::new(&link, false);
        linked.create_column(&writer, &Column::from("Review")).unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&board.path).unwrap(), format!("{BOARD}\n## Review\n"));
    }

    #[test]
    fn what_is_wrong_with_the_file_exits_with_2_and_a_hint() {
        let (folder, board, _) = world();
        fs::write(&board.path, "| a |\n|---|\n").unwrap();
        for (board, text) in [
            (&board, "board.md:1: no column heading: found a table here"),
            (&Markdown::new(&folder.path().join("none.md"), false), "cannot read"),
        ] {
            let failure = board.read(&Wanted::default()).unwrap_err().downcast::<Failure>().unwrap();
            assert_eq!((failure.kind, failure.hints.len()), (Kind::Usage, 1));
            assert!(failure.error.to_string().contains(text), "{failure}");
        }
    }
}
