//! `print-plan`: the cards in order, each with what would be done with it and why.

use std::io::{Write, stdout};
use std::sync::Arc;

use super::Opened;
use crate::cycle::plan::Readiness;
use crate::evidence::artifacts_unchanged;
use crate::failure::Failure;
use crate::journal::Event;
use crate::report::plan::{Plan, PlannedCard, human};
use crate::settings::{Format, Settings};

pub fn print_plan(settings: Settings) -> Result<u8, Failure> {
    let (board, state, planner) = Opened::open(Arc::new(settings))?.as_if_run();
    let settings = planner.settings.clone();
    let mut cards = Vec::new();
    for card in board.columns.iter().flat_map(|column| board.column(column)) {
        let Some(mut plan) = planner.plan(card, &state)? else { continue };
        if plan.readiness == Readiness::Cached
            && let Some((attempt, _)) = state.passed(&card.id, &card.status, &plan.key)
        {
            let unchanged = |artifacts: &_| artifacts_unchanged(&settings.workspace, artifacts);
            if let Event::Reopened { reason, .. } = plan.verified(attempt.clone(), &state, unchanged) {
                plan.reason = format!("{reason}: the gate is run again, and codex only if it fails");
            }
        }
        cards.push(PlannedCard::of(&plan));
    }
    let plan = Plan { version: 1, cards };
    let redactor = settings.env.redactor();
    let text = match settings.format {
        Format::Human => redactor.text(&human(&plan, &board, &planner.inputs.rules)).into_owned(),
        Format::Json => {
            let mut value = serde_json::to_value(&plan).map_err(anyhow::Error::from)?;
            redactor.json(&mut value);
            format!("{value}\n")
        }
    };
    stdout().write_all(text.as_bytes()).and_then(|()| stdout().flush()).ok();
    Ok(0)
}
