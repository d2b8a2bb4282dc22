//! GitHub Projects: the options of the project's field Status are the columns, its items the cards.
//!
//! [`documents`], `answer`, `item`, `note` and [`access`] are pure; `client` asks. Nothing is remembered that the
//! project could say: before each write the card is read again, with the columns as they are named then.

pub mod access;
mod answer;
mod client;
pub mod documents;
mod item;
mod note;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Error, Result};
use serde_json::{Value, json};

pub use self::access::Access;
use self::answer::{Answer, Fault};
use self::client::Client;
use self::documents::Document;
use self::item::{Choice, Comment, Content, Field, Item, Label, Page, PageInfo, Project};
use super::{Applied, Note, Provider, Wanted};
use crate::board::{Board, Card, CardId, Column};
use crate::failure::Failure;
use crate::storage::Writer;

/// So many are asked for at once: GitHub's limit.
const PAGE: usize = 100;
/// A watcher uses one of these many parts of an hour's points.
const SHARE: u64 = 2;
const HOUR: u64 = 3600;

/// A board in a project of GitHub's.
#[derive(Debug)]
pub struct GitHub {
    client: Client,
    /// Points that the newest reading took.
    cost: Mutex<u64>,
}

/// What became of a note.
enum Noted {
    Written,
    Already,
    Refused(String),
}

impl GitHub {
    pub fn new(access: Access) -> GitHub {
        GitHub { client: Client::new(access), cost: Mutex::default() }
    }

    /// An answer in which no more is missing than single elements of lists.
    fn ask(&self, document: Document, variables: &Value) -> Result<Answer> {
        let answer = self.client.ask(document, variables).and_then(|answer| answer.but_for_nodes(&self.client.access));
        answer.map_err(Error::msg)
    }

    /// Makes a change, or says why this token may not. What it is about can be gone since it was looked at: looking again
    /// tells.
    fn change(&self, document: Document, variables: &Value) -> Result<Result<(), Fault>> {
        let answer = self.client.ask(document, variables).map_err(Error::msg)?;
        if let Some(fault) = answer.errors.iter().find(|fault| fault.is_gone()) {
            return Err(Error::msg(answer::away(format!("it is gone meanwhile: {}", fault.message))));
        }
        if let Some(fault) = answer.errors.iter().find(|fault| fault.is_forbidden()) {
            return Ok(Err(fault.clone()));
        }
        answer.whole(&self.client.access).map(|_| Ok(())).map_err(Error::msg)
    }

    /// Makes a change without which nothing goes on.
    fn must_change(&self, document: Document, variables: &Value) -> Result<()> {
        let changed = self.change(document, variables)?;
        changed.map_err(|fault| Error::msg(answer::failure(&fault, &self.client.access)))
    }

    /// The project and a page of `first` items.
    fn page(&self, first: usize, after: Option<&str>) -> Result<(Project, Vec<Fault>)> {
        let Access { owner, number, .. } = &self.client.access;
        let variables = json!({ "owner": owner, "number": number, "first": first, "after": after });
        let answer = self.ask(documents::BOARD, &variables)?;
        let project = item::project(&answer)?;
        let gone = || Error::msg(answer::missing(&self.client.access, "GitHub shows none of that owner"));
        Ok((project.ok_or_else(gone)?, answer.errors))
    }

    fn columns_of(&self, field: Option<&Field>) -> Result<Vec<Column>> {
        let options = field.map(|field| field.options.as_slice()).unwrap_or_default();
        if options.is_empty() {
            let text = format!("the project {} has no field Status with options to choose from", self.client.access);
            let hint = "its options are the columns: add a field of that name, of the kind single select";
            return Err(Error::msg(Failure::usage(text).hint(hint)));
        }
        Ok(options.iter().map(|option| Column::from(option.name.as_str())).collect())
    }

    /// Cards by their ids, as they are now, or why one can't be seen. Without those that are gone.
    fn cards(&self, ids: &[CardId]) -> Result<BTreeMap<CardId, Result<Item, String>>> {
        let mut cards = BTreeMap::new();
        for ids in ids.chunks(PAGE) {
            let answer = self.ask(documents::CARDS, &json!({ "ids": ids }))?;
            let nodes: Vec<Option<Item>> = item::read(&answer.data["nodes"])?.unwrap_or_default();
            for (place, (id, node)) in ids.iter().zip(nodes).enumerate() {
                let fault = answer.errors.iter().find(|fault| fault.node() == Some(place) && !fault.is_gone());
                match (fault, node) {
                    (Some(fault), _) => drop(cards.insert(id.clone(), Err(fault.message.clone()))),
                    (None, Some(mut item)) if !item.is_archived => {
                        self.all_labels(&mut item)?;
                        cards.insert(id.clone(), Ok(item));
                    }
                    (None, _) => {}
                }
            }
        }
        Ok(cards)
    }

    fn all_labels(&self, item: &mut Item) -> Result<()> {
        let Some(Content { id, labels: Some(labels), .. }) = &mut item.content else { return Ok(()) };
        let mut after = labels.page_info.clone().next();
        while let Some(cursor) = after {
            let answer = self.ask(documents::LABELS, &json!({ "id": id, "after": cursor }))?;
            let page: Page<Label> = item::read(&answer.data["node"]["labels"])?.unwrap_or_default();
            labels.nodes.extend(page.nodes);
            after = page.page_info.next();
        }
        Ok(())
    }

    /// The card as it is now, with the newest comments, or those before a cursor. None: it is gone, or in the archive.
    fn seen(&self, card: &CardId, before: Option<&str>) -> Result<Option<Item>> {
        let answer = self.client.ask(documents::CARD, &json!({ "id": card, "before": before })).map_err(Error::msg)?;
        if answer.errors.iter().any(Fault::is_gone) {
            return Ok(None);
        }
        let answer = answer.but_for_nodes(&self.client.access).map_err(Error::msg)?;
        Ok(item::read::<Item>(&answer.data["node"])?.filter(|item| !item.is_archived))
    }

    /// Writes the note on the card, in place of an older one.
    fn note(&self, card: &CardId, seen: Item, note: &Note) -> Result<Noted> {
        let Some(content) = seen.content.filter(|content| !content.id.is_empty()) else {
            return Ok(Noted::Refused("what it is about can't be seen with this token".to_owned()));
        };
        let (document, variables) = if content.is_draft() {
            let body = note::with(&content.body, card, note);
            // GitHub's own editor gives every line its line end.
            if body.replace("\r\n", "\n") == content.body.replace("\r\n", "\n") {
                return Ok(Noted::Already);
            }
            (documents::EDIT_DRAFT, json!({ "id": content.id, "body": body }))
        } else {
            let body = note::block(card, note);
            match self.comment(card, content.comments.unwrap_or_default())? {
                Some(comment) if comment.body == body => return Ok(Noted::Already),
                Some(comment) => (documents::EDIT_COMMENT, json!({ "id": comment.id, "body": body })),
                None => (documents::ADD_COMMENT, json!({ "subject": content.id, "body": body })),
            }
        };
        Ok(match self.change(document, &variables)? {
            Ok(()) => Noted::Written,
            Err(fault) => Noted::Refused(fault.message),
        })
    }

    /// The program's own comment on the card, the newest pages first.
    fn comment(&self, card: &CardId, mut page: Page<Comment>) -> Result<Option<Comment>> {
        loop {
            let ours = |comment: &Comment| comment.viewer_did_author && note::is_of(&comment.body, card);
            if let Some(comment) = page.nodes.into_iter().flatten().find(ours) {
                return Ok(Some(comment));
            }
            let Some(before) = page.page_info.previous() else { return Ok(None) };
            let seen = self.seen(card, Some(&before))?.and_then(|seen| seen.content);
            page = seen.and_then(|content| content.comments).unwrap_or_default();
        }
    }
}

impl Provider for GitHub {
    fn outline(&self) -> Result<Arc<Board>> {
        let (project, _) = self.page(1, None)?;
        let columns = self.columns_of(project.field.as_ref())?;
        Ok(Arc::new(Board { columns, ..Board::default() }))
    }

    fn read(&self, wanted: &Wanted) -> Result<Arc<Board>> {
        let before = self.client.spent().points;
        let (mut rows, mut listed, mut refused, mut after) = (Vec::new(), BTreeSet::new(), Vec::new(), None);
        let project = loop {
            let (mut project, faults) = self.page(PAGE, after.as_deref())?;
            refused.extend(faults.iter().map(item::unseen));
            let Page { nodes, page_info } = std::mem::take(&mut project.items);
            // What is moved while the pages are read can be on two of them, or on none.
            let items = nodes.into_iter().flatten().filter(|item| !item.is_archived);
            rows.extend(items.filter(|item| listed.insert(item.card_id())));
            after = PageInfo::next(page_info);
            if after.is_none() {
                break project;
            }
        };
        let columns = self.columns_of(project.field.as_ref())?;
        let in_full = |row: &&Item| wanted.has(&row.card_id(), &row.column());
        let ids = rows.iter().filter(in_full).map(Item::card_id).chain(wanted.cards.difference(&listed).cloned());
        let mut now = self.cards(&ids.collect::<Vec<_>>())?;
        let mut found = Vec::new();
        for row in &rows {
            found.push(match now.remove(&row.card_id()) {
                Some(seen) => seen.map_err(|reason| row.refused(&reason)).and_then(|item| item.worked(row)),
                None if in_full(&row) => continue,
                None => Ok(row.parked()),
            });
        }
        found.extend(now.into_values().flatten().map(|item| item.worked(&item)));
        let mut cards = Vec::new();
        for card in found {
            match card {
                Ok(mut card) => {
                    card.stamped = project.viewer_can_update && !project.closed;
                    cards.push(card);
                }
                Err(reason) => refused.push(reason),
            }
        }
        let place = |card: &Card| columns.iter().position(|column| *column == card.status).unwrap_or(columns.len());
        cards.sort_by_key(place);
        *self.cost.lock().unwrap_or_else(PoisonError::into_inner) = self.client.spent().points - before;
        Ok(Arc::new(Board { columns, cards, refused, ..Board::default() }))
    }

    fn rest(&self) -> Duration {
        let limit = self.client.spent().newest.limit;
        let cost = *self.cost.lock().unwrap_or_else(PoisonError::into_inner);
        Duration::from_secs((cost * HOUR * SHARE).checked_div(limit).unwrap_or(0))
    }

    /// An item has its id already. What is asked here is whether it could be written on at all.
    fn claim(&self, _writer: &Writer, card: &Card) -> Result<Applied> {
        Ok(match card.stamped {
            true => Applied::Already,
            false => Applied::Refused(format!(
                "the project is closed, or the token in {} may only read it: it needs the scope `project`, and the owner of the token the role Write",
                self.client.access.token.variable
            )),
        })
    }

    fn update(&self, _writer: &Writer, card: &CardId, at: &Column, note: &Note) -> Result<Applied> {
        let Some(seen) = self.seen(card, None)? else { return Ok(Applied::Elsewhere(None)) };
        if seen.column() != *at {
            return Ok(Applied::Elsewhere(Some(seen.column())));
        }
        Ok(match self.note(card, seen, note)? {
            Noted::Written => Applied::Done { id: card.clone() },
            Noted::Already => Applied::Already,
            Noted::Refused(reason) => Applied::Refused(reason),
        })
    }

    /// The move first: a note says what was done.
    fn transition(&self, _writer: &Writer, card: &Card, to: &Column, note: Option<&Note>) -> Result<Applied> {
        let (card, from, worked) = (&card.id, &card.status, card);
        let Some(mut seen) = self.seen(card, None)? else { return Ok(Applied::Elsewhere(None)) };
        let status = seen.column();
        let there = status == *to;
        if status == *from {
            self.all_labels(&mut seen)?;
            if seen.worked(&seen).is_ok_and(|now| !now.says_same(worked)) {
                return Ok(Applied::Reworded);
            }
        } else if !there {
            return Ok(Applied::Elsewhere(Some(status)));
        }
        if !there {
            let field = seen.project.field.clone().unwrap_or_default();
            let Some(option) = field.options.iter().find(|option| *option.name == *to.0) else {
                return Ok(Applied::Refused(format!(
                    "the project has no column `{to}`: its field Status has no such option"
                )));
            };
            let variables = json!({ "project": seen.project.id, "item": card, "field": field.id, "option": option.id });
            self.must_change(documents::MOVE, &variables)?;
            // The note goes into the text of a draft, where people write as well: it is read as late as can be.
            if note.is_some() && seen.content.as_ref().is_some_and(Content::is_draft) {
                let gone = || Error::msg(answer::away("it is gone meanwhile".to_owned()));
                seen = self.seen(card, None)?.ok_or_else(gone)?;
            }
        }
        let noted = note.map_or(Ok(Noted::Already), |note| self.note(card, seen, note))?;
        Ok(match noted {
            Noted::Refused(reason) if from == to => Applied::Refused(reason),
            Noted::Refused(reason) => {
                tracing::warn!("{card} was moved to {to}, and why can't be written on it: {reason}");
                Applied::Done { id: card.clone() }
            }
            Noted::Already if there => Applied::Already,
            Noted::Written | Noted::Already => Applied::Done { id: card.clone() },
        })
    }

    /// Only where the server lets the other columns keep their ids: else every card would lose its status.
    fn create_column(&self, _writer: &Writer, column: &Column) -> Result<()> {
        let Access { owner, number, .. } = &self.client.access;
        let answer = self.ask(documents::COLUMNS, &json!({ "owner": owner, "number": number }))?;
        let field = item::project(&answer)?.and_then(|project| project.field).context("the field Status is gone")?;
        if field.options.iter().any(|option| *option.name == *column.0) {
            return Ok(());
        }
        let inputs = answer.data["__type"]["inputFields"].as_array().into_iter().flatten();
        if !inputs.into_iter().any(|input| input["name"] == "id") {
            let text = format!(
                "the project has no column `{column}`, and this server can't add one without taking the status from every card"
            );
            return Err(Error::msg(
                Failure::usage(text).hint("add the option in the settings of the project's field Status"),
            ));
        }
        let kept = field.options.iter().map(|Choice { id, name, color, description }| {
            json!({ "id": id, "name": name, "color": color, "description": description })
        });
        let added = json!({ "name": column, "color": "GRAY", "description": "" });
        let options: Vec<Value> = kept.chain([added]).collect();
        self.must_change(documents::SET_COLUMNS, &json!({ "field": field.id, "options": options }))
    }
}
