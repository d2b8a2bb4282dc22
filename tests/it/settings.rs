//! Settings as the built program takes them: its help, its flags' forms, and the whole way from all three sources.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use std::path::PathBuf;

use kanban_codex_exec::settings::table::{Area, TABLE};
use serde_json::Value;

use crate::support::{World, picture};

fn world() -> World {
    World::outside_git("- [ ] KB-1 first @made\n")
}

/// The words of the one card's command.
#[track_caller]
fn command(world: &World, args: &[&str]) -> Vec<String> {
    let args: Vec<&str> = ["print-plan", "--format", "json"].into_iter().chain(args.iter().copied()).collect();
    let plan: Value = serde_json::from_str(&world.run(&args).exits(0).stdout).unwrap();
    plan["cards"][0]["command"].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_help_groups_the_flags_and_names_each_ones_variable() {
    let help = world().run(&["run", "--help"]).exits(0).stdout;
    insta::assert_snapshot!("run_help", help);
    let areas = [Area::Board, Area::Tests, Area::Codex, Area::Limits, Area::Guards, Area::Output];
    let at = |text: &str| help.find(text).unwrap_or_else(|| panic!("{text} is not in the help"));
    let headings = areas.map(|area| at(&format!("\n{}:\n", area.heading())));
    assert!(headings.is_sorted(), "{headings:?}");
    // Where the help folds a line, the name may be on the next one.
    let unfolded = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for row in TABLE {
        let flag = at(&format!("--{}", row.flag));
        let heading = areas.iter().position(|area| *area == row.area).unwrap();
        let next = headings.get(heading + 1).copied().unwrap_or(help.len());
        assert!((headings[heading]..next).contains(&flag), "--{} is not below {}", row.flag, row.area.heading());
        assert!(unfolded.contains(&format!("[env: {}]", row.env)), "{}", row.env);
        let default = format!("[env: {}] [default: {}]", row.env, row.default);
        assert_eq!(unfolded.contains(&default), !row.default.is_empty(), "{}", row.flag);
    }
}

#[test]
fn the_helps_are_wide_enough_for_an_ordinary_terminal_and_no_wider() {
    for command in [
        "run",
        "dry-run",
        "print-plan",
        "index-tests",
        "retry",
        "skip",
        "pause",
        "resume",
        "accept",
        "demo",
        "doctor",
        "explain",
        "init",
        "replay",
        "report",
        "status",
        "history",
        "logs",
    ] {
        let help = world().run(&[command, "--help"]).exits(0).stdout;
        let long: Vec<_> = help.lines().filter(|line| line.chars().count() > 100).collect();
        assert_eq!(long, [] as [&str; 0], "{command}");
    }
}

#[test]
fn a_switch_stands_alone_or_with_its_value_after_an_equals_sign() {
    let world = world().env("KANBAN_CODEX_SANDBOX", "on");
    for (args, sandbox) in [
        (&[][..], true),
        (&["--sandbox"], true),
        (&["--sandbox=true"], true),
        (&["--sandbox=yes"], true),
        (&["--sandbox=false"], false),
        (&["--sandbox=off"], false),
        (&["--sandbox=0"], false),
    ] {
        let command = command(&world, args);
        assert_eq!(command.contains(&"workspace-write".to_owned()), sandbox, "{args:?}");
        let bypass = command.contains(&"--dangerously-bypass-approvals-and-sandbox".to_owned());
        assert_eq!(bypass, !sandbox, "{args:?}: one of the two, never both");
    }
    world.run(&["print-plan", "--sandbox", "false"]).exits(2).warns("unexpected argument 'false'");
}

#[test]
fn each_source_of_settings_reaches_the_command() {
    let world = world()
        .env("CODEX_MODEL", "by-variable")
        .with("kanban-codex-exec.yaml", "model: by-file\nreasoningEffort: low\n");
    let words = |args: &[&str]| command(&world, args);
    assert!(words(&["--model", "by-flag"]).contains(&"by-flag".to_owned()));
    assert!(words(&["--model=by-flag"]).contains(&"by-flag".to_owned()));
    let command = words(&[]);
    assert!(command.contains(&"by-variable".to_owned()), "{command:?}");
    assert!(command.contains(&"model_reasoning_effort='low'".to_owned()), "{command:?}");
    let world = world.env("CODEX_MODEL", "");
    assert!(self::command(&world, &[]).contains(&"by-file".to_owned()));
    let words = self::command(&world, &["--codex-args", "--search -c 'a=\"b c\"'", "--config=/dev/null"]);
    assert!(words.windows(3).any(|words| words == ["--search", "-c", "a=\"b c\""]), "{words:?}");
    assert!(words.contains(&"gpt-5-codex".to_owned()), "another config file takes the usual one's place: {words:?}");
}

#[test]
fn a_wrong_flag_is_told_with_what_was_probably_meant() {
    world().run(&["run", "--modle", "x"]).exits(2).warns("unexpected argument '--modle'").warns("--model");
    world().run(&["run", "--k-min", "5", "--k-min", "6"]).exits(2).warns("--k-min");
    world().run(&["rum"]).exits(2).warns("unrecognized subcommand 'rum'").warns("run");
    world().run(&["run", "--k-min"]).exits(2).warns("a value is required");
    world().run(&[]).exits(2).warns("Usage:");
}

#[test]
fn a_cache_dir_that_holds_the_workspace_is_refused_before_anything_is_written() {
    let world = World::new("- [ ] KB-1 first @made\n");
    world.write("app/board.md", world.board());
    let before = picture(&world.path("repo"));
    let folders: [(&[&str], &str); 3] = [
        (&["--cache-dir", "."], "is"),
        (&["--cache-dir", ".."], "holds"),
        (&["--cache-dir", ".", "--source", "app/board.md", "--workspace", "app"], "holds"),
    ];
    let commands = "run|run --watch|dry-run|print-plan|index-tests|pause|resume|accept|board|report|history|status|\
        retry KB-1|skip KB-1|explain KB-1|logs KB-1|replay KB-1.1";
    for command in commands.split('|') {
        for (flags, is) in folders {
            let args: Vec<&str> = command.split(' ').chain(flags.iter().copied()).collect();
            let outcome = world.run(&args).exits(2).warns("--cache-dir: CACHE_DIR ").warns("hint: name a folder");
            outcome.warns(&format!(" {is} the workspace "));
            assert_eq!(picture(&world.path("repo")).changes(&before), [] as [PathBuf; 0], "{args:?}");
        }
    }
    world.run(&["doctor", "--cache-dir", "."]).exits(1).says("settings: --cache-dir: CACHE_DIR ");
    world.run(&["run"]).exits(0).says("2 promoted");
}
