//! What to do next. Pure: the state and the plan decide, nothing is looked at or done.

use std::time::Duration;

use anyhow::Result;

use super::plan::{CardPlan, Planner, Readiness, other_tests, text_hash};
use super::state::{Attempt, Infrastructure, OwedHook, Phase, State, Visits};
use crate::board::{Board, Card, Column};
use crate::journal::{AttemptId, Edited, Ending, Event, Stopped, TakeBack, Why};
use crate::provider::markdown::next::with_items_ticked;
use crate::rules::{FailWork, Occasion, Verdict};

/// One step of the loop.
#[derive(Debug)]
pub enum Action {
    Finish {
        stopped: Stopped,
        reason: String,
    },
    /// Read the board, the gate inputs and what people asked for.
    Look,
    Wait(Wait),
    /// An attempt that a dead runner left open.
    Recover(AttemptId),
    Execute(Box<CardPlan>),
    Judge {
        attempt: AttemptId,
        plan: Box<CardPlan>,
    },
    /// Take the work of a failed attempt out of the workspace.
    TakeBack(TakeBack),
    Settle(Box<Settlement>),
    /// Too few tests: settle without an attempt.
    Refuse {
        plan: Box<CardPlan>,
        settlement: Box<Settlement>,
    },
    /// The card is not where it was worked, or no longer says what was worked. `told`: why it waits, for its state block.
    Abandon {
        event: Box<Event>,
        told: Option<Box<Settlement>>,
    },
    /// Look whether a cached pass still holds, or whether work that failed passes other tests.
    Verify {
        attempt: AttemptId,
        plan: Box<CardPlan>,
    },
    Skip {
        plan: Box<CardPlan>,
        why: Why,
        reason: String,
    },
    Hook(OwedHook),
    NextPass,
}

/// What the loop waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    Backoff { time: Duration, reason: String },
    Board,
    Resume,
}

/// A verdict to be carried out on the board.
#[derive(Debug, Clone)]
pub struct Settlement {
    pub attempt: Option<AttemptId>,
    pub card: Card,
    pub from: Column,
    /// None: the card stays, and its state is written on it.
    pub to: Option<Column>,
    pub verdict: Verdict,
    pub reason: String,
    pub plan: Box<CardPlan>,
}

impl Settlement {
    /// Of a card whose tests can't prove it.
    pub fn refusal(plan: CardPlan) -> Settlement {
        Settlement::without_attempt(&plan, Verdict::Unverified, plan.rule.target(Verdict::Unverified, false))
    }

    fn without_attempt(plan: &CardPlan, verdict: Verdict, to: Option<&Column>) -> Settlement {
        Settlement {
            attempt: None,
            card: plan.card.clone(),
            from: plan.card.status.clone(),
            to: to.filter(|to| **to != plan.card.status).cloned(),
            verdict,
            reason: plan.reason.clone(),
            plan: Box::new(plan.clone()),
        }
    }
}

/// Decides the next step.
pub fn decide(state: &State, planner: &Planner) -> Result<Action> {
    if state.stopping {
        return Ok(finish(Stopped::Signal, "stopped by a signal"));
    }
    for failure in [&state.infrastructure, &state.unreachable].into_iter().filter(|failure| failure.in_a_row > 0) {
        if let Some(action) = tell(Occasion::Infrastructure, &failure.reason, state, planner) {
            return Ok(action);
        }
    }
    if let Some(action) = infrastructure(state, &state.infrastructure, "codex could not work", true, planner) {
        return Ok(action);
    }
    // A watcher waits for its board, however long that takes.
    if let Some(action) =
        infrastructure(state, &state.unreachable, "the board can't be reached", !planner.settings.watch, planner)
    {
        return Ok(action);
    }
    if let Some((id, _)) = state.running().next() {
        return Ok(Action::Recover(id.clone()));
    }
    if let Some(owed) = state.taking.first() {
        return Ok(Action::TakeBack(owed.clone()));
    }
    if let Some(owed) = state.hooks.first() {
        return Ok(Action::Hook(owed.clone()));
    }
    let Some(board) = &state.board else { return Ok(Action::Look) };
    let open = state.active.iter().find_map(|id| Some((id, state.attempt(id)?)));
    if let Some((id, attempt)) = open {
        if let Some(take) = work_to_take_back(state, planner, id, attempt) {
            return Ok(Action::TakeBack(take));
        }
        return settle(state, planner, board, id, attempt);
    }
    if let Some(action) = edited(state, planner, board)? {
        return Ok(action);
    }
    if let Some(action) = begun(state, planner, board)? {
        return Ok(action);
    }
    if state.paused {
        return Ok(match planner.settings.watch {
            true => Action::Wait(Wait::Resume),
            false => finish(Stopped::Guard, "paused; `resume` goes on"),
        });
    }
    next_card(state, planner, board)
}

fn finish(stopped: Stopped, reason: impl Into<String>) -> Action {
    Action::Finish { stopped, reason: reason.into() }
}

fn infrastructure(
    state: &State,
    failure: &Infrastructure,
    what: &str,
    ends: bool,
    planner: &Planner,
) -> Option<Action> {
    if failure.in_a_row == 0 || failure.waited {
        return None;
    }
    if ends && failure.in_a_row >= planner.settings.infrastructure_limit {
        let times = if failure.in_a_row == 1 { "once".into() } else { format!("{} times in a row", failure.in_a_row) };
        return Some(finish(Stopped::Infrastructure, format!("{what} {times}: {}", failure.reason)));
    }
    let time = failure.pause(planner.settings.backoff);
    // A usage limit can be reset days later: nothing would be started after the wait.
    let over = |limit: &Duration| state.budget.worked(state.running_for).saturating_add(time) >= *limit;
    if planner.settings.guards.max_duration.as_ref().is_some_and(over) {
        let reason = format!("{what}, and --max-duration is over before it is tried again: {}", failure.reason);
        return Some(finish(Stopped::Guard, reason));
    }
    Some(Action::Wait(Wait::Backoff { time, reason: failure.reason.clone() }))
}

/// The work of an attempt that failed, where its column's rule has it taken back. Before its card is moved: whoever sees the
/// card elsewhere finds the workspace without it.
fn work_to_take_back(state: &State, planner: &Planner, id: &AttemptId, attempt: &Attempt) -> Option<TakeBack> {
    let failed = attempt.failed() && attempt.phase == Phase::Judged;
    let stash = match planner.inputs.rules.columns.get(&attempt.column)?.on_fail_work {
        FailWork::Keep => return None,
        FailWork::Stash => true,
        FailWork::Revert => false,
    };
    let of = state.work_of(id, attempt);
    (failed && attempt.taken.is_none() && !of.is_empty()).then(|| TakeBack { attempt: id.clone(), of, stash })
}

/// An attempt that ended is judged, one that was judged is moved, if its card is still what and where it was.
fn settle(state: &State, planner: &Planner, board: &Board, id: &AttemptId, attempt: &Attempt) -> Result<Action> {
    let abandon =
        |now: Option<&Column>, reason: &str, edited, spent| elsewhere(id, attempt, now, reason, edited, spent);
    let untold = |event| Ok(Action::Abandon { event: Box::new(event), told: None });
    let Some(card) = board.card(&attempt.card) else {
        let then = match attempt.phase {
            Phase::Ended => ": its work stays, and is judged when it is back",
            Phase::Running | Phase::Judged | Phase::Closed => "",
        };
        return untold(abandon(None, &format!("the card is gone from the board{then}"), None, false));
    };
    let Some(rule) = planner.inputs.rules.columns.get(&attempt.column) else {
        return untold(abandon(Some(&card.status), "its column has no rule any more", None, false));
    };
    let plan = planner.plan_as(card, rule, &attempt.column, state)?;
    let arrived = attempt.moving.as_ref() == Some(&card.status);
    let moved = card.status != attempt.column && !arrived;
    // What came while it ran may be codex's own doing. Its pass from long ago, and what the program moved, are not that.
    let ran = !attempt.reopened && !arrived;
    match edited_text(attempt, &plan, planner).filter(|_| ran) {
        Some(edited) if edited.other_tests => {
            let reason = other_tests(&card.id);
            let told = settlement(id, attempt, card, Verdict::Fail, reason.clone(), None, plan);
            let event = abandon(Some(&card.status), &reason, Some(edited), true);
            Ok(Action::Abandon { event: Box::new(event), told: (!moved).then(|| Box::new(told)) })
        }
        edited if moved => untold(abandon(Some(&card.status), "the card was moved meanwhile", edited, ran)),
        Some(edited) => {
            let visits = state.visits(&attempt.card, &attempt.column);
            let used = visits.map_or(0, |visits| visits.failed.iter().filter(|other| *other != id).count()) + 1;
            let then = if used < attempt.limit as usize { "it is worked anew" } else { "no attempts are left" };
            let reason = format!("the card was edited meanwhile: {then}");
            untold(abandon(Some(&card.status), &reason, Some(edited), true))
        }
        None if plan.key != attempt.key => {
            let reason = "the card or its column's prompt was edited meanwhile: it is worked anew";
            untold(abandon(Some(&card.status), reason, None, false))
        }
        None => Ok(match (attempt.phase, attempt.verdict) {
            (Phase::Judged, Some(verdict)) => {
                let visits = state.visits(&attempt.card, &attempt.column);
                let last = visits.map_or(0, Visits::failures) >= attempt.limit;
                let to = rule.target(verdict, last).filter(|to| **to != attempt.column).cloned();
                Action::Settle(Box::new(settlement(id, attempt, card, verdict, attempt.reason.clone(), to, plan)))
            }
            _ => Action::Judge { attempt: id.clone(), plan: Box::new(plan) },
        }),
    }
}

/// A text that came while an attempt ran that ended without work to judge. It costs the card nothing, and is no other work.
fn edited(state: &State, planner: &Planner, board: &Board) -> Result<Option<Action>> {
    let newest = |id: &AttemptId, card| state.history(card).is_some_and(|history| history.attempts.last() == Some(id));
    let unseen = state.unseen.iter().filter_map(|id| Some((id, state.attempt(id)?)));
    for (id, attempt) in unseen.filter(|(id, attempt)| newest(id, &attempt.card)) {
        let (card, rule) = (board.card(&attempt.card), planner.inputs.rules.columns.get(&attempt.column));
        let (Some(card), Some(rule)) = (card, rule) else { continue };
        let plan = planner.plan_as(card, rule, &attempt.column, state)?;
        if let Some(edited) = edited_text(attempt, &plan, planner) {
            let reason = "the card was edited meanwhile: it is worked anew";
            let event = elsewhere(id, attempt, Some(&card.status), reason, Some(edited), false);
            return Ok(Some(Action::Abandon { event: Box::new(event), told: None }));
        }
    }
    Ok(None)
}

/// What the card says now, if that is not what the attempt was started with.
fn edited_text(attempt: &Attempt, plan: &CardPlan, planner: &Planner) -> Option<Edited> {
    let other = attempt.text.as_ref().is_some_and(|text| *text != plan.text);
    let text = || match planner.settings.next {
        // Until it is worked again what was put into it is done, which is no further edit.
        true => text_hash(&with_items_ticked(&plan.card.body), &plan.card.labels),
        false => plan.text.clone(),
    };
    other.then(|| Edited { text: text(), other_tests: !plan.has_tests(&attempt.tests) })
}

fn elsewhere(
    id: &AttemptId,
    attempt: &Attempt,
    now: Option<&Column>,
    reason: &str,
    edited: Option<Edited>,
    spent: bool,
) -> Event {
    let (card, from) = (attempt.card.clone(), attempt.column.clone());
    let (now, reason) = (now.cloned(), reason.to_owned());
    Event::Elsewhere { attempt: Some(id.clone()), card, from, now, reason, spent, edited }
}

fn settlement(
    id: &AttemptId,
    attempt: &Attempt,
    card: &Card,
    verdict: Verdict,
    reason: String,
    to: Option<Column>,
    plan: CardPlan,
) -> Settlement {
    let (attempt, from) = (Some(id.clone()), attempt.column.clone());
    Settlement { attempt, card: card.clone(), from, to, verdict, reason, plan: Box::new(plan) }
}

/// A refused or exhausted card that a dead runner moved without telling that it did.
fn begun(state: &State, planner: &Planner, board: &Board) -> Result<Option<Action>> {
    for (id, (from, to)) in &state.moving {
        let (Some(card), Some(rule)) = (board.card(id), planner.inputs.rules.columns.get(from)) else { continue };
        if card.status != *to {
            continue;
        }
        let plan = planner.plan_as(card, rule, from, state)?;
        match plan.readiness {
            Readiness::Unverified { told: false } | Readiness::Exhausted { told: false } => {
                return Ok(Some(for_card(plan, state)));
            }
            _ => continue,
        }
    }
    Ok(None)
}

/// The first card of this pass that is not visited yet.
fn next_card(state: &State, planner: &Planner, board: &Board) -> Result<Action> {
    let mut guard = None;
    let mut visited = state.pass.visited.walk();
    for column in board.columns.iter().filter(|column| planner.inputs.rules.columns.contains_key(*column)) {
        for card in board.column(column) {
            if visited.has(&card.id, column) {
                continue;
            }
            let Some(plan) = planner.plan(card, state)? else { continue };
            match (&plan.readiness, reached(state, planner, card)) {
                (Readiness::Ready, Some(reason)) => guard = guard.or(Some(reason)),
                _ => return Ok(for_card(plan, state)),
            }
        }
    }
    if let Some(reason) = guard {
        return Ok(finish(Stopped::Guard, reason));
    }
    if state.pass.progressed {
        return Ok(Action::NextPass);
    }
    let reason = drained(state, planner, board)?;
    Ok(match tell(Occasion::Drained, &reason, state, planner) {
        Some(action) => action,
        None if planner.settings.watch => Action::Wait(Wait::Board),
        None => finish(Stopped::Drained, reason),
    })
}

/// Why nothing more is done. A to-do list keeps its order: one item that can't be worked holds up all behind it.
fn drained(state: &State, planner: &Planner, board: &Board) -> Result<String> {
    let next = board.cards.first().filter(|_| planner.settings.next);
    let plan = next.map(|card| planner.plan(card, state)).transpose()?.flatten();
    let waits =
        plan.map(|plan| format!(": the list waits for {} ({}): {}", plan.card.title, plan.card.id, plan.reason));
    Ok(format!("nothing left to do{}", waits.unwrap_or_default()))
}

/// The hook that hears of it, if one does and did not yet.
fn tell(occasion: Occasion, reason: &str, state: &State, planner: &Planner) -> Option<Action> {
    let listens = planner.inputs.rules.on_event.contains_key(&occasion) && !state.heard.contains(&occasion);
    listens.then(|| Action::Hook(OwedHook::news(occasion, reason)))
}

fn for_card(plan: CardPlan, state: &State) -> Action {
    let skip = |plan: CardPlan, why| Action::Skip { reason: plan.reason.clone(), plan: Box::new(plan), why };
    match plan.readiness {
        Readiness::Ready => Action::Execute(Box::new(plan)),
        Readiness::Unverified { told: true } => skip(plan, Why::Unverified),
        Readiness::Unverified { told: false } => {
            let settlement = Box::new(Settlement::refusal(plan.clone()));
            Action::Refuse { plan: Box::new(plan), settlement }
        }
        Readiness::Exhausted { told: true } => skip(plan, Why::Exhausted),
        Readiness::Exhausted { told: false } => {
            // Once it was sent away for that, it stays wherever the rules bring it back, and its note says so.
            let visits = state.visits(&plan.card.id, &plan.card.status);
            let stays = visits.is_some_and(|visits| visits.sent_away);
            let to = plan.rule.target(Verdict::Exhausted, true).filter(|_| !stays);
            Action::Settle(Box::new(Settlement::without_attempt(&plan, Verdict::Exhausted, to)))
        }
        Readiness::Cached => match state.passed(&plan.card.id, &plan.card.status, &plan.key) {
            Some((attempt, _)) => Action::Verify { attempt: attempt.clone(), plan: Box::new(plan) },
            None => skip(plan, Why::Cached),
        },
        Readiness::Stale => {
            let (card, column, key) = (&plan.card.id, &plan.card.status, &plan.key);
            match state.missed_work(card, column, key).or_else(|| state.failed_work(card, column, key)) {
                Some((attempt, _)) => Action::Verify { attempt: attempt.clone(), plan: Box::new(plan) },
                None => skip(plan, Why::Blocked),
            }
        }
        Readiness::Blocked => skip(plan, Why::Blocked),
    }
}

/// An interrupted attempt takes one part in so many of the budget, where no attempt told yet what it used: so runs that are
/// ended again and again end.
const UNKNOWN_SHARE: u64 = 10;

/// The guard that forbids another attempt now, if one does.
fn reached(state: &State, planner: &Planner, card: &Card) -> Option<String> {
    let guards = &planner.settings.guards;
    let budget = &state.budget;
    let spent = budget.counted(state.now, guards.budget_window);
    if let Some(limit) = guards.max_cards {
        let cards: std::collections::BTreeSet<_> = spent.iter().map(|spent| &spent.card).collect();
        if cards.len() >= limit && !cards.contains(&card.id) {
            return Some(format!("--max-cards {limit}: as many cards were worked"));
        }
    }
    if let Some(limit) = guards.max_duration.filter(|limit| budget.worked(state.running_for) >= *limit) {
        return Some(format!("--max-duration: {}s are over", limit.as_secs()));
    }
    if let Some(limit) = guards.max_tokens {
        let Some(used) = budget.tokens(spent, limit.div_ceil(UNKNOWN_SHARE)) else {
            return Some("--max-tokens: codex didn't say what an attempt used, so the budget can't be kept".into());
        };
        if used >= limit {
            return Some(format!("--max-tokens {limit}: {used} were used"));
        }
    }
    if let Some(limit) = guards.max_failures.filter(|limit| budget.failures_in_a_row >= *limit) {
        return Some(format!("--max-failures {limit}: as many attempts failed in a row"));
    }
    None
}

/// Whether an ending leaves work to judge.
pub fn to_judge(ending: &Ending) -> bool {
    matches!(ending, Ending::Ok | Ending::Work { .. })
}
