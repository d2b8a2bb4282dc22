//! Trees of a workspace with the real git: what an attempt did is seen, whatever the attempt does to hide it.

#![expect(clippy::unwrap_used, reason = "a fixture that can't be set up fails its test")]

mod back;
mod cases;
mod dirty;
mod ignored;
mod size;
mod tree;
mod world;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use kanban_codex_exec::evidence::{Content, TreeId, TreePath, Trees, artifacts, artifacts_unchanged};

use cases::{CASES, NOTHING, Step};
use world::{Attempt, World, changes, stored};

#[test]
fn a_tree_pair_shows_what_an_attempt_did() {
    let mut failures = Vec::new();
    for case in CASES {
        for (kind, world) in [("plain", World::plain()), ("untracked", World::git()), ("committed", World::git())] {
            (case.before)(&world);
            if kind == "committed" {
                world.commit_all();
            }
            let got = world.attempt(case.attempt).changes;
            if got != case.expected {
                failures.push(format!("{} ({kind}): {got:?}", case.name));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_name_that_is_not_utf_8_is_kept() {
    let world = World::plain();
    let name = OsStr::from_bytes(b"ignored-\xff");
    world.write(Path::new(name).join(".gitignore"), "old\n");
    world.write(Path::new(name).join("old"), "x\n");
    let attempt = world.attempt(|w| {
        w.remove(Path::new(name).join(".gitignore"));
        w.write(OsStr::from_bytes(b"\xff"), "x\n");
    });
    let paths: Vec<TreePath> = attempt
        .trees
        .saved()
        .changed(&attempt.before.tree, &attempt.after.tree)
        .unwrap()
        .into_iter()
        .map(|c| c.path)
        .collect();
    assert_eq!(paths, [TreePath::new(*b"ignored-\xff/.gitignore"), TreePath::new(*b"\xff")]);
}

#[test]
fn what_is_left_out_is_said() {
    let world = World::plain();
    world.run("mkfifo", &["pipe"]);
    world.write(".GIT/x", "x\n");
    world.write("unreadable", "x\n");
    fs::File::create(world.path("large")).unwrap().set_len((64 << 20) + 1).unwrap();
    fs::set_permissions(world.path("unreadable"), fs::Permissions::from_mode(0o000)).unwrap();
    let (snapshot, _) = world.trees().snapshot_before(&[]).unwrap();
    let said: BTreeMap<String, String> =
        snapshot.skipped.into_iter().map(|skipped| (skipped.path.to_string(), skipped.reason)).collect();
    let mut expected = vec![
        (".GIT", "git can hold no file of this name"),
        ("large", "it is larger than 64 MiB"),
        ("pipe", "it is a pipe, a socket or a device"),
    ];
    if fs::read(world.path("unreadable")).is_ok() {
        println!("skipped: this user reads everything, so nothing is unreadable");
    } else {
        expected.push(("unreadable", "it cannot be read: Permission denied (os error 13)"));
    }
    assert_eq!(said.iter().map(|(path, reason)| (path.as_str(), reason.as_str())).collect::<Vec<_>>(), expected);
}

#[test]
fn tracked_files_are_in_though_they_are_ignored() {
    let world = World::git();
    world.write("vendor/tracked", "one\n");
    world.commit_all();
    world.write(".gitignore", "vendor\n");
    let attempt = world.attempt(|w| {
        w.write("vendor/tracked", "two\n");
        w.write("vendor/other", "x\n");
    });
    assert_eq!(attempt.changes, ["vendor/tracked: two"]);
    let attempt = world.attempt(|w| {
        fs::rename(w.path("vendor"), w.temp.path().join("vendor")).unwrap();
        symlink("../vendor", w.path("vendor")).unwrap();
    });
    assert_eq!(attempt.changes, ["vendor/tracked: -"], "not read through a symlink");
}

#[test]
fn a_workspace_below_the_top_of_its_repository_has_the_rules_from_above() {
    let outer = World::git();
    outer.write(".gitignore", "*.log\n/inner/only-here\n");
    outer.write("inner/tracked.log", "one\n");
    outer.write(".git/info/exclude", "excluded\n*.tmp\n");
    outer.run("git", &["add", "-f", "inner"]);
    let mut world = World::plain();
    world.workspace = outer.path("inner");
    let attempt = world.attempt(|w| {
        for name in ["a.log", "only-here", "b/only-here", "excluded", "x.tmp", "tracked.log"] {
            w.write(name, "x\n");
        }
        outer.write("beside", "x\n");
    });
    assert_eq!(attempt.changes, ["b/only-here: x", "tracked.log: x"]);
}

#[test]
fn a_linked_worktree_and_a_sha_256_repository_are_read() {
    let main = World::git();
    main.write(".gitignore", "*.log\n");
    main.write("a.log", "one\n");
    main.run("git", &["add", "-f", "a.log"]);
    main.commit_all();
    let linked = main.temp.path().canonicalize().unwrap().join("linked");
    main.run("git", &["worktree", "add", "-q", linked.to_str().unwrap()]);
    let mut world = World::plain();
    world.workspace = linked;
    assert_eq!(world.attempt(|w| w.write("a.log", "two\n")).changes, ["a.log: two"]);
    assert_eq!(stored(&world), 3, "two trees and what changed: the user's files are not stored a second time");

    let world = World::plain();
    world.run("git", &["init", "-q", "--object-format=sha256"]);
    world.write(".gitignore", "*.log\n");
    world.write("a.log", "one\n");
    world.run("git", &["add", "-f", "a.log"]);
    world.commit_all();
    let attempt = world.attempt(|w| w.write("a.log", "two\n"));
    assert_eq!((attempt.changes, attempt.after.tree.as_str().len()), (vec!["a.log: two".to_owned()], 64));
}

#[test]
fn an_index_that_cannot_be_read_is_said_and_costs_only_the_tracked_ignored_files() {
    let world = World::git();
    world.write("a", "one\n");
    world.commit_all();
    world.write(".git/index", "damaged");
    let attempt = world.attempt(|w| w.write("a", "two\n"));
    assert_eq!(attempt.changes, ["a: two"]);
    let reasons: Vec<&str> = attempt.before.skipped.iter().map(|skipped| skipped.reason.as_str()).collect();
    assert!(
        matches!(reasons[..], [reason] if reason.starts_with("the repository's index cannot be read")),
        "{reasons:?}"
    );
}

#[test]
fn excluded_files_are_left_out_by_every_name_and_stay_so() {
    let world = World::plain();
    world.write("gate/tests.txt", "includes:a\n");
    symlink("gate/tests.txt", world.path("tests.txt")).unwrap();
    world.write("backlog/one.md", "x\n");
    let excluded = vec![world.path("tests.txt"), world.path("gate/../backlog"), world.path("absent/rules.yaml")];
    let trees = world.trees_without(excluded);
    let (before, rules) = trees.snapshot_before(&[]).unwrap();
    world.remove("tests.txt");
    for name in ["tests.txt", "gate/tests.txt", "backlog/two.md", "absent/rules.yaml", "a"] {
        world.write(name, "y\n");
    }
    let after = trees.snapshot_after(&rules, None).unwrap();
    assert_eq!(changes(&trees, &before.tree, &after.tree), ["a: y"]);
    let after = world.trees_without(vec![]).snapshot_after(&rules, None).unwrap();
    assert_eq!(changes(&trees, &before.tree, &after.tree), ["a: y"], "with another list after a restart");
}

#[test]
fn a_workspace_that_is_named_by_a_symlink_is_the_real_one() {
    let mut world = World::plain();
    let link = world.temp.path().join("link");
    symlink(&world.workspace, &link).unwrap();
    world.workspace = link;
    let attempt = world.attempt(|w| {
        w.write("board.md", "x\n");
        w.write("a", "x\n");
    });
    assert_eq!(attempt.changes, ["a: x"], "neither the board nor CACHE_DIR, which was not there yet");
}

#[test]
fn the_users_repository_stays_untouched_and_runs_nothing() {
    let world = World::git();
    let witness = world.temp.path().join("ran");
    let hostile = format!("#!/bin/sh\ntouch {}\ncat\n", witness.display());
    world.write("a", "one\n");
    world.write("b", "one\n");
    world.commit_all();
    world.write(".gitattributes", "* filter=evil diff=evil\n");
    let script = world.temp.path().join("evil");
    fs::write(&script, &hostile).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    for hook in ["post-index-change", "pre-auto-gc", "reference-transaction"] {
        fs::create_dir_all(world.path(".git/hooks")).unwrap();
        fs::copy(&script, world.path(".git/hooks").join(hook)).unwrap();
    }
    let command = script.to_str().unwrap();
    let config = format!(
        "[core]\n\tfsmonitor = {command}\n\tpager = {command}\n\tautocrlf = true\n[filter \"evil\"]\n\tclean = {command}\n\tsmudge = {command}\n\trequired = true\n[diff \"evil\"]\n\tcommand = {command}\n\ttextconv = {command}\n[diff]\n\texternal = {command}\n"
    );
    let old = fs::read_to_string(world.path(".git/config")).unwrap();
    world.write(".git/config", old + &config);
    world.write("a", "one\r\ntwo\r\n");
    // Stale stat data: a refresh of the user's index would write it.
    fs::File::options().append(true).open(world.path("b")).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    let before = contents(&world.path(".git"));

    let trees = world.trees();
    let (first, rules) = trees.snapshot_before(&[]).unwrap();
    world.write("a", "one\r\nthree\r\n");
    let after = trees.snapshot_after(&rules, None).unwrap();
    let patch = String::from_utf8(trees.saved().patch(&first.tree, &after.tree).unwrap()).unwrap();

    assert_eq!(changes(&trees, &first.tree, &after.tree), ["a: three"]);
    assert!(patch.contains(" one\r\n-two\r\n+three\r\n"), "{patch}");
    let now = contents(&world.path(".git"));
    let touched = now.iter().filter(|(path, state)| before.get(*path) != Some(state)).map(|(path, _)| path);
    assert_eq!(touched.collect::<Vec<_>>(), Vec::<&PathBuf>::new());
    assert_eq!(now.len(), before.len());
    assert!(!witness.exists(), "something of the user's configuration ran");
    world.run("git", &["add", "a"]);
    assert!(witness.exists(), "the traps are set");
}

/// Every file below, with its bytes, time of change and inode. The time of an object is none of its content: git renews
/// it when the same bytes are stored again, so that they are not pruned.
fn contents(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime, u64)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let data = fs::symlink_metadata(&path).unwrap();
            let bytes = if data.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            if data.is_dir() {
                folders.push(path.clone());
            }
            let object = data.is_file() && path.components().any(|part| part.as_os_str() == "objects");
            let time = if object { SystemTime::UNIX_EPOCH } else { data.modified().unwrap() };
            found.insert(path, (bytes, time, data.ino()));
        }
    }
    found
}

#[test]
fn what_an_agent_does_with_git_hides_nothing() {
    let cases: &[(&str, Step)] = &[
        ("commit", |w| w.commit_all()),
        ("commit and reset the index", |w| {
            w.commit_all();
            w.run("git", &["reset", "-q", "--soft", "HEAD~1"]);
        }),
        ("another branch", |w| {
            w.run("git", &["switch", "-q", "-c", "other"]);
            w.commit_all();
        }),
        ("assume unchanged", |w| drop(w.run("git", &["update-index", "--assume-unchanged", "a"]))),
        ("skip the work tree", |w| drop(w.run("git", &["update-index", "--skip-worktree", "a"]))),
        ("forget the file", |w| drop(w.run("git", &["rm", "-q", "--cached", "-f", "a"]))),
        ("collect garbage", |w| {
            w.commit_all();
            w.run("git", &["gc", "-q", "--prune=now"]);
        }),
        ("a new repository", |w| {
            w.run("git", &["init", "-q", "b"]);
            fs::write(w.path(".git/config"), "damaged [").unwrap();
        }),
    ];
    for (name, act) in cases {
        let world = World::git();
        world.write("a", "one\n");
        world.write("b/c", "one\n");
        world.commit_all();
        let attempt = world.attempt(|w| {
            w.write("a", "two\n");
            act(w);
        });
        assert_eq!(attempt.changes, ["a: two"], "{name}");
    }
}

#[test]
fn a_discarded_edit_is_no_change() {
    let world = World::git();
    world.write("a", "one\n");
    world.commit_all();
    let attempt = world.attempt(|w| {
        w.write("a", "two\n");
        w.commit_all();
        w.run("git", &["reset", "-q", "--hard", "HEAD~1"]);
    });
    assert_eq!(attempt.changes, [""; 0]);
    assert_eq!(attempt.before.tree, attempt.after.tree);
}

#[test]
fn a_pipe_that_git_would_wait_for_is_an_error() {
    let world = World::plain();
    let (_, rules) = world.trees().snapshot_before(&[]).unwrap();
    world.write("src/a", "x\n");
    world.run("mkfifo", &["src/.gitattributes"]);
    for error in
        [world.trees().snapshot_before(&[]).unwrap_err(), world.trees().snapshot_after(&rules, None).unwrap_err()]
    {
        assert_eq!(error.to_string(), "src/.gitattributes is no plain file, and git would wait for it: remove it");
    }
}

#[test]
fn a_killed_or_damaged_index_is_only_a_memory_that_is_lost() {
    let world = World::git();
    world.write("a", "one\n");
    world.attempt(NOTHING);
    let git = world.cache().join("git");
    let index = fs::read_dir(&git).unwrap().map(|entry| entry.unwrap().path());
    let index = index.into_iter().find(|path| path.to_string_lossy().contains("/index-")).unwrap();
    let lock = index.with_extension("lock");
    let older = br#"[["a",[1,2,3,4,5],33188,"5626abf0f72e58d7a153368ba57db4c673c0e171"]]"#;
    for (file, bytes) in [(&lock, &b"half"[..]), (&index, b"DIRC"), (&index, b""), (&index, older)] {
        fs::write(file, bytes).unwrap();
        assert_eq!(world.attempt(|w| w.write("b", "x\n")).changes, ["b: x"], "{}", file.display());
        world.remove("b");
    }
    fs::remove_dir_all(git.join("objects")).unwrap();
    assert_eq!(world.attempt(|w| w.write("b", "x\n")).changes, ["b: x"], "objects that the index rests on");
    fs::write(git.join("config"), "damaged [").unwrap();
    fs::remove_file(git.join("HEAD")).unwrap();
    assert_eq!(world.attempt(|w| w.write("c", "x\n")).changes, ["c: x"], "a damaged private folder");
}

#[test]
fn trees_that_were_removed_are_a_clear_error() {
    let world = World::plain();
    world.write("a", "one\n");
    let attempt = world.attempt(|w| w.write("a", "two\n"));
    fs::remove_dir_all(world.cache().join("git/objects")).unwrap();
    let trees = world.trees();
    for error in [
        trees.saved().changed(&attempt.before.tree, &attempt.after.tree).unwrap_err(),
        trees.saved().change_set(&[(attempt.before.tree.clone(), attempt.after.tree.clone()).into()]).unwrap_err(),
        trees.saved().patch(&attempt.before.tree, &attempt.after.tree).unwrap_err(),
    ] {
        assert!(format!("{error:#}").starts_with("cannot read the saved trees in "), "{error:#}");
    }
}

#[test]
fn trees_outlive_what_the_workspace_becomes() {
    let world = World::git();
    world.write("a", "one\n");
    let attempt = world.attempt(|w| w.write("a", "two\n"));
    world.attempt(|w| w.remove("a"));
    let patch = attempt.trees.saved().patch(&attempt.before.tree, &attempt.after.tree).unwrap();
    assert!(String::from_utf8_lossy(&patch).ends_with("@@ -1 +1 @@\n-one\n+two\n"));
    let changes = changes(&attempt.trees, &attempt.before.tree, &attempt.after.tree);
    assert_eq!(changes, ["a: two"]);
}

#[test]
fn a_card_is_judged_by_its_own_attempts() {
    let world = World::git();
    world.write("a", "one\n");
    let first = world.attempt(|w| w.write("a", "one\nmine\nmine too\n"));
    world.write("a", "one\nmine\nmine too\ntheirs\n");
    world.write("others", "theirs\n");
    let second = world.attempt(|w| w.write("a", "one\nmine\ntheirs\nlater\n"));
    let pair = |attempt: &Attempt| (attempt.before.tree.clone(), attempt.after.tree.clone());
    let set = second.trees.saved().change_set(&[pair(&first).into(), pair(&second).into()]).unwrap();
    let [file] = &set.files[..] else { panic!("{set:?}") };
    assert_eq!(file.content, Content::Text("one\nmine\ntheirs\nlater\n".to_owned()));
    assert_eq!(file.added.iter().copied().collect::<Vec<_>>(), [2, 4]);
}

#[test]
fn artifacts_tell_whether_the_files_are_still_as_recorded() {
    let spoil: &[(&str, Step, bool)] = &[
        ("nothing", NOTHING, true),
        ("another file", |w| w.write("other", "x\n"), true),
        ("an edit", |w| w.write("a", "x\n"), false),
        ("a file is gone", |w| w.remove("a"), false),
        ("a deleted file is back", |w| w.write("gone", "one\n"), false),
        (
            "the link leads elsewhere",
            |w| {
                w.remove("link");
                symlink("b", w.path("link")).unwrap();
            },
            false,
        ),
        (
            "a folder is a symlink to the same",
            |w| {
                fs::rename(w.path("sub"), w.path("real")).unwrap();
                symlink("real", w.path("sub")).unwrap();
            },
            false,
        ),
        (
            "a pipe",
            |w| {
                w.remove("a");
                w.run("mkfifo", &["a"]);
            },
            false,
        ),
    ];
    for (name, act, unchanged) in spoil {
        let world = World::plain();
        world.write("gone", "one\n");
        let attempt = world.attempt(|w| {
            w.write("a", "two\r\n");
            w.write("sub/b", b"\0\xff");
            symlink("a", w.path("link")).unwrap();
            w.remove("gone");
        });
        let set = attempt.trees.saved().change_set(&[(attempt.before.tree, attempt.after.tree).into()]).unwrap();
        let recorded = serde_json::to_string(&artifacts(set.files.iter())).unwrap();
        act(&world);
        let recorded: Vec<_> = serde_json::from_str(&recorded).unwrap();
        assert_eq!(artifacts_unchanged(&world.workspace, &recorded), *unchanged, "{name}");
    }
    let outside = serde_json::from_str(r#"[{"path": "../x", "sha256": null}]"#).unwrap();
    assert!(!artifacts_unchanged(Path::new("/"), &{
        let all: Vec<_> = outside;
        all
    }));
}

#[test]
fn a_tree_can_be_taken_while_files_come_and_go() {
    let world = World::plain();
    for number in 0..200 {
        world.write(format!("src/{number}"), "x\n");
    }
    let mut busy = Command::new("sh")
        .args(["-c", "while :; do mkdir -p t/u; echo x > t/u/a; echo y > t/b; rm -rf t; echo z > t; rm t; done"])
        .current_dir(&world.workspace)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let trees = world.trees();
    let taken: Vec<_> = (0..20).map(|_| trees.snapshot_before(&[]).map(drop)).collect();
    busy.kill().unwrap();
    busy.wait().unwrap();
    let failed = taken.iter().filter(|result| result.is_err()).count();
    assert_eq!(failed, 0, "{taken:?}");
}

#[test]
fn what_git_needs_and_what_it_may_not_be() {
    let world = World::plain();
    world.write("bin/git", "#!/bin/sh\nexit 0\n");
    fs::set_permissions(world.path("bin/git"), fs::Permissions::from_mode(0o755)).unwrap();
    let bin = world.path("bin");
    for path in [bin.as_os_str(), OsStr::new("."), OsStr::new("")] {
        let error = Trees::open(&world.spawner, &world.cache(), &world.workspace, vec![], path).unwrap_err();
        assert!(error.to_string().starts_with("git is not on PATH"), "{path:?}: {error:#}");
    }
    let path = std::env::var_os("PATH").unwrap();
    let missing = Trees::open(&world.spawner, &world.cache(), &world.path("absent"), vec![], &path).unwrap_err();
    assert!(missing.to_string().starts_with("cannot find the workspace"), "{missing:#}");
    for cache in [&*world.workspace, world.workspace.parent().unwrap()] {
        let whole = Trees::open(&world.spawner, cache, &world.workspace, vec![], &path).unwrap_err();
        assert!(whole.to_string().contains("cannot hold CACHE_DIR"), "{whole:#}");
    }
    assert!(!world.path("git").exists(), "nothing is written before the error");
    assert!(serde_json::from_str::<TreeId>("\"--output=x\"").is_err());
}
