//! Programs of the user's at a transition.

use crate::support::board::note;
use crate::support::{RULES, World, program};

fn with_hook(world: World, hook: &str) -> World {
    world.with("transitions.yaml", RULES.replacen("onFail: Needs", &format!("{hook}\n    onFail: Needs"), 1))
}

#[test]
fn a_hook_before_a_transition_may_veto_it_with_its_output_as_the_reason() {
    let world = with_hook(World::new("- [ ] KB-1 first @made\n"), "beforeTransition: { shell: ./hooks/check.sh }")
        .program("hooks/check.sh", "#!/bin/sh\n[ -e \"$WORLD/open\" ] || { echo 'the release is frozen'; exit 3; }\n");
    let outcome = world.run(&["run", "--fail-on-bounce"]).exits(5).says("vetoed").says("the release is frozen");
    outcome.says("0 promoted, 0 bounced, 0 unverified, 0 failed, 0 skipped, 1 vetoed; nothing left to do");
    assert_eq!(world.places(), ["KB-1: In Progress"]);
    assert!(note(&world.board(), "KB-1").contains("the release is frozen"));
    assert_eq!(world.executions().len(), 1);

    std::fs::write(world.path("open"), "").unwrap();
    world.run(&["run", "--fail-on-bounce"]).exits(0).says("2 promoted, 0 bounced, 0 unverified, 0 failed, 0 skipped; ");
    assert_eq!(world.places(), ["KB-1: Done"]);
    assert_eq!(world.executions(), ["KB-1 Implement", "KB-1 Review"], "what had passed is not worked again");
}

#[test]
fn a_hook_that_would_veto_every_card_is_an_error_before_any_is_paid_for() {
    for (hook, told) in [
        ("{ shell: $PWD/hooks/none.sh }", "`beforeTransition`: hooks/none.sh: no such file"),
        ("{ shell: cd hooks && STRICT=1 ./none.sh }", "`beforeTransition`: hooks/none.sh: no such file"),
        ("{ shell: timeout 30 sh hooks/none.sh }", "`beforeTransition`: hooks/none.sh: no such file"),
        ("{ shell: ./hooks/plain.sh }", "`beforeTransition`: hooks/plain.sh is not executable"),
        ("{ shell: no-such-tool test }", "`beforeTransition`: `no-such-tool` is not on PATH"),
        ("{ js: hooks/check.mjs }", "`beforeTransition`: no-such-node is not there"),
    ] {
        let world = with_hook(World::new("- [ ] KB-1 first @made\n"), &format!("beforeTransition: {hook}"))
            .with("hooks/plain.sh", "#!/bin/sh\n")
            .with("hooks/check.mjs", "")
            .env("JS_RUNTIME", "no-such-node");
        world.run(&["run"]).exits(2).warns(&format!("error: transitions.yaml:5:5: {told}"));
        assert_eq!(world.executions(), [""; 0], "{hook}");
        assert!(!world.cache("").exists(), "{hook}: nothing was written");
    }
}

#[test]
fn a_hook_whose_answer_codex_can_change_unseen_is_told_at_the_start() {
    let told = "the hook `grep -q made made/KB-1.txt` runs no file that is frozen";
    for (guard, warns) in [("", true), ("\n    guardPaths: [checks/]", false)] {
        let hook = format!("beforeTransition: {{ shell: grep -q made made/KB-1.txt }}{guard}");
        let world = with_hook(World::new("- [ ] KB-1 first @made\n"), &hook);
        let findings = world.run(&["doctor", "--format", "json"]).stdout;
        assert_eq!(findings.contains(told), warns, "{findings}");
        let outcome = world.run(&["run"]).exits(0);
        assert_eq!(outcome.stdout.contains(told), warns, "{outcome}");
    }
}

#[test]
fn a_hook_after_a_transition_that_fails_is_told_and_undoes_nothing() {
    let world = with_hook(World::new("- [ ] KB-1 first @made\n"), "afterTransition: { shell: ./hooks/after.sh }")
        .program("hooks/after.sh", "#!/bin/sh\necho once >>\"$WORLD/after\"; echo 'nobody listens' >&2; exit 1\n");
    world.run(&["run"]).exits(0).says("nobody listens");
    assert_eq!(world.places(), ["KB-1: Done"]);
    world.run(&["run"]).exits(0);
    assert_eq!(std::fs::read_to_string(world.path("after")).unwrap(), "once\n");
}

#[test]
fn hooks_get_the_transition_as_json_and_in_variables() {
    let script = "#!/bin/sh\ncat >\"$WORLD/json\"\nprintf '%s|' \"$KANBAN_CARD_ID\" \"$KANBAN_FROM\" \"$KANBAN_TO\" \"$KANBAN_VERDICT\" \"$PWD\" >\"$WORLD/variables\"\n";
    let world = with_hook(
        World::new("- [ ] KB-1 \"first\" $(touch x) @made\n"),
        "beforeTransition: { shell: ./hooks/show.sh }",
    )
    .program("hooks/show.sh", script);
    world.run(&["run"]).exits(0);
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(world.path("json")).unwrap()).unwrap();
    let repo = world.path("repo").display().to_string();
    let expected = serde_json::json!({
        "hook": "beforeTransition", "card": "KB-1", "title": "KB-1 \"first\" $(touch x) @made", "from": "In Progress",
        "to": "Review", "verdict": "pass", "reason": "1 of 1 required tests passed", "attempt": "KB-1.1", "workspace": repo,
    });
    assert_eq!(json, expected);
    let variables = std::fs::read_to_string(world.path("variables")).unwrap();
    assert_eq!(variables, format!("KB-1|In Progress|Review|pass|{repo}|"));
    assert!(!world.repo("x").exists(), "a title was given to a shell");
}

#[test]
fn js_hooks_run_under_node() {
    let Some(_) = program("node") else { return };
    let script = "import fs from 'node:fs';\nconst t = JSON.parse(fs.readFileSync(0));\nfs.writeFileSync(`${process.env.WORLD}/js`, `${t.title}: ${t.from} → ${t.to}`);\n";
    let world = with_hook(World::new("- [ ] KB-1 ünï @made\n"), "afterTransition: { js: ./hooks/notify.mjs }")
        .with("hooks/notify.mjs", script);
    world.run(&["run"]).exits(0);
    assert_eq!(std::fs::read_to_string(world.path("js")).unwrap(), "KB-1 ünï @made: In Progress → Review");
}

#[test]
fn a_hook_that_hangs_is_ended_and_vetoes() {
    let world = with_hook(World::new("- [ ] KB-1 first @made\n"), "beforeTransition: { shell: ./hooks/hang.sh }")
        .program("hooks/hang.sh", "#!/bin/sh\nsetsid sleep 300 &\ntrap '' TERM INT\nsleep 300\n")
        .env("KANBAN_HOOK_LIMIT", "300ms")
        .env("KANBAN_GRACE", "100ms");
    world.run(&["run"]).exits(0).says("vetoed");
    assert_eq!(world.places(), ["KB-1: In Progress"]);
}
