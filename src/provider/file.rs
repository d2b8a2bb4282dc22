//! Boards of data: a folder with a markdown file per card, whose front matter says what it is, or one JSON, JSONL or YAML
//! file of tasks.
//!
//! What reads and plans edits is pure; here files are read and replaced, one a write.

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

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Error, Result};

use self::keys::Keys;
use self::layout::{Ambiguous, File, Layout, ambiguous};
use self::rank::natural;
use self::sheet::{Change, Format, Sheet};
use self::tree::{Node, Wrong};
use super::markdown::edit::Edited;
use super::markdown::lines::Lines;
use super::swap::{self, Planned, Readings, Refusal, Shared, applied};
use super::{Applied, Note, Provider, Wanted};
use crate::board::{Board, Card, CardId, Column};
use crate::storage::{Stamp, Writer};

/// A board in a folder or a file.
#[derive(Debug)]
pub struct Files {
    source: PathBuf,
    keys: Keys,
    shared: Shared,
    /// By name, as last read.
    kept: Mutex<HashMap<String, (Stamp, Arc<File>)>>,
    /// Of a board in one file.
    readings: Readings<File>,
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
            kept: Mutex::default(),
            readings: Readings::default(),
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
                self.readings.keep(File { name: String::new(), text, sheet })
            });
            if let Err(wrong) = &file.sheet {
                return Err(swap::problem(&self.source, file.line(wrong.at), &wrong.text, ""));
            }
            return Ok(Layout { files: vec![file], ..Layout::default() });
        }
        let config = self.config()?;
        let cards = if self.source.join("tasks").is_dir() { "tasks/" } else { "" };
        let done = if cards.is_empty() { Vec::new() } else { self.files("completed/", &config.prefix)? };
        Ok(Layout { files: self.files(cards, &config.prefix)?, done, columns: config.columns })
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

    /// The card files of a folder of the board. One that goes while it is read is not there.
    fn files(&self, folder: &str, prefix: &str) -> Result<Vec<Arc<File>>> {
        let path = self.source.join(folder);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::new(error).context(format!("cannot read {}", path.display()))),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot read {}", path.display()))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let card = Format::of(&name) == Some(Format::Front) && !name.starts_with('.');
            let is_file = || match entry.file_type() {
                Ok(kind) if kind.is_file() => true,
                _ => path.join(&name).is_file(),
            };
            if card && name.to_lowercase().starts_with(prefix) && is_file() {
                names.push(name);
            }
        }
        names.sort_by_cached_key(|name| natural(name));
        let read = |name: String| self.file(format!("{folder}{name}")).transpose();
        names.into_iter().filter_map(read).collect()
    }

    /// Read again only where it was written since.
    fn file(&self, name: String) -> Result<Option<Arc<File>>> {
        let path = self.source.join(&name);
        let rested = swap::rested(&path);
        let kept = |name| self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if let Some((_, file)) = kept(&name).filter(|(stamp, _)| Some(*stamp) == rested) {
            return Ok(Some(file));
        }
        let Some(file) = self.read_file(&path, name.clone())?.map(Arc::new) else { return Ok(None) };
        if let Some(stamp) = rested.filter(|_| swap::rested(&path) == rested) {
            self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(name, (stamp, file.clone()));
        }
        Ok(Some(file))
    }

    fn read_file(&self, path: &Path, name: String) -> Result<Option<File>> {
        let bytes = match self.shared.bytes(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::new(error).context(format!("cannot read {}", path.display()))),
        };
        let utf8 = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            (
                String::from_utf8_lossy(error.as_bytes()).into_owned(),
                Wrong::new(at, "not UTF-8 text: save the file as UTF-8"),
            )
        });
        let (text, sheet) = match utf8 {
            Ok(text) => {
                let sheet = Sheet::parse(&text, &name, Format::Front, &self.keys);
                (text, sheet)
            }
            Err((text, wrong)) => (text, Err(wrong)),
        };
        Ok(Some(File { name, text, sheet }))
    }

    /// Plans a change of the card in column `at`, and writes it. `to`: the column where it is fine already.
    fn change(
        &self,
        writer: &Writer,
        id: &CardId,
        at: &Column,
        to: Option<&Column>,
        change: Change<'_>,
    ) -> Result<Edited> {
        let now = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string();
        let change = Change { now: &now, ..change };
        self.shared.edit(&self.source, writer, || {
            let layout = self.layout()?;
            let found = layout.find(id).map_err(|Ambiguous(places)| Refusal(ambiguous(id, true, &places)))?;
            let nothing = |edited| Ok(Planned { path: PathBuf::new(), text: String::new(), edited });
            let Some((file, index, task)) = found else { return nothing(Edited::Elsewhere(None)) };
            let column = layout.column(task);
            if column != *at {
                let there = to == Some(&column);
                return nothing(if there { Edited::Already } else { Edited::Elsewhere(Some(column)) });
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
                self.readings.keep(File { name: String::new(), text: new, sheet: Ok(sheet) });
            }
            Ok(planned)
        })
    }
}

impl Provider for Files {
    fn read(&self, _wanted: &Wanted) -> Result<Arc<Board>> {
        let layout = self.layout()?;
        // What was lost or is another folder is no board that is done.
        if layout.files.is_empty() && layout.columns.is_empty() && !self.source.join("tasks").is_dir() {
            let text = "no cards: the folder has neither markdown files nor a configuration of Backlog.md";
            return Err(swap::problem(&self.source, 0, text, "--source names the board"));
        }
        Ok(Arc::new(layout.board()))
    }

    fn claim(&self, writer: &Writer, card: &Card) -> Result<Applied> {
        let change = Change { stamp: Some(&card.id), ..Change::default() };
        applied(self.change(writer, &card.id, &card.status, None, change), &card.id)
    }

    fn update(&self, writer: &Writer, card: &CardId, at: &Column, note: &Note) -> Result<Applied> {
        let change = Change { note: Some(note), ..Change::default() };
        applied(self.change(writer, card, at, None, change), card)
    }

    fn transition(
        &self,
        writer: &Writer,
        card: &CardId,
        from: &Column,
        to: &Column,
        note: Option<&Note>,
    ) -> Result<Applied> {
        let change = Change { status: (from != to).then_some(to), note, ..Change::default() };
        applied(self.change(writer, card, from, Some(to), change), card)
    }

    /// A column is there as soon as a card names it.
    fn create_column(&self, _writer: &Writer, _column: &Column) -> Result<()> {
        Ok(())
    }
}
