//! What a run tells of: which events there are, and who hears of each. Pure.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::Hook;

/// An event that `onEvent` hears of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Occasion {
    /// A card passed and moved on.
    Promoted,
    /// A card was sent back.
    Bounced,
    /// A card's attempts are used up.
    Exhausted,
    /// Codex could not work, or the board can't be reached. Told once, until an attempt comes to its end again.
    Infrastructure,
    /// Nothing is left to do. Told once, until something is done again.
    Drained,
}

impl Occasion {
    pub const ALL: [Occasion; 5] =
        [Occasion::Promoted, Occasion::Bounced, Occasion::Exhausted, Occasion::Infrastructure, Occasion::Drained];

    /// As the rules and JSON write it.
    pub fn name(self) -> &'static str {
        match self {
            Occasion::Promoted => "promoted",
            Occasion::Bounced => "bounced",
            Occasion::Exhausted => "exhausted",
            Occasion::Infrastructure => "infrastructure",
            Occasion::Drained => "drained",
        }
    }

    pub fn named(name: &str) -> Option<Occasion> {
        Occasion::ALL.into_iter().find(|occasion| occasion.name() == name)
    }
}

/// `onEvent:`, the hooks by what they hear of.
pub type Listeners = BTreeMap<Occasion, Hook>;
