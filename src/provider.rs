//! Boards: where cards come from and where they go. Reading is pure; writing shows the run lock's [`Writer`].

pub mod file;
pub mod markdown;
mod swap;

use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use self::file::keys::Keys;
use crate::board::{Board, Card, CardId, Column};
use crate::failure::Failure;
use crate::storage::Writer;

/// A Kanban source.
pub trait Provider: std::fmt::Debug + Send + Sync {
    /// Columns and cards as they stand now. What is wrong with a single card is in [`Board::refused`]. A board that can't
    /// be represented at all is an error that downcasts to [`Failure`], with its lines.
    fn read(&self) -> Result<Board>;

    /// Writes the card's id on the board, unless it stands there; only while the card is where `card` says.
    fn claim(&self, writer: &Writer, card: &Card) -> Result<Applied>;

    /// Puts `note` on the card, in place of an older one; only while the card is in column `at`.
    fn update(&self, writer: &Writer, card: &CardId, at: &Column, note: &Note) -> Result<Applied>;

    /// Moves the card from `from` to the end of `to`, with `note` in the same write if there is one (`None` leaves an older
    /// note as it is).
    fn transition(
        &self,
        writer: &Writer,
        card: &CardId,
        from: &Column,
        to: &Column,
        note: Option<&Note>,
    ) -> Result<Applied>;

    /// Adds an empty column after the others; one that exists is fine.
    fn create_column(&self, writer: &Writer, column: &Column) -> Result<()>;
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
    /// Nothing was written: the board's format can't take this card's change. Other cards are not concerned.
    Refused(String),
}

/// The program's state block on a card.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// For people: already composed and redacted. The provider makes one line of it that the board's format survives.
    pub text: String,
    /// For the machine: comes back as [`Card::state`].
    pub data: serde_json::Value,
}

/// The kinds of boards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Markdown,
    File,
    GitHub,
}

/// Opens a board without reading it. `next`: *next item* mode, where the first unchecked item is the only card. `keys`: what
/// the parts of a card are called in data.
pub fn open(kind: Kind, source: &Path, next: bool, keys: &Keys) -> Result<Box<dyn Provider>, Failure> {
    match kind {
        Kind::Markdown => Ok(Box::new(markdown::Markdown::new(source, next))),
        Kind::File => Ok(Box::new(file::Files::new(source, keys))),
        Kind::GitHub => {
            let hint = "use --provider markdown or --provider file";
            Err(Failure::usage("this build has no github provider").hint(hint))
        }
    }
}
