//! A markdown board with the bytes of its parts: lanes, cards, and what can't be worked. Pure.

use std::collections::{BTreeMap, HashSet};
use std::ptr;
use std::sync::{Arc, OnceLock};

use crate::board::{Board, Card, CardId, Column, Refused};

use super::again::{Before, Known};
use super::card::Located;
use super::columns::{self, Section};
use super::next;
use super::outline::Outline;

pub use super::columns::Unreadable;

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Columns of cards.
    Board,
    /// A to-do list: its first open item is the only card.
    Next,
}

/// One reading of a file.
#[derive(Debug)]
pub struct Parsed {
    pub(super) mode: Mode,
    pub(super) outline: Outline,
    pub(super) lanes: Vec<Lane>,
    /// In file order. In [`Mode::Next`]: every item, open ones in the first lane and done ones in the second.
    pub(super) cards: Vec<Located>,
    /// Parts of the board that are not read.
    pub(super) refused: Vec<Refused>,
    board: OnceLock<Arc<Board>>,
}

#[derive(Debug)]
pub(super) struct Lane {
    pub column: Column,
    /// 1-based line of its heading.
    pub line: usize,
    pub level: u8,
    /// Where the next card goes: a byte at which a line starts, or the end of the text.
    pub place: usize,
    /// Index of the card before `place`: the last one of the lane's first list.
    pub last: Option<usize>,
    /// The plugin's archive, which is no column.
    pub archive: bool,
}

/// Who reads texts: anew each time, or with a memory.
pub trait Reader: Copy {
    fn mode(self) -> Mode;
    fn parse(self, text: &str) -> Result<Arc<Parsed>, Unreadable>;
    /// A text on the way from the last one to the next: each differs from the one before it in one place.
    fn pass_by(self, _text: &str) {}
}

impl Reader for Mode {
    fn mode(self) -> Mode {
        self
    }

    fn parse(self, text: &str) -> Result<Arc<Parsed>, Unreadable> {
        parse(text, self).map(Arc::new)
    }
}

/// Reads `text` as a board or as a to-do list.
pub fn parse(text: &str, mode: Mode) -> Result<Parsed, Unreadable> {
    parse_after(None, text, mode)
}

/// The same after another text was read in this mode.
pub(super) fn parse_after(before: Option<Before<'_>>, text: &str, mode: Mode) -> Result<Parsed, Unreadable> {
    let (outline, known) = match before.and_then(|before| before.outline(text)) {
        Some((outline, known)) => (outline, Some(known)),
        None => (Outline::new(text), None),
    };
    match mode {
        Mode::Board => board(known, text, outline),
        Mode::Next => Ok(next::parse(known, text, outline)),
    }
}

fn board(mut known: Option<Known<'_>>, text: &str, outline: Outline) -> Result<Parsed, Unreadable> {
    let (sections, above) = columns::sections(text, &outline)?;
    let (mut lanes, mut cards, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    let mut unread = |status: Option<&Column>, at: usize, reason: &str| {
        let title = text[outline.lines.span(outline.lines.at(at))].trim().to_owned();
        refused.push(Refused {
            status: status.cloned(),
            title,
            file: String::new(),
            lines: vec![outline.lines.number(at)],
            reason: reason.to_owned(),
        });
    };
    for at in above {
        unread(None, at, "this list stands before the first column: move it below a column heading");
    }
    for section in &sections {
        let column = Column::from(section.name.as_str());
        let first = cards.len();
        if !section.archive {
            read_cards(&mut known, text, &outline, section, lanes.len(), &mut cards);
            for &(at, grouped) in &section.unread {
                unread(Some(&column), at, unread_list(&outline, grouped));
            }
            if section.name.is_empty() {
                unread(None, section.heading.start, "this heading has no text: name the column");
            }
        }
        lanes.push(lane(text, &outline, section, column, first, &cards));
    }
    if let Some(at) = outline.behind {
        unread(None, at, "nothing behind the settings footer is read: move it before `%% kanban:settings`");
    }
    Ok(Parsed::new(Mode::Board, outline, lanes, cards, refused))
}

fn unread_list(outline: &Outline, grouped: bool) -> &'static str {
    if outline.obsidian {
        "only the first list of a column holds cards, and the Kanban plugin drops this one when it saves: join the lists"
    } else if grouped {
        "a heading below a column's is no card, and items under it are cards only with a checkbox: make the heading a list item \
         with these lines inside, or give the items checkboxes"
    } else {
        "only a column's first list holds cards, and later ones with a checkbox: give these items checkboxes"
    }
}

fn read_cards(
    known: &mut Option<Known<'_>>,
    text: &str,
    outline: &Outline,
    section: &Section,
    lane: usize,
    cards: &mut Vec<Located>,
) {
    for (group, items) in &section.lists {
        for &item in items {
            let known = known.as_mut().and_then(|known| known.card(outline, item, lane));
            if let Some(card) = known.or_else(|| Located::new(text, outline, item, lane, "")) {
                cards.push(Located { under: group.clone(), ..card });
            }
        }
    }
}

fn lane(text: &str, outline: &Outline, section: &Section, column: Column, first: usize, cards: &[Located]) -> Lane {
    let list = cards.get(first).map(|card| card.list);
    let last = cards.iter().enumerate().skip(first).rfind(|(_, card)| Some(card.list) == list);
    let place = last.map_or_else(|| columns::empty_place(text, outline, section), |(_, card)| card.span().end);
    Lane {
        column,
        line: outline.lines.number(section.heading.start),
        level: section.level,
        place,
        last: last.map(|(index, _)| index),
        archive: section.archive,
    }
}

/// Several cards of one id, by line.
#[derive(Debug, PartialEq, Eq)]
pub struct Ambiguous(pub Vec<usize>);

impl Parsed {
    pub(super) fn new(
        mode: Mode,
        outline: Outline,
        lanes: Vec<Lane>,
        cards: Vec<Located>,
        refused: Vec<Refused>,
    ) -> Parsed {
        Parsed { mode, outline, lanes, cards, refused, board: OnceLock::new() }
    }

    /// The card of this id, wherever it stands.
    pub(super) fn find(&self, id: &CardId) -> Result<Option<&Located>, Ambiguous> {
        let mut found = self.cards.iter().filter(|card| card.id() == id);
        let first = found.next();
        let others: Vec<usize> = found.map(|card| card.line).collect();
        match first {
            Some(first) if !others.is_empty() => Err(Ambiguous(std::iter::once(first.line).chain(others).collect())),
            first => Ok(first),
        }
    }

    /// The column that the card stands in.
    pub(super) fn column(&self, card: &Located) -> &Column {
        &self.lanes[card.lane].column
    }

    fn card(&self, card: &Located) -> Card {
        let name = match self.mode {
            Mode::Board => "group",
            Mode::Next => "under",
        };
        let metadata = card.under.iter().map(|under| (name.to_owned(), under.to_string())).collect();
        Card { content: card.content.clone(), status: self.column(card).clone(), metadata, line: card.line }
    }

    /// The lanes of this name that cards can be in.
    pub(super) fn named(&self, column: &Column) -> impl Iterator<Item = &Lane> {
        self.lanes.iter().filter(move |lane| !lane.archive && lane.column == *column)
    }

    /// What the program works with: cards that can be worked, the other items of a list, and why others can't.
    pub fn board(&self) -> Arc<Board> {
        self.board.get_or_init(|| Arc::new(self.made_board())).clone()
    }

    fn made_board(&self) -> Board {
        let mut board = Board { refused: self.refused.clone(), ..Board::default() };
        for lane in self.lanes.iter().filter(|lane| !lane.archive && !lane.column.0.is_empty()) {
            if !board.columns.contains(&lane.column) {
                board.columns.push(lane.column.clone());
                board.refused.extend(self.doubled(&lane.column));
            }
        }
        let doubles = self.doubles();
        let places = self.lanes.iter().map(|lane| board.columns.iter().position(|column| *column == lane.column));
        let places: Vec<Option<usize>> = places.collect();
        let mut cards: Vec<&Located> = self.cards.iter().collect();
        cards.sort_by_key(|card| places.get(card.lane).copied().flatten());
        let mut fine = Vec::with_capacity(cards.len());
        // Nobody asks whether what is done could be worked.
        let done = |card: &Located| self.mode == Mode::Next && card.lane == next::DONE;
        for card in cards {
            match self.fault(card, &doubles).filter(|_| !done(card)) {
                None if self.column(card).0.is_empty() => {}
                None => fine.push(card),
                Some(refused) => board.refused.push(refused),
            }
        }
        if self.mode == Mode::Next {
            let first = next::first(&fine, &self.cards).map(ptr::from_ref);
            let others = fine.extract_if(.., |card| first != Some(ptr::from_ref(*card)));
            board.others = others.map(|card| self.card(card)).collect();
        }
        board.cards = fine.into_iter().map(|card| self.card(card)).collect();
        board
    }

    fn doubled(&self, column: &Column) -> Option<Refused> {
        let lines: Vec<usize> = self.named(column).map(|lane| lane.line).collect();
        let reason =
            "several columns have this name, so that no card can be moved there: rename all but one".to_owned();
        let (status, file) = (Some(column.clone()), String::new());
        (lines.len() > 1).then(|| Refused { status, title: column.0.to_string(), file, lines, reason })
    }

    /// Ids that several cards have, with their lines.
    fn doubles(&self) -> BTreeMap<&CardId, Vec<usize>> {
        let mut seen = HashSet::with_capacity(self.cards.len());
        let again = self.cards.iter().map(Located::id).filter(|id| !seen.insert(*id));
        let mut lines: BTreeMap<&CardId, Vec<usize>> = again.map(|id| (id, Vec::new())).collect();
        if !lines.is_empty() {
            for card in &self.cards {
                if let Some(lines) = lines.get_mut(card.id()) {
                    lines.push(card.line);
                }
            }
        }
        lines
    }

    /// Why the card can't be worked.
    fn fault(&self, card: &Located, doubles: &BTreeMap<&CardId, Vec<usize>>) -> Option<Refused> {
        let (lines, reason) = match (&card.fault, doubles.get(card.id())) {
            (Some(fault), _) => (vec![card.line], fault.clone()),
            (None, Some(lines)) => (lines.clone(), ambiguous(card)),
            (None, None) => return None,
        };
        let (status, title) = (Some(self.column(card).clone()), card.content.title.clone());
        Some(Refused { status, title, file: String::new(), lines, reason })
    }
}

fn ambiguous(card: &Located) -> String {
    if card.content.stamped {
        format!("the id {} stands on several cards: remove it from all but one", card.id())
    } else {
        "several cards have this title and nothing else tells them apart: reword one, or end its first line with an id like ` ^a1`"
            .to_owned()
    }
}
