//! What holds for any board and any text.

use std::collections::BTreeMap;
use std::sync::Arc;

use kanban_codex_exec::board::{Board, Card, Column};
use kanban_codex_exec::provider::Note;
use kanban_codex_exec::provider::markdown::edit::{self, Edited};
use kanban_codex_exec::provider::markdown::parse::{Mode, parse};
use proptest::prelude::*;

/// What a generated board is made of.
#[derive(Debug, Clone)]
struct Shape {
    eol: &'static str,
    bom: bool,
    obsidian: bool,
    footer: bool,
    last_eol: bool,
    marker: &'static str,
    /// For each column: is it marked as complete, and the continuation lines of each of its cards.
    columns: Vec<(bool, Vec<Vec<&'static str>>)>,
}

impl Shape {
    fn text(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        if self.obsidian {
            lines.extend(["---", "", "kanban-plugin: board", "", "---", ""].map(str::to_owned));
        }
        for (column, (complete, cards)) in self.columns.iter().enumerate() {
            lines.extend([format!("## Done {column}"), String::new()]);
            if *complete {
                lines.push("**Complete**".to_owned());
            }
            for (card, rest) in cards.iter().enumerate() {
                lines.push(format!("{} [ ] Card {column}.{card} für 日本", self.marker));
                lines.extend(rest.iter().map(|&line| line.to_owned()));
            }
            lines.push(String::new());
        }
        if self.footer {
            lines
                .extend(["%% kanban:settings", "```", "{\"kanban-plugin\":\"board\"}", "```", "%%"].map(str::to_owned));
        }
        let bom = if self.bom { "\u{feff}" } else { "" };
        let end = if self.last_eol { self.eol } else { "" };
        format!("{bom}{}{end}", lines.join(self.eol))
    }
}

fn shapes() -> impl Strategy<Value = Shape> {
    let line = prop::sample::select(vec![
        "\t- [ ] sub",
        "\tnote, with `code`",
        "    - four spaces",
        "  two spaces",
        "\t<!-- a comment -->",
        "\t```\n\t## not a column\n\t- not a card\n\t```",
        "\t> quoted",
        "\n\tafter a blank line",
        "\t| a | b |",
    ]);
    // Only right behind a paragraph is a line without indentation part of the card.
    let card = (any::<bool>(), prop::collection::vec(line, 0..4))
        .prop_map(|(lazy, lines)| lazy.then_some("lazy").into_iter().chain(lines).collect());
    let column = (any::<bool>(), prop::collection::vec(card, 0..4));
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let eol = prop::sample::select(vec!["\n", "\r\n"]);
    let marker = prop::sample::select(vec!["-", "*", "+"]);
    (prop::collection::vec(column, 2..5), flags, eol, marker).prop_map(|(columns, flags, eol, marker)| {
        let (bom, obsidian, footer, last_eol) = flags;
        Shape { eol, bom, obsidian, footer, last_eol, marker, columns }
    })
}

fn lines(text: &str) -> BTreeMap<&str, isize> {
    let mut lines = BTreeMap::new();
    for line in text.split_inclusive('\n') {
        *lines.entry(line.trim_end_matches(['\n', '\r'])).or_default() += 1;
    }
    lines.remove("");
    lines
}

fn board(text: &str) -> Arc<Board> {
    parse(text, Mode::Board).unwrap().board()
}

fn moved(text: &str, card: &Card, from: &Column, to: &Column) -> String {
    match edit::transition(text, Mode::Board, &card.id, from, to, None) {
        Ok(Edited::Text(text)) => text,
        other => panic!("{} to {to}: {other:?}\n{text}", card.title),
    }
}

/// The board as ids by column.
fn ids(board: &Board) -> Vec<(String, Vec<String>)> {
    let column = |column: &Column| board.column(column).map(|card| card.id.to_string()).collect();
    board.columns.iter().map(|name| (name.to_string(), column(name))).collect()
}

proptest! {
    #[test]
    fn a_move_keeps_every_other_line_and_every_other_card(shape in shapes(), pick in any::<prop::sample::Index>(), to in any::<prop::sample::Index>()) {
        let text = shape.text();
        let before = board(&text);
        prop_assert_eq!(before.cards.len(), shape.columns.iter().map(|(_, cards)| cards.len()).sum::<usize>());
        prop_assume!(!before.cards.is_empty());
        let card = &before.cards[pick.index(before.cards.len())];
        let others: Vec<&Column> = before.columns.iter().filter(|column| **column != card.status).collect();
        let to = others[to.index(others.len())];
        let after_text = moved(&text, card, &card.status, to);
        prop_assert_eq!(lines(&text), lines(&after_text));
        prop_assert_eq!(text.ends_with('\n'), after_text.ends_with('\n'));
        let after = board(&after_text);
        let mut expected = ids(&before);
        for (name, ids) in &mut expected {
            ids.retain(|id| **id != *card.id.0);
            if **name == *to.0 {
                ids.push(card.id.to_string());
            }
        }
        prop_assert_eq!(ids(&after), expected);
        for card in &before.cards {
            prop_assert_eq!(&after.card(&card.id).unwrap().body, &card.body);
        }
    }

    #[test]
    fn there_and_back_is_the_same_file(shape in shapes(), pick in any::<prop::sample::Index>(), to in any::<prop::sample::Index>()) {
        // Only its place as the last of several cards, and line ends that are all there, can be found again.
        let shape = Shape { last_eol: true, ..shape };
        let text = shape.text();
        let before = board(&text);
        let last: Vec<&Card> = before.columns.iter().filter_map(|column| before.column(column).skip(1).last()).collect();
        prop_assume!(!last.is_empty());
        let card = last[pick.index(last.len())];
        let others: Vec<&Column> = before.columns.iter().filter(|column| **column != card.status).collect();
        let to = others[to.index(others.len())];
        let there = moved(&text, card, &card.status, to);
        prop_assert_eq!(moved(&there, card, to, &card.status), text);
    }

    #[test]
    fn a_state_block_is_found_again_and_is_no_part_of_the_card(
        shape in shapes(), pick in any::<prop::sample::Index>(), text in ".{0,40}|[-#<!>%`^|\\[\\]\\\\ a\n]{0,60}", why in ".{0,20}|[-<>!%]{0,20}",
    ) {
        let source = shape.text();
        let before = board(&source);
        prop_assume!(!before.cards.is_empty());
        let card = &before.cards[pick.index(before.cards.len())];
        let note = Note { text, data: serde_json::json!({"why": why}) };
        let Edited::Text(stamped) = edit::stamp(&source, Mode::Board, &card.id, &card.status).unwrap() else {
            panic!("an unstamped card gets its id")
        };
        let Edited::Text(noted) = edit::note(&stamped, Mode::Board, &card.id, &card.status, &note).unwrap() else {
            panic!("a new note is written")
        };
        let after = board(&noted);
        let found = after.card(&card.id).unwrap();
        prop_assert_eq!((&found.body, found.state.as_ref()), (&card.body, Some(&note.data)));
        prop_assert_eq!(noted.len() - stamped.len(), noted.lines().filter(|line| line.contains("kanban-codex-exec")).map(|line| line.len() + shape.eol.len()).sum::<usize>());
        let again = edit::note(&noted, Mode::Board, &card.id, &card.status, &note).unwrap();
        prop_assert_eq!(again, Edited::Already);
        let others = |board: &Board| board.cards.iter().filter(|other| other.id != card.id).map(|card| card.body.clone()).collect::<Vec<_>>();
        prop_assert_eq!(others(&after), others(&before));
    }

    #[test]
    fn any_text_is_read(text in "(?s).{0,200}") {
        let _ = parse(&text, Mode::Board).map(|parsed| parsed.board());
        let _ = parse(&text, Mode::Next).map(|parsed| parsed.board());
    }

    #[test]
    fn any_heap_of_board_syntax_is_read_and_edited(pieces in prop::collection::vec(prop::sample::select(vec![
        "## Todo", "# A", "- [ ] a", "- b", "* [x] c", "10. d", "1) e", "\n", "\r\n", "\r", "\t", "  ", "    ", "é", "```", "---", "===", "***",
        "%% kanban:settings", "<!--", "-->", "~~", "> ", "^id", "|a|b|", "\u{feff}", "kanban-plugin: board", "**Complete**", "\u{0}", "Archive",
    ]), 0..40)) {
        let text = pieces.concat();
        for mode in [Mode::Board, Mode::Next] {
            let Ok(parsed) = parse(&text, mode) else { continue };
            let board = parsed.board();
            let note = Note { text: "x".to_owned(), data: serde_json::json!(1) };
            for card in &board.cards {
                for to in &board.columns {
                    let _ = edit::transition(&text, mode, &card.id, &card.status, to, Some(&note));
                }
                let _ = edit::stamp(&text, mode, &card.id, &card.status);
            }
            let _ = edit::create_column(&text, mode, &Column::from("New"));
        }
    }
}
