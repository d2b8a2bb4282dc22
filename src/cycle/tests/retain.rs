//! What is let go of old attempts, and what never is.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::properties::{case, repeatable};
use super::world::*;
use crate::board::{Board, CardId};
use crate::cycle::retain::{needless, trees};
use crate::cycle::state::State;
use crate::journal::{AttemptId, Event};

const SOURCE: &str = "board";

/// Folders, trees and missing cards.
fn let_go(
    world: &World,
    state: &State,
    keep: usize,
) -> Option<(BTreeSet<AttemptId>, BTreeSet<AttemptId>, Vec<CardId>)> {
    match needless(state, &world.board, SOURCE, keep)? {
        Event::LetGo { folders, trees, missing } => {
            Some((folders.into_iter().collect(), trees.into_iter().collect(), missing))
        }
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(repeatable(40))]

    #[test]
    fn what_something_rests_on_is_kept_and_the_rest_goes_once(
        case in case(&Outcome::ALL, 3),
        keep in 1..3usize,
        fuel in 0..120usize,
    ) {
        let mut world = case.in_sequence(Outcome::Fail);
        world.power(fuel);
        world.run().2.ok();
        world.power(usize::MAX);
        let mut state = fold(&world.disk.records());
        let (folders, gone, missing) = let_go(&world, &state, keep).unwrap_or_default();
        for (card, history) in state.cards.iter().filter(|(card, _)| world.board.card(card).is_some()) {
            let newest: Vec<_> = history.attempts.iter().rev().take(keep).collect();
            let judged = history.visits.values().filter_map(|visits| visits.newest.as_ref());
            for id in newest.into_iter().chain(judged).chain(&history.failure).chain(&state.active) {
                prop_assert!(!folders.contains(id) && !gone.contains(id), "{id} of {card}");
            }
            // Whatever of its work stands is in its change set.
            for id in history.attempts.iter().filter(|id| gone.contains(*id)) {
                prop_assert!(!world.standing.contains(id) || state.attempts[id].after.is_none(), "{id} stands");
            }
            let left = history.attempts.iter().filter(|id| !folders.contains(*id)).count();
            prop_assert!(left <= keep + history.visits.iter().count() + 1 + state.active.len(), "{left} folders of {card}");
        }
        let before = trees(&state).len();
        prop_assert!(missing.iter().all(|card| world.board.card(card).is_none()));
        let event = Event::LetGo { folders: folders.into_iter().collect(), trees: gone.into_iter().collect(), missing };
        state.apply(&record(event));
        prop_assert!(trees(&state).len() <= before);
        prop_assert_eq!(let_go(&world, &state, keep), None, "what went goes no second time");
    }
}

#[test]
fn a_card_that_is_gone_for_long_loses_all_but_only_from_the_board_that_it_was_worked_on() {
    let mut world = World::new(
        Board { columns: vec![column("Doing")], cards: vec![card("a", "Doing", true)], ..Board::default() },
        planner([(column("Doing"), crate::rules::Rule::default())]),
        |_| Outcome::Fail,
    );
    world.run().2.unwrap();
    let mut state = fold(&world.disk.records());
    let ids: BTreeSet<_> = state.attempts.keys().cloned().collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(let_go(&world, &state, 3), None);
    let first = |ids: &BTreeSet<AttemptId>| ids.iter().take(1).cloned().collect::<BTreeSet<_>>();
    assert_eq!(
        let_go(&world, &state, 2),
        Some((first(&ids), BTreeSet::new(), vec![])),
        "its work stands: its trees are kept"
    );
    let board = std::mem::take(&mut world.board);
    world.board.others = board.cards.clone();
    assert_eq!(let_go(&world, &state, 3), None, "an item of a list that is not next is there");
    world.board.others.clear();
    // Once it is known to be missing, that is no news for a week.
    let missing = vec![CardId::from("a")];
    assert_eq!(let_go(&world, &state, 3), Some((BTreeSet::new(), BTreeSet::new(), missing.clone())));
    state.apply(&record(Event::LetGo { folders: vec![], trees: vec![], missing }));
    let begin = state.now;
    state.now = begin + SignedDuration::from_hours(7 * 24 - 1);
    assert_eq!(let_go(&world, &state, 3), None);
    state.now = begin + SignedDuration::from_hours(7 * 24);
    assert_eq!(let_go(&world, &state, 3), Some((ids.clone(), ids.clone(), vec![])));
    assert_eq!(needless(&state, &world.board, "another", 3), None);
    world.board.refused = vec![crate::board::Refused {
        status: None,
        title: "?".into(),
        file: String::new(),
        lines: vec![1],
        reason: "?".into(),
    }];
    assert_eq!(let_go(&world, &state, 3), None, "what can't be read may be it");
    let none = std::mem::replace(&mut world.board, board);
    let back = Some((BTreeSet::new(), BTreeSet::new(), vec![]));
    assert_eq!(
        let_go(&world, &state, 3),
        back,
        "it is there again in time: another week begins when it is missing next"
    );
    // It comes back later: nothing counts of what it did, and nothing is let go twice.
    let (folders, trees) = (ids.iter().cloned().collect(), ids.iter().cloned().collect());
    state.apply(&record(Event::LetGo { folders, trees, missing: vec![] }));
    assert_eq!(let_go(&world, &state, 1), None);
    world.board = Board { refused: vec![], ..none };
    assert_eq!(let_go(&world, &state, 1), None);
}
