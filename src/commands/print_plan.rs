//! `print-plan`: the cards in order, each with what would be done with it and why.

use std::sync::Arc;

use super::{Opened, planned, show};
use crate::failure::Failure;
use crate::report::plan::{Plan, PlannedCard, human};
use crate::settings::Settings;

pub fn print_plan(settings: Settings) -> Result<u8, Failure> {
    let (board, state, planner) = Opened::open(Arc::new(settings))?.as_if_run();
    let mut cards = Vec::new();
    for card in board.columns.iter().flat_map(|column| board.column(column)) {
        cards.extend(planned(&planner, card, &state)?.as_ref().map(PlannedCard::of));
    }
    let plan = Plan { version: 1, cards };
    show(&planner.settings, &plan, &human(&plan, &board, &planner.inputs.rules))?;
    Ok(0)
}
