//! `logs`: what codex printed, now or while it does.

use std::fs;

use serde_json::{Value, json};

use crate::status::settled;
use crate::support::{World, wait_until};

/// Works as codex does: a command with its output, a file, a warning on stderr.
const CODEX: &str = r#"
printf '{"type":"item.started","item":{"id":"i","type":"command_execution","command":"/bin/bash -lc '"'sh check.sh'"'"}}\n'
printf '{"type":"item.completed","item":{"id":"i","type":"command_execution","aggregated_output":"one\\ntwo\\n","exit_code":3}}\n'
printf '{"type":"item.completed","item":{"id":"j","type":"file_change","changes":[{"path":"made/KB-1.txt","kind":"add"}]}}\n'
echo 'warning: a word on stderr' >&2
make made
"#;

#[test]
fn an_attempt_is_shown_as_people_read_it_and_as_an_object() {
    let world = World::new("- [ ] KB-1 first @made\n").codex(CODEX);
    world.run(&["run"]).exits(0);
    let page = world.run(&["logs", "KB-1.1"]).exits(0);
    insta::assert_snapshot!("logs", settled(&page.stdout));
    let logs: Value =
        serde_json::from_str(&world.run(&["logs", "KB-1.1", "--format", "json"]).exits(0).stdout).unwrap();
    assert_eq!(
        (&logs["version"], &logs["verdict"], &logs["ending"]["kind"]),
        (&json!(1), &json!("pass"), &json!("ok"))
    );
    assert_eq!(logs["stdout"][2]["item"]["type"], "command_execution");
    assert_eq!(logs["stderr"], "warning: a word on stderr\n");
}

#[test]
fn plain_text_is_shown_as_it_came_but_for_what_a_terminal_would_obey() {
    let world = World::new("- [ ] KB-1 first @made\n").codex("raw make made; printf 'red \\033[31m\\nlast line'");
    world.run(&["run"]).exits(0);
    let page = world.run(&["logs", "KB-1.1"]).exits(0).says("last line\nverdict").says("          red ");
    assert!(!page.stdout.contains('\u{1b}'), "{page}");
}

#[test]
fn a_card_alone_means_its_newest_attempt_and_a_name_that_is_wrong_the_near_ones() {
    let world = World::new("- [ ] KB-1 first @made\n");
    world.run(&["logs", "KB-1"]).exits(2).warns("no attempt and no card `KB-1`").warns("`history` lists");
    world.run(&["run"]).exits(0);
    for name in ["KB-1", "kb-1 first @made"] {
        world.run(&["logs", name]).exits(0).says("attempt   KB-1.2 in Review");
    }
    world.run(&["logs", "KB-1.3"]).exits(2).warns("did you mean `KB-1.");
    fs::remove_dir_all(world.cache("attempts/KB-1.1")).unwrap();
    world.run(&["logs", "KB-1.1"]).exits(2).warns("no longer kept").warns("keepAttempts");
}

#[test]
fn follow_goes_on_until_the_attempt_is_judged() {
    let world = World::new("- [ ] KB-1 first @made\n").codex("make made; wait_for go");
    let outcome = world.run_while(&["run", "--max-cards", "1"], |world| {
        let following = world.start(&["logs", "KB-1", "--follow"]);
        wait_until("its first event", || following.said().contains("thread    stand-in"));
        assert!(!following.said().contains("I did what the card says."));
        fs::write(world.path("go"), "").unwrap();
        let page = following.outcome_alone().exits(0);
        page.says("message   I did what the card says.\n").says("verdict   pass: ");
    });
    outcome.exits(0);
}

#[test]
fn follow_ends_with_a_runner_that_dies_and_waits_for_nothing_that_is_over() {
    let world = World::new("- [ ] KB-1 first @made\n").codex("make made; wait_for go");
    let running = world.start(&["run"]);
    world.wait_for("waiting");
    let following = world.start(&["logs", "KB-1.1", "--follow", "--format", "json"]);
    running.kill();
    let logs: Value = serde_json::from_str(&following.outcome_alone().exits(0).stdout).unwrap();
    assert_eq!((&logs["ending"], &logs["verdict"]), (&json!(null), &json!(null)));
    fs::write(world.path("go"), "").unwrap();
    world.run(&["run"]).exits(0);
    world.run(&["logs", "KB-1", "-f"]).exits(0).says("verdict   pass: ");
}
