//! Real boards, where they are at hand: every card is moved to every other column, and nothing else may change.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kanban_codex_exec::board::{Board, Card, Column};
use kanban_codex_exec::provider::markdown::edit::{self, Edited};
use kanban_codex_exec::provider::markdown::parse::{Mode, parse};

use crate::fuzzed::board::{self as fuzzed, Unmoved};

#[derive(Debug, Default)]
struct Tally {
    files: usize,
    unreadable: BTreeMap<String, usize>,
    cards: usize,
    refused: BTreeMap<String, usize>,
    moves: usize,
    notes: usize,
    unmovable: Vec<String>,
    violations: Vec<String>,
}

fn corpus(family: &str) -> Option<Vec<(PathBuf, String)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/boards").join(family);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).ok()?.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let text = |path: PathBuf| std::fs::read_to_string(&path).ok().map(|text| (path, text));
    Some(files.into_iter().filter_map(text).collect())
}

fn check_move(text: &str, board: &Board, card: &Card, to: &Column, tally: &mut Tally, name: &str) {
    match fuzzed::moved(text, board, card, to) {
        Ok(_) => tally.moves += 1,
        Err(Unmoved::Refused(reason)) => tally.unmovable.push(format!("{name}: {} to {to}: {reason}", card.title)),
        Err(Unmoved::Broken(what)) => tally.violations.push(format!("{name}: {what}")),
    }
}

fn check_note(text: &str, mode: Mode, board: &Board, card: &Card, tally: &mut Tally, name: &str) {
    if fuzzed::noted(text, mode, board, card) < 3 {
        tally.violations.push(format!("{name}: a note on {} is refused", card.title));
    }
    tally.notes += 1;
}

/// Every `stride`th move and note of each board.
fn run(family: &str, stride: usize) -> Option<Tally> {
    let mut tally = Tally::default();
    for (path, text) in corpus(family)? {
        tally.files += 1;
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let board = match parse(&text, Mode::Board) {
            Ok(parsed) => parsed.board(),
            Err(wrong) => {
                *tally.unreadable.entry(wrong.text).or_default() += 1;
                continue;
            }
        };
        tally.cards += board.cards.len();
        for refused in &board.refused {
            *tally.refused.entry(refused.reason.clone()).or_default() += 1;
        }
        for card in board.cards.iter().step_by(stride) {
            check_note(&text, Mode::Board, &board, card, &mut tally, &name);
        }
        let pairs = board.cards.iter().flat_map(|card| board.columns.iter().map(move |to| (card, to)));
        let moves = pairs.filter(|(card, to)| **to != card.status);
        for (card, to) in moves.step_by(stride) {
            check_move(&text, &board, card, to, &mut tally, &name);
        }
    }
    Some(tally)
}

fn report(family: &str, tally: &Tally) {
    println!("{family}: {} files, {} cards, {} moves, {} notes", tally.files, tally.cards, tally.moves, tally.notes);
    for (what, counts) in [("unreadable", &tally.unreadable), ("refused", &tally.refused)] {
        for (reason, count) in counts {
            println!("  {what} {count}: {reason}");
        }
    }
    println!("  unmovable {}", tally.unmovable.len());
    for line in tally.unmovable.iter().take(30) {
        println!("    {line}");
    }
    for violation in tally.violations.iter().take(20) {
        println!("  VIOLATION {violation}");
    }
}

fn check(families: &[&str], stride: usize) {
    for family in families {
        let Some(tally) = run(family, stride) else {
            println!("skipped: the corpus of {family} boards is not here");
            continue;
        };
        report(family, &tally);
        assert!(tally.files > 0 && tally.violations.is_empty(), "{} violations", tally.violations.len());
        // To-do lists are no boards: some have ordered lists, where cards with sub-items at two spaces don't fit.
        assert!(tally.unmovable.is_empty() || *family == "todo", "{} unmovable", tally.unmovable.len());
    }
}

const FAMILIES: [&str; 5] = ["obsidian", "plain", "taskell", "vscode", "todo"];

/// A prime, so that columns and cards of every place take their turns.
#[test]
fn a_sample_of_the_moves_of_real_boards() {
    check(&FAMILIES, 17);
}

#[test]
#[ignore = "takes minutes: run it when parsing or moving changed"]
fn every_move_of_real_boards() {
    check(&FAMILIES, 1);
}

/// What is only named like a board must not become work.
#[test]
fn documents_are_no_boards() {
    let Some(files) = corpus("notboards") else {
        return println!("skipped: the corpus of other documents is not here");
    };
    for (path, text) in files {
        if let Ok(parsed) = parse(&text, Mode::Board) {
            let board = parsed.board();
            let titles: Vec<&str> = board.cards.iter().map(|card| &*card.title).collect();
            assert!(titles.is_empty(), "{}: {titles:?}", path.display());
            println!("{}: no cards, refused {:?}", path.display(), board.refused);
        }
    }
}

/// To-do lists: item after item is ticked until none is left, one byte each where there are checkboxes.
#[test]
fn to_do_lists_drain() {
    let Some(files) = corpus("todo") else {
        return println!("skipped: the corpus of to-do lists is not here");
    };
    let (todo, done) = (Column::from("Todo"), Column::from("Done"));
    let (mut tally, mut ticks) = (Tally::default(), 0);
    for (path, original) in files {
        tally.files += 1;
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut text = original.clone();
        let mut noted = false;
        loop {
            let board = parse(&text, Mode::Next).unwrap().board();
            let Some(card) = board.cards.first().cloned() else { break };
            if !noted {
                check_note(&text, Mode::Next, &board, &card, &mut tally, &name);
                noted = true;
            }
            if let Ok(Edited::Text(stamped)) = edit::stamp(&text, Mode::Next, &card.id, &todo) {
                text = stamped;
            }
            let Edited::Text(ticked) = edit::transition(&text, Mode::Next, &card.id, &todo, &done, None).unwrap()
            else {
                panic!("{name}: {} is not ticked", card.title)
            };
            let differ = ticked.bytes().zip(text.bytes()).filter(|(new, old)| new != old).count();
            if !(ticked.len() == text.len() && differ == 1 || ticked.len() == text.len() + 4) {
                tally.violations.push(format!("{name}: {}", card.title));
            }
            ticks += 1;
            text = ticked;
        }
        for refused in &parse(&text, Mode::Next).unwrap().board().refused {
            *tally.refused.entry(refused.reason.clone()).or_default() += 1;
        }
    }
    report("to-do lists", &tally);
    println!("  ticks {ticks}");
    assert!(tally.violations.is_empty());
}
