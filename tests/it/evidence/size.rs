//! Large workspaces: run these with `--ignored --nocapture`.

use std::fs;
use std::time::Instant;

use super::world::{World, stored};

#[test]
#[ignore = "hashes 600 MiB"]
fn a_change_set_beyond_memory_is_a_clear_error() {
    let world = World::plain();
    let trees = world.trees();
    let (before, rules) = trees.snapshot_before(&[]).unwrap();
    for number in 0..9 {
        fs::File::create(world.path(number.to_string())).unwrap().set_len((64 << 20) - number).unwrap();
    }
    let after = trees.snapshot_after(&rules, None).unwrap();
    let error = trees.saved().change_set(&[(before.tree, after.tree).into()]).unwrap_err();
    assert!(error.to_string().starts_with("the changed files hold 575 MiB, more than the 512 MiB"), "{error:#}");
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
