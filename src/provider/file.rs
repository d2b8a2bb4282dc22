//! Boards of data: a folder with a markdown file per card, whose front matter says what it is, or one JSON, JSONL or YAML
//! file of tasks.
//!
//! What reads and plans edits is pure; here files are read and replaced, one a write.

mod folder;
mod front;
mod json;
pub mod keys;
mod layout;
mod rank;
mod section;
mod sheet;
mod splice;
#[cfg(test)]
mod tests;
mod tree;
mod yaml;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;

use self::folder::Folder;
use self::keys::Keys;
use self::layout::{Ambiguous, File, Layout, ambiguous};
use self::sheet::{Change, Format, Sheet};
use self::tree::Node;
use super::markdown::edit::Edited;
use super::markdown::lines::Lines;
use super::swap::{self, Planned, Readings, Refusal, Shared, applied};
use super::{Applied, Note, Provider, Wanted};
use crate::board::{Board, Card, CardId, Column};
use crate::storage::Writer;

/// A board in a folder or a file.
#[derive(Debug)]
pub struct Files {
    source: PathBuf,
    keys: Keys,
    shared: Shared,
    /// Of a board in a folder: where there is none for tasks, its cards stand in it.
    cards: Folder,
    tasks: Folder,
    completed: Folder,
    /// Of a board in one file.
    readings: Readings<File>,
    /// The newest board and what it is made of.
    newest: Mutex<Option<(Layout, Arc<Board>)>>,
}

/// What Backlog.md's configuration says.
#[derive(Debug, Default)]
struct Config {
    columns: Vec<Column>,
    /// What the names of card files begin with.
    prefix: String,
}

impl Files {
    pub fn new(source: &Path, keys: &Keys) -> Files {
        Files {
            source: source.to_owned(),
            keys: keys.clone(),
            shared: Shared::default(),
            cards: Folder::new(source, ""),
            tasks: Folder::new(source, "tasks/"),
            completed: Folder::new(source, "completed/"),
            readings: Readings::default(),
            newest: Mutex::default(),
        }
    }

    /// Reads everything, as it stands now.
    fn layout(&self) -> Result<Layout> {
        if !self.source.is_dir() {
            let format = Format::of(&self.source.to_string_lossy()).filter(|format| *format != Format::Front);
            let Some(format) = format else {
                let text = "the file provider reads a folder of markdown files, or a .json, .jsonl, .yaml or .yml file";
                return Err(swap::problem(&self.source, 0, text, "use --provider markdown for a markdown board"));
            };
            let text = self.shared.text(&self.source)?;
            let file = self.readings.of(&text).unwrap_or_else(|| {
                let sheet = Sheet::parse(&text, "", format, &self.keys);
                self.readings.keep(File::whole(text, sheet))
            });
            if let Err(wrong) = &file.sheet {
                return Err(swap::problem(&self.source, file.line(wrong.at), &wrong.text, ""));
            }
            return Ok(Layout { files: vec![file], ..Layout::default() });
        }
        let config = self.config()?;
        let files = |folder: &Folder| folder.files(&config.prefix, &self.shared, &self.keys);
        let (files, done) = match self.tasks.is_there() {
            true => (files(&self.tasks)?, files(&self.completed)?),
            false => (files(&self.cards)?, Vec::new()),
        };
        Ok(Layout { files, done, columns: config.columns })
    }

    /// The configuration of Backlog.md in the folder or, for a folder of another name, beside it.
    fn config(&self) -> Result<Config> {
        let beside = self.source.with_file_name("backlog.config.yml");
        let inside = ["config.yml", "config.yaml"].map(|name| self.source.join(name));
        let Some(path) = inside.into_iter().chain([beside]).find(|path| path.is_file()) else {
            return Ok(Config::default());
        };
        let text = self.shared.text(&path)?;
        let root = yaml::parse(&text, 0..text.len());
        let root = root.map_err(|wrong| swap::problem(&path, Lines::new(&text).number(wrong.at), &wrong.text, ""))?;
        let value = |key: &str| root.as_ref().and_then(|root| root.get(key)).map(|entry| &entry.value);
        Ok(Config {
            columns: value("statuses").map(Node::columns).unwrap_or_default(),
            prefix: format!("{}-", value("task_prefix").and_then(Node::text).unwrap_or("task")).to_lowercase(),
        })
    }

    /// What an edit of a card is planned on: of its file, what stands there now, and where it is in that no more, all that
    /// stands there now.
    fn around(&self, id: &CardId) -> Result<Layout> {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = newest.as_ref().map(|(layout, _)| layout.clone());
        if let Some((mut layout, at)) = newest.and_then(|layout| layout.position(id).map(|at| (layout, at))) {
            for folder in [&self.tasks, &self.cards] {
                if let Some(file) = folder.again(&layout.files[at].name, &self.shared, &self.keys)? {
                    layout.files[at] = Arc::new(file);
                    if layout.position(id) == Some(at) {
                        return Ok(layout);
                    }
                }
            }
        }
        self.layout()
    }

    /// Plans a change of the card in column `at`, and writes it. `worked`: what it has to say, and the column where it is fine
    /// already.
    fn change(
        &self,
        writer: &Writer,
        id: &CardId,
        at: &Column,
        worked: Option<(&Card, &Column)>,
        change: Change<'_>,
    ) -> Result<Edited> {
        let now = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string();
        let change = Change { now: &now, ..change };
        self.shared.edit(&self.source, writer, || {
            let layout = self.around(id)?;
            let found = layout.find(id).map_err(|Ambiguous(places)| Refusal(ambiguous(id, true, &places)))?;
            let nothing = |edited| Ok(Planned { path: PathBuf::new(), text: String::new(), edited });
            let Some((file, index, task)) = found else { return nothing(Edited::Elsewhere(None)) };
            let column = layout.column(task);
            if column != *at {
                let there = worked.is_some_and(|(_, to)| *to == column);
                return nothing(if there { Edited::Already } else { Edited::Elsewhere(Some(column)) });
            }
            if worked.is_some_and(|(card, _)| !task.card.says_same(card)) {
                return nothing(Edited::Reworded);
            }
            let wanted =
                change.status.is_some() || change.note.is_some() || (change.stamp.is_some() && !task.card.stamped);
            if !wanted {
                return nothing(Edited::Already);
            }
            let Ok(sheet) = &file.sheet else { return nothing(Edited::Elsewhere(None)) };
            let new = sheet.edited(&file.text, &file.name, index, &change, &self.keys);
            let (new, sheet) = new.map_err(|error| Refusal(format!("{error:#}")))?;
            if new == file.text {
                return nothing(Edited::Already);
            }
            let is_whole = file.name.is_empty();
            let path = if is_whole { self.source.clone() } else { self.source.join(&file.name) };
            let planned = Planned { path, text: file.text.clone(), edited: Edited::Text(new.clone()) };
            if is_whole {
                self.readings.keep(File::whole(new, Ok(sheet)));
            }
            Ok(planned)
        })
    }
}

impl Provider for Files {
    fn read(&self, _wanted: &Wanted) -> Result<Arc<Board>> {
        let layout = self.layout()?;
        // What was lost or is another folder is no board that is done.
        if layout.files.is_empty() && layout.columns.is_empty() && !self.tasks.is_there() {
            let text = "no cards: the folder has neither markdown files nor a configuration of Backlog.md";
            return Err(swap::problem(&self.source, 0, text, "--source names the board"));
        }
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, board)) = newest.as_ref().filter(|(known, _)| known.is(&layout)) {
            return Ok(board.clone());
        }
        let board = Arc::new(layout.board());
        *newest = Some((layout, board.clone()));
        Ok(board)
    }

    fn claim(&self, writer: &Writer, card: &Card) -> Result<Applied> {
        let change = Change { stamp: Some(&card.id), ..Change::default() };
        applied(self.change(writer, &card.id, &card.status, None, change), &card.id)
    }

    fn update(&self, writer: &Writer, card: &CardId, at: &Column, note: &Note) -> Result<Applied> {
        let change = Change { note: Some(note), ..Change::default() };
        applied(self.change(writer, card, at, None, change), card)
    }

    fn transition(&self, writer: &Writer, card: &Card, to: &Column, note: Option<&Note>) -> Result<Applied> {
        let change = Change { status: (card.status != *to).then_some(to), note, ..Change::default() };
        applied(self.change(writer, &card.id, &card.status, Some((card, to)), change), &card.id)
    }

    /// A column is there as soon as a card names it.
    fn create_column(&self, _writer: &Writer, _column: &Column) -> Result<()> {
        Ok(())
    }
}
