//! A board: cards are moved there and back, stamped and noted, and all other bytes stay.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use kanban_codex_exec::board::{Board, Card, CardId, Column};
use kanban_codex_exec::provider::Note;
use kanban_codex_exec::provider::markdown::Markdown;
use kanban_codex_exec::provider::markdown::edit::{self, Edited};
use kanban_codex_exec::provider::markdown::parse::{Mode, Reader, parse};

/// So many moves of one board are made, spread over its cards and columns.
const MOVES: usize = 48;

/// How many edits were made and held; a refused one changes nothing and is none.
pub fn holds(data: &[u8]) -> usize {
    let text = String::from_utf8_lossy(data);
    let Ok(parsed) = parse(&text, Mode::Board) else { return 0 };
    let board = parsed.board();
    let pairs = board.cards.iter().flat_map(|card| board.columns.iter().map(move |to| (card, to)));
    let pairs: Vec<(&Card, &Column)> = pairs.filter(|(card, to)| **to != card.status).collect();
    let memory = Markdown::new(Path::new("board.md"), false);
    remembered(&memory, &text);
    let mut made = 0;
    for (card, to) in pairs.iter().step_by(pairs.len() / MOVES + 1) {
        let there = match moved(&text, &board, card, to) {
            Ok(there) => there,
            Err(Unmoved::Refused(_)) => continue,
            Err(Unmoved::Broken(what)) => panic!("{what}\n{text:?}"),
        };
        let after = read(&there, Mode::Board);
        remembered(&memory, &there);
        let card = after.card(&card.id).unwrap_or_else(|| panic!("{} is gone: {there:?}", card.id));
        let from = &board.card(&card.id).unwrap_or(card).status;
        let back = moved(&there, &after, card, from);
        if let Err(Unmoved::Broken(what)) = &back {
            panic!("back: {what}\n{there:?}");
        }
        made += 1 + usize::from(back.is_ok());
    }
    for card in board.cards.iter().step_by(board.cards.len() / MOVES + 1) {
        made += noted(&text, Mode::Board, &board, card);
    }
    made + created(&text, &board)
}

fn read(text: &str, mode: Mode) -> Arc<Board> {
    match parse(text, mode) {
        Ok(parsed) => parsed.board(),
        Err(wrong) => panic!("{wrong:?} after an edit: {text:?}"),
    }
}

/// What is taken over from the readings before is as it would be read.
fn remembered(memory: &Markdown, text: &str) {
    let (again, anew) = (memory.parse(text), parse(text, Mode::Board));
    let (again, anew) = (again.map(|parsed| format!("{parsed:?}")), anew.map(|parsed| format!("{parsed:?}")));
    assert_eq!(again, anew, "read after another text: {text:?}");
}

/// Why a card is not moved.
#[derive(Debug)]
pub enum Unmoved {
    /// The edit says so, and changes nothing.
    Refused(String),
    /// More than the card was moved.
    Broken(String),
}

/// The text with the card in `to`, when all else is as it was.
pub fn moved(text: &str, board: &Board, card: &Card, to: &Column) -> Result<String, Unmoved> {
    let told = |what: String| Unmoved::Broken(format!("{:?} (line {}) to {to:?}: {what}", card.title, card.line));
    let moved = match edit::transition(text, Mode::Board, &card.id, &card.status, to, None) {
        Ok(Edited::Text(moved)) => moved,
        Ok(other) => return Err(told(format!("{other:?}"))),
        Err(error) => return Err(Unmoved::Refused(format!("{error:#}"))),
    };
    let after = read(&moved, Mode::Board);
    // The deeper heading that it stands under is another one.
    let expected = Card { status: to.clone(), metadata: BTreeMap::new(), ..card.clone() };
    let is = |found: &&Card| same(&Card { metadata: BTreeMap::new(), ..(*found).clone() }, &expected);
    let Some(found) = after.card(&card.id).filter(is) else {
        return Err(told(format!("found {:?} in {moved:?}", after.card(&card.id))));
    };
    if after.columns != board.columns
        || after.column(to).count() != board.column(to).count() + 1
        || !others_same(&after, board, &card.id)
    {
        return Err(told(format!("others changed: {after:?} in {moved:?}")));
    }
    let others_kept = block_moved(text, card.line, &moved, found.line, card.body.lines().filter(|l| !blank(l)).count());
    // Up to three line ends more keep the card apart from what it stands beside.
    let ends = |byte: char| moved.matches(byte).count().wrapping_sub(text.matches(byte).count()) <= 3;
    if !others_kept || !ends('\n') || !ends('\r') {
        return Err(told(format!("other bytes changed: {moved:?}")));
    }
    Ok(moved)
}

/// Where a card stands in its file is no part of it.
fn same(one: &Card, other: &Card) -> bool {
    Card { line: 0, ..one.clone() } == Card { line: 0, ..other.clone() }
}

/// All cards but one, and all that is no card.
fn others_same(one: &Board, other: &Board, id: &CardId) -> bool {
    let others = |board: &Board| -> Vec<Card> { board.cards.iter().filter(|card| card.id != *id).cloned().collect() };
    let refused = |board: &Board| -> BTreeSet<(String, String)> {
        board.refused.iter().map(|part| (part.title.clone(), part.reason.clone())).collect()
    };
    let parts = one.refused.len() == other.refused.len() && refused(one) == refused(other);
    let (one, other) = (others(one), others(other));
    parts && one.len() == other.len() && one.iter().zip(&other).all(|(one, other)| same(one, other))
}

fn blank(line: &str) -> bool {
    line.trim().is_empty()
}

/// Lines without their ends, which are LF, CRLF and CR.
fn lines(text: &str) -> Vec<&str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r')).collect()
}

/// Whether a block of at least `least` lines went from one line to another (1-based), and all else stayed in its order:
/// blank lines aside, and the block's own first marker.
fn block_moved(before: &str, from: usize, after: &str, to: usize, least: usize) -> bool {
    let (before, after) = (lines(before), lines(after));
    let written = |lines: &[&str]| lines.iter().filter(|line| !blank(line)).count();
    let place = |lines: &[&str], line: usize| written(&lines[..(line - 1).min(lines.len())]);
    let (from, to) = (place(&before, from), place(&after, to));
    let bare =
        |lines: Vec<&str>| -> Vec<String> { lines.into_iter().filter(|l| !blank(l)).map(str::to_owned).collect() };
    let (before, after) = (bare(before), bare(after));
    if before.len() != after.len() {
        return false;
    }
    (least.max(1)..=before.len() - from.max(to)).any(|length| {
        let without = |lines: &[String], at: usize| [&lines[..at], &lines[at + length..]].concat();
        unmarked(&before[from]) == unmarked(&after[to])
            && before[from + 1..from + length] == after[to + 1..to + length]
            && without(&before, from) == without(&after, to)
    })
}

/// A card's first line: its indentation, and what stands behind bullet or number.
fn unmarked(line: &str) -> (&str, &str) {
    let bare = line.trim_start_matches([' ', '\t']);
    let digits = bare.trim_start_matches(|char: char| char.is_ascii_digit());
    (&line[..line.len() - bare.len()], digits.trim_start_matches(['-', '*', '+', '.', ')']))
}

/// Stamps the card and writes a state block on it, twice. How many of the edits were made.
pub fn noted(text: &str, mode: Mode, board: &Board, card: &Card) -> usize {
    let stamped = match edit::stamp(text, mode, &card.id, &card.status) {
        Ok(Edited::Text(stamped)) => {
            let stamp = format!(" ^{}", card.id);
            let inserted = stamped.match_indices(&stamp).any(|(at, _)| {
                text.get(..at) == Some(&stamped[..at]) && text.get(at..) == Some(&stamped[at + stamp.len()..])
            });
            assert!(inserted, "the stamp of {:?} changed other bytes: {text:?} {stamped:?}", card.title);
            stamped
        }
        Ok(Edited::Already) => text.to_owned(),
        Ok(other) => panic!("stamp {:?}: {other:?} {text:?}", card.title),
        Err(_) => return 0,
    };
    let note = |why: &str| Note {
        text: format!("{why}: `a|b` #tag [[x]] <!-- %% ^id"),
        data: serde_json::json!({"why": why, "text": "--> %% <!-- [[x]] #t"}),
    };
    let mut noted = stamped.clone();
    for (made, why) in [(1, "failed"), (2, "passed")] {
        let next = match edit::note(&noted, mode, &card.id, &card.status, &note(why)) {
            Ok(Edited::Text(next)) => next,
            Ok(other) => panic!("note {:?}: {other:?} {noted:?}", card.title),
            Err(_) => return made,
        };
        assert_eq!(unsigned(&stamped), unsigned(&next), "the note on {:?} changed other bytes", card.title);
        let after = read(&next, mode);
        let found = after.card(&card.id).unwrap_or_else(|| panic!("{} is gone: {next:?}", card.id));
        assert_eq!((&found.body, found.state.as_ref()), (&card.body, Some(&note(why).data)), "{next:?}");
        assert!(others_same(&after, board, &card.id), "the note on {:?} changed others: {next:?}", card.title);
        let again = edit::note(&next, mode, &card.id, &card.status, &note(why));
        assert!(matches!(again, Ok(Edited::Already)), "{again:?} {next:?}");
        noted = next;
    }
    3
}

/// The lines without those that name the program: of them a state block consists.
fn unsigned(text: &str) -> Vec<&str> {
    let mut lines = lines(text);
    // What a last line without end becomes when more follows it.
    while lines.last() == Some(&"") {
        lines.pop();
    }
    lines.retain(|line| !line.contains("kanban-codex-exec"));
    lines
}

/// Adds a column. All of the text stays around it.
fn created(text: &str, board: &Board) -> usize {
    let column = Column::from("Newly made");
    let Ok(Edited::Text(made)) = edit::create_column(text, Mode::Board, &column) else { return 0 };
    let kept = made.match_indices(&*column.0).any(|(at, name)| {
        let ends = ['\r', '\n'];
        let before = made[..at].trim_end_matches(' ').trim_end_matches('#').trim_end_matches(ends);
        let after = made[at + name.len()..].trim_start_matches(ends);
        text.strip_prefix(before).map(|rest| rest.trim_start_matches(ends)) == Some(after)
    });
    assert!(kept, "a new column changed other bytes: {text:?} {made:?}");
    let mut after = Arc::unwrap_or_clone(read(&made, Mode::Board));
    assert!(after.columns.contains(&column), "{made:?}");
    after.columns.retain(|other| *other != column);
    assert_eq!(after.columns, board.columns, "{made:?}");
    assert!(others_same(&after, board, &CardId::from("")), "{made:?}");
    1
}
