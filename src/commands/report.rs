//! `report`: what became of the board's cards, from the same reading as `explain`.
//!
//! It can write its file itself because a shell's `>` can't refuse what would be wrong: the board in place of a report, or
//! a file full of test strings where an attempt is just being judged by what it adds.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::ArgMatches;

use super::{Opened, planned, say};
use crate::board::{Board, Card, CardId};
use crate::cli;
use crate::cycle::plan::{CardPlan, Planner};
use crate::cycle::state::State;
use crate::failure::{Failure, Kind};
use crate::journal::{AttemptId, append};
use crate::report::story::{Known, Patch, Story};
use crate::report::{html, junit, markdown};
use crate::settings::{Format, Settings};
use crate::storage::Writer;

/// Bytes of all patches that a report shows, the newest first, and of one of them.
const PATCHES: u64 = 4 << 20;
const LONGEST_PATCH: u64 = 64 << 10;

pub fn report(matches: &ArgMatches, settings: Settings) -> Result<u8, Failure> {
    let rendering = matches.get_one::<String>(cli::RENDERING).map(String::as_str);
    let rendering = rendering.unwrap_or(if settings.format == Format::Json { "json" } else { "html" });
    let output = matches.get_one::<PathBuf>("output").map(|output| settings.folder.join(output));
    let opened = Opened::reading(Arc::new(settings), worked)?;
    if let Some(output) = &output {
        writable(output, &opened)?;
    }
    let text = told(rendering, opened)?;
    match output {
        None => say(&text),
        Some(output) => {
            let folder = output.parent().unwrap_or(Path::new("/"));
            Writer::within(folder).replace(&output, text.as_bytes())?;
        }
    }
    Ok(0)
}

/// The cards that have a story on this board.
fn worked(settings: &Settings, state: &State) -> BTreeSet<CardId> {
    let source = settings.source.to_string();
    let here = state.cards.iter().filter(|(_, history)| history.source == source);
    here.map(|(card, _)| card.clone()).chain(state.open()).collect()
}

fn told(rendering: &str, mut opened: Opened) -> Result<String, Failure> {
    let (records, damaged) = (std::mem::take(&mut opened.records), std::mem::take(&mut opened.damaged));
    let (board, state, planner) = opened.as_if_run();
    let settings = &planner.settings;
    let known = Known {
        source: settings.source_name.clone(),
        journal_source: settings.source.to_string(),
        board: &board,
        rules: &planner.inputs.rules,
        records: &records,
        state: &state,
        damaged: &damaged,
    };
    let shows_patches = matches!(rendering, "html" | "json");
    let mut patches = if shows_patches { patches(&state, &settings.cache_dir) } else { BTreeMap::new() };
    let story = Story::of(&known, plans(&board, &state, &planner)?, |id| patches.remove(id));
    let value = story.redacted(settings.env.redactor()).map_err(anyhow::Error::from)?;
    if rendering == "json" {
        return Ok(format!("{value}\n"));
    }
    let story = Story::for_people(value).map_err(anyhow::Error::from)?;
    Ok(match rendering {
        "markdown" => markdown::page(&story),
        "junit" => junit::document(&story),
        _ => html::page(&story),
    })
}

/// Of each card where it stands, or else by the rule of the column in which it was last worked, or refused.
fn plans(board: &Board, state: &State, planner: &Planner) -> Result<BTreeMap<CardId, CardPlan>, Failure> {
    let last = |card: &Card| {
        let history = state.history(&card.id)?;
        let attempt = history.attempts.last().and_then(|id| state.attempts.get(id));
        let mut refused =
            history.visits.iter().filter(|(_, visits)| visits.waiting.is_some()).map(|(column, _)| column);
        let column = attempt.map(|attempt| &attempt.column).or_else(|| refused.next())?;
        Some((column, planner.inputs.rules.columns.get(column)?))
    };
    let mut plans = BTreeMap::new();
    for card in &board.cards {
        let plan = match (planned(planner, card, state)?, last(card)) {
            (Some(plan), _) => plan,
            (None, Some((column, rule))) => planner.plan_as(card, rule, column, state)?,
            (None, None) => continue,
        };
        plans.insert(card.id.clone(), plan);
    }
    Ok(plans)
}

fn patches(state: &State, cache_dir: &Path) -> BTreeMap<AttemptId, Patch> {
    let mut newest_first: Vec<_> = state.attempts.iter().collect();
    newest_first.sort_by_key(|(_, attempt)| Reverse(attempt.started));
    let mut left = PATCHES;
    let read = |(id, _): (&AttemptId, _)| {
        let file = File::open(id.folder(cache_dir).join("changes.patch")).ok()?;
        let size = file.metadata().ok()?.len();
        let mut bytes = Vec::new();
        file.take(LONGEST_PATCH.min(left)).read_to_end(&mut bytes).ok()?;
        left -= bytes.len() as u64;
        Some((id.clone(), Patch::of(&bytes, size)?))
    };
    newest_first.into_iter().filter_map(read).collect()
}

/// Not over what a run goes by, and not among what an attempt is judged by.
fn writable(output: &Path, opened: &Opened) -> Result<(), Failure> {
    let settings = &opened.settings;
    let folder = output.parent().unwrap_or(Path::new("/"));
    let shown = settings.shown(output);
    let folder = folder.canonicalize().with_context(|| format!("--output: {shown}: its folder can't be reached"));
    let folder = folder.map_err(|error| Failure::new(Kind::Usage, error).hint("make the folder first"))?;
    let real = output.canonicalize().unwrap_or_else(|_| folder.join(output.file_name().unwrap_or_default()));
    if real.is_dir() {
        return Err(Failure::usage(format!("--output: {shown}: is a folder, not a file")).hint("name a file in it"));
    }
    let journal = append::path(&settings.cache_dir);
    let own = [&settings.tests, &settings.transitions, &settings.config, &journal].map(PathBuf::as_path);
    if own
        .into_iter()
        .chain(settings.source.path())
        .any(|own| own.canonicalize().is_ok_and(|own| real.starts_with(own)))
    {
        let failure = Failure::usage(format!("--output: {shown}: a run works by that file"));
        return Err(failure.hint("name another file"));
    }
    let seen = real.starts_with(&settings.workspace) && !real.starts_with(&settings.cache_dir);
    if let Some((id, _)) = opened.state.running().next().filter(|_| seen) {
        let text = format!(
            "--output: {shown}: {id} is at work in {}, and it would count as its work",
            settings.shown(&settings.workspace)
        );
        let failure = Failure::new(Kind::Error, anyhow::anyhow!(text));
        return Err(failure.hint("write it elsewhere, or when the attempt has ended"));
    }
    Ok(())
}
