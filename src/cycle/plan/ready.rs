//! Whether a card can be worked now, and why not.

use super::{CardPlan, Planner, Readiness};
use crate::board::{Board, Card, CardId, Column, Role};
use crate::cycle::state::{Attempt, State, Visits};
use crate::journal::AttemptId;
use crate::report::units;
use crate::rules::Rules;
use crate::settings::Guards;

/// `card` is as the board has it.
pub(super) fn of(
    plan: &CardPlan,
    card: &Card,
    spent: Option<&Visits>,
    state: &State,
    planner: &Planner,
) -> (Readiness, String) {
    let (rules, column) = (&planner.inputs.rules, &plan.card.status);
    let board = state.board.as_deref();
    if let Some(reason) = board.and_then(|board| waits(card, board, rules)) {
        return (Readiness::Blocked, reason);
    }
    let ready = readiness(plan, spent, state, &planner.settings.guards);
    let lost = |board: &Board| Some(no_way(column, rules.lost(&plan.rule, board)?));
    let way = board.and_then(|board| not_next(card, board).or_else(|| lost(board)));
    match (&ready.0, way) {
        (Readiness::Ready, Some(reason)) => (Readiness::Blocked, reason),
        _ => ready,
    }
}

fn readiness(plan: &CardPlan, spent: Option<&Visits>, state: &State, guards: &Guards) -> (Readiness, String) {
    let (card, column) = (&plan.card.id, &plan.card.status);
    let visits = state.visits(card, column);
    let waiting = visits.and_then(|visits| visits.waiting.as_ref());
    let waiting = waiting.filter(|waiting| waiting.key == plan.key && waiting.gate == plan.gate);
    let history = state.history(card);
    if history.is_some_and(|history| history.held) {
        return (Readiness::Blocked, format!("held back by `skip`; `skip --undo {card}` releases it"));
    }
    let edited = history.and_then(|history| history.edited.as_ref());
    if edited.is_some_and(|edited| edited.other_tests && edited.text == plan.text) {
        return (Readiness::Blocked, other_tests(card));
    }
    if history.is_some_and(|history| history.arrived.as_ref() == Some(column)) {
        let reason = format!("it came here while an attempt at it ran: move it again or `retry {card}`");
        return (Readiness::Blocked, reason);
    }
    if let Some((id, attempt)) = state.passed(card, column, &plan.key) {
        let earlier = earlier(&plan.card, attempt);
        return match waiting {
            Some(waiting) => (Readiness::Blocked, waiting.reason.clone()),
            None => {
                let reason =
                    format!("passed in attempt {id}{earlier}; edit the card or `retry {card}` to run it again");
                (Readiness::Cached, reason)
            }
        };
    }
    if let (Some((id, _)), None) = (state.missed_work(card, column, &plan.key), too_few(plan)) {
        let reason = format!("the board lacked it when attempt {id} was to be judged: the gate alone is run first");
        return (Readiness::Stale, reason);
    }
    let stale = state.failed_work(card, column, &plan.key).filter(|(_, attempt)| attempt.gate != plan.gate);
    if let (Some((id, _)), None) = (stale, too_few(plan)) {
        return (
            Readiness::Stale,
            format!("the tests changed since attempt {id} failed: the gate alone is run again first"),
        );
    }
    if let Some(used_up) = spent.and_then(|visits| used_up(visits, plan.limit, state, guards)) {
        let stays = plan.rule.on_exhausted.as_ref().is_none_or(|to| to == column);
        let told = visits.is_some_and(|visits| visits.noted && (visits.sent_away || stays));
        let last = visits.and_then(|visits| state.attempt(visits.newest.as_ref()?));
        let earlier = last.map(|attempt| earlier(&plan.card, attempt)).unwrap_or_default();
        let reason = format!("{used_up}{earlier}; edit the card or `retry {card}` to start anew");
        return (Readiness::Exhausted { told }, reason);
    }
    let refused = waiting.filter(|waiting| waiting.refused).map(|waiting| waiting.reason.clone());
    let unproved = history.filter(|history| history.unproved).map(|_| unproved(card));
    match too_few(plan).or(unproved).or(refused) {
        Some(reason) => {
            let owed = visits.is_some_and(|visits| visits.owed);
            (Readiness::Unverified { told: waiting.is_some() && !owed }, reason)
        }
        None => match &plan.command {
            Ok(_) => (Readiness::Ready, format!("{}, {} must pass", units::of(plan.tests.len(), "test"), plan.require)),
            Err(error) => (Readiness::Blocked, error.clone()),
        },
    }
}

/// When an attempt was, where nothing but what the card says tells that it was at this one: the board may have been put back,
/// or the card written anew.
fn earlier(card: &Card, attempt: &Attempt) -> String {
    let day = attempt.started.strftime("%Y-%m-%d");
    if card.stamped { String::new() } else { format!(" on {day}, when its text stood on the board before") }
}

/// Why no attempt begins in a column: codex would be paid for what can't be moved.
pub fn no_way(column: &Column, target: &Column) -> String {
    format!("the rule of `{column}` names the column `{target}`, which the board does not have any more")
}

/// Why the card has to wait for another: one that is not done, or not on the board.
pub(super) fn waits(card: &Card, board: &Board, rules: &Rules) -> Option<String> {
    card.dependencies.iter().find_map(|id| match board.card(id) {
        None => Some(format!("it depends on {id}, which is not on the board")),
        Some(other) if done(&other.status, board, rules) => None,
        Some(other) => Some(format!("it depends on {id}, which stands in {}", other.status)),
    })
}

/// What an item of a to-do list waits for that could be worked, were it next.
fn not_next(card: &Card, board: &Board) -> Option<String> {
    let other = !board.others.is_empty() && board.cards.iter().all(|next| next.id != card.id);
    other.then(|| match board.cards.first() {
        Some(next) => format!("the next item of the list is {} ({})", next.title, next.id),
        None => "no item of the list can be next: what stands before or inside it is refused".to_owned(),
    })
}

/// Names of columns whose cards are done, wherever they stand on the board.
const DONE: [&str; 4] = ["done", "completed", "complete", "closed"];

/// Beside those, the last column ends the work, unless cards that failed wait there for a person, or by its name those that
/// nobody goes on with, or a pass leads to one of those names instead.
fn done(column: &Column, board: &Board, rules: &Rules) -> bool {
    let named = |column: &Column| DONE.contains(&column.0.to_lowercase().as_str());
    let parks = || matches!(Role::of(&column.0), Some(Role::Parked | Role::Unclear | Role::Blocked));
    let elsewhere = || board.columns.iter().any(|other| named(other) && rules.takes_passed(other));
    let last = || board.columns.last() == Some(column) && !rules.takes_failed(column);
    let ends = named(column) || (last() && (rules.takes_passed(column) || !(parks() || elsewhere())));
    ends && !rules.columns.contains_key(column)
}

/// A card that codex may have given other tests waits for a person's word.
pub fn other_tests(card: &CardId) -> String {
    format!(
        "its text was edited while an attempt at it ran, and other tests belong to it now: edit it again or `retry {card}`"
    )
}

/// Codex would be paid for what it finds done, and what is done proves nothing.
fn unproved(card: &CardId) -> String {
    format!(
        "what was done for it can't be proved any more, for its saved trees were removed: look at it, then move it or `retry {card}`"
    )
}

/// Why no further attempt is made. A pass that other work undoes again and again ends
/// like one that fails.
fn used_up(visits: &Visits, limit: u32, state: &State, guards: &Guards) -> Option<String> {
    let (failed, lost) = (visits.failures(), visits.lost.len() as u32);
    if failed >= limit {
        let spent = |id: &&AttemptId| state.attempt(id).is_some_and(|attempt| !attempt.failed());
        let how = match visits.failed.iter().filter(spent).count() {
            0 => String::new(),
            some => format!(", {some} by an edit or a move meanwhile"),
        };
        return Some(format!("{failed} of {limit} attempts failed{how}"));
    }
    if failed + lost > limit {
        let (failed, lost) = (units::of(failed as usize, "attempt"), units::of(lost as usize, "other"));
        return Some(format!("{failed} failed, and what {lost} had passed with was undone"));
    }
    if let Some(most) = guards.max_card_time.filter(|most| visits.seconds() >= most.as_secs_f64()) {
        return Some(format!("its attempts took {:.0} of {} seconds", visits.seconds(), most.as_secs()));
    }
    match (guards.max_card_tokens, visits.tokens()) {
        (Some(most), Some(used)) if used >= most => Some(format!("its attempts used {used} of {most} tokens")),
        (Some(_), None) => Some("codex didn't say how many tokens an attempt used".to_owned()),
        _ => None,
    }
}

/// Why the selected tests can't prove the card.
fn too_few(plan: &CardPlan) -> Option<String> {
    let runnable: Vec<_> = plan.runnable().collect();
    let blocked: Vec<_> =
        plan.tests.iter().filter_map(|selected| Some((&selected.test, selected.blocked.as_ref()?))).collect();
    if let Some((test, reason)) = blocked.iter().find(|(test, _)| test.always()) {
        return Some(format!("the test {} is for every card and can't be run: {reason}", test.id));
    }
    if runnable.len() < plan.require {
        let also = match blocked.first() {
            Some((test, reason)) => format!("; {} blocked ({}: {reason})", units::are(blocked.len(), "other"), test.id),
            None => String::new(),
        };
        let hint = "add tests for it, or name some on the card with @name";
        return Some(format!("{} of {} required tests match the card{also}: {hint}", runnable.len(), plan.require));
    }
    if !runnable.iter().any(|selected| selected.test.check.kind.proves()) {
        return Some("all its tests are `excludes`: they prove nothing alone".to_owned());
    }
    None
}
