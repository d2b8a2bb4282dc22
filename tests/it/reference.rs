//! The command line as shells and `man` know it, and the help that teaches.

use std::fs;
use std::path::Path;
use std::process::Command;

use kanban_codex_exec::cli;

use crate::support::{World, program};

fn world() -> World {
    World::outside_git("- [ ] KB-1 first @made\n")
}

/// Every subcommand.
fn names() -> Vec<String> {
    cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect()
}

#[test]
fn each_shell_gets_completions_that_it_can_read() {
    let world = world();
    for (shell, check) in [
        ("bash", Some(&["bash", "-n"][..])),
        ("zsh", Some(&["zsh", "-n"])),
        ("fish", Some(&["fish", "--no-execute"])),
        ("elvish", Some(&["elvish", "-compileonly"])),
        ("powershell", None),
    ] {
        let text = world.run(&["completions", shell]).exits(0).stdout;
        for name in names().iter().map(String::as_str).chain(["max-cards", "from-tests"]) {
            assert!(text.contains(name), "{shell}: {name}");
        }
        let script = world.path(shell);
        fs::write(&script, &text).unwrap();
        let there = |program: &str| {
            std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|folder| folder.join(program).is_file())
        };
        if let Some([program, flags @ ..]) = check.filter(|check| there(check[0])) {
            let read = Command::new(program).args(flags).arg(&script).output().unwrap();
            assert!(read.status.success(), "{shell}: {}", String::from_utf8_lossy(&read.stderr));
        }
    }
    world.run(&["completions", "bsh"]).exits(2).warns("bash");
    world.run(&["completions"]).exits(2).warns("<SHELL>");
}

#[test]
fn bash_completes_commands_flags_and_their_values() {
    if program("bash").is_none() {
        return;
    }
    let world = world();
    fs::write(world.path("completions"), world.run(&["completions", "bash"]).exits(0).stdout).unwrap();
    for (words, expected) in [
        (&["prin"][..], "print-plan"),
        (&["run", "--max-c"], "--max-cards"),
        (&["schema", "tra"], "transitions"),
        (&["run", "--provider", "git"], "github"),
        (&["run", "--reasoning-effort", "me"], "medium"),
        (&["print-plan", "--format", "js"], "json"),
        (&["report", "--format", "ju"], "junit"),
        (&["run", "--log-level", "de"], "debug"),
    ] {
        let line: Vec<&str> = ["kanban-codex-exec"].into_iter().chain(words.iter().copied()).collect();
        let script = format!(
            "source {}; COMP_WORDS=({}); COMP_CWORD={}; _kanban__codex__exec kanban-codex-exec {} {}; echo \"${{COMPREPLY[*]}}\"",
            world.path("completions").display(),
            line.join(" "),
            words.len(),
            words.last().unwrap(),
            line[words.len() - 1],
        );
        let output = Command::new("bash").args(["-c", &script]).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(told.split_whitespace().any(|word| word == expected), "{words:?}: {told}");
    }
}

#[test]
fn every_command_has_a_page() {
    let world = world();
    let root = world.run(&["man"]).exits(0).stdout;
    assert!(root.starts_with(".ie") || root.contains(".TH kanban-codex-exec 1"), "{root}");
    for name in names() {
        assert!(root.contains(&name.replace('-', "\\-")), "{name} is not on the page");
    }
    world.run(&["man", "pages/man1"]).exits(0).says("pages/man1/kanban-codex-exec-run.1");
    let before: Vec<_> =
        fs::read_dir(world.repo("pages/man1")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(before.len(), names().len() + 1, "{before:?}");
    let run = world.read("pages/man1/kanban-codex-exec-run.1");
    assert!(run.contains("\\-\\-max\\-cards") && run.contains("KANBAN_MAX_CARDS"), "{run}");
    // A newer program's pages take the place of an older one's.
    world.write("pages/man1/kanban-codex-exec-run.1", "old");
    world.run(&["man", "pages/man1"]).exits(0);
    assert_eq!(world.read("pages/man1/kanban-codex-exec-run.1"), run);
    world.write("file", "");
    world.run(&["man", "file"]).exits(1).warns("cannot create the folder");
}

#[test]
fn every_help_ends_with_an_example_that_can_be_typed() {
    let root = cli::command();
    for command in root.get_subcommands().chain([&root]) {
        let name = command.get_name();
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let examples: Vec<&str> = help.split("Example").skip(1).collect();
        let shown = examples.concat();
        let shown = if ["completions", "kanban-codex-exec"].contains(&name) { &help } else { &shown };
        let lines = shown.lines().filter_map(|line| line.find("kanban-codex-exec ").map(|at| &line[at..]));
        let mut count = 0;
        for line in lines {
            let line = line.split(['|', '>', ')', '#']).next().unwrap();
            cli::command()
                .try_get_matches_from(shell_words::split(line).unwrap())
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            count += 1;
        }
        assert!(count > 0, "{name} has no example");
    }
}

#[test]
fn what_is_misspelt_is_told_with_what_was_meant() {
    let world = world();
    for (args, told) in [
        (&["run", "--max-card", "3"][..], "--max-cards"),
        (&["pritn-plan"], "print-plan"),
        (&["schema", "transition"], "transitions"),
        (&["explain", "KB-11"], "did you mean `KB-1`?"),
        (&["skip", "KB-1 frist @made"], "did you mean `KB-1 first @made`?"),
        (&["init", "--form-tests"], "--from-tests"),
    ] {
        world.run(args).exits(2).warns(told);
    }
    world.edit("transitions.yaml", "onPass: Review", "onPass: Reveiw");
    world.run(&["print-plan"]).exits(2).warns("transitions.yaml:4:5").warns("did you mean `Review`?");
}

#[test]
fn pages_are_what_man_can_show() {
    if !Path::new("/usr/bin/man").exists() || program("groff").is_none() {
        return;
    }
    let world = world();
    world.run(&["man", "pages"]).exits(0);
    let shown = Command::new("groff")
        .args(["-man", "-Tutf8", "-ww"])
        .arg(world.repo("pages/kanban-codex-exec-init.1"))
        .output()
        .unwrap();
    assert!(shown.status.success() && shown.stderr.is_empty(), "{}", String::from_utf8_lossy(&shown.stderr));
}
