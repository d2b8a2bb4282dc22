//! What the loop knows: the fold of everything that happened, and the board as last read. Pure.

mod attempt;
mod few;
mod held;
mod history;
mod run;
mod taken;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::board::{Board, CardId, Column};
use crate::codex::Usage;
use crate::journal::{AttemptId, CacheKey, Counts, Ending, Event, Record, TakeBack, TextHash, Why};
use crate::rules::{Occasion, Verdict};
pub use attempt::{Attempt, Phase};
pub use few::Few;
pub use history::{CardHistory, Used, Visits, Waiting};
pub use run::{Budget, Hears, Infrastructure, Moved, OwedHook, Pass, Spent};
pub use taken::Taken;

/// The state of a board's runs. Built by applying every record of the journal in order, then kept by applying new ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// As last read; None: it must be read before the next choice.
    pub board: Option<Arc<Board>>,
    /// The board of the newest run.
    pub source: Arc<str>,
    pub cards: HashMap<CardId, CardHistory>,
    pub attempts: BTreeMap<AttemptId, Box<Attempt>>,
    /// Attempts that are not closed. Several may be; for now one of them runs at a time.
    pub active: BTreeSet<AttemptId>,
    /// Attempts without work to judge, whose cards were not looked at since.
    pub unseen: BTreeSet<AttemptId>,
    /// Attempts that weakened guarded files.
    pub weakening: BTreeSet<AttemptId>,
    /// Moves without an attempt that were begun, and may have been made by a runner that died: from where to where.
    pub moving: BTreeMap<CardId, (Column, Column)>,
    /// Work that a failed verdict takes back: owed until that is told.
    pub taking: Vec<TakeBack>,
    /// Hooks that are owed.
    pub hooks: Vec<OwedHook>,
    /// What was told, and is no news until it happens again.
    pub heard: BTreeSet<Occasion>,
    /// Cards that their board lacks, and since when that is known.
    pub missing: BTreeMap<CardId, Timestamp>,
    pub paused: bool,
    /// Inputs that may not be adopted until restored or accepted, and the hash as which each was accepted.
    pub held_inputs: BTreeMap<String, String>,
    pub accepted: BTreeMap<String, String>,
    pub pass: Pass,
    pub counts: Counts,
    /// Cards that failed where they stand, or are exhausted there, in this run, and did not pass since.
    pub failing: BTreeSet<CardId>,
    pub budget: Budget,
    pub infrastructure: Infrastructure,
    /// The same of the board.
    pub unreachable: Infrastructure,
    /// The time of the newest record.
    pub now: Timestamp,
    /// How long this run is at work, which no journal tells.
    pub running_for: Duration,
    /// A stop was asked for.
    pub stopping: bool,
    /// Whether the newest run in the journal ended by itself.
    pub ended: bool,
}

impl State {
    pub fn attempt(&self, id: &AttemptId) -> Option<&Attempt> {
        self.attempts.get(id).map(Box::as_ref)
    }

    /// With its id as it is held here.
    pub fn named(&self, id: &AttemptId) -> Option<(&AttemptId, &Attempt)> {
        self.attempts.get_key_value(id).map(|(id, attempt)| (id, attempt.as_ref()))
    }

    pub fn history(&self, card: &CardId) -> Option<&CardHistory> {
        self.cards.get(card)
    }

    /// The attempts that are at work, or were when their runner died.
    pub fn running(&self) -> impl Iterator<Item = (&AttemptId, &Attempt)> {
        self.in_hand(false)
    }

    /// The same, and while a runner is `at_work` those that it judges: tests run what codex made, so that what is asked for
    /// meanwhile may be codex's doing.
    pub fn in_hand(&self, at_work: bool) -> impl Iterator<Item = (&AttemptId, &Attempt)> {
        let open = self.active.iter().filter_map(|id| Some((id, self.attempt(id)?)));
        open.filter(move |(_, attempt)| match attempt.phase {
            Phase::Running => true,
            Phase::Ended => at_work,
            Phase::Judged | Phase::Closed => false,
        })
    }

    /// Whether the board lacks something that was decided.
    pub fn owes(&self) -> bool {
        let refused = |history: &CardHistory| history.visits.values().any(|visits| visits.owed);
        !self.active.is_empty() || !self.moving.is_empty() || self.cards.values().any(refused)
    }

    /// The cards whose text counts wherever they stand: at work, about to be moved, or not looked at since.
    pub fn open(&self) -> BTreeSet<CardId> {
        let attempts = self.active.iter().chain(&self.unseen).filter_map(|id| self.attempt(id));
        attempts.map(|attempt| &attempt.card).chain(self.moving.keys()).cloned().collect()
    }

    pub fn visits(&self, card: &CardId, column: &Column) -> Option<&Visits> {
        self.cards.get(card)?.visits.get(column)
    }

    /// The newest judged attempt of a card in a column, if it passed with this key.
    pub fn passed(&self, card: &CardId, column: &Column, key: &CacheKey) -> Option<(&AttemptId, &Attempt)> {
        let id = self.visits(card, column)?.newest.as_ref()?;
        let attempt = self.attempt(id)?;
        (attempt.key == *key && attempt.verdict == Some(Verdict::Pass)).then_some((id, attempt))
    }

    /// What was spent on this text of a card in a column. None: nothing yet.
    pub fn spent(&self, card: &CardId, column: &Column, key: &CacheKey, text: &TextHash) -> Option<&Visits> {
        let history = self.cards.get(card)?;
        history.visits.get(column).filter(|visits| visits.of(key) || history.wrote(text))
    }

    /// What a reading of the board tells that the journal doesn't know: cards that people moved.
    pub fn moved_by_people(&self, board: &Board) -> Vec<Event> {
        let busy = |card: &CardId| self.active.iter().any(|id| self.attempts.get(id).is_some_and(|a| a.card == *card));
        let moved = |card: &crate::board::Card| {
            let from = self.cards.get(&card.id)?.column.as_ref().filter(|from| **from != card.status)?;
            let own = self.moving.get(&card.id).is_some_and(|(_, to)| *to == card.status);
            let (id, from, to) = (card.id.clone(), from.clone(), card.status.clone());
            (!own && !busy(&id)).then_some(Event::MovedByPerson { card: id, from, to })
        };
        board.all().filter_map(moved).collect()
    }

    /// Takes in what happened.
    pub fn apply(&mut self, record: &Record) {
        let before = std::mem::replace(&mut self.now, record.at);
        match &record.event {
            Event::RunStarted { source, clock, .. } => {
                let clock = clock.unwrap_or(record.at);
                self.budget.begin(record.at, clock, self.ended, self.worked_until(before).min(record.at));
                self.run_started(source);
            }
            Event::InputsAccepted { inputs, .. } => self.accept(inputs),
            Event::InputsHeld { files } => self.hold(files),
            Event::InputsRejected { .. } | Event::Warning { .. } | Event::Claimed { .. } | Event::Assumed { .. } => {}
            Event::MovedByPerson { card, to, .. } => self.seen_elsewhere(card, to),
            Event::Retried { card } => {
                let history = self.cards.entry(card.clone()).or_default();
                history.held = false;
                (history.edited, history.arrived, history.put_back) = (None, None, false);
                history.unproved = false;
                history.visits.clear();
                // A person has looked at what it left.
                for id in &history.attempts {
                    if let Some(attempt) = self.attempts.get_mut(id) {
                        attempt.weakened.clear();
                    }
                    self.weakening.remove(id);
                }
                self.pass.visited.remove_card(card);
            }
            Event::Held { card } => self.cards.entry(card.clone()).or_default().held = true,
            Event::Released { card } => self.cards.entry(card.clone()).or_default().held = false,
            Event::Paused => self.paused = true,
            Event::Resumed => self.paused = false,
            Event::AttemptStarted { .. } => self.attempt_started(record.at, &record.event),
            Event::AttemptEnded { .. } => self.attempt_ended(&record.event),
            Event::Judged { .. } => self.judged(record.at, &record.event),
            Event::TakeBackStarted(take) => self.take_back_started(take),
            Event::TakenBack { .. } => self.taken_back(&record.event),
            Event::LetGo { folders, trees, missing } => {
                self.let_go(folders, trees);
                let since = |card: &CardId| self.missing.get(card).copied().unwrap_or(record.at);
                self.missing = missing.iter().map(|card| (card.clone(), since(card))).collect();
            }
            Event::TreesLost { card, attempts } => {
                self.let_go(&[], attempts);
                self.cards.entry(card.clone()).or_default().unproved = true;
                self.board = None;
            }
            Event::Refused { card, column, key, gate, reason, .. } => {
                let visits = self.cards.entry(card.clone()).or_default().visits.entry(column);
                let (key, gate, reason) = (key.clone(), gate.clone(), reason.clone());
                visits.waiting = Some(Waiting { key, gate, reason, refused: true });
                visits.owed = true;
                self.visit(card, column);
                if self.pass.counted.insert((card.clone(), column.clone())) {
                    self.counts.unverified += 1;
                }
            }
            Event::TransitionStarted { attempt, card, from, to, .. } => {
                match (attempt.as_ref().and_then(|id| self.attempts.get_mut(id)), to) {
                    (Some(attempt), _) => attempt.moving = to.clone(),
                    (None, Some(to)) => drop(self.moving.insert(card.clone(), (from.clone(), to.clone()))),
                    (None, None) => {}
                }
                // The board is about to change: the next choice reads it again.
                self.board = None;
            }
            Event::Transitioned { .. } => self.transitioned(&record.event),
            Event::Vetoed { .. } => self.vetoed(&record.event),
            Event::Elsewhere { attempt, card, from, now, spent, edited, .. } => {
                if let Some(attempt) = attempt.as_ref().and_then(|id| self.attempts.get_mut(id)) {
                    attempt.missed = now.is_none() && attempt.phase == Phase::Ended;
                }
                self.close(attempt.as_ref());
                self.moved(card, from);
                let history = self.cards.entry(card.clone()).or_default();
                if let Some(attempt) = attempt.as_ref().filter(|_| *spent) {
                    history.visits.entry(from).failed.insert(attempt.clone());
                }
                match now {
                    Some(now) if *spent || edited.is_some() => {
                        history.changed(from, now, edited.as_ref());
                        self.pass.visited.remove(card, now);
                    }
                    Some(now) => self.seen_elsewhere(card, now),
                    None => {}
                }
                self.board = None;
            }
            Event::HookStarted { card, hook } => self.hook_started(card.as_ref(), hook),
            Event::HookEnded { card, hook, .. } => self.hook_ended(card.as_ref(), hook),
            Event::Skipped { card, column, why, .. } => {
                self.visit(card, column);
                let count = match why {
                    Why::Cached => Some(&mut self.counts.skipped),
                    Why::Unverified => Some(&mut self.counts.unverified),
                    Why::Exhausted | Why::Blocked => None,
                };
                if let Some(count) = count
                    && self.pass.counted.insert((card.clone(), column.clone()))
                {
                    *count += 1;
                }
            }
            Event::Reopened { attempt, .. } => {
                if let Some(found) = self.attempts.get_mut(attempt) {
                    found.phase = Phase::Ended;
                    // It was never judged: it is judged as any other, and moved by that.
                    found.reopened = !found.missed;
                    // The way that a failed one went is no witness for the one that it goes now.
                    found.settled &= found.verdict == Some(Verdict::Pass);
                    self.active.insert(attempt.clone());
                }
            }
            Event::Unreachable { reason, hint, wait_seconds } => {
                self.unreachable.again(reason, hint, *wait_seconds);
                // What could not be carried out is to be tried again.
                let cards = &self.cards;
                self.pass.visited.retain(|card, column| {
                    !cards.get(card).and_then(|history| history.visits.get(column)).is_some_and(|visits| visits.owed)
                });
                self.board = None;
            }
            Event::Waiting { .. } => {
                self.infrastructure.waited = true;
                self.unreachable.waited = true;
                self.board = None;
            }
            Event::PassEnded => {
                self.pass.visited.clear();
                self.pass.progressed = false;
                self.board = None;
            }
            Event::Summary { stopped, .. } => (self.ended, self.budget.stopped) = (stopped.is_end(), Some(record.at)),
        }
    }

    /// Until when the newest run was at work, where its last record is of that time: an attempt that was at work may have
    /// gone on for as long as it may take.
    fn worked_until(&self, last: Timestamp) -> Timestamp {
        let limit =
            |attempt: &Attempt| SignedDuration::from_secs(attempt.reserved.seconds.try_into().unwrap_or(i64::MAX));
        let ends = self.running().map(|(_, attempt)| attempt.started.saturating_add(limit(attempt)));
        ends.filter_map(Result::ok).fold(last, Timestamp::max)
    }

    /// A new runner: what the last one left open is interrupted, and a pass begins.
    fn run_started(&mut self, source: &str) {
        self.source = Arc::from(source);
        self.ended = false;
        self.pass = Pass::default();
        self.counts = Counts::default();
        self.failing.clear();
        self.infrastructure = Infrastructure::default();
        self.unreachable = Infrastructure::default();
        self.board = None;
        // The journal is no witness for a move: what was judged is judged again.
        let again: Vec<AttemptId> = self.active.iter().filter(|id| !self.acted_upon(id)).cloned().collect();
        for id in &again {
            if let Some(attempt) = self.attempts.get_mut(id).filter(|attempt| attempt.phase == Phase::Judged) {
                attempt.phase = Phase::Ended;
            }
        }
        // Between runs people edit their cards.
        self.unseen.clear();
        // A hook that said no may say yes to a new run.
        for visits in self.cards.values_mut().flat_map(|history| history.visits.values_mut()) {
            let passed = visits.newest.as_ref().and_then(|id| self.attempts.get(id));
            if passed.is_some_and(|attempt| attempt.verdict == Some(Verdict::Pass)) {
                visits.waiting = None;
            }
        }
    }

    fn attempt_started(&mut self, at: Timestamp, event: &Event) {
        let Some((id, attempt)) = Attempt::started(at, event) else { return };
        let (card, column) = (attempt.card.clone(), attempt.column.clone());
        let history = self.cards.entry(card.clone()).or_default();
        // Not counted: a compacted journal has forgotten some.
        history.executions = id.execution().unwrap_or(history.executions + 1);
        history.attempts.push(id.clone());
        history.column = Some(column.clone());
        history.source.clone_from(&self.source);
        history.begin(&id, &attempt);
        let reserved = attempt.reserved;
        self.attempts.insert(id.clone(), Box::new(attempt));
        self.active.insert(id);
        let at = self.budget.clock(at);
        self.budget.spent.push(Spent { at, card: card.clone(), tokens: reserved.tokens, interrupted: false });
        self.visit(&card, &column);
        self.heard.remove(&Occasion::Drained);
        self.pass.progressed = true;
        self.board = None;
    }

    fn attempt_ended(&mut self, event: &Event) {
        let Event::AttemptEnded { attempt: id, ending, after, artifacts, usage, seconds, meddled, .. } = event else {
            return;
        };
        let Some(attempt) = self.attempts.get_mut(id) else { return };
        attempt.ending = ending.clone();
        attempt.after = after.clone();
        attempt.artifacts = artifacts.clone();
        attempt.meddled.clone_from(meddled);
        attempt.phase = Phase::Ended;
        let tokens = usage.as_ref().map(Usage::total).or(attempt.reserved.tokens);
        let place = (attempt.card.clone(), attempt.column.clone());
        if let Some(spent) = self.budget.spent.iter_mut().rev().find(|spent| spent.card == place.0) {
            (spent.tokens, spent.interrupted) = (tokens, *ending == Ending::Interrupted);
        }
        self.budget.most = self.budget.most.max(tokens);
        let visits = self.cards.get_mut(&place.0).and_then(|history| history.visits.get_mut(&place.1));
        if let Some(visits) = visits {
            let free = matches!(ending, Ending::Infrastructure { .. }) && tokens == Some(0);
            if free {
                visits.used.remove(id);
            } else if let Some(used) = visits.used.get_mut(id) {
                *used = Used { tokens, seconds: *seconds };
            }
        }
        match ending {
            Ending::Ok | Ending::Work { .. } => {
                self.infrastructure = Infrastructure::default();
                self.heard.remove(&Occasion::Infrastructure);
            }
            Ending::Infrastructure { reason, hint, wait_seconds } => {
                self.infrastructure.again(reason, hint, *wait_seconds);
                self.close_unseen(id);
                self.pass.visited.remove(&place.0, &place.1);
            }
            Ending::Interrupted => {
                self.close_unseen(id);
                self.pass.visited.remove(&place.0, &place.1);
            }
        }
        self.board = None;
    }

    fn judged(&mut self, at: Timestamp, event: &Event) {
        let Event::Judged { attempt: id, verdict, reason, tests, gate, artifacts, weakened, .. } = event else {
            return;
        };
        let Some(attempt) = self.attempts.get_mut(id) else { return };
        let again = attempt.verdict.is_some_and(|verdict| verdict != Verdict::Inconclusive);
        let had_passed = attempt.verdict == Some(Verdict::Pass);
        attempt.verdict = Some(*verdict);
        attempt.judged = Some(at);
        attempt.reason = reason.clone();
        attempt.outcomes = tests.clone();
        attempt.gate = gate.clone();
        attempt.artifacts = artifacts.clone();
        attempt.weakened = weakened.clone();
        if !weakened.is_empty() {
            self.weakening.insert(id.clone());
        }
        attempt.phase = Phase::Judged;
        let reopened = attempt.reopened;
        let history = self.cards.entry(attempt.card.clone()).or_default();
        attempt.judged_with = history.executions;
        let visits = history.visits.entry(&attempt.column);
        if *verdict == Verdict::Inconclusive {
            // Nothing is known of the work: the gate alone is run again, and a second time only after a wait.
            attempt.phase = Phase::Ended;
            attempt.inconclusive += 1;
            if attempt.inconclusive > 1 {
                self.infrastructure.again(reason, "", None);
            }
            return;
        }
        attempt.missed = false;
        visits.newest = Some(id.clone());
        let failed = matches!(verdict, Verdict::Fail | Verdict::Tampered);
        history.failure = failed.then(|| id.clone());
        match (failed, reopened) {
            (true, false) => visits.failed.insert(id.clone()),
            (true, true) => had_passed && visits.lost.insert(id.clone()),
            (false, _) => visits.failed.remove(id),
        };
        match failed {
            // Judged before, by a runner that died or as a pass: no further attempt failed.
            true if again => {}
            true => self.budget.failures_in_a_row += 1,
            false => self.budget.failures_in_a_row = 0,
        }
        if !reopened {
            // Also where a dead runner made the attempt: its card may be tried again.
            self.pass.progressed = true;
            return;
        }
        let (card, column) = (attempt.card.clone(), attempt.column.clone());
        match failed {
            true => {
                self.close(Some(id));
                self.pass.visited.remove(&card, &column);
            }
            // It passed again and was moved long ago: there is nothing to settle that would close it.
            false if attempt.settled => {
                self.close(Some(id));
                self.visit(&card, &column);
                if self.pass.counted.insert((card, column)) {
                    self.counts.skipped += 1;
                }
            }
            false => {}
        }
    }

    /// A person's move starts the attempts in the new column anew.
    fn seen_elsewhere(&mut self, card: &CardId, to: &Column) {
        self.cards.entry(card.clone()).or_default().moved_by_person(to, !self.active.is_empty());
        self.pass.visited.remove(card, to);
    }

    /// A move is over, whether or not it was made.
    fn moved(&mut self, card: &CardId, from: &Column) {
        self.moving.remove(card);
        if let Some(visits) = self.cards.get_mut(card).and_then(|history| history.visits.get_mut(from)) {
            visits.owed = false;
        }
        self.visit(card, from);
    }

    fn visit(&mut self, card: &CardId, column: &Column) {
        self.pass.visited.insert(card, column);
    }

    fn close(&mut self, id: Option<&AttemptId>) {
        let Some(id) = id else { return };
        self.active.remove(id);
        if let Some(attempt) = self.attempts.get_mut(id) {
            attempt.phase = Phase::Closed;
            attempt.reopened = false;
        }
        self.unseen.remove(id);
    }

    /// What became of its card meanwhile is yet to be seen.
    fn close_unseen(&mut self, id: &AttemptId) {
        self.close(Some(id));
        self.unseen.insert(id.clone());
    }
}
