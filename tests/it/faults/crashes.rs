//! The runner dies before and after each effect of a run, whatever it is, and is started again: as if nothing had been.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::support::World;
use crate::support::board::settled;

/// A card that is promoted twice, past hooks; one whose work is taken back and that is given up; one whose test is a program; one that is refused.
const CARDS: &str = "\
- [ ] KB-1 first @made
- [ ] KB-2 second @made
- [ ] KB-3 third @run
- [ ] KB-4 fourth
";
const RULES: &str = "\
statuses:
  In Progress:
    prompt: Implement the card.
    onPass: Review
    maxAttempts: 2
    onExhausted: Blocked
    onFailWork: stash
    redGreen: true
    evidence: [changes]
    beforeTransition: { shell: ./hooks/before.sh }
    afterTransition: { shell: ./hooks/after.sh }
  Review:
    prompt: Review the card.
    onPass: Done
    evidence: [changes]
";
const TESTS: &str = "\
@made The file that a card asks for is made :: includes[made/*.txt]:made for KB
@run What was made can be run :: shell:test -e made/KB-3.txt
";

fn world() -> World {
    let hook = |name: &str| format!("#!/bin/sh\necho \"{name} $KANBAN_CARD_ID\" >>\"$WORLD/hooks\"\n");
    World::new(CARDS)
        .with("transitions.yaml", RULES)
        .with("tests.txt", TESTS)
        .program("hooks/before.sh", &hook("before"))
        .program("hooks/after.sh", &hook("after"))
        .env("ALLOW_SHELL_TESTS", "true")
        .env("SHELL_TEST_ALLOWLIST", "test")
        .env("SIMILARITY_THRESHOLD", "1")
        .codex("if [ $card = KB-2 ]; then make other; else make made; fi")
}

/// Records of earlier runs that nobody needs any more, more than a journal may have.
fn enlarge(world: &World) {
    let text = "x".repeat(90_000);
    let record = format!("{{\"v\":1,\"at\":\"2026-01-01T00:00:00Z\",\"event\":\"warning\",\"text\":\"{text}\"}}\n");
    let path = world.cache("journal.jsonl");
    fs::write(&path, record.repeat(100) + &fs::read_to_string(&path).unwrap()).unwrap();
}

/// What has to be the same at the end: the board, what codex finished, which hooks ran, or are told as lost for the
/// runner's death, and what the journal makes of it all.
#[derive(Debug, Clone, PartialEq)]
struct End {
    board: String,
    finished: Vec<String>,
    hooks: BTreeSet<String>,
    plan: Value,
}

impl End {
    fn of(world: &World) -> End {
        let mut finished = world.finished();
        finished.sort();
        let hooks = fs::read_to_string(world.path("hooks")).unwrap();
        let lost = world.records("hook_ended").into_iter().filter(|record| record["ok"] == false);
        let lost = lost.map(|record| format!("after {}", record["card"].as_str().unwrap()));
        let mut plan: Value =
            serde_json::from_str(&world.run(&["print-plan", "--format", "json"]).exits(0).stdout).unwrap();
        let Value::Array(cards) = &mut plan["cards"] else { panic!("{plan}") };
        // The command holds the world's own paths.
        cards.iter_mut().filter_map(Value::as_object_mut).for_each(|card| drop(card.remove("command")));
        End {
            board: settled(&world.board()),
            finished,
            hooks: hooks.lines().map(str::to_owned).chain(lost).collect(),
            plan,
        }
    }
}

/// The names of all points of an undisturbed run, and its end.
fn undisturbed(world: World) -> (Vec<String>, End) {
    let list = world.path("points");
    fs::write(&list, "").unwrap();
    let world = world.env("KANBAN_POINTS", list.display().to_string());
    world.run(&["run"]).exits(0);
    let points = fs::read_to_string(&list).unwrap();
    (points.lines().map(str::to_owned).collect(), End::of(&world))
}

/// Which cards are in which column, in no order.
fn places(board: &str) -> String {
    let mut column = "";
    let mut places = Vec::new();
    for line in board.lines() {
        match line.strip_prefix("## ") {
            Some(heading) => column = heading,
            None if line.starts_with("- [") => places.push(format!("{column}: {line}")),
            None => {}
        }
    }
    places.sort_unstable();
    places.join("\n")
}

/// Files that were to take another's place.
fn staged(world: &World) -> Vec<String> {
    let names = |folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names(world.repo("")).chain(names(world.cache("")));
    let names = names.map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(".kanban-codex-exec-")).collect()
}

/// What is wrong where the run dies at this point and is started again.
fn dies_at(point: &str, world: World, undisturbed: &End) -> Option<String> {
    let list = world.path("points");
    fs::write(&list, "").unwrap();
    let world = world.env("KANBAN_DIE_AT", point).env("KANBAN_POINTS", list.display().to_string());
    let outcome = world.run_beside(&["run"]);
    let by_launcher = point.starts_with("launcher: ");
    let reached = fs::read_to_string(list).unwrap().lines().any(|line| line == point);
    if !reached || outcome.code.is_some() != by_launcher {
        return Some(format!("{point}: it was not reached, or survived: {outcome}"));
    }
    let world = world.env("KANBAN_DIE_AT", "").env("KANBAN_POINTS", "");
    world.run(&["run"]).exits(0);
    let staged = staged(&world);
    if !staged.is_empty() {
        return Some(format!("{point}: left behind: {staged:?}"));
    }
    let mut end = End::of(&world);
    let (started, finished) = (world.executions().len(), end.finished.len());
    let journal = || fs::read_to_string(world.cache("journal.jsonl")).unwrap_or_default();
    // Nobody else knows how codex ended: one that its launcher can't tell of is repeated. So is one that was ended with its
    // runner in the instant between its last word and its end.
    let cut_off = world.records("attempt_ended").iter().any(|record| record["ending"]["kind"] == "interrupted");
    if (by_launcher || cut_off) && finished == undisturbed.finished.len() + 1 {
        let repeated = end.finished.iter().zip(&undisturbed.finished).position(|(one, other)| one != other);
        let repeated = end.finished.remove(repeated.unwrap_or(finished - 1));
        assert!(undisturbed.finished.contains(&repeated), "{point}: {repeated}");
    }
    let mut expected = undisturbed.clone();
    // A hook that nobody can tell of has said nothing: its card waits, others come before it, and its note tells that. What is
    // repeated finds its own work there.
    if by_launcher {
        for end in [&mut end, &mut expected] {
            end.board = places(&end.board);
        }
    }
    if end != expected {
        return Some(format!("{point}: {end:#?}\n{}", journal()));
    }
    if world.overlapped() || started > finished + 1 {
        return Some(format!("{point}: codex was started {started} times, {finished} finished\n{}", journal()));
    }
    None
}

/// Lets runs die, each at one of the points, and tells which did not arrive where the undisturbed one did.
fn die(points: &[&String], world: fn() -> World, undisturbed: &End) {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    let work = || {
        while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
            let dies = catch_unwind(AssertUnwindSafe(|| dies_at(point, world(), undisturbed)));
            failed.lock().unwrap().extend(dies.unwrap_or_else(|_| Some(format!("{point}: panicked"))));
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(work))));
    let failed = failed.into_inner().unwrap();
    let (bad, all) = (failed.len(), points.len());
    assert!(failed.is_empty(), "{bad} of {all} points:\n{}\nundisturbed: {undisturbed:#?}", failed.join("\n"));
}

/// Each point once, and of those that come again and again, in CI, one.
fn chosen(points: &[String]) -> Vec<&String> {
    let all = std::env::var("KANBAN_CRASHES").is_ok_and(|which| which == "all");
    let mut kinds: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    for point in points {
        let kind = point.rsplit_once(' ').map_or("", |(kind, _)| kind);
        kinds.entry(kind).or_default().push(point);
    }
    match all {
        true => points.iter().collect(),
        // Not always the first: that one is at the start of the run.
        false => kinds.into_values().enumerate().map(|(number, points)| points[number % points.len()]).collect(),
    }
}

#[test]
fn dead_before_or_after_any_effect_and_started_again_it_arrives_at_the_same_end() {
    let (points, end) = undisturbed(world());
    assert!(points.len() > 500, "{points:?}");
    die(&chosen(&points), world, &end);
}

#[test]
fn dead_in_the_midst_of_the_journals_compaction_it_has_lost_nothing_either() {
    let large = || {
        let world = world();
        world.run(&["run", "--max-cards", "2"]).exits(3);
        enlarge(&world);
        world
    };
    let (points, end) = undisturbed(large());
    let compaction = |point: &&String| {
        point.contains(" journal.jsonl ") && ["create", "write", "rename"].iter().any(|what| point.contains(what))
    };
    let points: Vec<&String> = points.iter().filter(compaction).collect();
    assert_eq!(points.len(), 6, "{points:?}");
    die(&points, large, &end);
}
