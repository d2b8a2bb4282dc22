//! What is not committed, as a run says it at its start.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use super::world::World;

fn told(world: &World) -> Vec<String> {
    let paths = world.trees().uncommitted().unwrap().unwrap_or_default();
    paths.iter().map(ToString::to_string).collect()
}

#[test]
fn a_start_is_dirty_by_what_git_status_would_say() {
    let world = World::git();
    for name in ["edited", "staged", "removed", "mode", "touched", "sub/same", "board.md"] {
        world.write(name, "one\n");
    }
    world.write(".gitignore", "*.log\n");
    assert_eq!(told(&world).len(), 7, "nothing is committed yet");
    world.commit_all();
    assert_eq!(told(&world), [] as [String; 0]);
    for name in ["edited", "staged", "board.md", "new", "sub/new", "a.log"] {
        world.write(name, "two\n");
    }
    world.run("git", &["add", "staged"]);
    world.remove("removed");
    world.run("chmod", &["+x", "mode"]);
    world.run("touch", &["-d", "2001-02-03", "touched"]);
    world.run("git", &["init", "-q", "nested"]);
    world.write("nested/a", "x\n");
    world.write(".cache/kanban-codex-exec/journal.jsonl", "{}\n");
    let before = fs::read(world.path(".git/index")).unwrap();
    assert_eq!(told(&world), ["edited", "mode", "new", "removed", "staged", "sub/new"], "the board is no work");
    assert_eq!(fs::read(world.path(".git/index")).unwrap(), before);
    world.run("git", &["pack-refs", "--all"]);
    world.run("git", &["checkout", "-q", "--detach"]);
    assert_eq!(told(&world).len(), 6, "by a commit that has no name");
    let mut inner = World::plain();
    inner.workspace = world.path("sub");
    assert_eq!(told(&inner), ["new"], "what is beside the workspace is not its");
}

#[test]
fn what_a_tree_remembers_of_files_changes_nothing_of_it() {
    let world = World::git();
    let names = |number: usize| [format!("many/{number}"), format!(":(top)many/{number}"), format!("[{number}]*")];
    for name in ["sub/edited", "sub/same"].map(str::to_owned).into_iter().chain((0..20).flat_map(names)) {
        world.write(name, "one\n");
    }
    world.write(".gitignore", ".cache\n");
    world.commit_all();
    // Until then a file could change without a trace, and is not remembered.
    sleep(Duration::from_millis(100));
    world.trees().snapshot_before(&[]).unwrap();
    let mut inner = World::plain();
    inner.workspace = world.path("sub");
    inner.trees().snapshot_before(&[]).unwrap();
    assert_eq!(told(&world), [] as [String; 0]);
    world.write("sub/edited", "two\n");
    world.write("sub/same", "one\n");
    world.write("new", "x\n");
    world.run("git", &["add", "-N", "new"]);
    assert_eq!(told(&world), ["new", "sub/edited"]);
    assert_eq!(told(&inner), ["edited"]);
    for number in 0..20 {
        names(number).iter().for_each(|name| world.write(name, "two\n"));
        assert_eq!(told(&world).len(), 3 * number + 5);
    }
}

/// Git compares contents again where it can't tell by time and place: after a copy, on another system, at the same instant.
#[test]
fn what_git_takes_for_the_same_is_not_dirty() {
    let world = World::git();
    for (name, text) in [("ends", "one\ntwo\n"), ("kept", "one\r\ntwo\n"), ("edited", "one\n"), ("to", "x\n")] {
        world.write(name, text);
    }
    std::os::unix::fs::symlink("to", world.path("link")).unwrap();
    world.run("git", &["config", "core.autocrlf", "true"]);
    world.run("git", &["config", "core.safecrlf", "false"]);
    world.commit_all();
    world.remove("ends");
    world.run("git", &["checkout", "-q", "ends"]);
    assert_eq!(fs::read(world.path("ends")).unwrap(), b"one\r\ntwo\r\n");
    world.write("edited", "one\r\nmore\r\n");
    world.remove("link");
    std::os::unix::fs::symlink("to", world.path("link")).unwrap();
    assert_eq!(world.run("git", &["status", "--porcelain"]), " M edited\n");
    world.run("touch", &["-d", "2001-02-03", "ends", "kept"]);
    assert_eq!(told(&world), ["edited"]);
    world.run("git", &["config", "core.fileMode", "false"]);
    world.run("chmod", &["+x", "ends", "to"]);
    assert_eq!(told(&world), ["edited"]);
    world.run("git", &["config", "core.fileMode", "true"]);
    assert_eq!(told(&world), ["edited", "ends", "to"]);
}

#[test]
fn without_a_repository_nothing_is_dirty() {
    let world = World::plain();
    world.write("a", "x\n");
    assert_eq!(world.trees().uncommitted().unwrap(), None);
}
