//! A tree, whoever wrote it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::cases::{NOTHING, Step};
use super::world::World;

/// The first is written by git, the others are not.
#[test]
fn a_tree_is_the_one_that_git_would_write() {
    let world = World::git();
    for name in ["a", "a.b", "a-b/c", "a0/d/e f", "z/\u{e9}", "deep/er/and/deeper"] {
        world.write(name, name);
    }
    world.write(".gitignore", ".cache\n");
    symlink("a", world.path("link")).unwrap();
    let steps: [Step; 5] = [
        NOTHING,
        |w| w.write("a0/d/new", "one\n"),
        |w| fs::set_permissions(w.path("a.b"), fs::Permissions::from_mode(0o755)).unwrap(),
        |w| {
            w.remove("a");
            w.write("a/was a file", "two\n");
        },
        |w| (0..100).for_each(|number| w.write(format!("many/{number}"), number.to_string())),
    ];
    let trees = world.trees();
    for (number, step) in steps.iter().enumerate() {
        step(&world);
        world.commit_all();
        let (taken, _) = trees.snapshot_before(&[]).unwrap();
        assert_eq!(taken.tree.as_str(), world.run("git", &["rev-parse", "HEAD^{tree}"]).trim(), "step {number}");
    }
}

#[test]
fn a_file_that_two_rules_bring_in_is_there_once() {
    let world = World::plain();
    world.write("a", "one\n");
    let trees = world.trees();
    let (before, rules) = trees.snapshot_before(&[]).unwrap();
    let mut rules = serde_json::to_value(rules).unwrap();
    rules["tracked"] = serde_json::json!(["a"]);
    assert_eq!(trees.snapshot_after(&serde_json::from_value(rules).unwrap(), None).unwrap().tree, before.tree);
}
