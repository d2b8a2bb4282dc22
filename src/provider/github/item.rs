//! Answers as the nouns of a board. Pure.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::{Answer, Fault};
use super::note;
use crate::board::{Card, CardContent, CardId, Column, Refused};

/// Where GitHub shows items that have no status.
pub const NO_STATUS: &str = "No Status";

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Project {
    pub id: String,
    pub closed: bool,
    pub viewer_can_update: bool,
    /// None: it has no field Status. Empty: that is none of single choice.
    pub field: Option<Field>,
    pub items: Page<Item>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Field {
    pub id: String,
    pub options: Vec<Choice>,
}

/// An option of the field: a column.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Choice {
    pub id: String,
    pub name: String,
    pub color: String,
    pub description: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Page<T> {
    pub page_info: PageInfo,
    #[serde(bound(deserialize = "T: DeserializeOwned"))]
    pub nodes: Vec<Option<T>>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Page { page_info: PageInfo::default(), nodes: Vec::new() }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PageInfo {
    pub has_next_page: bool,
    pub end_cursor: Option<String>,
    pub has_previous_page: bool,
    pub start_cursor: Option<String>,
}

impl PageInfo {
    /// Where the next page begins, if there is one.
    pub fn next(self) -> Option<String> {
        self.end_cursor.filter(|_| self.has_next_page)
    }

    pub fn previous(self) -> Option<String> {
        self.start_cursor.filter(|_| self.has_previous_page)
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Item {
    pub id: String,
    pub is_archived: bool,
    pub title: Option<Title>,
    pub status: Option<Status>,
    pub project: Project,
    pub content: Option<Content>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Title {
    pub text: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Status {
    pub name: Option<String>,
}

/// An issue, a pull request or a draft.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Content {
    #[serde(rename = "__typename")]
    pub kind: String,
    pub id: String,
    pub title: String,
    pub body: String,
    pub url: Option<String>,
    pub labels: Option<Page<Label>>,
    pub comments: Option<Page<Comment>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Label {
    pub name: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Comment {
    pub id: String,
    pub body: String,
    pub viewer_did_author: bool,
}

impl Content {
    pub fn is_draft(&self) -> bool {
        self.kind == "DraftIssue"
    }
}

impl Item {
    pub fn card_id(&self) -> CardId {
        self.id.as_str().into()
    }

    pub fn column(&self) -> Column {
        let name = self.status.as_ref().and_then(|status| status.name.clone());
        name.as_deref().unwrap_or(NO_STATUS).into()
    }

    /// The card as the list has it: what stands on it is not read.
    pub fn parked(&self) -> Card {
        let title = self.title.as_ref().and_then(|title| title.text.clone()).unwrap_or_else(|| self.id.clone());
        self.card(&title, title.clone(), Vec::new())
    }

    /// The card to be worked, which the list has as `row`.
    pub fn worked(&self, row: &Item) -> Result<Card, Refused> {
        let Some(content) = self.content.as_ref().filter(|content| !content.id.is_empty()) else {
            return Err(
                row.refused("what it is about can't be seen with this token, or is of a kind that is not worked")
            );
        };
        let text = note::without(&content.body, &self.card_id());
        let labels = content.labels.iter().flat_map(|page| page.nodes.iter().flatten());
        let labels = labels.map(|label| label.name.clone()).collect();
        let body = format!("{}\n\n{text}", content.title).trim_end().to_owned();
        let mut card = self.card(&content.title, body, labels);
        card.metadata.extend(content.url.iter().map(|url| ("url".to_owned(), url.clone())));
        Ok(card)
    }

    fn card(&self, title: &str, body: String, labels: Vec<String>) -> Card {
        let content = CardContent {
            id: self.card_id(),
            title: title.split_whitespace().collect::<Vec<_>>().join(" "),
            body,
            // It is in a comment, which only those who write it have to read.
            state: None,
            labels,
            dependencies: Vec::new(),
            stamped: true,
        };
        Card::new(content, self.column())
    }

    pub fn refused(&self, reason: &str) -> Refused {
        let title = self.parked().title.clone();
        Refused {
            status: Some(self.column()),
            title,
            file: String::new(),
            lines: Vec::new(),
            reason: reason.to_owned(),
        }
    }
}

/// What an element's error says of it.
pub fn unseen(fault: &Fault) -> Refused {
    Refused {
        status: None,
        title: "an item".into(),
        file: String::new(),
        lines: Vec::new(),
        reason: fault.message.clone(),
    }
}

/// The project of an answer; None where there is none for this token.
pub fn project(answer: &Answer) -> Result<Option<Project>, serde_json::Error> {
    read(&answer.data["repositoryOwner"]["projectV2"])
}

/// None of null.
pub fn read<T: DeserializeOwned>(value: &Value) -> Result<Option<T>, serde_json::Error> {
    serde_json::from_value(value.clone())
}
