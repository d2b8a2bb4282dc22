//! What an edit must leave as it was: everything that a reading sees, to be compared before and after. Pure.

use std::ops::Range;
use std::sync::Arc;

use crate::board::{CardId, Column};

use super::parse::{Parsed, Reader};

/// Columns and cards in file order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen<'p> {
    /// Each with whether it is the archive.
    columns: Vec<(&'p Column, bool)>,
    cards: Vec<SeenCard<'p>>,
    /// The parts that are not read, by how they begin: one that a card swallows is lost.
    unread: Vec<(Option<&'p Column>, &'p str)>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct SeenCard<'p> {
    id: &'p CardId,
    /// Index of its column.
    lane: usize,
    /// `None`: whatever stands there.
    body: Option<&'p Arc<str>>,
    /// The deeper heading that it stands under, empty where there is none. `None`: whichever.
    group: Option<&'p str>,
    span: Range<usize>,
    pub stamped: bool,
    /// Has a state block.
    pub state: bool,
    fault: bool,
}

impl<'p> Seen<'p> {
    pub fn new(parsed: &'p Parsed) -> Seen<'p> {
        let columns = parsed.lanes.iter().map(|lane| (&lane.column, lane.archive)).collect();
        let cards = parsed.cards.iter().map(|card| SeenCard {
            id: &card.card.id,
            lane: card.lane,
            body: Some(&card.card.body),
            group: Some(card.card.metadata.get("group").map_or("", String::as_str)),
            span: card.span.clone(),
            stamped: card.card.stamped,
            state: card.card.state.is_some(),
            fault: card.fault.is_some(),
        });
        let unread = parsed.refused.iter().map(|refused| (refused.status.as_ref(), refused.title.as_str())).collect();
        Seen { columns, cards: cards.collect(), unread }
    }

    /// Whether reading `text` sees this.
    pub fn in_text(&self, text: &str, reader: impl Reader) -> bool {
        let Ok(parsed) = reader.parse(text) else { return false };
        let found = Seen::new(&parsed);
        self.columns == found.columns
            && self.unread == found.unread
            && self.cards.len() == found.cards.len()
            && self.cards.iter().zip(&found.cards).all(|(card, found)| card.is(found))
    }

    /// Expects a change on the card.
    pub fn change(&mut self, id: &CardId, change: impl FnOnce(&mut SeenCard<'p>)) {
        if let Some(card) = self.cards.iter_mut().find(|card| card.id == id) {
            change(card);
        }
    }

    /// Expects the card behind the card of index `last`, or as the only one of its lane.
    pub fn relocate(&mut self, id: &CardId, lane: usize, last: Option<usize>) {
        let Some(from) = self.cards.iter().position(|card| card.id == id) else { return };
        let place = last.map_or_else(
            || self.cards.iter().position(|card| card.lane > lane).unwrap_or(self.cards.len()),
            |last| last + 1,
        );
        let mut card = self.cards.remove(from);
        (card.lane, card.group) = (lane, None);
        self.cards.insert(if from < place { place - 1 } else { place }, card);
    }

    /// Expects the item in `lane`, where it stands. The text of the items around it changes with it.
    pub fn tick(&mut self, id: &CardId, lane: usize, span: &Range<usize>, struck: bool) {
        self.change(id, |card| card.lane = lane);
        for card in &mut self.cards {
            let around = card.span.start < span.start && span.end <= card.span.end;
            if around || (struck && card.span == *span) {
                card.body = None;
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

impl SeenCard<'_> {
    fn is(&self, found: &SeenCard<'_>) -> bool {
        let same =
            self.id == found.id && (self.lane, self.stamped, self.state) == (found.lane, found.stamped, found.state);
        let body = self.body.is_none() || self.body == found.body;
        same && self.fault == found.fault && body && (self.group.is_none() || self.group == found.group)
    }
}
