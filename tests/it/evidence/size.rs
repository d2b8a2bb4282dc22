//! Large workspaces: run these with `--ignored --nocapture`.

use std::fs;
use std::time::Instant;

use kanban_codex_exec::evidence::{Content, deeds};

use super::world::{World, stored};

/// An agent that builds where nothing is ignored yet, or fetches what it needs into the workspace.
#[test]
#[ignore = "hashes 600 MiB"]
fn of_more_than_memory_holds_the_largest_files_are_no_evidence_and_go_all_the_same() {
    let world = World::plain();
    let trees = world.trees();
    let (before, rules) = trees.snapshot_before(&[]).unwrap();
    world.write("small", "made\n");
    for number in 0..9 {
        fs::File::create(world.path(number.to_string())).unwrap().set_len((64 << 20) - number).unwrap();
    }
    let after = trees.snapshot_after(&rules, None).unwrap();
    let work = trees.work(&before.tree, &after.tree).unwrap();
    let kinds: Vec<_> = work.changes.files.iter().map(|file| matches!(file.content, Content::Text(_))).collect();
    assert_eq!((kinds.len(), kinds.iter().filter(|text| **text).count(), work.whole), (10, 1, false));
    let (deeds, _) = deeds(&[trees.saved().changed(&before.tree, &after.tree).unwrap()]);
    assert_eq!(trees.undo(&deeds, &[]).0.len(), 10);
    assert_eq!(trees.snapshot_after(&rules, None).unwrap().tree, before.tree);
}

/// Not a limit for the machine's mood: it prints what it measures.
#[test]
#[ignore = "a measurement: run it with --ignored --nocapture"]
fn the_cost_of_a_tree_of_20_000_files() {
    for world in [World::plain(), World::git()] {
        for number in 0..20_000 {
            world.write(
                format!("src/{}/{}/{number}.rs", number % 40, number % 400),
                format!("line {number}\n").repeat(40),
            );
        }
        if world.path(".git").exists() {
            world.commit_all();
        }
        let trees = world.trees();
        let mut rules = None;
        for name in ["first", "second"] {
            let start = Instant::now();
            rules = Some(trees.snapshot_before(&[]).unwrap().1);
            println!("{name} tree before: {:?}", start.elapsed());
        }
        world.write("src/1/1/1.rs", "changed\n");
        let start = Instant::now();
        trees.snapshot_after(&rules.unwrap(), None).unwrap();
        println!("tree after: {:?}, {} objects", start.elapsed(), stored(&world));
        if world.path(".git").exists() {
            let start = Instant::now();
            world.run("git", &["status", "--porcelain"]);
            println!("git status: {:?}", start.elapsed());
        }
    }
}
