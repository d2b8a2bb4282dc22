//! The cards of all files as one board. Pure.

use std::cell::LazyCell;
use std::collections::{HashMap, HashSet};
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
    /// Its name as names are ordered.
    pub order: Vec<(String, u64)>,
    pub text: String,
    pub sheet: Result<Sheet, Wrong>,
}

/// Everything that one reading found.
#[derive(Debug, Clone, Default)]
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
    /// One that is the whole board.
    pub fn whole(text: String, sheet: Result<Sheet, Wrong>) -> File {
        File { name: String::new(), order: Vec::new(), text, sheet }
    }

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

    /// Where in the files a card is.
    pub fn position(&self, id: &CardId) -> Option<usize> {
        self.files.iter().position(|file| file.tasks().any(|(_, task)| task.card.id == *id))
    }

    fn known(&self) -> Vec<Column> {
        let own = self.files.iter().filter_map(|file| file.sheet.as_ref().ok()).flat_map(|sheet| &sheet.columns);
        self.columns.iter().chain(own).cloned().collect()
    }

    /// A card's column, spelt as the board's list has it.
    pub fn column(&self, task: &Task) -> Column {
        Spelling::of(&self.known()).column(&task.card.status)
    }

    /// Whether it is of the same readings.
    pub fn is(&self, other: &Layout) -> bool {
        let same = |own: &[Arc<File>], others: &[Arc<File>]| {
            own.len() == others.len() && own.iter().zip(others).all(|(own, other)| Arc::ptr_eq(own, other))
        };
        self.columns == other.columns && same(&self.files, &other.files) && same(&self.done, &other.done)
    }

    /// The places of each id that stands several times, those of cards that are done included.
    fn several(&self) -> HashMap<&str, Vec<String>> {
        let mut seen = HashSet::new();
        let mut several: HashMap<&str, Vec<String>> = self
            .all()
            .filter(|(_, task)| !seen.insert(&*task.same))
            .map(|(_, task)| (&*task.same, Vec::new()))
            .collect();
        if !several.is_empty() {
            for (file, task) in self.all() {
                several.entry(&task.same).and_modify(|places| places.push(file.place(task.card.line)));
            }
        }
        several
    }

    /// Those that are done included.
    fn all(&self) -> impl Iterator<Item = (&File, &Task)> {
        self.files.iter().chain(&self.done).flat_map(|file| file.tasks().map(move |(_, task)| (&**file, task)))
    }

    /// The card of this id: its file and its index there.
    pub fn find(&self, id: &CardId) -> Result<Option<(&File, usize, &Task)>, Ambiguous> {
        let Some(found) = self.tasks().find(|(_, _, task)| task.card.id == *id) else { return Ok(None) };
        let same = self.all().filter(|(_, task)| task.same == found.2.same);
        let places: Vec<String> = same.map(|(file, task)| file.place(task.card.line)).collect();
        if places.len() > 1 { Err(Ambiguous(places)) } else { Ok(Some(found)) }
    }

    pub fn board(&self) -> Board {
        let (several, known) = (self.several(), self.known());
        let spelling = Spelling::of(&known);
        let others = LazyCell::new(|| Others::of(self));
        let mut board = Board { refused: self.refused(), ..Board::default() };
        let mut tasks: Vec<_> = self.tasks().collect();
        tasks.sort_by(|(_, _, one), (_, _, other)| one.rank.order(&other.rank));
        for (file, _, task) in tasks {
            let mut card = task.card.clone();
            card.status = spelling.column(&task.card.status);
            // What a card says is shared with the reading, unless it names others.
            if !card.dependencies.is_empty() {
                card.dependencies = others.open(&card.dependencies);
            }
            match several.get(&*task.same) {
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

/// What a card can name as what has to be done before it, by the ids as they are compared.
struct Others<'l> {
    ids: HashMap<&'l str, &'l CardId>,
    done: HashSet<&'l str>,
}

impl Others<'_> {
    fn of(layout: &Layout) -> Others<'_> {
        let done = layout.done.iter().flat_map(|file| file.tasks());
        Others {
            ids: layout.tasks().map(|(_, _, task)| (&*task.same, &task.card.id)).collect(),
            done: done.map(|(_, task)| &*task.same).collect(),
        }
    }

    /// Those that are not done, spelt as the cards have them.
    fn open(&self, named: &[CardId]) -> Vec<CardId> {
        let open = named.iter().map(|id| (id, same_id(&id.0))).filter(|(_, same)| !self.done.contains(&**same));
        open.map(|(id, same)| self.ids.get(&*same).map_or(id, |known| *known).clone()).collect()
    }
}

/// The columns of a board's list, each beside its name in lower case.
struct Spelling<'l>(Vec<(String, &'l Column)>);

impl Spelling<'_> {
    fn of(list: &[Column]) -> Spelling<'_> {
        Spelling(list.iter().map(|column| (column.0.to_lowercase(), column)).collect())
    }

    /// As the list has it, whatever its case.
    fn column(&self, status: &Column) -> Column {
        let lower = status.0.to_lowercase();
        self.0.iter().find(|(listed, _)| *listed == lower).map_or(status, |(_, column)| column).clone()
    }
}

pub(super) fn ambiguous(id: &CardId, stamped: bool, places: &[String]) -> String {
    let places = places.join(" and ");
    match stamped {
        true => format!("the id {id} stands several times, at {places}: give all but one another"),
        false => format!("several cards have this title and no id, at {places}: give them ids, or reword one"),
    }
}
