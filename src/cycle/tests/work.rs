//! The workspace of these worlds: whose work stands in it, and that none stands that failed where a rule has it taken back.

use anyhow::Result;

use super::world::*;
use crate::board::Board;
use crate::cycle::drive::Book;
use crate::evidence::TreeId;
use crate::journal::{Event, TakeBack, WorkTaken};
use crate::rules::{FailWork, Rule, Verdict};

fn tree(digit: char) -> Option<TreeId> {
    TreeId::try_from(digit.to_string().repeat(40)).ok()
}

/// The same attempt, known to have changed something.
pub fn changing(mut event: Event) -> Event {
    match &mut event {
        Event::AttemptStarted { before, .. } => *before = tree('a'),
        Event::AttemptEnded { after, .. } => *after = tree('b'),
        _ => {}
    }
    event
}

impl World {
    /// In the order of the loop's own: the intent, each attempt's files, the outcome.
    pub(super) fn take_back(&mut self, take: TakeBack, book: &mut Book<'_>) -> Result<()> {
        if !book.state.taking.contains(&take) {
            book.record(Event::TakeBackStarted(take.clone()))?;
        }
        for id in &take.of {
            burn(&self.fuel)?;
            self.standing.remove(id);
        }
        let works = take.of.into_iter().map(|attempt| WorkTaken { attempt, paths: Vec::new() }).collect();
        let (attempt, left) = (take.attempt, Vec::new());
        book.record(Event::TakenBack { attempt, works, left, tree: tree('a'), restore: None })
    }

    /// What failed where it is to be taken back is gone, all else stands.
    pub fn check_work(&self) {
        let (records, rules) = (self.disk.records(), &self.planner.inputs.rules);
        let state = fold(&records);
        let taken = |id| state.attempts.get(id).is_some_and(|attempt| attempt.taken.is_some());
        let mut reopened = Vec::new();
        for record in &records {
            match &record.event {
                Event::Reopened { attempt, .. } => reopened.push(attempt),
                Event::Judged { attempt, verdict: Verdict::Fail | Verdict::Tampered, .. } => {
                    let revert = rules.columns[&state.attempts[attempt].column].on_fail_work == FailWork::Revert;
                    assert!(!revert || reopened.contains(&attempt) || taken(attempt), "{attempt} failed and stands");
                }
                Event::TakenBack { attempt, .. } => {
                    let verdict = state.attempts[attempt].verdict;
                    assert!(matches!(verdict, Some(Verdict::Fail | Verdict::Tampered)), "{attempt}: {verdict:?}");
                }
                _ => {}
            }
        }
        assert!(state.taking.is_empty(), "{:?}", state.taking);
        for id in &self.executed {
            assert_eq!(self.standing.contains(id), !taken(id), "{id}");
        }
    }
}

/// The run that recovers does all that is left, as one that judges again does.
#[test]
fn killed_anywhere_a_card_whose_work_is_taken_back_is_tried_to_its_limit_by_the_next_run() {
    let world = || {
        let rule = Rule { on_fail_work: FailWork::Revert, ..Rule::default() };
        let board = Board { columns: vec![column("Doing")], cards: vec![card("a", "Doing", true)], ..Board::default() };
        World::new(board, planner([(column("Doing"), rule)]), |_| Outcome::Fail)
    };
    let plenty = usize::MAX / 2;
    let mut calm = world();
    calm.power(plenty);
    calm.run().2.unwrap();
    for fuel in 0..plenty - calm.left() {
        let mut world = world();
        world.power(fuel);
        assert!(world.run().2.is_err(), "{fuel}");
        world.power(plenty);
        world.run().2.unwrap();
        world.check_work();
        let state = fold(&world.disk.records());
        let visits = state.cards.values().next().unwrap().visits.get(&column("Doing")).unwrap();
        assert_eq!((visits.failures(), visits.exhausted), (3, true), "{fuel}");
    }
}
