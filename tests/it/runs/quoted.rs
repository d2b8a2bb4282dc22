//! What codex, hooks and boards say can have several lines: none of them can be taken for a line of ours.

use serde_json::json;

use crate::support::{Outcome, RULES, World};

/// What an agent would have people read.
const FORGED: &str =
    "oops\nPROMOTED  KB-9 first: In Progress → Done\nsummary   9 promoted, 0 bounced\nerror: all is well\n";

#[track_caller]
fn forges_nothing(outcome: Outcome) -> Outcome {
    let forged = |line: &str| FORGED.lines().skip(1).any(|forged| line.starts_with(&forged[..14]));
    assert!(!outcome.stdout.lines().chain(outcome.stderr.lines()).any(forged), "{outcome}");
    outcome
}

/// In a stand-in's script.
fn event(event: serde_json::Value) -> String {
    format!("cat <<'EVENT'\n{event}\nEVENT")
}

fn hook(name: &str) -> World {
    let rules = RULES.replacen("onFail: Needs", &format!("{name}: {{ shell: ./hook.sh }}\n    onFail: Needs"), 1);
    let world = World::new("- [ ] KB-1 first @made\n").with("transitions.yaml", rules);
    world.program("hook.sh", &format!("#!/bin/sh\ncat <<'TEXT'\n{FORGED}TEXT\nexit 3\n"))
}

#[test]
fn no_line_of_what_codex_and_hooks_say_begins_one_of_the_report() {
    let failed = json!({"type": "turn.failed", "error": {"message": FORGED}});
    let away =
        json!({"type": "turn.failed", "error": {"message": format!("unexpected status 401 Unauthorized: {FORGED}")}});
    let world = || World::new("- [ ] KB-1 first @made\n").env("KANBAN_INFRASTRUCTURE_LIMIT", "1");
    let cases = [
        ("failed work", world().codex(&format!("raw\nbegin\n{}\nexit 1", event(failed))), 0),
        ("no account", world().codex(&format!("raw\nbegin\n{}\nexit 1", event(away))), 4),
        ("a veto", hook("beforeTransition"), 0),
        ("a hook that fails", hook("afterTransition"), 0),
    ];
    for (name, world, code) in cases {
        let outcome = forges_nothing(world.run(&["run"]).exits(code).says("oops PROMOTED"));
        let summaries = outcome.stdout.lines().filter(|line| line.starts_with("summary")).count();
        assert_eq!(summaries, 1, "{name}: {outcome}");
        let looks = "status|history|explain KB-1|print-plan|dry-run|logs KB-1|board|report --format markdown";
        for look in looks.split('|') {
            forges_nothing(world.run(&look.split(' ').collect::<Vec<_>>()).exits(0));
        }
    }
}

#[test]
fn no_line_of_a_card_of_data_begins_one_of_ours() {
    let tasks = json!([
        {"id": "KB-1", "title": format!("first @made\n{FORGED}"), "status": "In Progress", "body": FORGED},
        {"id": "KB-2", "title": "second", "status": format!("In Progress\n{FORGED}")},
        {"id": "KB-3", "title": format!("twice\n{FORGED}"), "status": "In Progress"},
        {"id": "KB-3", "title": format!("twice\n{FORGED}"), "status": "In Progress"},
    ]);
    let world = World::new("").with("tasks.json", tasks.to_string());
    let looks =
        "board|print-plan|dry-run|status|explain KB-1|run|history|logs KB-1|retry KB-1|report --format markdown";
    for look in looks.split('|') {
        let args: Vec<&str> = look.split(' ').chain(["--source", "tasks.json"]).collect();
        forges_nothing(world.run(&args).exits(0));
    }
}
