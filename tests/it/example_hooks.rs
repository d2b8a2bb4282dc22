//! The example hooks, each in a run: what they call is a script that writes down how, or a server on loopback.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::support::{RULES, World, program};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/hooks");

/// The examples, and the project's own.
fn scripts() -> Vec<PathBuf> {
    let files = fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().path());
    let own =
        [".ci/run", ".ci/package", "fuzz/run.sh"].map(|name| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name));
    files.filter(|path| path.extension().is_some_and(|kind| kind == "sh")).chain(own).collect()
}

/// A world whose `onEvent` is this example, and whose PATH begins with a folder of stand-ins.
fn world(on_event: &str, example: &str) -> World {
    let text = fs::read_to_string(format!("{FOLDER}/{example}")).unwrap();
    let world = World::new("- [ ] KB-1 say \"it\" \\ $(touch x) @made\n- [ ] KB-2 second @checked\n");
    let path = format!("{}:{}", world.path("bin").display(), std::env::var("PATH").unwrap());
    world
        .with("transitions.yaml", format!("{RULES}onEvent: {on_event}\n"))
        .with(".gitignore", "/.cache\n")
        .program(&format!("hooks/{example}"), &text)
        .env("PATH", path)
}

/// A program that writes down its words, and then does what `answer` says.
fn stand_in(world: &World, name: &str, answer: &str) {
    let script = format!("#!/bin/sh\nprintf '%s\\n' \"$*\" >>\"$WORLD/{name}\"\n{answer}\n");
    fs::create_dir_all(world.path("bin")).unwrap();
    fs::write(world.path("bin").join(name), script).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(world.path("bin").join(name), executable).unwrap();
}

fn said(world: &World, name: &str) -> Vec<String> {
    let text = fs::read_to_string(world.path(name)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn scripts_are_clean_and_executable() {
    for script in scripts() {
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&script).unwrap().permissions());
        assert!(mode & 0o111 != 0, "{} can't be executed", script.display());
    }
    if program("shellcheck").is_none() {
        return;
    }
    let checked = Command::new("shellcheck").args(scripts()).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[test]
fn a_chat_hears_of_each_event() {
    let world = world("{ shell: ./hooks/chat.sh }", "chat.sh").env("CHAT_WEBHOOK_URL", "http://localhost/secret-path");
    stand_in(&world, "curl", "cat >>\"$WORLD/read\"");
    world.run(&["run"]).exits(0);
    let posts = said(&world, "curl");
    let bodies: Vec<Value> = posts
        .iter()
        .map(|post| {
            assert!(!post.contains("secret-path"), "the address is among the words that everybody can see: {post}");
            let (_, rest) = post.split_once("--data ").unwrap();
            serde_json::from_str(rest.split(" --config").next().unwrap()).unwrap()
        })
        .collect();
    let texts: Vec<&str> = bodies.iter().map(|body| body["text"].as_str().unwrap()).collect();
    assert_eq!(texts[0], "✅ KB-1 say \"it\" \\ $(touch x) @made: In Progress → Review");
    assert!(texts[1].starts_with("↩️ KB-2 second @checked: In Progress → Needs Specs: 0 of 1"), "{texts:?}");
    assert_eq!(texts.last(), Some(&"🏁 The board is drained: nothing left to do"));
    assert_eq!(said(&world, "read")[0], "url = \"http://localhost/secret-path\"");
    assert!(!world.repo("x").exists(), "a title was given to a shell");
}

#[test]
fn a_chat_that_cannot_be_reached_stops_nothing() {
    let world = world("{ shell: ./hooks/chat.sh }", "chat.sh");
    world.run(&["run"]).exits(0).says("CHAT_WEBHOOK_URL: is not set").says("2 promoted");
}

#[test]
fn curl_posts_what_a_webhook_takes() {
    if program("curl").is_none() {
        return;
    }
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", server.local_addr().unwrap());
    let heard = std::thread::spawn(move || {
        let mut heard = Vec::new();
        let (mut stream, _) = server.accept().unwrap();
        let mut bytes = [0; 4096];
        while !String::from_utf8_lossy(&heard).contains('}') {
            let count = stream.read(&mut bytes).unwrap();
            heard.extend_from_slice(&bytes[..count]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        String::from_utf8(heard).unwrap()
    });
    let world = world("{ drained: { shell: ./hooks/chat.sh } }", "chat.sh").env("CHAT_WEBHOOK_URL", url);
    let outcome = world.run(&["run"]).exits(0);
    assert!(!outcome.stdout.contains("hook "), "{outcome}");
    let heard = heard.join().unwrap();
    assert!(heard.starts_with("POST /hook HTTP/1.1\r\n"), "{heard}");
    assert!(heard.ends_with("{\"text\": \"🏁 The board is drained: nothing left to do\"}"), "{heard}");
}

#[test]
fn what_a_promotion_proved_is_committed_with_the_move() {
    let world = world("{ promoted: { shell: ./hooks/commit.sh } }", "commit.sh");
    world.commit_with_origin();
    world.run(&["run"]).exits(0).says("2 promoted");
    let log = world.git(&["log", "--format=%s|%b|"]);
    assert!(
        log.contains("KB-1 say \"it\" \\ $(touch x) @made|In Progress → Review: 1 of 1 required tests passed"),
        "{log}"
    );
    assert!(log.contains("Kanban-Card: KB-1\nKanban-Attempt: KB-1.2"), "{log}");
    let files = world.git(&["show", "--name-only", "--format=", "HEAD~1"]);
    assert!(files.contains("board.md") && files.contains("made/KB-1.txt"), "{files}");
    assert!(world.git(&["show", "HEAD:board.md"]).contains("## Done"));
    // What passed holds: nothing is worked again because of the commits.
    world.run(&["run"]).exits(0).says("0 promoted");
    assert_eq!(world.executions().len(), 3);
}

#[test]
fn a_pull_request_is_opened_for_a_card_that_is_done() {
    let world = world("{ promoted: { shell: ./hooks/pull-request.sh } }", "pull-request.sh");
    world.commit_with_origin();
    stand_in(&world, "gh", "[ \"$2\" != list ] || echo 0");
    let outcome = world.run(&["run"]).exits(0);
    assert!(!outcome.stdout.contains("hook  "), "{outcome}");
    let gh = said(&world, "gh");
    assert_eq!(gh.len(), 2, "{gh:?}");
    assert_eq!(gh[0], "pr list --head kanban/KB-1 --state open --json number --jq length");
    assert!(
        gh[1]
            .starts_with("pr create --head kanban/KB-1 --title KB-1 say \"it\" \\ $(touch x) @made --body Card KB-1: "),
        "{gh:?}"
    );
    let pushed = world.git(&["--git-dir", "../origin.git", "show", "kanban/KB-1:made/KB-1.txt"]);
    assert!(pushed.contains("made for KB-1"));
    assert_eq!(world.git(&["branch", "--show-current"]).trim(), "main", "the workspace stays where it is");
}
