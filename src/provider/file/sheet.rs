//! A file and the cards in it: its reading, and edits of one card as splices. Pure.
//!
//! Each edit is read again before it is given out: unless exactly the asked change is seen and nothing else, it is an error
//! and nothing is written.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::keys::Keys;
use super::rank::{Rank, same_id};
use super::splice::{Splice, apply, printable, scalar, set};
use super::tree::{Kind, Node, Style, Wrong};
use super::{front, json, section, yaml};
use crate::board::{Card, CardContent, CardId, Column};
use crate::provider::Note;
use crate::provider::markdown::identity::made;
use crate::provider::markdown::lines::Lines;

/// What a card's state is called among its keys.
const STATE: &str = "kanban-codex-exec";

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Markdown with front matter: one card.
    Front,
    Yaml,
    Json,
    /// An object a line.
    JsonLines,
}

impl Format {
    pub fn of(name: &str) -> Option<Format> {
        match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
            "md" | "markdown" => Some(Format::Front),
            "yaml" | "yml" => Some(Format::Yaml),
            "json" => Some(Format::Json),
            "jsonl" | "ndjson" => Some(Format::JsonLines),
            _ => None,
        }
    }
}

/// One reading of a file.
#[derive(Debug)]
pub(super) struct Sheet {
    pub format: Format,
    pub tasks: Vec<Task>,
    /// What is no card, and why.
    pub refused: Vec<Wrong>,
    /// As the file itself lists them; empty where it does not.
    pub columns: Vec<Column>,
}

/// A card and what it is written in.
#[derive(Debug)]
pub(super) struct Task {
    pub card: Card,
    pub rank: Rank,
    /// Its id as ids are compared.
    pub same: String,
    pub node: Node,
}

/// What is asked of a card.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Change<'c> {
    pub stamp: Option<&'c CardId>,
    pub status: Option<&'c Column>,
    pub note: Option<&'c Note>,
    /// As Backlog.md writes it.
    pub now: &'c str,
}

impl Sheet {
    /// Reads a file's text. `name` is its path in the board; what has no id is known by it or by its title.
    pub fn parse(text: &str, name: &str, format: Format, keys: &Keys) -> Result<Sheet, Wrong> {
        let mut sheet = Sheet { format, tasks: Vec::new(), refused: Vec::new(), columns: Vec::new() };
        let lines = Lines::new(text);
        for node in sheet.nodes(text)? {
            match sheet.task(text, node, name, keys) {
                Ok(mut task) => {
                    task.card.line = lines.number(task.node.span.start);
                    sheet.tasks.push(task);
                }
                Err(wrong) => sheet.refused.push(wrong),
            }
        }
        Ok(sheet)
    }

    /// The values that are to be cards.
    fn nodes(&mut self, text: &str) -> Result<Vec<Node>, Wrong> {
        let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let root = match self.format {
            Format::Front => {
                let (range, _) = front::split(text)?;
                let nothing =
                    Wrong::new(range.start, "the front matter is empty: it has a card's `id`, `title` and `status`");
                return Ok(vec![yaml::parse(text, range)?.ok_or(nothing)?]);
            }
            Format::JsonLines => return Ok(self.lines(text, start)),
            Format::Yaml => yaml::parse(text, start..text.len())?,
            Format::Json => Some(json::parse(&text[start..], start)?),
        };
        self.columns =
            root.as_ref().and_then(|root| root.get("columns")).map(|list| list.value.columns()).unwrap_or_default();
        let tasks = root.map(|mut root| root.take("tasks").or_else(|| root.take("cards")).unwrap_or(root));
        match tasks.map(|tasks| tasks.kind) {
            Some(Kind::List(tasks)) => Ok(tasks),
            _ => Err(Wrong::new(start, "a list of tasks is expected here, or `tasks:` or `cards:` with one")),
        }
    }

    /// A line that is no JSON is no card; the others are.
    fn lines(&mut self, text: &str, start: usize) -> Vec<Node> {
        let mut at = start;
        let mut nodes = Vec::new();
        for line in text[start..].split_inclusive('\n') {
            if !line.trim().is_empty() {
                match json::parse(line.trim_end(), at) {
                    Ok(node) => nodes.push(node),
                    Err(wrong) => self.refused.push(wrong),
                }
            }
            at += line.len();
        }
        nodes
    }

    fn task(&self, text: &str, node: Node, name: &str, keys: &Keys) -> Result<Task, Wrong> {
        let at = node.span.start;
        let missing = |part: &str| {
            Wrong::new(
                at,
                format!("a card without `{0}`: give it one, or say in `file.keys` what is its {part}", keys.name(part)),
            )
        };
        let Kind::Map { .. } = &node.kind else {
            return Err(Wrong::new(at, "a card is a mapping with `id`, `title` and `status`"));
        };
        let status = keys.text(&node, "status").ok_or_else(|| missing("status"))?;
        let markdown = match self.format {
            Format::Front => Some(&text[front::split(text)?.1..]),
            Format::Yaml | Format::Json | Format::JsonLines => None,
        };
        let written = markdown.map_or_else(|| parts(&node, keys), section::without).replace("\r\n", "\n");
        let heading = || written.lines().find_map(|line| line.strip_prefix("# ")).map(str::trim);
        let stem = || markdown.map(|_| name.rsplit('/').next().unwrap_or(name).trim_end_matches(".md"));
        let title = keys.text(&node, "title").or_else(|| heading().filter(|_| markdown.is_some())).or_else(stem);
        let title = title.ok_or_else(|| missing("title"))?.split_whitespace().collect::<Vec<_>>().join(" ");
        let body = match written.lines().next() {
            None => title.clone(),
            Some(first) if first.trim_start_matches("# ") == title => written,
            Some(_) => format!("{title}\n\n{written}"),
        };
        let state = match markdown {
            Some(markdown) => section::find(markdown).and_then(|(_, data)| data),
            None => node.get(STATE).and_then(|entry| entry.value.get("state")).map(|entry| entry.value.value()),
        };
        let id = keys.text(&node, "id");
        let known_by = if markdown.is_some() { name } else { &title };
        let content = CardContent {
            id: id.map_or_else(|| made(known_by, "").into(), CardId::from),
            labels: keys
                .texts(&node, "labels")
                .into_iter()
                .map(|label| label.trim_start_matches('#').to_owned())
                .collect(),
            dependencies: keys
                .all(&node, "dependencies")
                .flat_map(|entry| entry.value.texts())
                .map(CardId::from)
                .collect(),
            title,
            body,
            state,
            stamped: id.is_some(),
        };
        let same = same_id(&content.id.0);
        let mut card = Card::new(content, status.into());
        if !name.is_empty() {
            card.metadata.insert("file".to_owned(), name.to_owned());
        }
        Ok(Task { card, rank: Rank::of(&node, keys), same, node })
    }

    /// The text with what is asked of the card of this index, and its reading.
    pub fn edited(
        &self,
        text: &str,
        name: &str,
        index: usize,
        change: &Change<'_>,
        keys: &Keys,
    ) -> Result<(String, Sheet)> {
        // What can't stand in the style of the old value is quoted.
        let mut unseen = String::new();
        for style in [None, Some(Style::Single), Some(Style::Double)] {
            let edited = apply(text, self.splices(text, index, change, style, keys)?);
            match self.sees(&edited, name, index, change, keys) {
                Ok(sheet) => return Ok((edited, sheet)),
                Err(reason) => unseen = reason,
            }
        }
        bail!("its file can't take the change: {unseen}")
    }

    fn splices(
        &self,
        text: &str,
        index: usize,
        change: &Change<'_>,
        style: Option<Style>,
        keys: &Keys,
    ) -> Result<Vec<Splice>> {
        let Some(Task { node, .. }) = self.tasks.get(index) else { bail!("the card is not in its file") };
        let Some(status) = keys.find(node, "status") else { bail!("the card has no status") };
        let Kind::Scalar { style: old, .. } = &status.value.kind else { bail!("its status is no text") };
        if *old == Style::Block {
            bail!("its status is a block of text: write it on the line of its key");
        }
        let json = matches!(self.format, Format::Json | Format::JsonLines);
        let mut splices = Vec::new();
        if let Some(column) = change.status {
            let style = if json { Style::Double } else { style.unwrap_or(*old) };
            splices.push((status.value.span.clone(), scalar(&column.0, style)));
        }
        if let Some(id) = change.stamp {
            let style = if json { Style::Double } else { Style::Plain };
            splices.push(set(text, node, status, &keys.name("id"), &scalar(&id.0, style)));
        }
        match (change.note, self.format) {
            (None, _) => {}
            (Some(note), Format::Front) => {
                splices.push(section::written(text, front::split(text).map_or(text.len(), |(_, at)| at), note))
            }
            (Some(note), Format::Yaml | Format::Json | Format::JsonLines) => {
                splices.push(set(text, node, status, STATE, &printable(&state(note).to_string())));
            }
        }
        // What Backlog.md's own program does with every edit.
        if self.format == Format::Front && change.stamp.is_none() {
            let (created, updated) = (node.get("created_date"), node.get("updated_date"));
            if let Some(behind) = updated.or(created) {
                splices.push(set(text, node, behind, "updated_date", &scalar(change.now, Style::Single)));
            }
        }
        Ok(splices)
    }

    /// Whether reading `edited` sees the change and nothing else; what else.
    fn sees(&self, edited: &str, name: &str, index: usize, change: &Change<'_>, keys: &Keys) -> Result<Sheet, String> {
        let found = Sheet::parse(edited, name, self.format, keys).map_err(|wrong| wrong.text)?;
        if found.tasks.len() != self.tasks.len()
            || found.refused.len() != self.refused.len()
            || found.columns != self.columns
        {
            return Err("other cards would change with it".to_owned());
        }
        for (at, (old, new)) in self.tasks.iter().zip(&found.tasks).enumerate() {
            let mut card = old.card.clone();
            let same = if at == index {
                card.status = change.status.unwrap_or(&card.status).clone();
                card.state = change.note.map(|note| note.data.clone()).or(card.state.take());
                card.stamped |= change.stamp.is_some();
                change.expected(&old.node, self.format, &new.node, keys) == new.node.value()
            } else {
                old.node.says(&new.node)
            };
            if !same || (Card { line: new.card.line, ..card }) != new.card {
                return Err(format!("the card at line {} would read otherwise", new.card.line));
            }
        }
        Ok(found)
    }
}

impl Change<'_> {
    /// What a card says once it is changed.
    fn expected(&self, card: &Node, format: Format, found: &Node, keys: &Keys) -> Value {
        let mut values = card.value();
        let Some(map) = values.as_object_mut() else { return values };
        let status = keys.find(found, "status").map(|entry| entry.key.clone());
        if let (Some(column), Some(key)) = (self.status, status) {
            map.insert(key, column.0.to_string().into());
        }
        if let Some(id) = self.stamp {
            map.insert(keys.name("id"), id.0.to_string().into());
        }
        match (self.note, format) {
            (Some(note), Format::Yaml | Format::Json | Format::JsonLines) => {
                drop(map.insert(STATE.to_owned(), state(note)))
            }
            (Some(_), Format::Front) | (None, _) => {}
        }
        let dated = map.contains_key("created_date") || map.contains_key("updated_date");
        if format == Format::Front && self.stamp.is_none() && dated {
            map.insert("updated_date".to_owned(), self.now.into());
        }
        values
    }
}

fn state(note: &Note) -> Value {
    json!({"note": note.text, "state": note.data})
}

/// What a card's keys say of its work.
fn parts(node: &Node, keys: &Keys) -> String {
    let part = |value: &Node| match value.items() {
        Some(items) => items
            .iter()
            .map(|item| format!("- {}", item.text().map_or_else(|| item.value().to_string(), str::to_owned)))
            .collect::<Vec<_>>()
            .join("\n"),
        None => value.text().map_or_else(String::new, |text| text.trim().to_owned()),
    };
    let all: Vec<String> =
        keys.all(node, "body").map(|entry| part(&entry.value)).filter(|part| !part.is_empty()).collect();
    all.join("\n\n")
}
