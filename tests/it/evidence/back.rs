//! Work that is taken back: every case of what attempts change, undone, leaves the workspace as it was before.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use kanban_codex_exec::evidence::{Aside, Change, IgnoreRules, Skipped, TreeId, Trees, deeds};

use super::cases::CASES;
use super::world::World;

/// Mode and bytes of all that is below a folder; of a symlink its target. Not what no tree ever has.
fn files(top: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut files = BTreeMap::new();
    let mut folders = vec![top.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let data = fs::symlink_metadata(&path).unwrap();
            let bytes = match (data.is_symlink(), data.is_file()) {
                (true, _) => fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes(),
                (_, true) if data.len() < 64 << 20 => fs::read(&path).unwrap(),
                _ => Vec::new(),
            };
            if data.is_dir() && !path.ends_with(".git") && !path.ends_with("kanban-codex-exec") {
                folders.push(path);
            } else if !data.is_dir() {
                files.insert(path.strip_prefix(top).unwrap().to_owned(), (data.mode(), bytes));
            }
        }
    }
    files
}

struct Attempts<'w> {
    world: &'w World,
    trees: Trees,
    changes: Vec<Vec<Change>>,
    asides: Vec<Aside>,
    rules: IgnoreRules,
}

impl<'w> Attempts<'w> {
    fn of(world: &'w World) -> Attempts<'w> {
        Attempts { world, trees: world.trees(), changes: Vec::new(), asides: Vec::new(), rules: IgnoreRules::default() }
    }

    fn attempt(&mut self, act: impl FnOnce(&World)) -> [TreeId; 2] {
        let (before, rules) = self.trees.snapshot_before(&[]).unwrap();
        act(self.world);
        let after = self.trees.snapshot_after(&rules, None).unwrap();
        self.asides.push(rules.aside.clone());
        self.rules = rules;
        self.changes.push(self.trees.saved().changed(&before.tree, &after.tree).unwrap());
        [before.tree, after.tree]
    }

    /// By the rules of the last attempt.
    fn tree(&self) -> TreeId {
        self.trees.snapshot_after(&self.rules, None).unwrap().tree
    }

    /// What is left, `path: reason`.
    fn undo(&self) -> Vec<String> {
        let (deeds, broken) = deeds(&self.changes);
        let (deeds, left) = self.trees.undoable(deeds, |_| false);
        let (back, failed) = self.trees.undo(&deeds, &self.asides);
        assert_eq!(back.len() + failed.len(), deeds.len());
        let told = |skipped: Skipped| format!("{}: {}", skipped.path, skipped.reason);
        let broken = broken.into_iter().map(|path| format!("{path}: changed between"));
        left.into_iter().chain(failed).map(told).chain(broken).collect()
    }
}

#[test]
fn every_change_that_a_tree_knows_is_undone_to_the_byte() {
    for case in CASES {
        let world = World::git();
        (case.before)(&world);
        let before = files(&world.workspace);
        let mut attempts = Attempts::of(&world);
        let [first, _] = attempts.attempt(case.attempt);
        assert_eq!(attempts.undo(), [] as [String; 0], "{}", case.name);
        let now = files(&world.workspace);
        for Change { path, .. } in &attempts.changes[0] {
            assert_eq!(now.get(path.as_path()), before.get(path.as_path()), "{}: {path}", case.name);
        }
        assert_eq!(attempts.tree(), first, "{}", case.name);
        assert_eq!(attempts.undo(), [] as [String; 0], "{}: a repetition finds it done", case.name);
        assert_eq!(files(&world.workspace), now, "{}", case.name);
    }
}

#[test]
fn the_patch_of_the_work_brings_it_back_to_the_byte() {
    for case in CASES {
        let world = World::git();
        (case.before)(&world);
        let mut attempts = Attempts::of(&world);
        let [_, after] = attempts.attempt(case.attempt);
        let (deeds, _) = deeds(&attempts.changes);
        let (deeds, _) = attempts.trees.undoable(deeds, |_| false);
        let changes: Vec<&Change> = deeds.iter().map(|deed| &deed.change).collect();
        let patch = world.temp.path().join("work.patch");
        fs::write(&patch, attempts.trees.patch_of(&changes).unwrap()).unwrap();
        attempts.undo();
        if !changes.is_empty() {
            world.run("sh", &["-c", &attempts.trees.saved().apply_command(&patch)]);
        }
        assert_eq!(attempts.tree(), after, "{}", case.name);
    }
}

#[test]
fn the_patch_of_a_workspace_below_the_top_of_its_repository_is_applied_from_there() {
    let outer = World::git();
    outer.write("in ner/deep/a", "one\n");
    outer.commit_all();
    let mut world = World::plain();
    world.workspace = outer.path("in ner/deep");
    let attempt = world.attempt(|w| {
        w.write("a", "two\n");
        w.write("b/c", b"\0two");
    });
    let patch = world.temp.path().join("work.patch");
    fs::write(&patch, attempt.trees.saved().patch(&attempt.before.tree, &attempt.after.tree).unwrap()).unwrap();
    let own = format!("git apply {}", patch.display());
    for command in [attempt.trees.saved().apply_command(&patch), own] {
        world.write("a", "one\n");
        world.remove("b");
        world.run("sh", &["-c", &command]);
        assert_eq!(fs::read(world.path("a")).unwrap(), b"two\n", "{command}");
        assert_eq!(fs::read(world.path("b/c")).unwrap(), b"\0two", "{command}");
    }
}

/// The user's repository lends what it has of the files.
#[test]
fn what_git_lets_go_of_between_attempts_is_known_and_put_back_all_the_same() {
    let world = World::git();
    for number in 0..40 {
        world.write(format!("{number}"), format!("{number}\n"));
    }
    world.commit_all();
    let mut attempts = Attempts::of(&world);
    attempts.attempt(|_| {});
    world.run("git", &["rm", "-q", "--cached", "7"]);
    world.run("git", &["commit", "-q", "--amend", "-m", "again"]);
    world.run("git", &["reflog", "expire", "--expire=now", "--all"]);
    world.run("git", &["gc", "-q", "--prune=now"]);
    let [before, after] = attempts.attempt(|w| w.write("7", "worked\n"));
    attempts.trees.work(&before, &after).unwrap();
    assert_eq!(attempts.undo(), [] as [String; 0]);
    assert_eq!(fs::read_to_string(world.path("7")).unwrap(), "7\n");
}

#[test]
fn what_somebody_changed_since_is_left_and_told() {
    let world = World::git();
    for name in ["edited", "removed", "mode", "link", "same", "folder/a", "gone/a"] {
        world.write(name, "before\n");
    }
    let mut attempts = Attempts::of(&world);
    attempts.attempt(|w| {
        for name in ["edited", "removed", "mode", "link", "same", "folder/a", "made", "new/made"] {
            w.write(name, "worked\n");
        }
        w.remove("gone");
    });
    let outside = world.temp.path().join("outside");
    fs::create_dir(&outside).unwrap();
    symlink(&outside, world.path("gone")).unwrap();
    world.write("edited", "worked\nand more\n");
    world.remove("removed");
    fs::set_permissions(world.path("mode"), fs::Permissions::from_mode(0o755)).unwrap();
    world.remove("link");
    symlink("same", world.path("link")).unwrap();
    world.remove("folder");
    symlink("/nowhere", world.path("folder")).unwrap();
    world.write("new/theirs", "theirs\n");
    let mut left = attempts.undo();
    left.sort();
    let expected =
        ["edited: it was changed since", "folder/a: BLOCKED", "gone/a: BLOCKED", "link: it was changed since"]
            .into_iter();
    let expected = expected.chain(["mode: it was changed since", "removed: it was removed since"]);
    let blocked = "a folder that it was in is none any more";
    let expected: Vec<_> = expected.map(|line| line.replace("BLOCKED", blocked)).collect();
    assert_eq!(left, expected);
    let names: Vec<_> = files(&world.workspace).into_keys().collect();
    assert_eq!(names, ["edited", "folder", "gone", "link", "mode", "new/theirs", "same"].map(PathBuf::from));
    assert!(fs::read_dir(outside).unwrap().next().is_none(), "nothing is written through a symlink");
    assert_eq!(fs::read(world.path("same")).unwrap(), b"before\n");
    assert_eq!(fs::read(world.path("edited")).unwrap(), b"worked\nand more\n");
}

#[test]
fn several_attempts_are_undone_as_one_and_only_theirs() {
    let world = World::git();
    world.write("both", "before\n");
    world.write("mixed", "before\n");
    world.write("first", "before\n");
    let mut attempts = Attempts::of(&world);
    attempts.attempt(|w| {
        w.write("both", "half\n");
        w.write("mixed", "half\n");
        w.write("first", "half\n");
        w.write("passing", "half\n");
    });
    world.write("mixed", "half\ntheirs\n");
    attempts.attempt(|w| {
        w.write("both", "whole\n");
        w.write("mixed", "half\ntheirs\nwhole\n");
        w.remove("passing");
    });
    assert_eq!(attempts.undo(), ["mixed: changed between"]);
    let read = |name: &str| fs::read_to_string(world.path(name)).unwrap();
    assert_eq!(
        (read("both"), read("first"), read("mixed")),
        ("before\n".into(), "before\n".into(), "half\ntheirs\n".into())
    );
    assert!(!world.path("passing").exists());
    assert_eq!(attempts.undo(), ["mixed: changed between"], "a repetition finds it done");
}

#[test]
fn a_kill_in_the_midst_of_it_leaves_nothing_behind() {
    let world = World::git();
    world.write("a", "before\n");
    let mut attempts = Attempts::of(&world);
    attempts.attempt(|w| {
        w.remove("a");
        w.write("a/b/c", "worked\n");
    });
    // As it is after the file went, and before its folders did; beside what was staged for it.
    world.remove("a/b/c");
    let staged = format!(".kanban-codex-exec-{}", &kanban_codex_exec::storage::sha256(b"a")[..16]);
    world.write(&staged, "bef");
    assert_eq!(attempts.undo(), [] as [String; 0]);
    assert_eq!(files(&world.workspace).into_keys().collect::<Vec<_>>(), [PathBuf::from("a")]);
}
