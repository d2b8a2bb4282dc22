//! The ways between columns: those of the rules, how often cards went them, and other ways that cards went.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CardStory, Happening, What};
use crate::board::Column;
use crate::rules::{Rule, Rules};

/// From one column to another.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Way {
    pub from: Column,
    pub to: Column,
    pub on: On,
    /// It stands in the rules.
    pub ruled: bool,
    pub moves: u32,
}

/// What sends a card on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum On {
    Pass,
    Fail,
    Exhausted,
    /// Somebody's hand.
    Person,
}

impl On {
    pub fn name(self) -> &'static str {
        match self {
            On::Pass => "passed",
            On::Fail => "failed",
            On::Exhausted => "exhausted",
            On::Person => "by hand",
        }
    }
}

pub fn of(rules: &Rules, cards: &[CardStory]) -> Vec<Way> {
    let mut ways = Vec::new();
    for from in rules.order.iter().filter(|column| rules.columns.contains_key(column)) {
        let Some(rule) = rules.columns.get(from) else { continue };
        for (on, to) in [(On::Pass, &rule.on_pass), (On::Fail, &rule.on_fail), (On::Exhausted, &rule.on_exhausted)] {
            let to = to.iter().cloned();
            ways.extend(to.map(|to| Way { from: from.clone(), to, on, ruled: true, moves: 0 }));
        }
    }
    for happening in cards.iter().flat_map(|card| &card.happenings) {
        let Some((from, to, on)) = went(happening, rules) else { continue };
        match ways.iter_mut().find(|way: &&mut Way| way.from == *from && way.to == *to && way.on == on) {
            Some(way) => way.moves += 1,
            None => ways.push(Way { from: from.clone(), to: to.clone(), on, ruled: false, moves: 1 }),
        }
    }
    ways
}

/// Where a card was moved, if it was.
fn went<'h>(happening: &'h Happening, rules: &Rules) -> Option<(&'h Column, &'h Column, On)> {
    let (from, to) = (happening.from.as_ref()?, happening.to.as_ref()?);
    let last = |rule: &Rule| rule.on_exhausted.as_ref() == Some(to) && rule.on_fail.as_ref() != Some(to);
    let on = match happening.what {
        What::Promoted => On::Pass,
        What::Exhausted => On::Exhausted,
        // The failure that used up the attempts.
        What::Bounced if rules.columns.get(from).is_some_and(last) => On::Exhausted,
        What::Bounced | What::Unverified => On::Fail,
        What::MovedByPerson | What::Elsewhere if from != to => On::Person,
        What::MovedByPerson | What::Elsewhere => return None,
        What::Passed | What::Failed | What::Vetoed | What::Retried => return None,
        What::Held | What::Released | What::HookFailed => return None,
    };
    Some((from, to, on))
}
