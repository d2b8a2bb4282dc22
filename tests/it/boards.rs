//! Markdown boards: cases in `tests/boards`, properties, and real boards where they are at hand.
//!
//! A case is a folder: `input.md`, `edit.yaml` (what is expected of a reading, then edits), and `expected.md`, compared by
//! byte; where there is none, no edit may change the file.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test's helpers fail the test, and say what they skip")]

mod corpus;
mod properties;
mod shown;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kanban_codex_exec::board::{Board, Card, CardContent, Column};
use kanban_codex_exec::provider::file::keys::Keys;
use kanban_codex_exec::provider::{Applied, Kind, Note, Provider, Source, Wanted, open};
use kanban_codex_exec::storage::Writer;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default)]
    next: bool,
    /// Part of the error of reading; nothing else is looked at then.
    error: Option<String>,
    columns: Option<Vec<String>>,
    cards: Option<Vec<ExpectedCard>>,
    others: Option<Vec<ExpectedCard>>,
    refused: Option<Vec<ExpectedRefusal>>,
    #[serde(default)]
    edits: Vec<Edit>,
}

/// Only what is given is compared.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedCard {
    title: String,
    id: Option<Arc<str>>,
    status: Option<Arc<str>>,
    body: Option<String>,
    line: Option<usize>,
    stamped: Option<bool>,
    labels: Option<Vec<String>>,
    state: Option<serde_json::Value>,
    under: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedRefusal {
    lines: Vec<usize>,
    reason: String,
}

/// One of `stamp`, `note`, `move` and `create` is given; cards are named by title.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    stamp: Option<String>,
    note: Option<String>,
    #[serde(rename = "move")]
    moves: Option<String>,
    create: Option<String>,
    /// Where the card is thought to be; else where it is.
    from: Option<String>,
    to: Option<String>,
    /// What it said when it was worked; else what it says.
    worked: Option<String>,
    text: Option<String>,
    #[serde(default)]
    data: serde_json::Value,
    /// `already`, `elsewhere`, `reworded`, or part of an error; else it must be done.
    result: Option<String>,
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/boards");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

#[test]
fn cases_read_and_edit_as_they_say() {
    let cases = cases();
    assert!(cases.len() >= 30, "only {} cases", cases.len());
    let wrong: Vec<String> = cases.iter().flat_map(|case| run(case)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with the case.
fn run(folder: &Path) -> Vec<String> {
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let case: Case = match serde_yaml::from_str(&std::fs::read_to_string(folder.join("edit.yaml")).unwrap()) {
        Ok(case) => case,
        Err(error) => return vec![format!("{name}: edit.yaml: {error}")],
    };
    let world = tempfile::tempdir().unwrap();
    let path = world.path().join("board.md");
    let input = std::fs::read(folder.join("input.md")).unwrap();
    std::fs::write(&path, &input).unwrap();
    let provider = open(Kind::Markdown, &Source::Path(path.clone()), case.next, &Keys::default()).unwrap();
    let mut wrong = match (provider.read(&Wanted::default()), &case.error) {
        (Ok(board), None) => check_board(&case, &board),
        (Ok(board), Some(error)) => vec![format!("read, where {error:?} was expected: {board:#?}")],
        (Err(found), Some(error)) if found.to_string().contains(error) => Vec::new(),
        (Err(found), _) => vec![format!("cannot be read: {found}")],
    };
    if wrong.is_empty() {
        let writer = Writer::within(world.path());
        wrong = case.edits.iter().filter_map(|edit| apply(&*provider, &writer, edit).err()).collect();
    }
    let found = std::fs::read(&path).unwrap();
    let expected = std::fs::read(folder.join("expected.md")).unwrap_or(input);
    if wrong.is_empty() && found != expected {
        let show = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('\r', "␍").replace('\t', "⇥");
        wrong.push(format!("expected\n{}\nfound\n{}", show(&expected), show(&found)));
    }
    wrong.into_iter().map(|wrong| format!("--- {name}: {wrong}")).collect()
}

fn check_board(case: &Case, board: &Board) -> Vec<String> {
    let mut wrong = Vec::new();
    let columns: Vec<String> = board.columns.iter().map(|column| column.to_string()).collect();
    if case.columns.as_ref().is_some_and(|expected| *expected != columns) {
        wrong.push(format!("columns {columns:?}"));
    }
    for (expected, found) in [(&case.cards, &board.cards), (&case.others, &board.others)] {
        let Some(expected) = expected else { continue };
        let same = expected.len() == found.len() && expected.iter().zip(found).all(|(e, card)| e.is(card));
        if !same {
            wrong.push(format!("cards {found:#?}"));
        }
    }
    let refused = case.refused.as_deref().unwrap_or_default();
    let same = refused.len() == board.refused.len()
        && refused
            .iter()
            .zip(&board.refused)
            .all(|(e, found)| e.lines == found.lines && found.reason.contains(&e.reason));
    if !same {
        wrong.push(format!("refused {:#?}", board.refused));
    }
    wrong
}

impl ExpectedCard {
    fn is(&self, card: &Card) -> bool {
        fn agrees<T: PartialEq>(expected: &Option<T>, found: &T) -> bool {
            expected.as_ref().is_none_or(|expected| expected == found)
        }
        *self.title == *card.title
            && agrees(&self.id, &card.id.0)
            && agrees(&self.status, &card.status.0)
            && agrees(&self.body, &card.body)
            && agrees(&self.line, &card.line)
            && agrees(&self.stamped, &card.stamped)
            && agrees(&self.labels, &card.labels)
            && self.under.as_ref().is_none_or(|under| card.metadata.get("under") == Some(under))
            && self.state.as_ref().is_none_or(|state| card.state.as_ref() == Some(state))
    }
}

fn apply(provider: &dyn Provider, writer: &Writer, edit: &Edit) -> Result<(), String> {
    let applied = perform(provider, writer, edit);
    let found = match &applied {
        Ok(Some(Applied::Done { .. }) | None) => "done".to_owned(),
        Ok(Some(Applied::Already)) => "already".to_owned(),
        Ok(Some(Applied::Elsewhere(_))) => "elsewhere".to_owned(),
        Ok(Some(Applied::Reworded)) => "reworded".to_owned(),
        Ok(Some(Applied::Refused(reason))) => reason.clone(),
        Err(error) => format!("{error:#}"),
    };
    let expected = edit.result.as_deref().unwrap_or("done");
    if found.contains(expected) { Ok(()) } else { Err(format!("{edit:?}: {found}")) }
}

/// `None` where a column was made.
fn perform(provider: &dyn Provider, writer: &Writer, edit: &Edit) -> anyhow::Result<Option<Applied>> {
    if let Some(column) = &edit.create {
        return provider.create_column(writer, &column.as_str().into()).map(|()| None);
    }
    let title = edit.stamp.as_ref().or(edit.note.as_ref()).or(edit.moves.as_ref()).unwrap();
    let board = provider.read(&Wanted::default())?;
    let mut card = board.cards.iter().find(|card| *card.title == **title).cloned();
    // A card that is gone, named by its id.
    let card = card.get_or_insert_with(|| {
        let content = CardContent {
            id: title.as_str().into(),
            title: title.as_str().into(),
            body: String::new(),
            state: None,
            labels: Vec::new(),
            dependencies: Vec::new(),
            stamped: false,
        };
        Card::new(content, "".into())
    });
    let from = edit.from.clone().map_or(card.status.clone(), Column::from);
    let note = edit.text.as_ref().map(|text| Note { text: text.clone(), data: edit.data.clone() });
    card.body = edit.worked.clone().unwrap_or_else(|| card.body.clone());
    if edit.stamp.is_some() {
        return provider.claim(writer, &Card { status: from, ..card.clone() }).map(Some);
    }
    match (&edit.to, &note) {
        (Some(to), note) => provider
            .transition(writer, &Card { status: from, ..card.clone() }, &to.as_str().into(), note.as_ref())
            .map(Some),
        (None, Some(note)) => provider.update(writer, &card.id, &from, note).map(Some),
        (None, None) => panic!("{edit:?} says neither where to nor what"),
    }
}
