//! One card's way over the board: what the journal says of it, and what stays undone.

use super::world::*;
use crate::board::Board;
use crate::journal::{Event, Record};
use crate::rules::{Rule, Verdict};

const COLUMNS: [&str; 5] = ["Doing", "Review", "QA", "Done", "Blocked"];

fn to(name: &str) -> Option<crate::board::Column> {
    Some(column(name))
}

/// Doing → Review → QA → Done; failures go back to Doing, what is exhausted in QA is blocked.
fn world(outcome: fn(&str, u32) -> Outcome) -> World {
    let columns = COLUMNS.map(column).to_vec();
    let rules = [
        ("Doing", Rule { on_pass: to("Review"), ..Rule::default() }),
        ("Review", Rule { on_pass: to("QA"), on_fail: to("Doing"), ..Rule::default() }),
        ("QA", Rule { on_pass: to("Done"), on_fail: to("Doing"), on_exhausted: to("Blocked"), ..Rule::default() }),
    ];
    let rules = rules.map(|(name, rule)| (column(name), rule));
    let board = Board { columns, cards: vec![card("a", "Doing", true)], ..Board::default() };
    World::new(board, planner(rules), move |plan| outcome(&plan.card.status.0, plan.number))
}

/// The steps of a card that people care for.
fn path(records: &[Record]) -> Vec<String> {
    let said = |record: &Record| {
        Some(match &record.event {
            Event::AttemptStarted { column, number, .. } => format!("codex in {column}, {number}"),
            Event::Judged { verdict, .. } => verdict.to_string(),
            Event::Transitioned { to: Some(to), .. } => format!("→ {to}"),
            Event::Transitioned { to: None, .. } => "stays".into(),
            Event::Refused { .. } => "refused".into(),
            Event::Vetoed { .. } => "vetoed".into(),
            Event::Elsewhere { .. } => "elsewhere".into(),
            Event::Reopened { reason, .. } => format!("reopened: {reason}"),
            Event::Skipped { why, .. } => format!("skipped: {why:?}").to_lowercase(),
            Event::MovedByPerson { to, .. } => format!("a person: {to}"),
            Event::Summary { stopped, .. } => format!("{stopped:?}").to_lowercase(),
            _ => return None,
        })
    };
    records.iter().filter_map(said).collect()
}

fn run(world: &mut World) -> Vec<String> {
    let (_, shown, ended) = world.run();
    ended.unwrap();
    path(&shown)
}

#[test]
fn a_pass_goes_on_in_the_same_run() {
    let mut world = world(|_, _| Outcome::Pass);
    let way = ["codex in Doing, 1", "passed", "→ Review", "codex in Review, 1", "passed", "→ QA"];
    assert_eq!(run(&mut world), [&way[..], &["codex in QA, 1", "passed", "→ Done", "drained"]].concat());
    assert_eq!(run(&mut world), ["drained"], "nothing is done twice");
}

#[test]
fn what_fails_without_a_target_is_tried_to_its_limit() {
    let mut world = world(|_, _| Outcome::Fail);
    let one = |number: u32| [format!("codex in Doing, {number}"), "failed".into(), "stays".into()];
    let all: Vec<String> = (1..=3).flat_map(one).chain(["skipped: exhausted", "drained"].map(String::from)).collect();
    assert_eq!(run(&mut world), all);
    assert_eq!(run(&mut world), ["skipped: exhausted", "drained"]);
}

/// QA sends the card back once; what Review passed before is looked at again, and the card comes through.
#[test]
fn a_card_that_was_bounced_goes_its_whole_way_again() {
    let mut world = world(|column, number| if column == "QA" && number == 1 { Outcome::Fail } else { Outcome::Pass });
    run(&mut world);
    assert_eq!(world.places()["a"], "Done");
    let in_review = world
        .disk
        .records()
        .iter()
        .filter(|record| matches!(&record.event, Event::AttemptStarted { column, .. } if *column.0 == *"Review"))
        .count();
    assert_eq!(in_review, 1, "Review's gate is run again, codex only if that fails");
}

/// A person takes the work away and brings the card back: what later columns passed before is judged anew for the new work,
/// and the card comes through; without new work they are asked nothing.
#[test]
fn a_pass_counts_for_the_work_that_it_judged() {
    let mut world = world(|_, _| Outcome::Pass);
    world.outcome = std::rc::Rc::new(|plan| match plan.attempt.execution() {
        Some(1) => Outcome::Undone,
        _ => Outcome::Pass,
    });
    run(&mut world);
    for (round, anew) in [(0, 1), (1, 0)] {
        world.board.place(&crate::board::CardId::from("a"), &column("Doing"));
        let (before, way) = (world.executed.len(), run(&mut world));
        assert_eq!(world.executed.len(), before + anew, "{way:?}");
        let owed = "reopened: it passed and its transition is still owed";
        match round {
            0 => assert_eq!(
                way,
                [
                    &["a person: Doing", "reopened: its files changed since it passed", "failed"][..],
                    &["codex in Doing, 1", "passed", "→ Review", owed, "passed", "→ QA", owed, "passed", "→ Done"],
                    &["drained"]
                ]
                .concat()
            ),
            _ => assert_eq!(way, ["a person: Doing", "skipped: cached", "drained"], "it rests where a person put it"),
        }
    }
}

/// Columns that pass a card on to each other for ever judge its work once.
#[test]
fn a_ring_of_passes_comes_to_rest() {
    let mut world = world(|_, _| Outcome::Pass);
    let mut rules = world.planner.inputs.rules.columns.clone();
    rules.insert(column("QA"), Rule { on_pass: to("Doing"), ..Rule::default() });
    world.planner = planner(rules);
    for _ in 0..3 {
        assert_eq!((run(&mut world).last().unwrap().as_str(), world.executed.len()), ("drained", 3));
    }
}

/// Neither a pass nor a rule brings an exhausted card to life again.
#[test]
fn an_exhausted_card_ends_where_it_was_sent() {
    let mut world = world(|column, _| if column == "QA" { Outcome::Fail } else { Outcome::Pass });
    run(&mut world);
    assert_eq!(world.places()["a"], "Blocked");
    // A rule that brings it back: it comes to QA again, and rests there.
    let mut rules = world.planner.inputs.rules.columns.clone();
    rules.insert(column("Blocked"), Rule { on_pass: to("Doing"), ..Rule::default() });
    world.planner = planner(rules);
    let way = run(&mut world);
    assert_eq!(world.places()["a"], "QA");
    let rest = ["→ QA", "stays", "skipped: exhausted", "drained"];
    assert_eq!(way[way.len() - 4..], rest, "its note says that it is exhausted, and not that it passed");
    assert_eq!(run(&mut world), rest[2..]);
    // A person's move does.
    world.board.place(&crate::board::CardId::from("a"), &column("Done"));
    run(&mut world);
    world.board.place(&crate::board::CardId::from("a"), &column("QA"));
    let way = run(&mut world);
    assert_eq!(way[..2], ["a person: QA", "codex in QA, 1"]);
}

/// A pass whose gate changed is judged again without codex; afterwards no attempt is left open.
#[test]
fn a_pass_that_stays_is_judged_again_when_its_gate_changes() {
    let mut world = world(|_, _| Outcome::Pass);
    world.planner = planner([(column("Doing"), Rule::default())]);
    assert_eq!(run(&mut world), ["codex in Doing, 1", "passed", "stays", "skipped: cached", "drained"]);
    assert_eq!(run(&mut world), ["skipped: cached", "drained"]);
    world.planner = planner([(column("Doing"), Rule { require: Some(2), ..Rule::default() })]);
    let changed = "reopened: its tests or rules changed since it passed";
    assert_eq!(run(&mut world), [changed, "passed", "drained"]);
    assert!(fold(&world.disk.records()).active.is_empty(), "a next run would take the last one for dead");
    assert_eq!(run(&mut world), ["skipped: cached", "drained"]);
    // Its files are no longer what they were, and the gate says no: codex is asked again.
    (world.untouched, world.gate) = (false, Some(Verdict::Fail));
    let way = run(&mut world);
    let changed = "reopened: its files changed since it passed";
    assert_eq!(way[..3], [changed, "failed", "codex in Doing, 1"], "a pass that is lost is no failed attempt");
}

#[test]
fn a_veto_keeps_the_card_until_the_next_run_asks_again() {
    let mut world = world(|_, _| Outcome::Vetoed);
    assert_eq!(run(&mut world), ["codex in Doing, 1", "passed", "vetoed", "skipped: blocked", "drained"]);
    let again = ["reopened: it passed and its transition is still owed", "passed", "vetoed", "drained"];
    assert_eq!(run(&mut world), again);
    assert_eq!(world.executed.len(), 1);
}

#[test]
fn a_card_without_tests_is_refused_once_and_costs_nothing() {
    let mut world = world(|_, _| Outcome::Pass);
    world.board.cards = vec![card("a", "Review", false)];
    assert_eq!(run(&mut world), ["refused", "→ Doing", "refused", "stays", "drained"]);
    assert_eq!(run(&mut world), ["skipped: unverified", "drained"]);
    assert!(world.executed.is_empty());
}

/// A person's doing during an attempt is respected, and what it means for the card.
#[test]
fn what_people_do_meanwhile_is_respected() {
    let (moved, deleted): (World, World) = (world(|_, _| Outcome::Moved), world(|_, _| Outcome::Deleted));
    for (mut world, place) in [(moved, Some("Blocked")), (deleted, None)] {
        assert_eq!(run(&mut world), ["codex in Doing, 1", "elsewhere", "drained"]);
        assert_eq!(world.places().get("a").map(String::as_str), place);
    }
}
