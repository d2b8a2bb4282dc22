//! Boards of every shape keep their bytes.

use crate::support::board::{self, cards, diff, without_state};
use crate::support::{LONG, World, picture};

/// One column, so that a card is asked for once.
const ONCE: &str = "statuses: { In Progress: { prompt: Implement., onPass: Done, evidence: changes } }\n";

/// The board without state, with the lines of each card as it was.
fn moved_only(before: &str, after: &str) {
    let added: Vec<String> = diff(before, &without_state(after))
        .into_iter()
        .filter(|line| !matches!(line.as_str(), "+" | "-" | "+\r" | "-\r"))
        .collect();
    assert_eq!(added, [] as [String; 0], "{after}");
}

#[test]
fn the_board_differs_in_the_moved_cards_and_their_state_only() {
    let text = "---\nkanban-plugin: board\n---\n\n## Backlog\n\n- [ ] KB-9 idea\n\n## In Progress\n\n- [ ] KB-1 first @made\n\twith **bold**  \n\t- a list\n\n## Review\n\n## Needs Specs\n\n## Blocked\n\n## Done\n\n- [x] KB-8 old\n\n%% kanban:settings\n```\n{\"kanban-plugin\":\"board\"}\n```\n%%\n";
    let world = World::new("").with("board.md", text);
    world.run(&["run"]).exits(0);
    assert_eq!(world.places(), ["KB-9: Backlog", "KB-8: Done", "KB-1: Done"]);
    moved_only(text, &world.board());
    assert!(world.board().contains("- [ ] KB-1 first @made\n\twith **bold**  \n\t- a list\n"));
    assert_eq!(world.board().matches("- kanban-codex-exec:").count(), 1, "{}", world.board());
}

#[test]
fn crlf_and_a_byte_order_mark_are_kept() {
    let text = format!("\u{feff}{}", board::with(&cards(2))).replace('\n', "\r\n");
    let world = World::new("").with("board.md", &text);
    world.run(&["run"]).exits(0);
    let after = world.board();
    assert_eq!(world.places(), ["KB-1: Done", "KB-2: Done"]);
    assert!(after.starts_with('\u{feff}'));
    assert_eq!(after.matches('\n').count(), after.matches("\r\n").count(), "{after:?}");
    moved_only(&text, &after);
    assert_eq!(world.prompt("KB-1.1"), "Implement the card.\n\nKB-1 card @made");
}

#[test]
fn a_board_without_a_final_newline_stays_whole() {
    let text = format!("{}\n- [x] KB-8 the last line", board::with(&cards(1)).trim_end());
    let world = World::new("").with("board.md", &text);
    world.run(&["run"]).exits(0);
    assert_eq!(world.places(), ["KB-8: Done", "KB-1: Done"]);
    moved_only(&text, &world.board());
}

#[test]
fn bodies_of_any_shape_reach_codex_whole() {
    let long = "0123456789abcdef".repeat(64);
    let large: String = (0..200).map(|line| format!("\t{line:04} {long}\n")).collect();
    let bodies = [
        ("large", format!("KB-1 first @made\n{large}")),
        ("dashes", "--help KB-1 @made\n\t--version\n".to_owned()),
        ("multibyte", "KB-1 日本語 🦀 é e\u{301} @made\n\t\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467} «»\n".to_owned()),
        ("quotes", "KB-1 \"$HOME\" `id` $(id) 'x' \\n @made\n\t; rm -rf x\n".to_owned()),
    ];
    for (name, body) in bodies {
        let world = World::new(&format!("- [ ] {body}")).codex("printf '%s' \"$prompt\" >\"$WORLD/got\"; make made");
        let world = world.with("transitions.yaml", ONCE);
        let outcome = world.run(&["run"]).exits(0);
        let got =
            std::fs::read_to_string(world.path("got")).unwrap_or_else(|error| panic!("{name}: {error}: {outcome}"));
        let expected = format!("Implement.\n\n{}", body.replace("\n\t", "\n").trim_end());
        assert!(got == expected, "{name}: {} bytes, not {}: {got:.200}", got.len(), expected.len());
        let started = &world.records("attempt_started")[0]["command"][2];
        assert_eq!(started, if name == "large" { "-" } else { "<prompt>" }, "{name}");
    }
}

#[test]
fn a_prompt_that_begins_with_dashes_is_no_flag() {
    let rules = "statuses: { In Progress: { prompt: --version, onPass: Done, evidence: changes } }\n";
    let world = World::new(&cards(1))
        .with("transitions.yaml", rules)
        .codex("printf '%s' \"$prompt\" >\"$WORLD/got\"; make made");
    world.run(&["run"]).exits(0);
    assert_eq!(std::fs::read_to_string(world.path("got")).unwrap(), "--version\n\nKB-1 card @made");
}

#[test]
fn a_todo_list_is_worked_item_by_item_and_each_pass_ticks_one() {
    let text =
        "# Things\n\n- [x] KB-1 done before\n- [ ] KB-2 next @made\n- [ ] KB-3 then @made\n\t- a remark\n\nEnd.\n";
    let rules = "statuses: { Todo: { prompt: Implement., onPass: Done, evidence: changes } }\n";
    let world = World::new("").with("TODO.md", text).with("transitions.yaml", rules);
    std::fs::remove_file(world.repo("board.md")).unwrap();
    world.run(&["run", "--max-cards", "1"]).exits(3);
    assert_eq!(without_state(&world.read("TODO.md")), text.replace("- [ ] KB-2", "- [x] KB-2"));
    assert_eq!(world.executions(), ["KB-2 Implement."]);
    world.run(&["run"]).exits(0);
    assert_eq!(world.executions(), ["KB-2 Implement.", "KB-3 Implement."]);
    assert_eq!(without_state(&world.read("TODO.md")), text.replace("[ ]", "[x]"));
}

#[test]
fn outside_git_a_private_repository_does_the_same() {
    let world =
        World::outside_git(&format!("{}- [ ] KB-3 third @made\n", cards(2))).codex("[ $card = KB-3 ] || make made");
    world.run(&["run"]).exits(0);
    assert_eq!(world.places(), ["KB-3: Needs Specs", "KB-1: Done", "KB-2: Done"]);
    assert!(!world.repo(".git").exists());
}

#[test]
fn the_users_index_refs_and_objects_stay_as_they_are() {
    let world = World::new(&cards(2)).with("kept.txt", "kept\n");
    world.git(&["add", "-A"]);
    world.git(&["commit", "-qm", "start"]);
    world.write("staged.txt", "staged\n");
    world.git(&["add", "staged.txt"]);
    // Git touches objects that it would have written; their times are nobody's.
    let before = picture(&world.repo(".git")).without_times();
    world.run(&["run"]).exits(0);
    assert_eq!(picture(&world.repo(".git")).without_times().changes(&before), [] as [std::path::PathBuf; 0]);
}

#[test]
fn a_board_of_a_thousand_cards_is_no_trouble() {
    let parked: String =
        (2..1000).map(|number| format!("- [ ] KB-{number} parked {number}\n\twith a line\n")).collect();
    let text = board::with(&cards(1)).replace("## Backlog\n", &format!("## Backlog\n\n{parked}"));
    let world = World::new("").with("board.md", &text);
    let began = std::time::Instant::now();
    world.run(&["run"]).exits(0);
    assert!(began.elapsed() < LONG / 4, "{:?}", began.elapsed());
    moved_only(&text, &world.board());
}

#[test]
fn each_board_of_a_workspace_has_a_history_of_its_own() {
    let second = board::with("- [ ] KB-1 another first @made\n");
    let world = World::new("- [ ] KB-1 first @made\n").with("second.md", second).codex("make made");
    world.run(&["run"]).exits(0).says("2 promoted");
    // What the card of that name left is not this one's work.
    let world = world.codex("say 'Nothing to do.'");
    let outcome = world.run(&["run", "--source", "second.md"]).exits(0).says("0 promoted, 1 bounced");
    assert!(!outcome.stdout.contains("somebody moved it"), "{outcome}");
    world.run(&["run"]).exits(0).says("0 promoted, 0 bounced");
    assert_eq!(world.records("judged").len(), 2, "of the first board alone");
    world.run(&["history", "--source", "second.md"]).exits(0).says("another first").says("1 attempt: 1 fail");
    // A board that was renamed takes its history along.
    std::fs::rename(world.repo("board.md"), world.repo("renamed.md")).unwrap();
    world.run(&["history", "--source", "renamed.md"]).exits(0).says("KB-1 first").says("2 attempts: 2 pass");
}
