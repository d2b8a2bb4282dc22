//! What a failed attempt leaves in the workspace, where the column's rule says what becomes of it.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::{Value, json};

use crate::support::{RULES, TESTS, World, board, picture, wait_until};

/// Tried again in place: the second attempt finds what the first one left.
fn rules(work: &str) -> String {
    format!(
        "\
statuses:
  In Progress:
    prompt: Implement the card.
    onPass: Done
    onFail: In Progress
    onExhausted: Blocked
    maxAttempts: 2
    require: 2
    evidence: [changes]
    guardPaths: ['checks/**']
    onFailWork: {work}
"
    )
}

fn world(work: &str) -> World {
    World::new("- [ ] KB-1 first @made @checked\n").with("transitions.yaml", rules(work))
}

/// The repository's files but for the board and what the program keeps; and the user's git.
fn files(world: &World) -> std::collections::BTreeMap<String, Vec<u8>> {
    let all = picture(&world.path("repo"));
    let name = |path: &std::path::Path| path.strip_prefix(world.path("repo")).unwrap().display().to_string();
    let ours = |name: &String| name == "board.md" || name.starts_with(".cache");
    let read = |path: &std::path::Path, bytes: &[u8]| match fs::read_link(path) {
        Ok(target) => target.display().to_string().into_bytes(),
        Err(_) => {
            let mode = fs::symlink_metadata(path).unwrap().permissions().mode();
            [format!("{mode:o} ").as_bytes(), bytes].concat()
        }
    };
    let files = all.files().map(|(path, bytes)| (name(path), read(path, bytes)));
    files.filter(|(name, _)| !ours(name)).collect()
}

fn taken_back(world: &World) -> Vec<Value> {
    world.records("taken_back")
}

/// All that can be done to files: edited, made, removed, made executable, turned into a symlink and into a folder, binary.
const EVERYTHING: &str = "printf 'edited\\0\\377' >edited; make other; rm gone; chmod +x tool; ln -sf edited link; \
    rm -r folder; echo x >folder; rm file; mkdir -p file/deep; echo x >file/deep/a; git add -A; echo ignored >out.log";

fn with_files(world: World) -> World {
    for name in ["edited", "gone", "tool", "folder/a", "folder/b/c", "file"] {
        world.write(name, format!("{name}\n"));
    }
    world.write("private", "private\0\n");
    fs::set_permissions(world.repo("private"), fs::Permissions::from_mode(0o600)).unwrap();
    symlink("tool", world.repo("link")).unwrap();
    world.write(".gitignore", "*.log\n");
    world.git(&["add", "-A"]);
    world.git(&["commit", "-qm", "before"]);
    world
}

#[test]
fn reverted_work_leaves_every_file_as_it_was_and_ignored_ones_as_they_are() {
    let world = with_files(world("revert")).codex(&format!("{EVERYTHING}; printf 'worked\\n' >private"));
    let before = files(&world);
    let outcome = world.run(&["run"]).exits(0).says("KB-1.1: 11 files are as before its work");
    let mut after = files(&world);
    assert_eq!(after.remove("out.log").unwrap(), b"100644 ignored\n", "{outcome}");
    let changed = |name: &&String| !name.starts_with(".git/") && before.get(*name) != after.get(*name);
    let changed: Vec<&String> = before.keys().chain(after.keys()).filter(changed).collect();
    assert_eq!(changed, [] as [&String; 0], "{outcome}");
    assert_eq!(world.git(&["log", "--format=%s"]), "before\n");
    assert!(
        world.git(&["diff", "--cached", "--name-only"]).contains("made/KB-1.txt"),
        "the index is codex's and yours"
    );
    assert_eq!(world.places(), ["KB-1: Blocked"]);
}

/// A key that others may read, a folder that a program writes into, and what nobody could put back.
#[test]
fn reverted_work_leaves_what_git_does_not_know_as_it_was_and_tells_what_it_can_not_put_back() {
    let large = |world: &World, name: &str| {
        fs::File::create(world.repo(name)).unwrap().set_len((64 << 20) + 1).unwrap();
    };
    let work = "rm -r closed; rm key; rm -r empty; echo x >logs/today; rm -r inside; \
        rm gone.bin; echo more >>grown.bin; head -c 67108865 /dev/zero >new.bin; echo x >>key2";
    let rules = rules("revert").replace("maxAttempts: 2", "maxAttempts: 1");
    let world = with_files(world("revert")).with("transitions.yaml", rules).codex(work);
    let permissions = |name: &str| fs::metadata(world.repo(name)).unwrap().permissions().mode() & 0o777;
    let shut = |name: &str, mode| fs::set_permissions(world.repo(name), fs::Permissions::from_mode(mode)).unwrap();
    for (name, mode) in [("key", 0o600), ("key2", 0o640), ("closed/key", 0o600)] {
        world.write(name, "secret\n");
        shut(name, mode);
    }
    for (name, mode) in [("empty", 0o755), ("logs", 0o755), ("inside/deep/er", 0o710), ("closed", 0o700)] {
        fs::create_dir_all(world.repo(name)).unwrap();
        shut(name, mode);
    }
    ["gone.bin", "grown.bin", "same.bin"].into_iter().for_each(|name| large(&world, name));
    world.git(&["add", "grown.bin"]);
    let told = world.run(&["run"]).exits(0).says("KB-1.1: 4 files are as before its work");
    let told = told.says("left: grown.bin: it is larger than 64 MiB, and it was changed");
    let left = [
        ("new.bin", "it is larger than 64 MiB"),
        ("gone.bin", "it is larger than 64 MiB, and it was removed"),
        ("grown.bin", "it is larger than 64 MiB, and it was changed"),
    ];
    let left = left.map(|(path, reason)| json!({"path": path, "reason": reason}));
    assert_eq!(taken_back(&world)[0]["left"], json!(left), "{told}");
    for (name, mode) in [("key", 0o600), ("key2", 0o640), ("closed/key", 0o600)] {
        assert_eq!((permissions(name), world.read(name)), (mode, "secret\n".to_owned()), "{name}: {told}");
    }
    for (name, mode) in [("empty", 0o755), ("logs", 0o755), ("inside/deep/er", 0o710), ("closed", 0o700)] {
        assert_eq!(permissions(name), mode, "{name}: {told}");
    }
    assert!(!world.repo("logs/today").exists());
}

#[test]
fn stashed_work_comes_back_by_the_command_that_the_report_and_explain_name() {
    let world = with_files(world("stash")).codex(EVERYTHING);
    let outcome = world.run(&["run", "--max-attempts", "1"]).exits(0);
    let [first, second] = &taken_back(&world)[..] else { panic!("{outcome}") };
    let command = second["restore"].as_str().unwrap();
    let outcome = outcome.says(command).says(first["restore"].as_str().unwrap());
    let page = world.run(&["explain", "KB-1"]).exits(0).says("10 files are as before it");
    assert!(page.stdout.split_whitespace().collect::<Vec<_>>().join(" ").contains(command), "{page}");
    assert_eq!(world.read("edited"), "edited\n");
    let done = std::process::Command::new("sh").args(["-c", command]).current_dir(world.path("")).output().unwrap();
    assert!(done.status.success(), "{command}: {done:?} after {outcome}");
    assert_eq!(fs::read(world.repo("edited")).unwrap(), b"edited\0\xff");
    assert_eq!(fs::read_link(world.repo("link")).unwrap().to_str(), Some("edited"));
    assert_eq!(fs::metadata(world.repo("tool")).unwrap().permissions().mode() & 0o111, 0o111);
    assert_eq!((world.read("folder"), world.read("file/deep/a")), ("x\n".into(), "x\n".into()));
    assert!(!world.repo("gone").exists());
}

/// The first attempt does one half, the second the other.
#[test]
fn what_was_taken_back_proves_nothing_and_the_next_attempt_is_told_so() {
    let halves = "if [ -e \"$WORLD/once\" ]; then make checked; else : >\"$WORLD/once\"; make made; fi";
    for (work, place) in [("keep", "Done"), ("revert", "Blocked"), ("stash", "Blocked")] {
        let world = world(work).codex(halves);
        let outcome = world.run(&["run"]).exits(0);
        assert_eq!(world.places(), [format!("KB-1: {place}")], "{work}: {outcome}");
        let told = world.prompt("KB-1.2");
        assert_eq!(told.contains("What it did was taken back"), work != "keep", "{work}: {told}");
        assert_eq!(told.contains("Files that were changed for this card already"), work == "keep", "{work}: {told}");
        assert_eq!(taken_back(&world).len(), if work == "keep" { 0 } else { 2 }, "{outcome}");
    }
    // A line that the first attempt took away, and that came back with its file, is gained by who writes it elsewhere.
    let world = world("revert")
        .with("made/old.txt", "made for KB-1\nchecked for KB-1\n")
        .codex("if [ -e \"$WORLD/once\" ]; then make made; make checked; else : >\"$WORLD/once\"; rm made/old.txt; fi");
    world.run(&["run"]).exits(0).says("1 promoted");
    assert_eq!(world.read("made/old.txt"), "made for KB-1\nchecked for KB-1\n");
}

#[test]
fn what_somebody_changes_after_the_attempt_is_left_and_told() {
    let tests = format!("{}@slow :: shell:sh checks/slow.sh\n", crate::support::TESTS);
    let world = World::new("- [ ] KB-1 first @made @checked @slow\n")
        .with("transitions.yaml", rules("stash").replace("maxAttempts: 2", "maxAttempts: 1"))
        .with("tests.txt", tests)
        .program("checks/slow.sh", "[ -e made/KB-1.txt ] && echo theirs >>made/KB-1.txt\nexit 1\n")
        .env("ALLOW_SHELL_TESTS", "true")
        .env("SHELL_TEST_ALLOWLIST", "sh")
        .codex("make other; make more; echo x >alone");
    world.run(&["run"]).exits(0).says("1 file is as before its work").says("left: made/KB-1.txt: it was changed since");
    assert_eq!(world.read("made/KB-1.txt"), "other for KB-1\nmore for KB-1\ntheirs\n");
    assert!(!world.repo("alone").exists());
    let back = &taken_back(&world)[0];
    assert_eq!(back["works"], json!([{"attempt": "KB-1.1", "paths": ["alone"]}]));
    world.run(&["explain", "KB-1"]).exits(0).says("left: made/KB-1.txt: it was changed since");
    let command = back["restore"].as_str().unwrap().to_owned();
    std::process::Command::new("sh").args(["-c", &command]).status().unwrap();
    assert_eq!(world.read("alone"), "x\n", "what was left is not in the patch");
}

#[test]
fn a_check_that_was_weakened_is_put_back_and_what_a_card_is_judged_by_is_not_touched() {
    let weaken = "if [ -e \"$WORLD/once\" ]; then make made; make checked; else : >\"$WORLD/once\"; make made; \
        make checked; echo true >checks/a.sh; echo '@new :: includes:new' >>tests.txt; echo '- [ ] KB-9 new' >>board.md; fi";
    let world = world("revert").program("checks/a.sh", "false\n").codex(weaken);
    let tests = format!("{}@runs :: shell:sh checks/a.sh\n", crate::support::TESTS);
    let world = world.with("tests.txt", tests).env("ALLOW_SHELL_TESTS", "true").env("SHELL_TEST_ALLOWLIST", "sh");
    world.edit("board.md", "@made @checked", "@made @checked @runs");
    world.run(&["run"]).exits(0).says("tampered").says("KB-1.1: 2 files are as before its work");
    assert_eq!(world.read("checks/a.sh"), "false\n");
    assert!(world.read("tests.txt").contains("@new"), "`accept` decides on that");
    assert!(world.board().contains("KB-9 new"));
    assert!(world.places().contains(&"KB-1: Done".to_owned()), "{}", world.board());
    assert!(world.prompt("KB-1.2").contains("leave that as it is"));
}

#[test]
fn a_failure_whose_move_is_vetoed_is_taken_back_all_the_same_and_a_pass_never() {
    for (work, left) in [("make other", false), ("make made; make checked", true)] {
        let rules = rules("revert")
            .replace("onFail: In Progress", "onFail: Needs Specs")
            .replace("maxAttempts: 2", "maxAttempts: 9");
        let rules = format!("{rules}    beforeTransition: {{ shell: 'false' }}\n");
        let world = world("revert").with("transitions.yaml", rules).codex(work);
        world.run(&["run", "--max-cards", "1", "--max-failures", "1"]).says("vetoed");
        assert_eq!(world.places(), ["KB-1: In Progress"]);
        assert_eq!(world.repo("made/KB-1.txt").exists(), left, "{work}");
        assert_eq!(world.repo("made").exists(), left, "{work}: nor is its folder left");
    }
}

#[test]
fn what_was_interrupted_stays_for_the_next_attempt_and_goes_when_that_fails() {
    let world = world("stash").with("kept.txt", "before\n").codex("echo half >>kept.txt; make half; wait_for go");
    let running = world.start(&["run"]);
    world.wait_for("waiting");
    running.kill();
    let world = world.codex("cp kept.txt \"$WORLD/found\"; echo whole >>kept.txt; echo x >alone");
    let outcome = world.run(&["run"]).exits(0).says("KB-1.2: 3 files are as before its work");
    assert_eq!(fs::read_to_string(world.path("found")).unwrap(), "before\n", "of the last: {outcome}");
    assert_eq!(world.read("kept.txt"), "before\n");
    assert!(!world.repo("made").exists() && !world.repo("alone").exists());
    let back = &taken_back(&world)[0];
    let works = json!([
        {"attempt": "KB-1.1", "paths": ["kept.txt", "made/KB-1.txt"]}, {"attempt": "KB-1.2", "paths": ["alone", "kept.txt"]},
    ]);
    assert_eq!(back["works"], works);
    std::process::Command::new("sh").args(["-c", back["restore"].as_str().unwrap()]).status().unwrap();
    assert_eq!((world.read("kept.txt"), world.read("alone")), ("before\nhalf\nwhole\n".into(), "x\n".into()));
    assert_eq!(world.read("made/KB-1.txt"), "half for KB-1\n");
}

/// By the next attempt it would be proved, or taken back with the rest.
#[test]
fn what_a_person_does_between_a_kill_and_the_next_run_is_nobodys_attempt() {
    for work in ["keep", "revert"] {
        let world = world(work).with("theirs.txt", "before\n").with("own.txt", "before\n");
        let world = world.codex("echo half >>own.txt; make half; rm theirs.txt; echo again >theirs.txt; wait_for go");
        let running = world.start(&["run"]);
        world.wait_for("waiting");
        running.kill();
        wait_until("codex's end", || world.cache("attempts/KB-1.1/exit.json").exists());
        std::thread::sleep(std::time::Duration::from_millis(50));
        world.write("made/mine.txt", "made for KB-1\nchecked for KB-1\n");
        world.write("theirs.txt", "mine\n");
        let world = world.codex("make other");
        let outcome = world.run(&["run"]).exits(0);
        assert_eq!(world.places(), ["KB-1: Blocked"], "{work}: {outcome}");
        let theirs = (world.read("made/mine.txt"), world.read("theirs.txt"));
        assert_eq!(theirs, ("made for KB-1\nchecked for KB-1\n".into(), "mine\n".into()), "{work}: {outcome}");
        let own = if work == "keep" { "before\nhalf\n" } else { "before\n" };
        assert_eq!((&*world.read("own.txt"), world.repo("made/KB-1.txt").exists()), (own, work == "keep"), "{outcome}");
    }
}

/// Whenever the kill comes, the next run finds what is done and does the rest.
#[test]
fn killed_while_it_is_taken_back_the_next_run_goes_on_with_that() {
    let many = "for n in $(seq 150); do mkdir -p d/$n; echo x >d/$n/new; echo x >>old/$n; done";
    let world = world("stash").codex(many);
    (1..=150).for_each(|number| world.write(&format!("old/{number}"), "before\n"));
    let before = files(&world);
    for attempt in 1..=2 {
        let running = world.start(&["run"]);
        wait_until("the beginning", || {
            let text = fs::read_to_string(world.cache("journal.jsonl")).unwrap_or_default();
            text.matches("take_back_started").count() == attempt
        });
        running.kill();
    }
    let outcome = world.run(&["run"]).exits(0);
    assert_eq!(files(&world), before, "{outcome}");
    assert_eq!(world.executions().len(), 2, "{outcome}");
    let paths: Vec<usize> =
        taken_back(&world).iter().map(|back| back["works"][0]["paths"].as_array().unwrap().len()).collect();
    assert_eq!(paths, [300, 300], "{outcome}");
    assert_eq!(world.places(), ["KB-1: Blocked"]);
}

#[test]
fn a_dirty_start_is_said_once_and_a_clean_one_is_not() {
    let world = with_files(world("keep")).codex("make made; make checked");
    let outcome = world.run(&["run"]).exits(0);
    assert!(!outcome.stdout.contains("not committed"), "{outcome}");
    world.write("edited", "by me\n");
    let outcome = world.run(&["run"]).exits(0);
    assert_eq!(outcome.stdout.matches("not committed: edited, made/KB-1.txt; ").count(), 1, "{outcome}");
    let outside = World::outside_git("- [ ] KB-1 first @made\n").with("edited", "by me\n");
    let outcome = outside.run(&["run"]).exits(0);
    assert!(!outcome.stdout.contains("not committed"), "{outcome}");
}

/// As in a home folder whose dotfiles are committed one by one.
#[test]
fn a_workspace_that_git_ignores_is_said_before_and_after_codex_is_paid() {
    const WARNING: &str = "warning   git ignores new files in the workspace";
    for (patterns, workspace, warned, place) in [
        ("*\n", "desk", true, "KB-1: Needs Specs"),
        ("*\n", ".", true, "KB-1: Needs Specs"),
        ("/*\n", "desk", false, "KB-1: Done"),
        ("desk/\n", "desk", false, "KB-1: Done"),
    ] {
        let world = World::new("").with(".gitignore", patterns);
        world.write("desk/tests.txt", TESTS);
        let strict = "    evidence: [changes]\n    requireChanges: true\n";
        world.write("desk/transitions.yaml", RULES.replace("    evidence: [changes]\n", strict));
        world.write("desk/board.md", board::with("- [ ] KB-1 first @made\n"));
        let args = |command| [command, "--source", "desk/board.md", "--workspace", workspace];
        let outcome = world.run(&args("run")).exits(0);
        assert_eq!(outcome.stdout.contains(WARNING), warned, "{patterns:?} {workspace}: {outcome}");
        assert_eq!(board::places(&world.read("desk/board.md")), [place], "{patterns:?} {workspace}: {outcome}");
        if warned {
            let start = outcome.stdout.find("start  ").unwrap();
            assert!(outcome.stdout.find(WARNING).unwrap() < start, "{outcome}");
            outcome.says("nothing was changed (what git ignores does not count); 0 of 1 required tests passed");
        }
    }
}

/// Of an attempt that failed, passed, or was interrupted: the same work, the same patch.
#[test]
fn the_patch_of_each_attempt_is_what_git_apply_takes() {
    let patches = |script: &str, kill: bool| {
        let world = with_files(world("revert")).codex(script);
        match kill {
            true => {
                let running = world.start(&["run"]);
                world.wait_for("waiting");
                running.kill();
                let world = world.codex("true");
                world.run(&["run", "--max-attempts", "1"]).exits(0);
                // That work is gone with what went on with it.
                return fs::read(world.cache("attempts/KB-1.1/changes.patch")).unwrap();
            }
            false => drop(world.run(&["run"]).exits(0)),
        }
        let patch = world.cache("attempts/KB-1.1/changes.patch");
        world.git(&["reset", "-q"]);
        world.git(&["apply", patch.to_str().unwrap()]);
        assert_eq!(fs::read(world.repo("edited")).unwrap(), b"edited\0\xff");
        assert_eq!(fs::read(world.repo("latin")).unwrap(), b"\xe4\xf6\xfc\n", "a text that is not UTF-8");
        fs::read(patch).unwrap()
    };
    let work = format!("{EVERYTHING}; printf '\\344\\366\\374\\n' >latin");
    let failed = patches(&work, false);
    assert_eq!(patches(&format!("{work}; wait_for go"), true), failed);
}

#[test]
fn a_patch_that_is_too_large_is_not_kept_and_that_is_said() {
    let world = world("revert").codex("head -c 16000000 /dev/urandom | base64 >large");
    let outcome = world.run(&["run", "--max-attempts", "1"]).exits(0).warns("its patch holds 20 MiB and is not kept");
    assert!(!world.cache("attempts/KB-1.1/changes.patch").exists());
    assert!(!world.repo("large").exists(), "the trees are: {outcome}");
}
