//! What is let go of old attempts, and what never is.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::properties::{case, repeatable};
use super::world::*;
use crate::board::Board;
use crate::cycle::retain::{needless, trees};
use crate::cycle::state::State;
use crate::journal::{AttemptId, Event};

const SOURCE: &str = "board";

fn let_go(world: &World, state: &State, keep: usize) -> Option<(BTreeSet<AttemptId>, BTreeSet<AttemptId>)> {
    match needless(state, &world.board, SOURCE, keep)? {
        Event::LetGo { folders, trees } => Some((folders.into_iter().collect(), trees.into_iter().collect())),
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
        let (folders, gone) = let_go(&world, &state, keep).unwrap_or_default();
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
        let event = Event::LetGo { folders: folders.into_iter().collect(), trees: gone.into_iter().collect() };
        state.apply(&record(event));
        prop_assert!(trees(&state).len() <= before);
        prop_assert_eq!(let_go(&world, &state, keep), None, "what went goes no second time");
    }
}

#[test]
fn a_card_that_is_gone_loses_all_but_only_from_the_board_that_it_was_worked_on() {
    let mut world = World::new(
        Board { columns: vec![column("Doing")], cards: vec![card("a", "Doing", true)], ..Board::default() },
        planner([(column("Doing"), crate::rules::Rule::default())]),
        |_| Outcome::Fail,
    );
    world.run().2.unwrap();
    let state = fold(&world.disk.records());
    let ids: BTreeSet<_> = state.attempts.keys().cloned().collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(let_go(&world, &state, 3), None);
    let first = |ids: &BTreeSet<AttemptId>| ids.iter().take(1).cloned().collect::<BTreeSet<_>>();
    assert_eq!(let_go(&world, &state, 2), Some((first(&ids), BTreeSet::new())), "its work stands: its trees are kept");
    let board = std::mem::take(&mut world.board);
    world.board.others = board.cards.clone();
    assert_eq!(let_go(&world, &state, 3), None, "an item of a list that is not next is there");
    world.board.others.clear();
    assert_eq!(let_go(&world, &state, 3), Some((ids.clone(), ids.clone())));
    assert_eq!(needless(&state, &world.board, "another", 3), None);
    world.board.refused = vec![crate::board::Refused {
        status: None,
        title: "?".into(),
        file: String::new(),
        lines: vec![1],
        reason: "?".into(),
    }];
    assert_eq!(let_go(&world, &state, 3), None, "what can't be read may be it");
    // It comes back: nothing counts of what it did, and nothing is let go twice.
    let mut state = state;
    let (folders, trees) = (ids.iter().cloned().collect(), ids.iter().cloned().collect());
    state.apply(&record(Event::LetGo { folders, trees }));
    world.board = board;
    assert_eq!(let_go(&world, &state, 1), None);
}
