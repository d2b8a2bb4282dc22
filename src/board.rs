//! The nouns of a board: columns, cards and what a read found. Pure.

mod roles;

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use roles::Role;

/// A name that readings and what is known have in common: most often no letter has to be compared.
macro_rules! shared_name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Arc<str>);

        impl PartialEq for $name {
            fn eq(&self, other: &$name) -> bool {
                Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.hash(state);
            }
        }

        impl<T: Into<Arc<str>>> From<T> for $name {
            fn from(text: T) -> $name {
                $name(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

shared_name! {
    /// A card's identity: stable when the card moves, when other cards change and when its body is edited.
    CardId
}

shared_name! {
    /// A column's name = a card's status, as written on the board (a WIP limit is not part of it).
    Column
}

/// One task as the board has it. Cheap to clone: a board is read often, and most of its cards are as they were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    pub content: Arc<CardContent>,
    pub status: Column,
    /// What else the format says of the card (`group`, …).
    pub metadata: BTreeMap<String, String>,
    /// 1-based line of the card in its file; 0 where there is none.
    pub line: usize,
}

/// What a card says, wherever it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardContent {
    pub id: CardId,
    /// The first line without bullet, checkbox, stamp and tags-only tail: one line, for people.
    pub title: String,
    /// The whole card as written, title included, without the program's state block and stamp and without bullet,
    /// checkbox and the card's own indentation: what the prompt needs.
    pub body: String,
    /// The machine half of the state block, if there is one: whatever JSON stands there.
    pub state: Option<serde_json::Value>,
    /// `#tags` and the like, without `#`.
    pub labels: Vec<String>,
    /// The cards that have to be done before it.
    pub dependencies: Vec<CardId>,
    /// Whether the id stands on the board; if not, claiming the card stamps it.
    pub stamped: bool,
}

impl Card {
    pub fn new(content: CardContent, status: Column) -> Card {
        Card { content: Arc::new(content), status, metadata: BTreeMap::new(), line: 0 }
    }
}

impl CardContent {
    /// Whether both give codex the same to do, and the same tests to pass.
    pub fn says_same(&self, other: &CardContent) -> bool {
        (&self.body, &self.labels) == (&other.body, &other.labels)
    }
}

impl Deref for Card {
    type Target = CardContent;

    fn deref(&self) -> &CardContent {
        &self.content
    }
}

/// Other readings keep what they have.
impl DerefMut for Card {
    fn deref_mut(&mut self) -> &mut CardContent {
        Arc::make_mut(&mut self.content)
    }
}

/// A card or part of a board that can't be worked, and why. The rest of the board still runs.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Refused {
    /// The column that it stands in, where known.
    pub status: Option<Column>,
    pub title: String,
    /// The file that it stands in; empty where the board is one file.
    pub file: String,
    /// 1-based lines that the reason is about.
    pub lines: Vec<usize>,
    pub reason: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refused { title, file, lines, reason, .. } = self;
        match file.is_empty() {
            true if lines.is_empty() => write!(f, "{title}: {reason}"),
            true if title.is_empty() => write!(f, "line {lines:?}: {reason}"),
            true => write!(f, "{title} (line {lines:?}): {reason}"),
            false => write!(f, "{file}:{}: {reason}", lines.first().unwrap_or(&0)),
        }
    }
}

/// One reading of a board.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Board {
    /// In board order. Empty where the board lists none, as any column is one: see [`Board::arranged`].
    pub columns: Vec<Column>,
    /// In board order: column by column, top to bottom. Of a to-do list only the next item, if there is one.
    pub cards: Vec<Card>,
    /// The other items of a to-do list, in the same order: they are there, and none of them may be begun.
    pub others: Vec<Card>,
    pub refused: Vec<Refused>,
}

impl Board {
    /// All that stand there, whether or not they may be begun.
    pub fn all(&self) -> impl Iterator<Item = &Card> + Clone {
        self.cards.iter().chain(&self.others)
    }

    pub fn card(&self, id: &CardId) -> Option<&Card> {
        let known = self.all().find(|card| Arc::ptr_eq(&card.id.0, &id.0));
        known.or_else(|| self.all().find(|card| card.id == *id))
    }

    /// Those of a column that may be begun.
    pub fn column(&self, status: &Column) -> impl Iterator<Item = &Card> {
        self.cards.iter().filter(move |card| card.status == *status)
    }

    /// A board that lists no columns has those of the rules, in their order, and those that its cards name.
    #[must_use]
    pub fn arranged(mut self: Arc<Board>, rules: &[Column]) -> Arc<Board> {
        if self.columns.is_empty() {
            let Board { columns, cards, .. } = Arc::make_mut(&mut self);
            for column in rules.iter().chain(cards.iter().map(|card| &card.status)) {
                if !columns.contains(column) {
                    columns.push(column.clone());
                }
            }
        }
        self
    }

    /// Puts the id on a card (the claim of a simulated world).
    pub fn stamp(&mut self, id: &CardId) {
        if let Some(card) = self.cards.iter_mut().find(|card| card.id == *id) {
            card.stamped = true;
        }
    }

    /// Puts one card into another column, last (the move of a simulated world).
    pub fn place(&mut self, id: &CardId, to: &Column) {
        if let Some(at) = self.cards.iter().position(|card| card.id == *id) {
            let mut card = self.cards.remove(at);
            card.status = to.clone();
            self.cards.push(card);
        }
    }
}
