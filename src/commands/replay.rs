//! `replay`: a recorded attempt judged again from its saved trees; codex and commands are not run.

use std::sync::Arc;

use super::{Opened, show};
use crate::board::Board;
use crate::cycle::plan::Planner;
use crate::cycle::recorded;
use crate::cycle::replay::{Bar, Past, judge};
use crate::cycle::state::{Attempt, State};
use crate::evidence::SavedTrees;
use crate::failure::{Failure, Kind, closest};
use crate::inputs;
use crate::journal::{AttemptId, Record};
use crate::report::replay::{JudgedBy, Replay, human};
use crate::rules::{Rule, Rules};
use crate::settings::Settings;

pub fn replay(name: &str, then: bool, settings: Settings) -> Result<u8, Failure> {
    let mut opened = Opened::after(None, Arc::new(settings))?;
    let records: Vec<Record> = std::mem::take(&mut opened.journaled.beside);
    let (board, state, planner) = opened.as_if_run();
    let settings = planner.settings.clone();
    let (id, attempt) = find(&state, name)?;
    let unjudged = || Failure::usage(format!("{id} has no verdict: {}", attempt.unjudged()));
    if attempt.let_go && attempt.before.is_none() {
        let failure = Failure::usage(format!("what {id} did is no longer kept"));
        return Err(failure.hint("`keepAttempts` says of how many attempts a card's work is kept"));
    }
    let past = Past::of(&records, id).ok_or_else(unjudged)?;
    let (judged_by, bar) = if then { by_then(&past, &settings)? } else { by_today(&past, &board, &state, &planner)? };
    let trees = SavedTrees::open(&settings.cache_dir, &settings.workspace, &settings.env.path())?;
    let folder = id.folder(&settings.cache_dir);
    let (evidence, forged) = recorded::evidence(&folder, &past.attempt, None, &past.state, &trees)?;
    let prompt_lost = evidence.prompt.is_empty() && forged.is_none();
    let judged = judge(&past, &bar, &evidence, forged, settings.env.redactor());
    let mut replay = Replay::of(&past, judged_by, &bar, judged);
    if prompt_lost {
        replay.notes.push("the prompt is not as it was sent: the message counts as empty".to_owned());
    }
    show(&settings, &replay, &human(&replay))?;
    Ok(if replay.same_verdict { 0 } else { Kind::Differs.code() })
}

fn find<'s>(state: &'s State, name: &str) -> Result<(&'s AttemptId, &'s Attempt), Failure> {
    state.named(&AttemptId(name.to_owned())).ok_or_else(|| {
        let failure = Failure::usage(format!("the journal knows no attempt `{name}`"));
        match closest(name, state.attempts.keys().map(|id| id.0.as_str())) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint("`explain CARD` names the newest attempt of a card"),
        }
    })
}

fn by_today(past: &Past, board: &Board, state: &State, planner: &Planner) -> Result<(JudgedBy, Bar), Failure> {
    let column = &past.attempt.column;
    let hint = "`--then` judges by the rules of its time";
    let rule = rule(&planner.inputs.rules, past).map_err(|failure| failure.hint(hint))?;
    let Some(card) = board.card(&past.attempt.card) else {
        let require = rule.require.unwrap_or(planner.settings.require);
        return Ok((JudgedBy::TodayWithoutCard, Bar::recorded(past, &planner.inputs.tests, rule, require)));
    };
    let plan = planner.plan_as(card, rule, column, state)?;
    Ok((JudgedBy::Today, Bar::planned(&plan, past)))
}

fn by_then(past: &Past, settings: &Settings) -> Result<(JudgedBy, Bar), Failure> {
    let (tests, rules) = inputs::recorded::read(settings, &past.state.accepted)?;
    Ok((JudgedBy::Then, Bar::recorded(past, &tests, rule(&rules, past)?, past.required as usize)))
}

fn rule<'r>(rules: &'r Rules, past: &Past) -> Result<&'r Rule, Failure> {
    let column = &past.attempt.column;
    rules.columns.get(column).ok_or_else(|| Failure::usage(format!("the rules have none for the column `{column}`")))
}
