//! The board as it was read, as `board` prints it.

use schemars::JsonSchema;
use serde::Serialize;

use super::page::Page;
use super::units;
use crate::board::{Board, Card, CardId, Column, Refused};
use crate::rules::{Rule, Rules};

/// `board --format json`.
#[derive(Debug, JsonSchema, Serialize)]
pub struct BoardPage {
    pub version: u32,
    pub source: String,
    /// In board order.
    pub columns: Vec<ColumnPage>,
    pub refused: Vec<Refused>,
}

#[derive(Debug, JsonSchema, Serialize)]
pub struct ColumnPage {
    pub name: Column,
    /// None: nothing is worked here.
    pub rule: Option<RulePage>,
    /// In the order in which they are worked.
    pub cards: Vec<CardPage>,
}

/// Where a rule sends its cards.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RulePage {
    pub on_pass: Option<Column>,
    pub on_fail: Option<Column>,
    pub on_exhausted: Option<Column>,
}

#[derive(Debug, JsonSchema, Serialize)]
pub struct CardPage {
    pub id: CardId,
    /// Whether the id stands on the board; otherwise it is written there when the card is first worked.
    pub stamped: bool,
    pub title: String,
    pub labels: Vec<String>,
    /// 1-based; 0 where the board has no lines.
    pub line: usize,
}

impl BoardPage {
    pub fn of(source: &str, board: &Board, rules: &Rules) -> BoardPage {
        let column = |column: &Column| ColumnPage {
            name: column.clone(),
            rule: rules.columns.get(column).map(RulePage::of),
            cards: board.column(column).map(CardPage::of).collect(),
        };
        let columns = board.columns.iter().map(column).collect();
        BoardPage { version: 1, source: source.to_owned(), columns, refused: board.refused.clone() }
    }
}

impl RulePage {
    fn of(rule: &Rule) -> RulePage {
        let Rule { on_pass, on_fail, on_exhausted, .. } = rule.clone();
        RulePage { on_pass, on_fail, on_exhausted }
    }

    fn told(&self) -> String {
        let ways = [("pass", &self.on_pass), ("fail", &self.on_fail), ("exhausted", &self.on_exhausted)];
        let ways = ways.iter().filter_map(|(verdict, to)| Some(format!("{verdict} → {}", to.as_ref()?)));
        match ways.collect::<Vec<_>>().join(", ") {
            ways if ways.is_empty() => "worked; cards stay".to_owned(),
            ways => format!("worked: {ways}"),
        }
    }
}

impl CardPage {
    fn of(card: &Card) -> CardPage {
        CardPage {
            id: card.id.clone(),
            stamped: card.stamped,
            title: card.title.to_string(),
            labels: card.labels.to_vec(),
            line: card.line,
        }
    }
}

/// The board for people.
pub fn human(page: &BoardPage) -> String {
    let mut text = Page::default();
    let cards: usize = page.columns.iter().map(|column| column.cards.len()).sum();
    let worked: usize =
        page.columns.iter().filter(|column| column.rule.is_some()).map(|column| column.cards.len()).sum();
    for column in &page.columns {
        let rule = column.rule.as_ref().map_or("no rule, nothing is worked here".to_owned(), RulePage::told);
        text.hanging(&format!("{} ", column.name), &format!("({}) {rule}", column.cards.len()));
        for card in &column.cards {
            let star = if card.stamped { "" } else { "*" };
            text.hanging(&format!("  {:>5}  ", card.line), &format!("{} ({}{star})", card.title, card.id));
        }
        text.blank();
    }
    for refused in &page.refused {
        let lines: Vec<String> = refused.lines.iter().map(usize::to_string).collect();
        text.line("refused", &format!("line {}: {}: {}", lines.join(", "), refused.title, refused.reason));
    }
    let refused = page.refused.len();
    let (columns, cards) = (units::of(page.columns.len(), "column"), units::of(cards, "card"));
    let counts = format!("{columns}, {cards}, {worked} in worked columns, {refused} refused");
    text.hanging("", &format!("{}: {counts}", page.source));
    if page.columns.iter().flat_map(|column| &column.cards).any(|card| !card.stamped) {
        text.hanging("", "* the id is written on the card when it is first worked");
    }
    text.into_text()
}
