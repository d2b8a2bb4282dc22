//! The plan, as `print-plan` prints it.

use schemars::JsonSchema;
use serde::Serialize;

use super::units;
use crate::board::Board;
use crate::codex;
use crate::cycle::plan::{CardPlan, Readiness};
use crate::rules::Rules;

/// `print-plan --format json`.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Plan {
    pub version: u32,
    /// In the order in which they are worked.
    pub cards: Vec<PlannedCard>,
}

#[derive(Debug, JsonSchema, Serialize)]
pub struct PlannedCard {
    pub id: String,
    pub title: String,
    pub status: String,
    pub prompt: String,
    /// The arguments as they are given to the system, the program first.
    pub command: Vec<String>,
    /// In selection order.
    pub tests: Vec<PlannedTest>,
    /// `ready`, `unverified`, `cached`, `exhausted` or `blocked`
    pub verdict: &'static str,
    pub reason: String,
}

#[derive(Debug, JsonSchema, Serialize)]
pub struct PlannedTest {
    pub id: String,
    pub text: String,
    pub similarity: f32,
    pub score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked: Option<String>,
}

impl PlannedCard {
    pub fn of(plan: &CardPlan) -> PlannedCard {
        PlannedCard {
            id: plan.card.id.0.to_string(),
            title: plan.card.title.to_string(),
            status: plan.card.status.0.to_string(),
            prompt: plan.prompt.text.clone(),
            command: plan.command.as_ref().map(|command| command.argv.clone()).unwrap_or_default(),
            tests: plan
                .tests
                .iter()
                .map(|selected| PlannedTest {
                    id: selected.test.id.0.clone(),
                    text: selected.test.text.clone(),
                    similarity: selected.chosen.similarity,
                    score: selected.chosen.score,
                    blocked: selected.blocked.clone(),
                })
                .collect(),
            verdict: verdict(plan),
            reason: plan.reason.clone(),
        }
    }
}

/// What a plan says of its card, in one word.
pub fn verdict(plan: &CardPlan) -> &'static str {
    match plan.readiness {
        Readiness::Ready => "ready",
        Readiness::Unverified { .. } => "unverified",
        Readiness::Cached | Readiness::Stale => "cached",
        Readiness::Exhausted { .. } => "exhausted",
        Readiness::Blocked => "blocked",
    }
}

/// The plan for people, with what of the board is not worked. What cards hold never begins a line.
pub fn human(plan: &Plan, board: &Board, rules: &Rules) -> String {
    let mut text = String::new();
    let mut line = |line: String| {
        text.push_str(&line.replace('\n', " "));
        text.push('\n');
    };
    for (number, card) in (1..).zip(&plan.cards) {
        line(format!("{number}. {} [{}] ({})", card.title, card.status, card.id));
        line(format!("   verdict  {}: {}", card.verdict, card.reason));
        for test in &card.tests {
            let blocked = test.blocked.as_ref().map(|why| format!("  BLOCKED: {why}")).unwrap_or_default();
            line(format!("   test     {:.2}  {}{blocked}", test.similarity, test.text));
        }
        line("   prompt".to_owned());
        card.prompt.lines().for_each(|text| line(format!("      | {text}")));
        line(format!("   command  {}", codex::on_a_line(&card.command)));
        line(String::new());
    }
    for (column, _) in rules.columns.iter().filter(|(_, rule)| rule.evidence.is_none()) {
        let why = "judges codex's own message as well; `evidence: [changes]` is strict";
        line(format!("warning   the rule of `{column}` has no `evidence`: it {why}"));
    }
    for refused in &board.refused {
        line(format!("refused   {refused}"));
    }
    let parked = board.cards.iter().filter(|card| !rules.columns.contains_key(&card.status)).count();
    line(format!("{} in worked columns, {parked} elsewhere", units::of(plan.cards.len(), "card")));
    text
}
