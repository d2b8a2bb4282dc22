//! CACHE_DIR is damaged, in mid-run or between runs, or its times are wrong: what is there no more is made anew, no card is
//! lost, and what the journal still knows is not done twice.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use kanban_codex_exec::cycle::state::State;
use kanban_codex_exec::journal::replay::replay;

use crate::support::board::{self, cards};
use crate::support::{Outcome, RULES, World, picture, program};

const WORK: &str = "make made; [ $card$step != KB-1Implement ] || wait_for go";
const EACH_ONCE: [&str; 4] = ["KB-1 Implement", "KB-1 Review", "KB-2 Implement", "KB-2 Review"];

fn sorted(world: &World) -> Vec<String> {
    let mut executions = world.executions();
    executions.sort_unstable();
    executions
}

fn remove(path: &Path) {
    if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
}

/// Every plain file below.
fn files(folder: &Path) -> Vec<PathBuf> {
    picture(folder).files().map(|(path, _)| path.to_owned()).filter(|path| path.is_file()).collect()
}

#[test]
fn what_is_removed_while_codex_works_and_is_no_witness_costs_nothing() {
    for what in ["attempts", "inputs", "logs"] {
        let world = World::new(&cards(2)).codex(WORK);
        world.run_while(&["run"], |world| remove(&world.cache(what))).exits(0);
        assert_eq!(
            (world.places(), sorted(&world).len()),
            (vec!["KB-1: Done".into(), "KB-2: Done".into()], 4),
            "{what}"
        );
    }
}

/// A sandboxed codex may write there, and nowhere outside the workspace.
#[test]
fn a_link_that_codex_leaves_leads_nothing_of_the_programs_elsewhere() {
    let world = World::new(&cards(2)).codex(WORK);
    let outside = world.path("outside");
    let links = ["KB-1.1/changes.patch", "KB-1.1/exit.json", "KB-1.2", "KB-2.1/prompt.md", "KB-2.1/events.jsonl"];
    let outcome = world.run_while(&["run"], |world| {
        fs::create_dir(&outside).unwrap();
        for link in links {
            let link = world.cache("attempts").join(link);
            let file = outside.join(link.file_name().unwrap());
            match link.extension() {
                Some(_) => fs::write(&file, "somebody's").unwrap(),
                None => fs::create_dir(&file).unwrap(),
            }
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            symlink(file, link).unwrap();
        }
    });
    outcome.exits(0).says("4 promoted");
    for link in links {
        let link = world.cache("attempts").join(link);
        let file = outside.join(link.file_name().unwrap());
        match link.extension() {
            Some(_) => assert_eq!(fs::read_to_string(&file).unwrap(), "somebody's", "{}", link.display()),
            None => assert_eq!(fs::read_dir(&file).unwrap().count(), 0, "{}", link.display()),
        }
        assert!(!link.is_symlink() && link.exists(), "{}", link.display());
    }
}

#[test]
fn a_witness_that_is_removed_while_codex_works_bounces_that_card_alone() {
    for (what, told) in [
        ("git", "the index of the trees"),
        ("index.bin", "the index of the tests"),
        ("journal.jsonl", "the journal"),
        ("", "the index of the tests, the index of the trees, the journal"),
    ] {
        let world = World::new(&cards(2)).codex(WORK);
        let outcome = world.run_while(&["run"], |world| remove(&world.cache(what)));
        outcome.exits(0).says(&format!("Needs Specs: changed during the attempt: {told}"));
        assert_eq!(world.places(), ["KB-1: Needs Specs", "KB-2: Done"], "{what}");
        assert_eq!(world.records("attempt_started").len(), 3, "{what}: the journal is whole again");
        assert_eq!(fs::read_to_string(world.cache(".gitignore")).unwrap(), "*\n");
        world.run(&["run"]).exits(0);
        assert_eq!(world.executions().len(), 3, "{what}");
    }
}

#[test]
fn a_codex_that_cleans_all_that_is_ignored_away_bounces_and_is_not_paid_again() {
    for work in ["make made", "echo more >>notes.txt; make made"] {
        // What stood there is in CACHE_DIR alone.
        let clean = format!("git clean -qfdx; {work}");
        let world = World::new(&cards(1)).with("notes.txt", "mine\n").codex(&clean);
        world.git(&["add", "board.md", "tests.txt", "transitions.yaml"]);
        world.git(&["commit", "-qm", "start"]);
        world.run(&["run"]).exits(0).says("changed during the attempt: ").says("0 promoted, 1 bounced");
        assert_eq!(world.places(), ["KB-1: Needs Specs"], "{work}");
        world.run(&["run"]).exits(0).says("0 promoted, 0 bounced");
        assert_eq!(world.records("attempt_started").len(), 1, "{work}");
    }
}

/// What stands already would be no news, so codex would be paid for nothing.
#[test]
fn a_card_whose_work_can_not_be_proved_any_more_waits_for_a_person_and_the_others_go_on() {
    let removes = "make made; if [ $card = KB-2 ]; then rm -rf .cache; fi";
    let world = World::new(&cards(3)).codex(removes);
    let outcome = world.run(&["run"]).exits(0).says("lost      KB-1: somebody removed the saved trees of KB-1.1");
    assert_eq!(world.places(), ["KB-2: Needs Specs", "KB-1: Needs Specs", "KB-3: Done"], "{outcome}");
    assert_eq!(sorted(&world), ["KB-1 Implement", "KB-2 Implement", "KB-3 Implement", "KB-3 Review"], "{outcome}");
    assert!(world.board().contains("can't be proved any more, for its saved trees were removed"), "{}", world.board());
    world.run(&["run"]).exits(0).says("0 promoted, 0 bounced, 0 unverified");
    assert_eq!(world.executions().len(), 4);
    let world = world.with("board.md", board::with(&cards(1)));
    world.run(&["run"]).exits(0).says("2 promoted");
    assert_eq!(world.executions().len(), 6, "what a person has looked at and moved back is worked anew");
}

#[test]
fn a_codex_that_removes_what_its_own_card_is_judged_by_is_not_paid_to_the_last_attempt() {
    let rules = RULES.replace("onFail: Needs Specs", "onFail: In Progress");
    let world = World::new(&cards(1)).with("transitions.yaml", rules).codex("rm -rf .cache; make made");
    for starts in ["the saved trees of the card's attempts, which are gone", "1 unverified, 0 failed"] {
        let outcome = world.run(&["run"]).exits(0).says(starts);
        assert_eq!((world.places(), world.executions().len()), (vec!["KB-1: In Progress".to_owned()], 2), "{outcome}");
    }
    assert!(world.board().contains("can't be proved any more, for its saved trees were removed"), "{}", world.board());
}

/// Rewrites the newest commit and lets go of what was there before.
const REWRITE: &str = "git -c user.name=t -c user.email=t@localhost commit -qa --amend -m again; \
    git reflog expire --expire=now --all; git gc -q --prune=now";

/// Of a repository with a commit in which the file that KB-1 asks for stands.
fn committed(codex: &str) -> World {
    let world = World::new(&cards(1)).with("made/KB-1.txt", "old\n").codex(codex);
    world.git(&["add", "--all"]);
    world.git(&["commit", "-qm", "start"]);
    world
}

#[test]
fn a_codex_that_removes_what_git_had_of_the_files_bounces_and_is_not_paid_again() {
    for removes in ["rm -rf .git", "rm -rf .git; git init -q; git add --all", REWRITE] {
        let world = committed(&format!("make made; {removes}"));
        let told = "Needs Specs: changed during the attempt: git's objects of what it changed, which are gone";
        world.run(&["run"]).exits(0).says(told);
        world.run(&["run"]).exits(0).says("0 promoted, 0 bounced");
        assert_eq!(world.records("attempt_started").len(), 1, "{removes}");
    }
}

#[test]
fn what_git_lets_go_of_after_an_attempt_is_still_its_evidence_and_can_be_taken_back() {
    for (review, place, stands) in [
        ("make made", "Done", "old\nmade for KB-1\nmade for KB-1\n"),
        ("sed -i d made/KB-1.txt", "In Progress", "old\nmade for KB-1\n"),
    ] {
        let rules = RULES.replace("  Review:\n", "  Review:\n    onFailWork: revert\n");
        let world = committed(&format!("case $step in Review) {review} ;; *) make made ;; esac"))
            .with("transitions.yaml", rules);
        world.run(&["run", "--max-tokens", "100"]).exits(3);
        assert_eq!(world.places(), ["KB-1: Review"]);
        let rewritten = Command::new("sh").args(["-c", REWRITE]).current_dir(world.path("repo")).status();
        assert!(rewritten.unwrap().success());
        world.run(&["run", "--max-tokens", "100"]);
        assert_eq!((world.places(), world.read("made/KB-1.txt")), (vec![format!("KB-1: {place}")], stands.to_owned()));
    }
}

/// All but the journal.
fn damage(world: &World, damaged: impl Fn(&Path)) {
    files(&world.cache("")).iter().filter(|path| !path.ends_with("journal.jsonl")).for_each(|path| damaged(path));
}

#[test]
fn what_is_damaged_between_runs_is_made_anew_or_told_with_what_to_do() {
    type Damage = fn(&Path);
    let cases: [(Damage, bool); 3] = [
        (|path| fs::remove_file(path).unwrap(), true),
        (|path| fs::write(path, "").unwrap(), false),
        (|path| fs::write(path, [0xa7; 100]).unwrap(), false),
    ];
    let cases = cases.into_iter().flat_map(|(damaged, mends)| [(damaged, mends, true), (damaged, mends, false)]);
    for (damaged, mends_itself, attended) in cases {
        let world = World::new(&cards(2));
        world.run(&["run", "--max-cards", "1"]).exits(3);
        damage(&world, damaged);
        if !mends_itself {
            let told = world.run(&["run"]).exits(1).warns("cannot read the saved trees in ");
            told.warns("or remove all of ").warns(": then each card begins anew where it stands");
            assert_eq!(world.places(), ["KB-2: In Progress", "KB-1: Done"]);
            // Where nobody is there to do it, the attempt that met the damage is made once more.
            if attended {
                remove(&world.cache(""));
            }
        }
        world.run(&["run"]).exits(0);
        assert_eq!(world.places(), ["KB-1: Done", "KB-2: Done"]);
        let again = if mends_itself { 0 } else { 1 };
        assert_eq!(world.executions().len(), 4 + again);
    }
}

#[test]
fn a_clock_that_jumps_repeats_nothing_and_ends_nothing_early() {
    for hours in [-30, 30] {
        let world = World::new(&cards(2));
        world.run(&["run", "--max-cards", "1"]).exits(3);
        world.age(-hours);
        for path in files(&world.path("repo")) {
            let time = SystemTime::now() + Duration::from_secs(36 * 3600);
            // Git's objects can't be opened for writing by everybody.
            File::options().append(true).open(path).and_then(|file| file.set_modified(time)).ok();
        }
        world.run(&["run", "--max-duration", "1h"]).exits(0).says("2 promoted");
        assert_eq!(
            (world.places(), sorted(&world)),
            (vec!["KB-1: Done".into(), "KB-2: Done".into()], EACH_ONCE.map(String::from).to_vec())
        );
        let mut times: Vec<Timestamp> =
            world.journal().iter().map(|record| record["at"].as_str().unwrap().parse().unwrap()).collect();
        assert!(times.is_sorted(), "what happens later never looks earlier: {times:?}");
        times.dedup();
        assert!(times.len() > 5);
    }
}

#[test]
fn a_clock_that_was_ahead_switches_no_guard_off_and_no_window_holds_for_ever() {
    let world = World::new(&cards(3));
    world.run(&["run", "--max-cards", "1"]).exits(3);
    world.age(-30);
    world.run(&["run", "--max-duration", "1ms"]).exits(3).says("--max-duration");
    let windowed = ["run", "--max-cards", "1", "--budget-window", "5s"];
    world.run(&windowed).exits(3);
    assert_eq!(world.executions().len(), 2, "what was spent in the future counts from now on");
    std::thread::sleep(Duration::from_secs(5));
    world.run(&windowed).exits(3);
    assert_eq!(world.executions().len(), 4);
}

/// Runs it where no file may grow beyond so many KiB.
fn limited(world: &World, kib: usize) -> Outcome {
    let mut command = Command::new("bash");
    command.args([
        "-c",
        &format!("ulimit -c 0; ulimit -f {kib}; exec \"$0\" \"$@\""),
        env!("CARGO_BIN_EXE_kanban-codex-exec"),
    ]);
    world.start_as(command, &["run"]).outcome()
}

#[test]
fn a_limit_on_the_size_of_files_is_told_and_does_not_end_the_runner_silently() {
    if program("bash").is_none() {
        return;
    }
    for kib in [4, 16, 64, 8 << 10] {
        let world = World::new(&cards(1));
        let board = world.board();
        limited(&world, kib).exits(1).warns("File too large").warns("hint: a limit on the size of files is set");
        assert_eq!((world.board(), world.executions().len()), (board, 0), "{kib} KiB");
        world.run(&["run"]).exits(0).says("2 promoted");
    }
}

#[test]
fn a_codex_that_a_limit_on_the_size_of_files_kills_costs_no_card_an_attempt() {
    if program("bash").is_none() {
        return;
    }
    // As codex itself would die of it; what its tools meet is their own affair.
    let large = "raw\nbegin\n[ -e \"$WORLD/mended\" ] || exec head -c 60000000 /dev/zero >big; rm -f big; make made; say Done.; complete";
    let world = World::new(&cards(1)).codex(large);
    let board = world.board();
    limited(&world, 32 << 10).exits(4).says("codex was killed by signal 25").warns("hint: ");
    assert_eq!(world.board(), board);
    fs::write(world.path("mended"), "").unwrap();
    world.run(&["run"]).exits(0).says("attempt 1 of 3").says("2 promoted");
}

#[test]
fn no_byte_of_a_journal_is_so_dear_that_its_damage_stops_the_reading() {
    let world = World::new(&cards(1));
    world.run(&["run"]).exits(0);
    let whole = fs::read(world.cache("journal.jsonl")).unwrap();
    let lines = whole.split(|byte| *byte == b'\n').count() - 1;
    let read = |bytes: &[u8], what: &dyn Fn() -> String| match replay(bytes, Path::new("journal.jsonl")) {
        Ok(replayed) => {
            let mut state = State::default();
            replayed.records.iter().for_each(|record| state.apply(record));
            replayed.records.len() + replayed.damaged.len()
        }
        // Its version number became a greater one.
        Err(failure) => {
            assert!(failure.to_string().contains("written by a newer kanban-codex-exec"), "{}: {failure}", what());
            lines
        }
    };
    for at in 0..whole.len() {
        for flip in [0x01, 0x08, 0x20, 0x80] {
            let mut bytes = whole.clone();
            bytes[at] ^= flip;
            let told = || format!("byte {at} with {flip:#x}");
            // A line end less or more makes a line less or more.
            let found = read(&bytes, &told);
            assert!(found.abs_diff(lines) <= 1, "{}: {found} of {lines} lines", told());
        }
        read(&whole[..at], &|| format!("cut at {at}"));
    }
}

#[test]
fn a_run_on_a_journal_with_a_flipped_bit_loses_no_card() {
    let world = World::new(&cards(2));
    world.run(&["run", "--max-cards", "1"]).exits(3);
    let (whole, board) = (fs::read(world.cache("journal.jsonl")).unwrap(), world.board());
    // Without its end the last line is torn, which is no damage: see above and `journal`.
    for at in (0..whole.len() - 1).step_by(whole.len() / 12) {
        world.write("board.md", &board);
        let mut bytes = whole.clone();
        bytes[at] ^= 0x80;
        fs::write(world.cache("journal.jsonl"), bytes).unwrap();
        let outcome = world.run(&["run"]).exits(0).says("are damaged; the rest is used");
        assert_eq!(world.places(), ["KB-1: Done", "KB-2: Done"], "byte {at}: {outcome}");
    }
}
