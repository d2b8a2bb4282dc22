//! The cards of all files as one board. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::rank::same_id;
use super::sheet::{Sheet, Task};
use super::tree::Wrong;
use crate::board::{Board, CardId, Column, Refused};
use crate::provider::markdown::lines::Lines;

/// A file of the board.
#[derive(Debug)]
pub(super) struct File {
    /// As people know it; empty where it is the whole board.
    pub name: String,
    pub text: String,
    pub sheet: Result<Sheet, Wrong>,
}

/// Everything that one reading found.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// In the order of their names.
    pub files: Vec<Arc<File>>,
    /// Files whose cards are done and no longer on the board.
    pub done: Vec<Arc<File>>,
    /// As the board's own configuration lists them; empty where it does not.
    pub columns: Vec<Column>,
}

/// Several cards of one id, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ambiguous(pub Vec<String>);

impl AsRef<str> for File {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl File {
    fn tasks(&self) -> impl Iterator<Item = (usize, &Task)> {
        self.sheet.iter().flat_map(|sheet| sheet.tasks.iter().enumerate())
    }

    /// The 1-based line of a byte.
    pub fn line(&self, at: usize) -> usize {
        Lines::new(&self.text).number(at)
    }

    fn place(&self, line: usize) -> String {
        if self.name.is_empty() { format!("line {line}") } else { format!("{}:{line}", self.name) }
    }
}

impl Layout {
    /// Files, and the index of each card in its file.
    fn tasks(&self) -> impl Iterator<Item = (&File, usize, &Task)> {
        self.files.iter().flat_map(|file| file.tasks().map(move |(index, task)| (&**file, index, task)))
    }

    fn known(&self) -> Vec<Column> {
        let own = self.files.iter().filter_map(|file| file.sheet.as_ref().ok()).flat_map(|sheet| &sheet.columns);
        self.columns.iter().chain(own).cloned().collect()
    }

    /// A card's column, spelt as the board's list has it.
    pub fn column(&self, task: &Task) -> Column {
        spelt(&task.card.status, &self.known())
    }

    /// The places of each id, those of cards that are done included.
    fn places(&self) -> BTreeMap<String, Vec<String>> {
        let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (file, task) in self.all() {
            places.entry(same_id(&task.card.id.0)).or_default().push(file.place(task.card.line));
        }
        places
    }

    /// Those that are done included.
    fn all(&self) -> impl Iterator<Item = (&File, &Task)> {
        self.files.iter().chain(&self.done).flat_map(|file| file.tasks().map(move |(_, task)| (&**file, task)))
    }

    /// The card of this id: its file and its index there.
    pub fn find(&self, id: &CardId) -> Result<Option<(&File, usize, &Task)>, Ambiguous> {
        let Some(found) = self.tasks().find(|(_, _, task)| task.card.id == *id) else { return Ok(None) };
        let wanted = same_id(&id.0);
        let same = self.all().filter(|(_, task)| same_id(&task.card.id.0) == wanted);
        let places: Vec<String> = same.map(|(file, task)| file.place(task.card.line)).collect();
        if places.len() > 1 { Err(Ambiguous(places)) } else { Ok(Some(found)) }
    }

    pub fn board(&self) -> Board {
        let (places, known) = (self.places(), self.known());
        let ids: BTreeMap<String, &CardId> =
            self.tasks().map(|(_, _, task)| (same_id(&task.card.id.0), &task.card.id)).collect();
        let done: BTreeSet<String> =
            self.done.iter().flat_map(|file| file.tasks()).map(|(_, task)| same_id(&task.card.id.0)).collect();
        let mut board = Board { refused: self.refused(), ..Board::default() };
        let mut tasks: Vec<_> = self.tasks().collect();
        tasks.sort_by(|(_, _, one), (_, _, other)| one.rank.order(&other.rank));
        for (file, _, task) in tasks {
            let mut card = task.card.clone();
            card.status = spelt(&task.card.status, &known);
            // What a card says is shared with the reading, unless it names others.
            if !card.dependencies.is_empty() {
                card.dependencies.retain(|id| !done.contains(&same_id(&id.0)));
                for id in &mut card.dependencies {
                    *id = ids.get(&same_id(&id.0)).map_or_else(|| id.clone(), |known| (*known).clone());
                }
            }
            if !file.name.is_empty() {
                card.metadata.insert("file".to_owned(), file.name.clone());
            }
            match places.get(&same_id(&card.id.0)).filter(|places| places.len() > 1) {
                Some(places) => board.refused.push(Refused {
                    status: Some(card.status.clone()),
                    reason: ambiguous(&card.id, card.stamped, places),
                    title: card.title.to_string(),
                    file: file.name.clone(),
                    lines: vec![card.line],
                }),
                None => board.cards.push(card),
            }
        }
        if !known.is_empty() {
            for column in known.iter().chain(board.cards.iter().map(|card| &card.status)) {
                if !board.columns.contains(column) {
                    board.columns.push(column.clone());
                }
            }
        }
        board
    }

    fn refused(&self) -> Vec<Refused> {
        let mut refused = Vec::new();
        for file in &self.files {
            let wrong = match &file.sheet {
                Ok(sheet) => sheet.refused.as_slice(),
                Err(wrong) => std::slice::from_ref(wrong),
            };
            refused.extend(wrong.iter().map(|wrong| Refused {
                status: None,
                title: String::new(),
                file: file.name.clone(),
                lines: vec![file.line(wrong.at)],
                reason: wrong.text.clone(),
            }));
        }
        refused
    }
}

fn spelt(status: &Column, known: &[Column]) -> Column {
    let lower = status.0.to_lowercase();
    known.iter().find(|column| column.0.to_lowercase() == lower).unwrap_or(status).clone()
}

pub(super) fn ambiguous(id: &CardId, stamped: bool, places: &[String]) -> String {
    let places = places.join(" and ");
    match stamped {
        true => format!("the id {id} stands several times, at {places}: give all but one another"),
        false => format!("several cards have this title and no id, at {places}: give them ids, or reword one"),
    }
}
