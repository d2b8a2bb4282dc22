//! What a run counts, owes and waits for.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{State, Visits, Waiting};
use crate::board::{CardId, Column};
use crate::journal::{AttemptId, Event};
use crate::rules::{Occasion, Verdict};

/// The wait after an infrastructure failure never grows beyond this.
const LONGEST_BACKOFF: Duration = Duration::from_secs(300);

/// A hook that hears of what happened, owed until it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct OwedHook {
    pub hears: Hears,
    /// None where it is about no single card.
    pub moved: Option<Moved>,
    pub reason: String,
    /// It was started by a runner that died: whether it finished is unknown, and it is not repeated.
    pub started: bool,
}

/// Which hook it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hears {
    /// `afterTransition`
    Move,
    /// `onEvent`
    News(Occasion),
}

/// A card's verdict, and where that sent it.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    pub card: CardId,
    pub title: String,
    pub attempt: Option<AttemptId>,
    pub from: Column,
    /// None: it stays.
    pub to: Option<Column>,
    pub verdict: Verdict,
}

impl OwedHook {
    pub fn news(occasion: Occasion, reason: &str) -> OwedHook {
        OwedHook { hears: Hears::News(occasion), moved: None, reason: reason.to_owned(), started: false }
    }

    pub fn card(&self) -> Option<&CardId> {
        self.moved.as_ref().map(|moved| &moved.card)
    }

    /// As the journal calls it.
    pub fn name(&self) -> String {
        match self.hears {
            Hears::Move => "afterTransition".to_owned(),
            Hears::News(occasion) => format!("{NEWS}{}", occasion.name()),
        }
    }
}

/// Before an event's name.
const NEWS: &str = "onEvent.";

impl State {
    /// What of a transition is told. `used_up`: with it the card's attempts came to their end.
    pub(super) fn owe_hooks(&mut self, event: &Event, used_up: bool) {
        let Event::Transitioned { attempt, card, title, from, to, verdict, reason, hook, news } = event else { return };
        let occasion = match (verdict, to) {
            (Verdict::Pass, Some(_)) => Some(Occasion::Promoted),
            _ if used_up => Some(Occasion::Exhausted),
            (Verdict::Fail | Verdict::Tampered | Verdict::Unverified, Some(_)) => Some(Occasion::Bounced),
            _ => None,
        };
        let news = occasion.filter(|_| *news).map(Hears::News);
        for hears in hook.then_some(Hears::Move).into_iter().chain(news) {
            let (card, title, attempt) = (card.clone(), title.clone(), attempt.clone());
            let moved = Moved { card, title, attempt, from: from.clone(), to: to.clone(), verdict: *verdict };
            self.hooks.push(OwedHook { hears, moved: Some(moved), reason: reason.clone(), started: false });
        }
    }

    /// A verdict was carried out on the board.
    pub(super) fn transitioned(&mut self, event: &Event) {
        let Event::Transitioned { attempt, card, from, to, verdict, .. } = event else { return };
        if let Some(attempt) = attempt.as_ref().and_then(|id| self.attempts.get_mut(id)) {
            attempt.settled = true;
        }
        self.close(attempt.as_ref());
        self.moved(card, from);
        let history = self.cards.entry(card.clone()).or_default();
        let used_up = *verdict == Verdict::Exhausted
            || attempt.as_ref().and_then(|id| self.attempts.get(id)).is_some_and(|attempt| {
                let failed = history.visits.get(from).map_or(0, |visits| visits.failed.len() as u32);
                *verdict != Verdict::Pass && failed >= attempt.limit
            });
        let visits = history.visits.entry(from);
        let newly = used_up && !visits.exhausted;
        visits.exhausted |= used_up;
        visits.noted |= used_up;
        visits.sent_away |= used_up && to.is_some();
        history.column = Some(to.as_ref().unwrap_or(from).clone());
        match (verdict, to) {
            (Verdict::Pass, _) => self.failing.remove(card),
            (Verdict::Fail | Verdict::Tampered | Verdict::Exhausted, None) => self.failing.insert(card.clone()),
            _ => false,
        };
        match (verdict, to) {
            (Verdict::Pass, Some(_)) => self.counts.promoted += 1,
            (Verdict::Fail | Verdict::Tampered | Verdict::Exhausted, Some(_)) => self.counts.bounced += 1,
            (Verdict::Fail | Verdict::Tampered, None) => self.counts.failed += 1,
            _ => {}
        }
        self.board = None;
        // What failed may be tried again in place, also where a dead runner judged it.
        self.pass.progressed |= to.is_some() || (attempt.is_some() && *verdict != Verdict::Pass);
        self.heard.remove(&Occasion::Drained);
        self.owe_hooks(event, newly);
        let Some(to) = to else { return };
        let history = self.cards.entry(card.clone()).or_default();
        let Visits { newest: there, noted, .. } = history.visits.entry(to);
        // The note says how it came there, and of one whose attempts were used up where it was that none are left.
        *noted &= used_up;
        if *verdict == Verdict::Pass {
            // What passed there before there was this work is judged anew, and moved on again if it holds.
            let passed = there.as_ref().and_then(|id| self.attempts.get_mut(id));
            if let Some(passed) = passed.filter(|passed| passed.judged_with < history.executions) {
                passed.settled = false;
            }
        } else {
            // Bounced: what passed there before is no longer good enough, and this pass is over for the card there.
            *there = None;
            // What passed elsewhere is to be moved on again when the card comes back there.
            for id in &history.attempts {
                if let Some(attempt) = self.attempts.get_mut(id) {
                    attempt.settled = false;
                }
            }
            self.visit(card, to);
        }
    }

    /// The card stays, and waits until card, tests or rules change.
    pub(super) fn vetoed(&mut self, event: &Event) {
        let Event::Vetoed { attempt, card, from, key, gate, reason, .. } = event else { return };
        let visits = self.cards.entry(card.clone()).or_default().visits.entry(from);
        let (key, gate, reason) = (key.clone(), gate.clone(), reason.clone());
        visits.waiting = Some(Waiting { key, gate, reason, refused: false });
        self.counts.vetoed += 1;
        self.close(attempt.as_ref());
        self.moved(card, from);
    }

    pub(super) fn hook_started(&mut self, card: Option<&CardId>, hook: &str) {
        self.heard(hook);
        let of = |owed: &&mut OwedHook| owed.card() == card && owed.name() == hook;
        self.hooks.iter_mut().filter(of).for_each(|owed| owed.started = true);
    }

    pub(super) fn hook_ended(&mut self, card: Option<&CardId>, hook: &str) {
        self.heard(hook);
        self.hooks.retain(|owed| owed.card() != card || owed.name() != hook);
    }

    fn heard(&mut self, hook: &str) {
        self.heard.extend(hook.strip_prefix(NEWS).and_then(Occasion::named));
    }
}

/// One walk over the board.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pass {
    pub visited: Visited,
    /// Something moved or ran: another pass may find more.
    pub progressed: bool,
    /// Cards that were counted as skipped or unverified in this run.
    pub counted: BTreeSet<(CardId, Column)>,
}

/// Cards that were visited, each in its columns.
#[derive(Debug, Clone, Default)]
pub struct Visited {
    /// With the place in `order`.
    cards: HashMap<CardId, BTreeMap<Column, usize>>,
    /// As they were visited, which most often is as they stand on the board. None: visited no more.
    order: Vec<Option<(CardId, Column)>>,
}

impl PartialEq for Visited {
    fn eq(&self, other: &Visited) -> bool {
        let places = |visited: &Visited| visited.order.iter().flatten().cloned().collect::<BTreeSet<_>>();
        places(self) == places(other)
    }
}

impl Visited {
    /// To be asked of cards in board order.
    pub fn walk(&self) -> Walk<'_> {
        Walk { visited: self, next: 0 }
    }

    pub fn insert(&mut self, card: &CardId, column: &Column) {
        let place = self.cards.entry(card.clone()).or_default().entry(column.clone()).or_insert(self.order.len());
        if *place == self.order.len() {
            self.order.push(Some((card.clone(), column.clone())));
        }
    }

    pub fn remove(&mut self, card: &CardId, column: &Column) {
        let place = self.cards.get_mut(card).and_then(|columns| columns.remove(column));
        self.forget(place);
    }

    pub fn remove_card(&mut self, card: &CardId) {
        let places = self.cards.remove(card).unwrap_or_default();
        self.forget(places.into_values());
    }

    pub fn retain(&mut self, keep: impl Fn(&CardId, &Column) -> bool) {
        let leave = self.order.iter().flatten().filter(|(card, column)| !keep(card, column)).cloned();
        leave.collect::<Vec<_>>().iter().for_each(|(card, column)| self.remove(card, column));
    }

    pub fn clear(&mut self) {
        *self = Visited::default();
    }

    fn forget(&mut self, places: impl IntoIterator<Item = usize>) {
        places.into_iter().for_each(|place| self.order[place] = None);
    }
}

/// Each choice passes over all cards that were visited: those that come in the order of the visits are not looked up.
pub struct Walk<'v> {
    visited: &'v Visited,
    next: usize,
}

impl Walk<'_> {
    pub fn has(&mut self, card: &CardId, column: &Column) -> bool {
        let Visited { cards, order } = self.visited;
        if order.get(self.next).is_some_and(|next| next.as_ref().is_some_and(|(id, at)| id == card && at == column)) {
            self.next += 1;
            return true;
        }
        let place = cards.get(card).and_then(|columns| columns.get(column));
        self.next = place.map_or(self.next, |place| place + 1);
        place.is_some()
    }
}

/// What the guards count.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Budget {
    /// How long the runs before the newest one were at work.
    pub worked_before: SignedDuration,
    /// When the newest run began, and when it ended.
    pub began: Option<Timestamp>,
    pub stopped: Option<Timestamp>,
    /// How far the records are ahead of the clock: it was once ahead itself.
    pub ahead: SignedDuration,
    /// In order of time, by the clock.
    pub spent: Vec<Spent>,
    /// So many of them are of budgets before.
    pub settled: usize,
    /// The most tokens of one attempt that ended: of all of them, for each plan asks.
    pub most: Option<u64>,
    pub failures_in_a_row: u32,
}

impl Budget {
    /// A run begins. What was spent before counts on where the last one did not end by itself, or the budget has a window.
    /// What was spent in the future of `clock` is taken to be spent now: else it would count until then. `last`: until when
    /// the one before was at work, where it was killed and told no end.
    pub(super) fn begin(&mut self, at: Timestamp, clock: Timestamp, ended: bool, last: Timestamp) {
        let (began, stopped) = (self.began.replace(at), self.stopped.take());
        match began {
            Some(began) if !ended => self.worked_before += stopped.unwrap_or(last).duration_since(began),
            _ => {
                (self.worked_before, self.settled, self.failures_in_a_row) = (SignedDuration::ZERO, self.spent.len(), 0)
            }
        }
        self.ahead = at.duration_since(clock);
        self.spent.iter_mut().rev().take_while(|spent| spent.at > clock).for_each(|spent| spent.at = clock);
    }

    /// The clock's time of a record.
    pub(super) fn clock(&self, at: Timestamp) -> Timestamp {
        at.checked_sub(self.ahead).unwrap_or(at)
    }

    /// What counts for the guards at the time `now` of a record.
    pub fn counted(&self, now: Timestamp, window: Option<Duration>) -> &[Spent] {
        let since = window.map(|window| self.clock(now).checked_sub(window).unwrap_or(Timestamp::MIN));
        // What was spent in years is not looked through.
        let first = since.map_or(self.settled, |since| self.spent.partition_point(|spent| spent.at < since));
        &self.spent[first..]
    }

    /// The tokens of what counts. One that was interrupted is taken for the dearest so far, or for `unknown`; None: codex said
    /// of another one nothing.
    pub fn tokens(&self, counted: &[Spent], unknown: u64) -> Option<u64> {
        let interrupted = self.most.unwrap_or(unknown);
        counted.iter().map(|spent| spent.tokens.or(spent.interrupted.then_some(interrupted))).sum()
    }

    /// How long runs were at work, if the newest one is so for `running`.
    pub fn worked(&self, running: Duration) -> Duration {
        running.saturating_add(Duration::try_from(self.worked_before).unwrap_or_default())
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Spent {
    pub at: Timestamp,
    pub card: CardId,
    /// Input (cached input within) and output, or what is reserved; None: unknown.
    pub tokens: Option<u64>,
    /// It was ended before codex could say.
    pub interrupted: bool,
}

/// How the world outside holds up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Infrastructure {
    pub in_a_row: u32,
    pub reason: String,
    pub hint: String,
    /// What was said about when it will work again.
    pub wait_seconds: Option<u64>,
    /// The wait for this failure is over.
    pub waited: bool,
}

impl Infrastructure {
    /// One failure more.
    pub fn again(&mut self, reason: &str, hint: &str, wait_seconds: Option<u64>) {
        let (reason, hint) = (reason.to_owned(), hint.to_owned());
        *self = Infrastructure { in_a_row: self.in_a_row + 1, reason, hint, wait_seconds, waited: false };
    }

    /// How long to wait now: twice as long each time, from `backoff`, and as long as was said. That can be over already, by a
    /// clock or a limit that is late.
    pub fn pause(&self, backoff: Duration) -> Duration {
        let doubled = backoff.saturating_mul(1 << self.in_a_row.saturating_sub(1).min(16));
        doubled.min(LONGEST_BACKOFF).max(Duration::from_secs(self.wait_seconds.unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn the_time_between_a_stopped_run_and_its_restart_is_not_worked() {
        let worked = |budget: &Budget, running| budget.worked(Duration::from_secs(running)).as_secs();
        let mut budget = Budget::default();
        budget.begin(at(0), at(0), false, at(0));
        assert_eq!(worked(&budget, 10), 10);
        budget.stopped = Some(at(10));
        budget.begin(at(110), at(110), false, at(10));
        assert_eq!(worked(&budget, 10), 20);
        // One that was killed was at work until then.
        budget.begin(at(130), at(130), false, at(115));
        assert_eq!(worked(&budget, 0), 15);
        budget.begin(at(200), at(200), true, at(130));
        assert_eq!(worked(&budget, 1), 1);
    }

    /// When it was spent by the records, then when runs began: by the records and by the clock.
    #[test]
    fn what_was_spent_while_the_clock_was_ahead_leaves_the_window() {
        let window = Some(Duration::from_secs(10));
        for (spent, began, counts) in [
            (0, vec![(5, 5)], true),
            (0, vec![(11, 11)], false),
            // The clock was ahead, and is right now.
            (1000, vec![(1000, 5)], true),
            (1000, vec![(1000, 5), (1000, 14)], true),
            (1000, vec![(1000, 5), (1000, 16)], false),
            (1000, vec![(1000, 5), (1016, 1016)], false),
        ] {
            let mut budget = Budget::default();
            budget.begin(at(spent), at(spent), false, at(spent));
            budget.spent.push(Spent {
                at: budget.clock(at(spent)),
                card: CardId("KB-1".into()),
                tokens: None,
                interrupted: false,
            });
            began.iter().for_each(|(record, clock)| budget.begin(at(*record), at(*clock), true, at(*record)));
            let now = at(began[began.len() - 1].0);
            assert_eq!(budget.counted(now, window).len(), usize::from(counts), "{spent} {began:?}");
            assert_eq!(budget.counted(now, None).len(), 0);
        }
    }
}
