//! A to-do list: item after item is ticked, one byte each, until none is left.

use std::sync::Arc;

use kanban_codex_exec::board::{Board, Card, Column};
use kanban_codex_exec::provider::markdown::edit::{self, Edited};
use kanban_codex_exec::provider::markdown::parse::{Mode, parse};

use super::board;

/// So many items of one list are ticked.
const TICKS: usize = 48;

/// How many edits were made and held.
pub fn holds(data: &[u8]) -> usize {
    let mut text = String::from_utf8_lossy(data).into_owned();
    let (todo, done) = (Column::from("Todo"), Column::from("Done"));
    let mut made = 0;
    for _ in 0..TICKS {
        let before = read(&text);
        assert!(before.cards.len() <= 1 && before.columns == [todo.clone(), done.clone()], "{before:?} in {text:?}");
        let Some(card) = before.cards.first() else { break };
        assert_eq!(card.status, todo, "{text:?}");
        if made == 0 {
            made += board::noted(&text, Mode::Next, &before, card);
        }
        if let Ok(Edited::Text(stamped)) = edit::stamp(&text, Mode::Next, &card.id, &todo) {
            text = stamped;
        }
        let ticked = match edit::transition(&text, Mode::Next, &card.id, &todo, &done, None) {
            Ok(Edited::Text(ticked)) => ticked,
            Ok(other) => panic!("{:?}: {other:?} {text:?}", card.title),
            Err(_) => break,
        };
        assert!(
            one_mark(&text, &ticked, card),
            "{:?} is ticked in more than one place: {text:?} {ticked:?}",
            card.title
        );
        let after = read(&ticked);
        assert!(after.cards.iter().all(|next| next.id != card.id), "{:?} is still open: {ticked:?}", card.title);
        // Ticked once is ticked.
        let again = edit::transition(&ticked, Mode::Next, &card.id, &todo, &done, None);
        assert!(matches!(again, Ok(Edited::Already)), "{again:?} {ticked:?}");
        made += 1;
        text = ticked;
    }
    made
}

fn read(text: &str) -> Arc<Board> {
    parse(text, Mode::Next).unwrap_or_else(|wrong| panic!("{wrong:?}: {text:?}")).board()
}

/// One space in a checkbox of the card's line became an x, or its words stand between strokes.
fn one_mark(before: &str, after: &str, card: &Card) -> bool {
    let start = before.bytes().zip(after.bytes()).take_while(|(old, new)| old == new).count();
    let line = 1 + before[..start].replace("\r\n", "\n").matches(['\n', '\r']).count();
    if before.len() == after.len() {
        let (old, new) = (&before.as_bytes()[start..], &after.as_bytes()[start..]);
        return line == card.line && old.first() == Some(&b' ') && new.first() == Some(&b'x') && old[1..] == new[1..];
    }
    let end = before.bytes().rev().zip(after.bytes().rev()).take_while(|(old, new)| old == new).count();
    let struck = || after.get(start..after.len() - end)?.strip_prefix("~~")?.strip_suffix("~~");
    after.len() == before.len() + 4 && line == card.line && struck() == before.get(start..before.len() - end)
}
