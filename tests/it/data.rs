//! Boards of data end to end: a folder of cards and a file of tasks, worked with a scripted stand-in for codex.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test's helpers fail the test, and say what they skip")]

mod backlog;
mod corpus;

use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{World, picture, wait_until};

const CONFIG: &str = "project_name: \"x\"\nstatuses: [\"Backlog\", \"In Progress\", \"Review\", \"Needs Specs\", \"Done\"]\ntask_prefix: \"kb\"\n";

/// The path of a card's file, and its text.
fn card(number: usize, column: &str, more: &str) -> (String, String) {
    let text = format!(
        "---\nid: KB-{number} # mine\ntitle: \"KB-{number} card\"\nstatus: {column}   # where it stands\nassignee: []\n{more}---\n\nWork on it, @made.\n"
    );
    (format!("backlog/tasks/kb-{number} - card.md"), text)
}

/// A folder as Backlog.md has it, in place of `board.md`: found without being named.
fn folder(cards: &[(String, String)]) -> World {
    let world = World::new("").with("backlog/config.yml", CONFIG);
    fs::remove_file(world.repo("board.md")).unwrap();
    cards.iter().fold(world, |world, (path, text)| world.with(path, text))
}

/// A file of tasks in the column In Progress.
fn tasks(titles: &[&str]) -> World {
    let task = |(number, title): (usize, &&str)| {
        format!(
            "    {{\n      \"id\": \"KB-{}\",\n      \"title\": \"{title}\",\n      \"status\": \"In Progress\"\n    }}",
            number + 1
        )
    };
    let tasks: Vec<String> = titles.iter().enumerate().map(task).collect();
    let columns = "\"columns\": [\"In Progress\", \"Review\", \"Needs Specs\", \"Done\"]";
    let text = format!("{{\n  {columns},\n  \"tasks\": [\n{}\n  ],\n  \"more\": [1,2,  3]\n}}\n", tasks.join(",\n"));
    World::new("").with("tasks.json", text).env("KANBAN_SOURCE", "tasks.json")
}

/// The line of a card that says where it stands.
fn status(world: &World, number: usize) -> String {
    let text = world.read(&card(number, "", "").0);
    text.lines().find_map(|line| line.strip_prefix("status: ")).unwrap().to_owned()
}

fn task(world: &World, number: usize) -> Value {
    let file: Value = serde_json::from_str(&world.read("tasks.json")).unwrap();
    let id = json!(format!("KB-{number}"));
    file["tasks"].as_array().unwrap().iter().find(|task| task["id"] == id).unwrap_or(&Value::Null).clone()
}

/// The card's file without the program's section.
fn without_section(text: &str) -> &str {
    text.split("\n## kanban-codex-exec\n").next().unwrap()
}

#[test]
fn a_folder_of_cards_is_worked_to_its_end() {
    let cards = [card(1, "In Progress", ""), card(2, "In Progress", ""), card(3, "Backlog", "")];
    let world = folder(&cards).codex("[ $card = KB-2 ] || make made");
    let before = picture(&world.repo(""));
    world.run(&["dry-run"]).exits(0);
    world.run(&["print-plan"]).exits(0);
    assert_eq!(picture(&world.repo("")).changes(&before), [] as [std::path::PathBuf; 0], "reading writes nothing");
    world.run(&["run"]).exits(0).says("2 promoted").says("1 bounced");
    let [one, two, three] = [1, 2, 3].map(|number| world.read(&card(number, "", "").0));
    let moved = |index: usize, to: &str| cards[index].1.replace("In Progress", to);
    assert_eq!(without_section(&one), moved(0, "Done"));
    assert_eq!(without_section(&two), moved(1, "Needs Specs"));
    assert_eq!(three, cards[2].1);
    assert!(one.contains("- kanban-codex-exec: passed Review → Done"), "{one}");
    assert!(two.contains("- kanban-codex-exec: failed, bounced In Progress → Needs Specs, attempt 1 of 3"), "{two}");
    assert!(two.contains("`made for KB` is not in 0 changed files"), "the reason: {two}");
    assert_eq!(world.executions(), ["KB-1 Implement", "KB-2 Implement", "KB-1 Review"]);
    assert_eq!(world.prompt("KB-1.1"), "Implement the card.\n\nKB-1 card\n\nWork on it, @made.");
    // Restarted, there is nothing to do, and nothing is written.
    world.run(&["run"]).exits(0).says("0 promoted");
    assert_eq!([1, 2, 3].map(|number| world.read(&card(number, "", "").0)), [one, two, three]);
    // A person sends it back: what failed is told.
    let (path, _) = card(2, "", "");
    world.edit(&path, "status: Needs Specs ", "status: In Progress ");
    world.codex("make made").run(&["run"]).exits(0).says("somebody moved it Needs Specs → In Progress");
}

#[test]
fn a_file_of_tasks_is_worked_to_its_end() {
    let world = tasks(&["KB-1 first @made", "KB-2 second @made"]).codex("[ $card = KB-2 ] || make made");
    let before = world.read("tasks.json");
    world.run(&["run"]).exits(0).says("2 promoted").says("1 bounced");
    let (one, two) = (task(&world, 1), task(&world, 2));
    assert_eq!((&one["status"], &two["status"]), (&json!("Done"), &json!("Needs Specs")));
    let said = two["kanban-codex-exec"]["note"].as_str().unwrap();
    assert!(said.starts_with("failed, bounced In Progress → Needs Specs, attempt 1 of 3"), "{said}");
    assert_eq!(two["kanban-codex-exec"]["state"]["verdict"], "fail");
    // Every other line is as it was.
    let after = world.read("tasks.json");
    let own = |line: &&str| !line.contains("\"kanban-codex-exec\": {\"note\"");
    let lines: Vec<&str> = after.lines().filter(own).collect();
    let expected = before.replacen("In Progress\"\n", "Done\"\n", 1).replacen("In Progress\"\n", "Needs Specs\"\n", 1);
    let trimmed = |text: &str| text.lines().map(|line| line.trim_end_matches(',').to_owned()).collect::<Vec<_>>();
    assert_eq!(trimmed(&lines.join("\n")), trimmed(&expected));
    assert_eq!(world.prompt("KB-1.1"), "Implement the card.\n\nKB-1 first @made");
    world.run(&["run"]).exits(0).says("0 promoted");
    assert_eq!(world.read("tasks.json"), after);
}

#[test]
fn without_a_list_of_columns_a_name_in_other_letters_is_a_typing_error() {
    let rules = "statuses:\n  Todo: { prompt: Implement., onPass: Done, evidence: changes }\n";
    let card = "---\ntitle: KB-1 one @made\nstatus: STATUS\n---\n";
    let file = "[{\"id\": \"KB-1\", \"title\": \"KB-1 one @made\", \"status\": \"STATUS\"}]";
    for (source, path, text) in [("notes", "notes/a.md", card), ("tasks.json", "tasks.json", file)] {
        let with = |status: &str, rules: &str| {
            let world = World::new("").with(path, text.replace("STATUS", status)).with("rules.yaml", rules);
            let files = [("KANBAN_SOURCE", source), ("TRANSITIONS_FILE", "rules.yaml"), ("TESTS_FILE", "tests.txt")];
            files.into_iter().fold(world, |world, (name, value)| world.env(name, value))
        };
        let world = with("todo", rules);
        for command in ["run", "dry-run", "print-plan", "board"] {
            let outcome = world.run(&[command]).exits(2).warns("rules.yaml:2:3: the board has no column `Todo`");
            outcome.warns("did you mean `todo`? or set `createColumns: true`");
        }
        assert_eq!(world.read(path), text.replace("STATUS", "todo"), "nothing is written");
        // What is spelt as the rules do, or otherwise altogether, is as it was.
        with("Todo", rules).run(&["run"]).exits(0).says("1 promoted");
        with("Later", rules).run(&["run"]).exits(0).says("0 promoted");
        let warns = "no rule works the column `todo`, so its cards wait: did you mean `Todo`, which one does?";
        with("todo", &format!("{rules}createColumns: true\n")).run(&["run"]).exits(0).says("0 promoted").says(warns);
        let both = format!("{rules}  todo: {{ prompt: Implement., onPass: Done, evidence: changes }}\n");
        with("todo", &both).run(&["run"]).exits(0).says("1 promoted");
    }
}

/// Where another card writes the name as the rules do, and where the board lists it so.
#[test]
fn one_card_of_several_that_writes_its_column_in_other_letters_is_told_or_taken() {
    let rules = "statuses:\n  Todo: { prompt: Implement., onPass: Done, evidence: changes }\n";
    let task = |number: u32, status: &str| json!({"id": format!("KB-{number}"), "title": format!("KB-{number} one @made"), "status": status});
    let tasks = [task(1, "Todo"), task(2, "todo")];
    let warns = "no rule works the column `todo`, so its cards wait: did you mean `Todo`, which one does?";
    for (board, promoted, told) in
        [(json!({"tasks": tasks}), 1, true), (json!({"columns": ["Todo", "Done"], "tasks": tasks}), 2, false)]
    {
        let world = World::new("").with("tasks.json", board.to_string()).with("transitions.yaml", rules);
        let outcome = world.env("KANBAN_SOURCE", "tasks.json").run(&["run"]).exits(0);
        assert_eq!(outcome.stdout.matches(warns).count(), usize::from(told), "{outcome}");
        outcome.says(&format!("{promoted} promoted"));
    }
}

#[test]
fn killed_in_mid_attempt_the_next_run_goes_on() {
    for world in [folder(&[card(1, "In Progress", "")]), tasks(&["KB-1 first @made"])] {
        let world = world.codex("wait_for go; make made");
        let running = world.start(&["run"]);
        world.wait_for("waiting");
        running.kill();
        fs::write(world.path("go"), "").unwrap();
        world.run(&["run"]).exits(0).says("2 promoted");
        assert_eq!(world.finished(), ["KB-1 Implement", "KB-1 Review"]);
        assert!(!world.overlapped());
    }
}

#[test]
fn what_people_do_to_a_folder_meanwhile_is_respected_and_kept() {
    let cards = [card(1, "In Progress", ""), card(2, "In Progress", ""), card(3, "Backlog", "")];
    let world = folder(&cards).codex("make made; [ $card = KB-2 ] || wait_for go");
    let outcome = world.run_while(&["run"], |world| {
        world.edit(&cards[0].0, "status: In Progress ", "status: Backlog ");
        fs::remove_file(world.repo(&cards[1].0)).unwrap();
        world.write(&cards[2].0, "---\nid: KB-3\ntitle: a: b\n---\n");
        world.write("backlog/tasks/kb-4 - twice.md", card(1, "Done", "").1.replace("KB-1", "KB-5"));
        world.write("backlog/tasks/kb-5 - twice.md", card(5, "Done", "").1);
    });
    let outcome = outcome.exits(0).says("respected").says("0 promoted");
    assert_eq!(world.read(&cards[0].0), cards[0].1.replace("In Progress", "Backlog"));
    assert!(!world.repo(&cards[1].0).exists());
    let outcome = outcome.says("tasks/kb-3 - card.md:3: not valid YAML");
    outcome.says("the id KB-5 stands several times, at tasks/kb-4 - twice.md:2 and tasks/kb-5 - twice.md:2");
}

#[test]
fn what_people_do_to_a_file_of_tasks_meanwhile_is_respected_and_kept() {
    let world = tasks(&["KB-1 first @made", "KB-2 second @made"]).codex("make made; [ $card = KB-2 ] || wait_for go");
    let outcome = world.run_while(&["run"], |world| {
        world.edit(
            "tasks.json",
            "\"title\": \"KB-1 first @made\",\n      \"status\": \"In Progress\"",
            "\"title\": \"KB-1 first @made\", \"status\": \"Later\"",
        );
        world.edit("tasks.json", "[1,2,  3]", "[1,2,  3, 4]");
    });
    outcome.exits(0).says("respected").says("2 promoted");
    assert_eq!(task(&world, 1)["status"], "Later");
    assert_eq!(task(&world, 2)["status"], "Done");
    assert!(world.read("tasks.json").contains("\"more\": [1,2,  3, 4]\n}\n"));
}

#[test]
fn a_card_waits_for_those_that_it_depends_on() {
    let cards = [card(1, "In Progress", "dependencies: [kb-2]\nordinal: 1\n"), card(2, "Backlog", "ordinal: 2\n")];
    let world = folder(&cards).with(&card(3, "", "").0, card(3, "In Progress", "blockedBy: KB-9\n").1);
    let plan: Value = serde_json::from_str(&world.run(&["print-plan", "--format", "json"]).exits(0).stdout).unwrap();
    let said: Vec<_> =
        plan["cards"].as_array().unwrap().iter().map(|card| (&card["verdict"], &card["reason"])).collect();
    assert_eq!(said[0], (&json!("blocked"), &json!("it depends on KB-2, which stands in Backlog")));
    assert_eq!(said[1], (&json!("blocked"), &json!("it depends on KB-9, which is not on the board")));
    world.run(&["run"]).exits(0).says("0 promoted");
    world.edit(&cards[1].0, "status: Backlog", "status: In Progress");
    world.run(&["run"]).exits(0).says("4 promoted");
    assert_eq!(world.executions(), ["KB-2 Implement", "KB-2 Review", "KB-1 Implement", "KB-1 Review"]);
    assert_eq!([1, 2].map(|number| status(&world, number)), ["Done   # where it stands", "Done   # where it stands"]);
    world.write("backlog/completed/kb-9 - old.md", card(9, "Done", "").1);
    world.run(&["run"]).exits(0).says("2 promoted");
}

#[test]
fn the_folder_is_the_board_and_no_evidence() {
    let tests = "@made The file that a card asks for is made :: includes:made for KB\n";
    let world = folder(&[card(1, "In Progress", "")]).with("tests.txt", tests);
    let world = world.codex("mkdir -p backlog/docs; echo 'made for KB-1' >backlog/docs/made.txt");
    world.run(&["run"]).exits(0).says("1 bounced");
    assert!(status(&world, 1).starts_with("Needs Specs"));
}

#[test]
fn watching_it_takes_up_new_files() {
    let world = folder(&[card(1, "In Progress", "")]);
    let running = world.start(&["run", "--watch"]);
    wait_until("the first card", || status(&world, 1).starts_with("Done"));
    let (path, text) = card(2, "In Progress", "");
    world.write(&path, text);
    wait_until("the new card", || status(&world, 2).starts_with("Done"));
    world.run_beside(&["run"]).exits(1).warns("another run holds the board");
    running.signal(Signal::TERM);
    running.outcome().exits(143).says("4 promoted");
}

#[test]
fn a_folder_without_columns_has_those_of_the_rules() {
    let world = World::new("")
        .with("notes/b.md", "---\nuuid: \"KB-2\"\ntitle: \"KB-2 two @made\"\nstatus: \"In Progress\"\n---\n");
    let world = world
        .with("notes/a.md", "---\ntitle: KB-1 one @made\nstatus: In Progress\n---\n")
        .env("KANBAN_SOURCE", "notes");
    let world = world.with("notes/readme.md", "no card\n");
    world.run(&["board"]).exits(0).says("In Progress (2) worked: pass → Review");
    world.run(&["run", "--tests", "tests.txt"]).exits(0).says("4 promoted").says("readme.md:1: no front matter");
    let [one, two] = ["notes/a.md", "notes/b.md"].map(|name| world.read(name));
    assert!(one.starts_with("---\ntitle: KB-1 one @made\nstatus: Done\nid: kb-"), "{one}");
    assert!(two.starts_with("---\nuuid: \"KB-2\"\ntitle: \"KB-2 two @made\"\nstatus: \"Done\"\n---\n"), "{two}");
}
