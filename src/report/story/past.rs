//! What the journal says of each card: its attempts, and what else happened to it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AttemptStory, Fate};
use crate::board::{CardId, Column};
use crate::cycle::state::State;
use crate::journal::{AttemptId, Ending, Event, Record};
use crate::report::explain::TakenBack;
use crate::rules::Verdict;

/// Something that happened to a card and is no attempt.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Happening {
    pub at: Timestamp,
    pub what: What,
    pub from: Option<Column>,
    /// Where it went, or was not let go.
    pub to: Option<Column>,
    pub reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Promoted,
    Bounced,
    /// Its attempts are used up.
    Exhausted,
    /// It was sent away, or stays, because too few tests belong to it.
    Unverified,
    /// It passed, and stays where it is.
    Passed,
    /// It failed, and stays where it is.
    Failed,
    Vetoed,
    /// Somebody moved it.
    MovedByPerson,
    /// It was no longer where, or what, was worked.
    Elsewhere,
    Retried,
    Held,
    Released,
    /// A hook after a move.
    HookFailed,
}

/// One card's.
#[derive(Debug, Default)]
pub struct Past {
    pub title: String,
    pub fate: Fate,
    pub reason: String,
    pub attempts: Vec<AttemptStory>,
    pub happenings: Vec<Happening>,
}

impl Past {
    /// `state` is the fold of the same records.
    pub fn of_all(records: &[Record], state: &State) -> BTreeMap<CardId, Past> {
        let mut pasts = Pasts::default();
        records.iter().for_each(|record| pasts.apply(record));
        for past in pasts.cards.values_mut() {
            for attempt in &mut past.attempts {
                if let Some(known) = state.attempt(&attempt.id).filter(|known| known.verdict.is_none()) {
                    attempt.reason = known.unjudged();
                }
            }
            if let Some(newest) = past.attempts.last().filter(|_| past.reason.is_empty()) {
                past.reason.clone_from(&newest.reason);
            }
        }
        pasts.cards
    }

    fn becomes(&mut self, fate: Fate, reason: &str) {
        self.fate = fate;
        reason.clone_into(&mut self.reason);
    }

    fn happens(&mut self, at: Timestamp, what: What, ends: (Option<&Column>, Option<&Column>), reason: &str) {
        let (from, to) = (ends.0.cloned(), ends.1.cloned());
        self.happenings.push(Happening { at, what, from, to, reason: reason.to_owned() });
    }
}

#[derive(Default)]
struct Pasts {
    cards: BTreeMap<CardId, Past>,
    /// Whose attempt it is.
    of: BTreeMap<AttemptId, CardId>,
}

impl Pasts {
    fn card(&mut self, card: &CardId) -> &mut Past {
        self.cards.entry(card.clone()).or_default()
    }

    /// Lets something become of an attempt, and of its card.
    fn attempt(&mut self, id: &AttemptId, act: impl FnOnce(&mut AttemptStory) -> Option<(Fate, String)>) {
        let Some(past) = self.of.get(id).and_then(|card| self.cards.get_mut(card)) else { return };
        let Some(attempt) = past.attempts.iter_mut().rev().find(|attempt| attempt.id == *id) else { return };
        if let Some((fate, reason)) = act(attempt) {
            attempt.fate = fate;
            past.becomes(fate, &reason);
        }
    }

    fn apply(&mut self, Record { at, event, .. }: &Record) {
        let at = *at;
        match event {
            Event::AttemptStarted { .. } => self.started(at, event),
            Event::AttemptEnded { attempt, ending, usage, seconds, .. } => self.attempt(attempt, |attempt| {
                attempt.seconds = Some(*seconds);
                attempt.tokens = usage.as_ref().map(|usage| usage.total());
                match ending {
                    Ending::Ok | Ending::Work { .. } => None,
                    Ending::Infrastructure { reason, .. } => Some((Fate::Infrastructure, reason.clone())),
                    Ending::Interrupted => Some((Fate::Interrupted, String::new())),
                }
            }),
            Event::Judged { attempt, verdict, reason, required, tests, .. } => self.attempt(attempt, |attempt| {
                attempt.verdict = Some(*verdict);
                attempt.reason.clone_from(reason);
                attempt.required = *required;
                attempt.tests.clone_from(tests);
                Some((Fate::from(*verdict), reason.clone()))
            }),
            Event::TakenBack { works, left, restore, .. } => {
                for work in works {
                    let taken = TakenBack { files: work.paths.len(), left: left.clone(), restore: restore.clone() };
                    self.attempt(&work.attempt, |attempt| {
                        attempt.taken_back = Some(taken);
                        None
                    });
                }
            }
            Event::Claimed { card, title } => self.card(card).title.clone_from(title),
            Event::Refused { card, title, reason, .. } => {
                let past = self.card(card);
                past.title.clone_from(title);
                past.becomes(Fate::Unverified, reason);
            }
            Event::Transitioned { .. } => self.transitioned(at, event),
            Event::Vetoed { card, from, to, reason, .. } => {
                let past = self.card(card);
                past.becomes(Fate::Vetoed, reason);
                past.happens(at, What::Vetoed, (Some(from), Some(to)), reason);
            }
            Event::Elsewhere { attempt, card, from, now, reason, .. } => {
                let past = self.card(card);
                let unjudged =
                    |found: &&mut AttemptStory| Some(&found.id) == attempt.as_ref() && found.verdict.is_none();
                past.attempts.iter_mut().filter(unjudged).for_each(|attempt| attempt.fate = Fate::Moved);
                past.becomes(Fate::Moved, reason);
                past.happens(at, What::Elsewhere, (Some(from), now.as_ref()), reason);
            }
            Event::MovedByPerson { card, from, to } => {
                self.card(card).happens(at, What::MovedByPerson, (Some(from), Some(to)), "");
            }
            Event::Retried { card } => self.card(card).happens(at, What::Retried, (None, None), ""),
            Event::Held { card } => self.card(card).happens(at, What::Held, (None, None), ""),
            Event::Released { card } => self.card(card).happens(at, What::Released, (None, None), ""),
            Event::HookEnded { card: Some(card), hook, ok: false, text } if hook != "beforeTransition" => {
                self.card(card).happens(at, What::HookFailed, (None, None), &format!("{hook} failed: {text}"));
            }
            // A veto tells what `beforeTransition` said. The rest is of no card, or of no interest to who reads its story.
            Event::HookEnded { .. }
            | Event::HookStarted { .. }
            | Event::TransitionStarted { .. }
            | Event::TakeBackStarted(_)
            | Event::LetGo { .. }
            | Event::TreesLost { .. }
            | Event::Reopened { .. }
            | Event::Skipped { .. }
            | Event::RunStarted { .. }
            | Event::InputsAccepted { .. }
            | Event::InputsHeld { .. }
            | Event::InputsRejected { .. }
            | Event::Warning { .. }
            | Event::Paused
            | Event::Resumed
            | Event::Unreachable { .. }
            | Event::Waiting { .. }
            | Event::PassEnded
            | Event::Summary { .. }
            | Event::Assumed { .. } => {}
        }
    }

    fn started(&mut self, started: Timestamp, event: &Event) {
        let Event::AttemptStarted { attempt, card, title, column, number, limit, .. } = event else { return };
        self.of.insert(attempt.clone(), card.clone());
        let past = self.card(card);
        past.title.clone_from(title);
        past.becomes(Fate::Open, "");
        past.attempts.push(AttemptStory {
            id: attempt.clone(),
            column: column.clone(),
            number: *number,
            limit: *limit,
            started,
            seconds: None,
            tokens: None,
            fate: Fate::Open,
            reason: String::new(),
            verdict: None,
            required: 0,
            tests: Vec::new(),
            taken_back: None,
            patch: None,
        });
    }

    fn transitioned(&mut self, at: Timestamp, event: &Event) {
        let Event::Transitioned { card, title, from, to, verdict, reason, .. } = event else { return };
        let what = match (verdict, to) {
            (Verdict::Pass, Some(_)) => What::Promoted,
            (Verdict::Pass, None) => What::Passed,
            (Verdict::Unverified, _) => What::Unverified,
            (Verdict::Exhausted, _) => What::Exhausted,
            (Verdict::Fail | Verdict::Tampered | Verdict::Inconclusive | Verdict::Moved, Some(_)) => What::Bounced,
            (Verdict::Fail | Verdict::Tampered | Verdict::Inconclusive | Verdict::Moved, None) => What::Failed,
        };
        let past = self.card(card);
        past.title.clone_from(title);
        past.becomes(Fate::from(*verdict), reason);
        past.happens(at, what, (Some(from), to.as_ref()), reason);
    }
}
