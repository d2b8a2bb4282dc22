//! Attempts are used up: however columns send a card to each other, it comes to rest, and nothing but a person refills them.

use super::world::*;
use crate::board::{Board, CardId};
use crate::journal::{Event, Record};
use crate::rules::Rule;

const LIMIT: u32 = 2;

fn board() -> Board {
    let columns = ["A", "B", "Rest", "Stuck"].map(column).to_vec();
    Board { columns, cards: vec![card("a", "A", true)], ..Board::default() }
}

fn rule(targets: [Option<&str>; 3]) -> Rule {
    let [on_pass, on_fail, on_exhausted] = targets.map(|target| target.map(column));
    Rule { on_pass, on_fail, on_exhausted, max_attempts: Some(LIMIT), ..Rule::default() }
}

fn world(a: Rule, b: Rule, outcome: impl Fn(&str) -> Outcome + 'static) -> World {
    let rules = [(column("A"), a), (column("B"), b)];
    World::new(board(), planner(rules), move |plan| outcome(&plan.card.status.0))
}

/// Runs until a run starts nothing, with the board as it is left.
fn rest(world: &mut World) {
    for _ in 0..4 {
        let before = world.executed.len();
        world.steps = 0;
        world.run().2.unwrap();
        if world.executed.len() == before {
            return;
        }
    }
    panic!("{:?} and no end", world.executed);
}

fn moved(world: &mut World, to: &str) {
    world.board.place(&CardId::from("a"), &column(to));
}

#[test]
fn two_columns_that_send_a_card_to_each_other_in_any_way_come_to_rest() {
    let of = |number: usize, other| {
        let pick = |number: usize| [Some(other), None, Some("Rest")][number % 3];
        rule([pick(number % 2 * 2), pick(number / 2 % 2), pick(number / 4)])
    };
    let fates = [Outcome::Pass, Outcome::Fail, Outcome::Undone];
    // There are 1296 of them.
    for number in (0..12 * 12 * 9).step_by(7) {
        let (a, b, fates) = (number % 12, number / 12 % 12, [fates[number / 144 / 3], fates[number / 144 % 3]]);
        let mut world = world(of(a, "B"), of(b, "A"), move |column| fates[usize::from(column == "B")]);
        rest(&mut world);
        let executed = world.executed.len() as u32;
        let told = || format!("{:?} {:?} {fates:?}", world.planner.inputs.rules.columns, world.executed);
        // A pass that is undone entitles to one more, and so does the last bounce.
        let undone = fates.iter().filter(|fate| **fate == Outcome::Undone).count() as u32;
        assert!(executed <= 2 * LIMIT + undone + 1, "{executed}: {}", told());
    }
}

/// Whatever sends the card where its attempts are used up: its rest, its limits and what the board says stay as they are.
#[test]
fn neither_runs_nor_the_programs_own_moves_refill_a_limit() {
    let to_b = [Some("B"), Some("B"), None];
    let mut world = world(rule(to_b), rule([Some("A"), Some("A"), None]), |_| Outcome::Fail);
    rest(&mut world);
    let numbers = |world: &World| -> Vec<(String, u32)> {
        let started = |record: Record| match record.event {
            Event::AttemptStarted { column, number, .. } => Some((column.to_string(), number)),
            _ => None,
        };
        world.disk.records().into_iter().filter_map(started).collect()
    };
    let all = [("A", 1), ("B", 1), ("A", 2), ("B", 2)].map(|(column, number)| (column.to_owned(), number));
    assert_eq!(numbers(&world), all);
    for _ in 0..3 {
        rest(&mut world);
    }
    assert_eq!(numbers(&world), all);
    // A person's move into a column starts the attempts there anew, and there alone.
    moved(&mut world, "Rest");
    rest(&mut world);
    moved(&mut world, "A");
    rest(&mut world);
    assert_eq!((&numbers(&world)[4..], world.places()["a"].as_str()), (&[("A".to_owned(), 1)][..], "B"));
    // What a person edits starts them anew everywhere.
    world.edit(&CardId::from("a"), ", and better");
    rest(&mut world);
    assert_eq!(numbers(&world).len(), 9);
    retried(&mut world);
    rest(&mut world);
    assert_eq!(numbers(&world).len(), 13);
}

/// `retry a`, between two runs.
fn retried(world: &mut World) {
    let event = Event::Retried { card: CardId::from("a") };
    crate::journal::Keep::keep(&mut world.disk, &record(event)).unwrap();
}

/// Codex writes on its card, or moves it, in each attempt: that is no other work.
#[test]
fn a_card_that_changes_in_its_own_attempts_uses_them_up() {
    for (outcome, rules, executed, place) in [
        (Outcome::Edited, [None, None, Some("Stuck")], 2, "Stuck"),
        (Outcome::Edited, [None, None, None], 2, "A"),
        (Outcome::Moved, [None, None, None], 1, "Stuck"),
        (Outcome::Retested, [None, None, Some("Stuck")], 1, "A"),
        (Outcome::RetestedAndLost, [None, None, Some("Stuck")], 1, "A"),
    ] {
        let mut world = world(rule(rules), Rule::default(), move |_| outcome);
        rest(&mut world);
        assert_eq!((world.executed.len(), world.places()["a"].as_str()), (executed, place), "{outcome:?}");
    }
    // Between two columns with rules.
    let back_and_forth = |outcome| {
        let mut world = world(rule([Some("B"), None, None]), rule([Some("A"), None, None]), move |_| outcome);
        world.board.columns.retain(|column| *column.0 == *"A" || *column.0 == *"B");
        world
    };
    let mut world = back_and_forth(Outcome::Moved);
    for _ in 0..6 {
        rest(&mut world);
        assert_eq!(
            (world.executed.len(), world.places()["a"].as_str()),
            (1, "B"),
            "it waits where it was moved past a gate"
        );
    }
    // A person's word lets it go on, until codex moves it again.
    moved(&mut world, "A");
    rest(&mut world);
    assert_eq!((world.executed.len(), world.places()["a"].as_str()), (2, "B"));
    retried(&mut world);
    rest(&mut world);
    assert_eq!((world.executed.len(), world.places()["a"].as_str()), (4, "B"), "B worked it, and A again");
    let mut world = back_and_forth(Outcome::Edited);
    rest(&mut world);
    assert_eq!(world.executed.len(), LIMIT as usize);
}

/// What was spent on the text before counts in all columns, until a person writes another.
#[test]
fn a_text_that_codex_wrote_inherits_what_was_spent_and_a_persons_does_not() {
    let passes_once_edited = |plan: &crate::cycle::plan::CardPlan| match &*plan.card.status.0 {
        "A" if plan.card.body.contains("more") => Outcome::Pass,
        "A" => Outcome::Edited,
        _ => Outcome::Fail,
    };
    let rules = [(column("A"), rule([Some("B"), None, None])), (column("B"), rule([None, None, None]))];
    let mut world = World::new(board(), planner(rules), passes_once_edited);
    moved(&mut world, "B");
    rest(&mut world);
    moved(&mut world, "A");
    rest(&mut world);
    assert_eq!((world.executed.len(), world.places()["a"].as_str()), (4, "B"), "B's limit was reached before");
    world.edit(&CardId::from("a"), ", and better");
    rest(&mut world);
    assert_eq!(world.executed.len(), 6);
}

#[test]
fn a_card_with_other_tests_by_its_own_attempt_waits_for_a_persons_word() {
    type Act = fn(&mut World);
    let words: [(&str, Act); 3] = [
        ("an edit", |world| world.edit(&CardId::from("a"), ", yes")),
        ("a move", |world| {
            moved(world, "Stuck");
            world.run().2.unwrap();
            moved(world, "A");
        }),
        ("retry", retried),
    ];
    let words = words.iter().flat_map(|word| [(Outcome::Retested, word), (Outcome::RetestedAndLost, word)]);
    for (outcome, (name, act)) in words {
        let promotes = move |plan: &crate::cycle::plan::CardPlan| match plan.card.body.contains("@d") {
            true => Outcome::Pass,
            false => outcome,
        };
        let rules = [(column("A"), rule([Some("Rest"), None, None]))];
        let mut world = World::new(board(), planner(rules), promotes);
        for _ in 0..3 {
            let (_, shown, ended) = world.run();
            ended.unwrap();
            let told = |record: &Record| matches!(&record.event, Event::Skipped { reason, .. } if reason.contains("other tests belong to it now"));
            assert!(shown.iter().any(told), "{shown:?}");
            assert_eq!((world.executed.len(), world.places()["a"].as_str()), (1, "A"), "{name}");
        }
        act(&mut world);
        rest(&mut world);
        assert_eq!((world.executed.len(), world.places()["a"].as_str()), (2, "Rest"), "{name}");
    }
}
