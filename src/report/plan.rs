//! The plan, as `print-plan` prints it.

use schemars::JsonSchema;
use serde::Serialize;

use super::units;
use crate::board::Board;
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

/// The plan for people, with what of the board is not worked.
pub fn human(plan: &Plan, board: &Board, rules: &Rules) -> String {
    let mut text = String::new();
    for (number, card) in (1..).zip(&plan.cards) {
        text.push_str(&format!("{number}. {} [{}] ({})\n", card.title, card.status, card.id));
        text.push_str(&format!("   verdict  {}: {}\n", card.verdict, card.reason));
        for test in &card.tests {
            let blocked = test.blocked.as_ref().map(|why| format!("  BLOCKED: {why}")).unwrap_or_default();
            text.push_str(&format!("   test     {:.2}  {}{blocked}\n", test.similarity, test.text));
        }
        text.push_str("   prompt\n");
        card.prompt.lines().for_each(|line| text.push_str(&format!("      | {line}\n")));
        text.push_str(&format!("   command  {}\n\n", shell_words::join(&card.command)));
    }
    for (column, _) in rules.columns.iter().filter(|(_, rule)| rule.evidence.is_none()) {
        let why = "judges codex's own message as well; `evidence: [changes]` is strict";
        text.push_str(&format!("warning   the rule of `{column}` has no `evidence`: it {why}\n"));
    }
    for refused in &board.refused {
        text.push_str(&format!("refused   {refused}\n"));
    }
    let parked = board.cards.iter().filter(|card| !rules.columns.contains_key(&card.status)).count();
    text.push_str(&format!("{} in worked columns, {parked} elsewhere\n", units::of(plan.cards.len(), "card")));
    text
}
