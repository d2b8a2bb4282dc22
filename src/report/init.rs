//! What `init` made of a folder.

use schemars::JsonSchema;
use serde::Serialize;

use super::page::Page;
use crate::board::Column;

/// `init --format json`.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Scaffold {
    pub version: u32,
    pub board: String,
    pub columns: Vec<Column>,
    /// In the order in which they were looked at.
    pub files: Vec<Placed>,
    /// With `--from-tests`: how many tests the repository has.
    pub tests_found: Option<usize>,
    /// The command to go on with.
    pub next: String,
}

#[derive(Debug, JsonSchema, Serialize)]
pub struct Placed {
    /// From the folder that the files are in.
    pub path: String,
    pub state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    Written,
    /// A line was added.
    Extended,
    /// It was there, and is as it was.
    Kept,
}

pub fn human(page: &Scaffold) -> String {
    let mut text = Page::default();
    let columns: Vec<&str> = page.columns.iter().map(|column| &*column.0).collect();
    text.line("board", &format!("{}: {}", page.board, columns.join(", ")));
    for Placed { path, state } in &page.files {
        match state {
            State::Written => text.line("wrote", path),
            State::Extended => text.line("extended", path),
            State::Kept => text.line("kept", &format!("{path}, as it is")),
        }
    }
    match page.tests_found {
        Some(0) => text.line("tests", "none was found that could be proposed"),
        Some(found) => text.line("tests", &format!("{found} were found; the proposal's head says how to use it")),
        None => {}
    }
    text.line("next", &page.next);
    text.into_text()
}
