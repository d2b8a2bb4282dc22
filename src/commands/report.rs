//! `report`: what became of the board's cards, from the same reading as `explain`.
//!
//! It can write its file itself because a shell's `>` can't refuse what would be wrong: the board in place of a report, or
//! a file full of test strings where an attempt is just being judged by what it adds.

mod output;
mod patches;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use clap::ArgMatches;

use super::{Known, Opened, planned, say};
use crate::board::{Board, Card, CardId};
use crate::cli;
use crate::cycle::plan::{CardPlan, Planner};
use crate::cycle::state::State;
use crate::failure::Failure;
use crate::journal::Record;
use crate::report::story::{self, Story};
use crate::report::{Rendering, html, junit, markdown};
use crate::settings::{Format, Settings};

pub fn report(matches: &ArgMatches, settings: Settings) -> Result<u8, Failure> {
    let everywhere = if settings.format == Format::Json { Rendering::Json } else { Rendering::Html };
    let rendering = matches.get_one::<Rendering>(cli::RENDERING).copied().unwrap_or(everywhere);
    let opened = Opened::of(Known::of(Arc::new(settings), None)?, worked)?;
    let settings = opened.settings.clone();
    let text = told(rendering, opened)?;
    match matches.get_one::<PathBuf>("output") {
        None => drop(say(&text)?),
        Some(output) => output::write(&settings.folder.join(output), &text, &settings)?,
    }
    Ok(0)
}

/// The cards that have a story on this board.
fn worked(settings: &Settings, state: &State) -> BTreeSet<CardId> {
    let source = settings.source.to_string();
    let here = state.cards.iter().filter(|(_, history)| *history.source == source);
    here.map(|(card, _)| card.clone()).chain(state.open()).collect()
}

fn told(rendering: Rendering, mut opened: Opened<Vec<Record>>) -> Result<String, Failure> {
    let (records, damaged) = (std::mem::take(&mut opened.journaled.beside), opened.journaled.damaged.clone());
    let (board, state, planner) = opened.as_if_run();
    let settings = &planner.settings;
    let known = story::Known {
        source: settings.source_name.clone(),
        journal_source: settings.source.to_string(),
        board: &board,
        rules: &planner.inputs.rules,
        records: &records,
        state: &state,
        damaged: &damaged,
    };
    let mut patches = match rendering {
        Rendering::Html | Rendering::Json => patches::read(&state, &settings.cache_dir),
        Rendering::Markdown | Rendering::Junit => BTreeMap::new(),
    };
    let story = Story::of(&known, plans(&board, &state, &planner)?, |id| patches.remove(id));
    let value = story.redacted(settings.env.redactor()).map_err(anyhow::Error::from)?;
    let for_people = |value| Story::for_people(value).map_err(anyhow::Error::from);
    Ok(match rendering {
        Rendering::Json => format!("{value}\n"),
        Rendering::Html => html::page(&for_people(value)?),
        Rendering::Markdown => markdown::page(&for_people(value)?),
        Rendering::Junit => junit::document(&for_people(value)?),
    })
}

/// Of each card where it stands, or else by the rule of the column in which it was last worked, or refused.
fn plans(board: &Board, state: &State, planner: &Planner) -> Result<BTreeMap<CardId, CardPlan>, Failure> {
    let last = |card: &Card| {
        let history = state.history(&card.id)?;
        let attempt = history.attempts.last().and_then(|id| state.attempt(id));
        let mut refused =
            history.visits.iter().filter(|(_, visits)| visits.waiting.is_some()).map(|(column, _)| column);
        let column = attempt.map(|attempt| &attempt.column).or_else(|| refused.next())?;
        Some((column, planner.inputs.rules.columns.get(column)?))
    };
    let mut plans = BTreeMap::new();
    for card in board.all() {
        let plan = match (planned(planner, card, state)?, last(card)) {
            (Some(plan), _) => plan,
            (None, Some((column, rule))) => planner.plan_as(card, rule, column, state)?,
            (None, None) => continue,
        };
        plans.insert(card.id.clone(), plan);
    }
    Ok(plans)
}
