//! Boards: where cards come from and where they go. Reading is pure; writing shows the run lock's [`Writer`].

pub mod file;
pub mod github;
pub mod markdown;
mod swap;

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use self::file::keys::Keys;
use crate::board::{Board, Card, CardId, Column};
use crate::failure::Failure;
use crate::storage::Writer;

/// A Kanban source.
pub trait Provider: std::fmt::Debug + Send + Sync {
    /// What rules are checked against: the columns as they stand now, in board order, and the cards where it lists none. A
    /// board that can't be represented at all is an error that downcasts to [`Failure`], with its lines; so is one that can't
    /// be reached, which is infrastructure.
    fn outline(&self) -> Result<Arc<Board>> {
        self.read(&Wanted::default())
    }

    /// Columns and cards as they stand now, and errors as of [`Provider::outline`]. What is wrong with a single card is in
    /// [`Board::refused`]. Of a card that is not `wanted` a board may tell no more than id, title and place.
    fn read(&self, wanted: &Wanted) -> Result<Arc<Board>>;

    /// How long a watcher leaves the board alone between two readings, at least.
    fn rest(&self) -> Duration {
        Duration::ZERO
    }

    /// Writes the card's id on the board, unless it stands there; only while the card is where `card` says.
    fn claim(&self, writer: &Writer, card: &Card) -> Result<Applied>;

    /// Puts `note` on the card, in place of an older one; only while the card is in column `at`.
    fn update(&self, writer: &Writer, card: &CardId, at: &Column, note: &Note) -> Result<Applied>;

    /// Moves the card to the end of `to`, with `note` in the same write if there is one (`None` leaves an older note as it
    /// is); only while the card is where `card` says and says the same. From a column into itself there is the note alone.
    fn transition(&self, writer: &Writer, card: &Card, to: &Column, note: Option<&Note>) -> Result<Applied>;

    /// Adds an empty column after the others; one that exists is fine.
    fn create_column(&self, writer: &Writer, column: &Column) -> Result<()>;
}

/// The cards that are read in full.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Those in the columns that are worked.
    pub columns: Vec<Column>,
    /// Those that something is open of, wherever they are.
    pub cards: BTreeSet<CardId>,
}

impl Wanted {
    pub fn has(&self, card: &CardId, at: &Column) -> bool {
        self.columns.contains(at) || self.cards.contains(card)
    }
}

/// What a writing call found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// Written, and the card's id from now on.
    Done { id: CardId },
    /// The board was as asked before.
    Already,
    /// Nothing was written: the card is in another column, or gone (`None`).
    Elsewhere(Option<Column>),
    /// Nothing was written: the card says something else by now.
    Reworded,
    /// Nothing was written: the board's format can't take this card's change. Other cards are not concerned.
    Refused(String),
}

/// The program's state block on a card.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// For people: already composed and redacted. The provider makes one line of it that the board's format survives.
    pub text: String,
    /// For the machine: comes back as [`CardContent::state`](crate::board::CardContent::state).
    pub data: serde_json::Value,
}

impl Note {
    /// The machine's half as JSON that an HTML comment and a board survive: inside its strings, and only there can these
    /// characters stand, every character has a second spelling.
    pub fn json(&self) -> String {
        let mut json = self.data.to_string();
        for (char, escape) in [
            ("<", "\\u003c"),
            (">", "\\u003e"),
            ("&", "\\u0026"),
            ("--", "-\\u002d"),
            ("%", "\\u0025"),
            ("#", "\\u0023"),
        ] {
            json = json.replace(char, escape);
        }
        json
    }
}

/// The kinds of boards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Markdown,
    File,
    GitHub,
}

/// Where a board is. Shown as the one name that every way to write it comes to.
#[derive(Debug, Clone)]
pub enum Source {
    /// A file or folder, canonical.
    Path(PathBuf),
    Project(github::Access),
}

impl Source {
    /// None: nothing in the file system.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Source::Path(path) => Some(path),
            Source::Project(_) => None,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Path(path) => path.display().fmt(f),
            Source::Project(access) => access.fmt(f),
        }
    }
}

/// Opens a board without reading it. `next`: *next item* mode, where the first unchecked item is the only card. `keys`: what
/// the parts of a card are called in data.
pub fn open(kind: Kind, source: &Source, next: bool, keys: &Keys) -> Result<Arc<dyn Provider>, Failure> {
    match (kind, source) {
        (_, Source::Project(access)) => Ok(Arc::new(github::GitHub::new(access.clone()))),
        (Kind::Markdown, Source::Path(path)) => Ok(Arc::new(markdown::Markdown::new(path, next))),
        (Kind::File | Kind::GitHub, Source::Path(path)) => Ok(Arc::new(file::Files::new(path, keys))),
    }
}
