//! What an edit must leave as it was: everything that a reading sees, to be compared before and after. Pure.

use std::ptr;
use std::sync::Arc;

use crate::board::{CardId, Column};

use super::card::{Entry, Located};
use super::parse::{Parsed, Reader};

/// Columns and cards in file order.
#[derive(Debug)]
pub(super) struct Seen<'p> {
    /// Each with whether it is the archive.
    columns: Vec<(&'p Column, bool)>,
    cards: Vec<SeenCard<'p>>,
    /// The parts that are not read, by how they begin: one that a card swallows is lost.
    unread: Vec<(Option<&'p Column>, &'p str)>,
}

#[derive(Debug)]
struct SeenCard<'p> {
    /// As it was.
    card: &'p Located,
    /// Index of its column.
    lane: usize,
    /// What it stands under. `None`: whatever.
    under: Option<Option<&'p str>>,
    /// What it is to say. `None`: the same.
    written: Option<Written<'p>>,
}

/// What an edit has a say in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written<'p> {
    id: &'p CardId,
    /// `None`: whatever stands there.
    body: Option<&'p str>,
    pub stamped: bool,
    /// Has a state block.
    pub state: bool,
    fault: bool,
}

impl<'p> Seen<'p> {
    pub fn new(parsed: &'p Parsed) -> Seen<'p> {
        let cards = parsed.cards.iter();
        let cards =
            cards.map(|card| SeenCard { card, lane: card.lane, under: Some(card.under.as_deref()), written: None });
        Seen { columns: columns(parsed).collect(), cards: cards.collect(), unread: unread(parsed).collect() }
    }

    /// Whether reading `text` sees this.
    pub fn in_text(&self, text: &str, reader: impl Reader) -> bool {
        let Ok(found) = reader.parse(text) else { return false };
        self.columns.iter().copied().eq(columns(&found))
            && self.unread.iter().copied().eq(unread(&found))
            && self.cards.len() == found.cards.len()
            && self.cards.iter().zip(&found.cards).all(|(card, found)| card.is(found))
    }

    /// Expects a change of what the card says.
    pub fn change(&mut self, card: &Located, change: impl FnOnce(&mut Written<'p>)) {
        if let Some(at) = self.place(card) {
            self.cards[at].change(change);
        }
    }

    fn place(&self, card: &Located) -> Option<usize> {
        self.cards.iter().position(|seen| ptr::eq(seen.card, card))
    }

    /// Expects the card behind the card of index `last`, or as the only one of its lane.
    pub fn relocate(&mut self, card: &Located, lane: usize, last: Option<usize>) {
        let Some(from) = self.place(card) else { return };
        let place = last.map_or_else(
            || self.cards.iter().position(|card| card.lane > lane).unwrap_or(self.cards.len()),
            |last| last + 1,
        );
        let mut card = self.cards.remove(from);
        (card.lane, card.under) = (lane, None);
        self.cards.insert(if from < place { place - 1 } else { place }, card);
    }

    /// Expects the item in `lane`, where it stands. The text of the items around it changes with it.
    pub fn tick(&mut self, item: &Located, lane: usize, struck: bool) {
        let span = item.span();
        for seen in &mut self.cards {
            let around = seen.card.start < span.start && span.end <= seen.card.span().end;
            let itself = ptr::eq(seen.card, item);
            if itself {
                seen.lane = lane;
            }
            if around || (struck && itself) {
                seen.change(|written| written.body = None);
            }
        }
    }

    /// Expects an empty column at this index.
    pub fn add_column(&mut self, place: usize, column: &'p Column) {
        self.columns.insert(place.min(self.columns.len()), (column, false));
        for card in self.cards.iter_mut().filter(|card| card.lane >= place) {
            card.lane += 1;
        }
    }
}

fn columns(parsed: &Parsed) -> impl Iterator<Item = (&Column, bool)> {
    parsed.lanes.iter().map(|lane| (&lane.column, lane.archive))
}

fn unread(parsed: &Parsed) -> impl Iterator<Item = (Option<&Column>, &str)> {
    parsed.refused.iter().map(|refused| (refused.status.as_ref(), refused.title.as_str()))
}

impl<'p> SeenCard<'p> {
    fn change(&mut self, change: impl FnOnce(&mut Written<'p>)) {
        let card = self.card;
        change(self.written.get_or_insert_with(|| Written::of(&card.entry)));
    }

    fn is(&self, found: &Located) -> bool {
        let says = match &self.written {
            // What was taken over from the reading before need not be looked at.
            None => Arc::ptr_eq(&self.card.entry, &found.entry) || Written::of(&self.card.entry).is(&found.entry),
            Some(written) => written.is(&found.entry),
        };
        says && self.lane == found.lane && self.under.is_none_or(|under| under == found.under.as_deref())
    }
}

impl Written<'_> {
    fn of(entry: &Entry) -> Written<'_> {
        let content = &entry.content;
        Written {
            id: &content.id,
            body: Some(&content.body),
            stamped: content.stamped,
            state: content.state.is_some(),
            fault: entry.fault.is_some(),
        }
    }

    fn is(&self, found: &Entry) -> bool {
        let found = Written::of(found);
        *self == Written { body: self.body.and(found.body), ..found }
    }
}
