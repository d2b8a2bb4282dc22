//! What the journal tells, and who writes it now: for commands that need no board.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::journaled::{Beside, Journaled};
use super::{holder, last_cache_dir, steer};
use crate::board::CardId;
use crate::cycle::state::Attempt;
use crate::failure::{Failure, closest};
use crate::journal::{AttemptId, Event, Record};
use crate::settings::Settings;
use crate::storage::Held;

pub struct Chronicle<B = ()> {
    pub holder: Option<Held>,
    /// Of the run that is at work, else of where the settings say.
    pub journaled: Journaled<B>,
}

impl<B: Beside> Chronicle<B> {
    /// Says what could not be read.
    pub fn open(settings: &Settings) -> Result<Chronicle<B>, Failure> {
        let Chronicle { holder, journaled } = Chronicle::read(settings)?;
        Ok(Chronicle { holder, journaled: journaled.warned(settings) })
    }

    pub fn read(settings: &Settings) -> Result<Chronicle<B>, Failure> {
        let holder = holder(settings)?;
        let cache_dir = kept(settings, holder.as_ref()).unwrap_or_else(|| settings.cache_dir.clone());
        Ok(Chronicle { holder, journaled: Journaled::read(&cache_dir)? })
    }

    /// A run of this board is at work.
    pub fn at_work(&self) -> bool {
        self.holder.as_ref().is_some_and(Held::is_of_board)
    }
}

impl Chronicle<Vec<Record>> {
    /// The cards that were tried, each with its newest title.
    fn cards(&self) -> BTreeMap<&CardId, &str> {
        let mut cards = BTreeMap::new();
        for record in &self.journaled.beside {
            if let Some((card, title)) = titled(&record.event) {
                cards.insert(card, title);
            }
        }
        cards
    }

    /// By its id or title.
    pub fn card(&self, name: &str) -> Result<CardId, Failure> {
        let cards = self.cards();
        steer::among(cards.iter().map(|(id, title)| (*id, *title)), name, ("the journal", "history"))
    }

    /// By its id; of a card the newest.
    pub fn attempt(&self, name: &str) -> Result<(&AttemptId, &Attempt), Failure> {
        if let Some(found) = self.journaled.state.named(&AttemptId(name.to_owned())) {
            return Ok(found);
        }
        let newest = |card: &CardId| {
            let attempts = self.journaled.state.history(card)?.attempts.iter().rev();
            attempts.filter_map(|id| self.journaled.state.named(id)).next()
        };
        if let Ok(card) = self.card(name) {
            let none = || Failure::usage(format!("no attempt was made at {card} yet"));
            return newest(&card).ok_or_else(none);
        }
        let cards = self.cards();
        let cards = cards.iter().flat_map(|(id, title)| [&*id.0, *title]);
        let names = self.journaled.state.attempts.keys().map(|id| id.0.as_str()).chain(cards);
        let failure = Failure::usage(format!("the journal knows no attempt and no card `{name}`"));
        Err(match closest(name, names) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint("`history` lists what was tried"),
        })
    }
}

/// Where the run of this board that is at work keeps its history: a supervisor may have named another CACHE_DIR than a person
/// does.
pub fn kept_by_run(settings: &Settings) -> Result<Option<PathBuf>, Failure> {
    Ok(kept(settings, holder(settings)?.as_ref()))
}

fn kept(settings: &Settings, holder: Option<&Held>) -> Option<PathBuf> {
    if holder.filter(|held| held.is_of_board())?.is_elsewhere() {
        return Some(settings.cache_dir.clone());
    }
    last_cache_dir(settings)
}

/// Whether a run of this board is at work.
pub fn at_work(settings: &Settings) -> Result<bool, Failure> {
    Ok(holder(settings)?.as_ref().is_some_and(Held::is_of_board))
}

/// The card that an event is about, with its title then.
fn titled(event: &Event) -> Option<(&CardId, &str)> {
    match event {
        Event::Claimed { card, title }
        | Event::AttemptStarted { card, title, .. }
        | Event::Refused { card, title, .. }
        | Event::Transitioned { card, title, .. } => Some((card, title)),
        _ => None,
    }
}
