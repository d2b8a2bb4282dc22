//! What is decided next, for each thing that may have happened before.

use std::sync::Arc;
use std::time::Duration;

use super::work::changing;
use super::world::*;
use crate::board::{Board, CardId};
use crate::cycle::decide::{Action, Wait, decide};
use crate::cycle::plan::Planner;
use crate::cycle::state::State;
use crate::journal::{AttemptId, Ending, Event, Record, TakeBack, WorkTaken};
use crate::rules::{FailWork, Hook, Occasion, Rule, Verdict};
use crate::settings::Settings;

/// An action as a person would tell it.
fn told(action: &Action) -> String {
    match action {
        Action::Finish { stopped, reason } => format!("finish, {stopped:?}: {reason}").to_lowercase(),
        Action::Look => "look".into(),
        Action::Wait(Wait::Backoff { time, .. }) => format!("wait {}s", time.as_secs()),
        Action::Wait(wait) => format!("wait for {wait:?}").to_lowercase(),
        Action::Recover(id) => format!("recover {id}"),
        Action::Execute(plan) => format!("execute {} as {} of {}", plan.attempt, plan.number, plan.limit),
        Action::Judge { attempt, .. } => format!("judge {attempt}"),
        Action::TakeBack(TakeBack { of, stash, .. }) => {
            let of: Vec<&str> = of.iter().map(|id| id.0.as_str()).collect();
            format!("take back {}{}", of.join(", "), if *stash { ", kept" } else { "" })
        }
        Action::Settle(settlement) => match &settlement.to {
            Some(to) => format!("settle: {}, to {to}", settlement.verdict),
            None => format!("settle: {}, stays", settlement.verdict),
        },
        Action::Refuse { settlement, .. } => format!("refuse, to {:?}", settlement.to.as_ref().map(|to| &to.0)),
        Action::Abandon { event, .. } => match &**event {
            Event::Elsewhere { now, reason, .. } => {
                format!("abandon, now {:?}: {reason}", now.as_ref().map(|now| &now.0))
            }
            event => format!("abandon: {event:?}"),
        },
        Action::Verify { attempt, .. } => format!("verify {attempt}"),
        Action::Skip { why, .. } => format!("skip: {why:?}").to_lowercase(),
        Action::Hook(owed) => match &owed.moved {
            Some(moved) => format!("{}: {} → {:?}", owed.name(), moved.from, moved.to.as_ref().map(|to| &to.0)),
            None => format!("{}: {}", owed.name(), owed.reason),
        },
        Action::NextPass => "next pass".into(),
    }
}

fn rules(max_attempts: u32) -> [(crate::board::Column, Rule); 1] {
    let rule = Rule {
        on_pass: Some(column("Done")),
        on_fail: Some(column("Todo")),
        on_exhausted: Some(column("Stuck")),
        max_attempts: Some(max_attempts),
        ..Rule::default()
    };
    [(column("Doing"), rule)]
}

fn board(status: &str) -> Board {
    let columns = ["Todo", "Doing", "Done", "Stuck"].map(column).to_vec();
    Board { columns, cards: vec![card("a", status, true)], ..Board::default() }
}

/// A state after these events, with the board as it was read since.
fn after(events: &[Event], board: Option<Board>) -> State {
    // One a second.
    let at = |second| jiff::Timestamp::from_second(second).unwrap();
    let records: Vec<_> =
        (0..).zip(events).map(|(second, event)| Record { at: at(second), ..record(event.clone()) }).collect();
    State { board: board.map(Arc::new), ..fold(&records) }
}

fn run_started() -> Event {
    let text = String::new;
    Event::RunStarted { run: text(), pid: 1, source: text(), workspace: text(), version: text(), clock: None }
}

fn next(planner: &Planner, events: &[Event], board: Option<Board>) -> String {
    told(&decide(&after(events, board), planner).unwrap())
}

/// The card's first attempt in Doing, step by step.
struct Attempt {
    started: Event,
    ended: Event,
    judged: fn(&Attempt, Verdict) -> Event,
    plan: crate::cycle::plan::CardPlan,
}

fn attempt(planner: &Planner) -> Attempt {
    let state = after(&[run_started()], None);
    let plan = planner.plan(&card("a", "Doing", true), &state).unwrap().unwrap();
    let judged = |attempt: &Attempt, verdict| judged_as(&attempt.plan.attempt, &attempt.plan, verdict);
    Attempt { started: started(&plan), ended: ended(&plan.attempt, Ending::Ok), judged, plan }
}

impl Attempt {
    fn ends(&self, ending: Ending) -> Event {
        ended(&self.plan.attempt, ending)
    }

    fn judged(&self, verdict: Verdict) -> Event {
        (self.judged)(self, verdict)
    }

    fn begins_to_move(&self, to: &str, verdict: Verdict) -> Event {
        let (attempt, from) = (Some(self.plan.attempt.clone()), column("Doing"));
        Event::TransitionStarted { attempt, card: CardId::from("a"), from, to: Some(column(to)), verdict }
    }

    fn moved(&self, to: &str, verdict: Verdict, hook: bool) -> Event {
        let (attempt, from, to) = (Some(self.plan.attempt.clone()), column("Doing"), Some(column(to)));
        let (card, title, reason) = (CardId::from("a"), "a".into(), String::new());
        Event::Transitioned { attempt, card, title, from, to, verdict, reason, hook, news: false }
    }
}

#[test]
fn an_attempt_is_executed_judged_and_settled_each_after_a_look() {
    let planner = planner(rules(2));
    let a = attempt(&planner);
    let lost = Ending::Infrastructure { reason: "no network".into(), hint: String::new(), wait_seconds: None };
    let work = Ending::Work { reason: "exit 1".into() };
    #[rustfmt::skip]
    let table = [
        (vec![],                                                                  None,          "look"),
        (vec![],                                                                  Some("Todo"),  "finish, drained: nothing left to do"),
        (vec![],                                                                  Some("Doing"), "execute a.1 as 1 of 2"),
        (vec![a.started.clone()],                                                 None,          "recover a.1"),
        (vec![a.started.clone()],                                                 Some("Doing"), "recover a.1"),
        (vec![a.started.clone(), a.ended.clone()],                                None,          "look"),
        (vec![a.started.clone(), a.ended.clone()],                                Some("Doing"), "judge a.1"),
        (vec![a.started.clone(), a.ends(work)],                                   Some("Doing"), "judge a.1"),
        (vec![a.started.clone(), a.ends(Ending::Interrupted)],                    Some("Doing"), "execute a.2 as 1 of 2"),
        (vec![a.started.clone(), a.ends(lost)],                                   Some("Doing"), "wait 2s"),
        (vec![a.started.clone(), a.ended.clone(), a.judged(Verdict::Pass)],       Some("Doing"), "settle: passed, to Done"),
        (vec![a.started.clone(), a.ended.clone(), a.judged(Verdict::Fail)],       Some("Doing"), "settle: failed, to Todo"),
        (vec![a.started.clone(), a.ended.clone(), a.judged(Verdict::Tampered)],   Some("Doing"), "settle: tampered, to Todo"),
        (vec![a.started.clone(), a.ended.clone(), a.judged(Verdict::Inconclusive)], Some("Doing"), "judge a.1"),
        // A person was faster.
        (vec![a.started.clone(), a.ended.clone()],                                Some("Todo"),  "abandon, now Some(\"Todo\"): the card was moved meanwhile"),
        (vec![a.started.clone(), a.ended.clone(), a.judged(Verdict::Pass)],       Some("Stuck"), "abandon, now Some(\"Stuck\"): the card was moved meanwhile"),
        // The runner died when the card had arrived; a new one takes no journal's word for it.
        (vec![a.started.clone(), a.ended.clone(), a.judged(Verdict::Pass), a.begins_to_move("Done", Verdict::Pass)], Some("Done"), "settle: passed, to Done"),
        (vec![a.started.clone(), a.ended.clone(), a.judged(Verdict::Pass), a.begins_to_move("Done", Verdict::Pass), run_started()], Some("Done"), "judge a.1"),
        (vec![a.started.clone(), a.ended.clone(), a.judged(Verdict::Pass), a.moved("Done", Verdict::Pass, false)], Some("Done"), "next pass"),
        (vec![a.started.clone(), a.ended.clone(), a.judged(Verdict::Pass), a.moved("Done", Verdict::Pass, true)], None, "afterTransition: Doing → Some(\"Done\")"),
    ];
    for (events, status, expected) in table {
        let told = next(&planner, &[vec![run_started()], events.clone()].concat(), status.map(board));
        assert_eq!(told, expected, "with the card in {status:?} after {events:#?}");
    }
}

/// What of a to-do list is not next is looked up and never begun.
#[test]
fn an_item_that_is_not_next_any_more_is_judged_and_settled_all_the_same() {
    let planner = planner(rules(2));
    let a = attempt(&planner);
    let list = |next: &[&str], a: Option<&str>| Board {
        cards: next.iter().map(|id| card(id, "Doing", true)).collect(),
        others: a.map(|status| card("a", status, true)).into_iter().collect(),
        ..board("Doing")
    };
    let (started, ended) = (a.started.clone(), a.ended.clone());
    let (passed, moving) = (a.judged(Verdict::Pass), a.begins_to_move("Done", Verdict::Pass));
    #[rustfmt::skip]
    let table = [
        (vec![],                                                 list(&["b"], Some("Doing")), "execute b.1 as 1 of 2"),
        (vec![],                                                 list(&[], Some("Doing")),    "finish, drained: nothing left to do"),
        (vec![started.clone(), ended.clone()],                   list(&["b"], Some("Doing")), "judge a.1"),
        (vec![started.clone(), ended.clone(), passed.clone()],   list(&["b"], Some("Doing")), "settle: passed, to Done"),
        (vec![started.clone(), ended.clone(), passed.clone()],   list(&["b"], Some("Done")),  "abandon, now Some(\"Done\"): the card was moved meanwhile"),
        (vec![started.clone(), ended.clone(), passed.clone()],   list(&["b"], None),          "abandon, now None: the card is gone from the board"),
        (vec![started, ended, passed, moving],                   list(&["b"], Some("Done")),  "settle: passed, to Done"),
    ];
    for (events, board, expected) in table {
        let told = next(&planner, &[vec![run_started()], events.clone()].concat(), Some(board));
        assert_eq!(told, expected, "after {events:#?}");
    }
}

#[test]
fn the_last_failure_leads_where_the_exhausted_go() {
    let planner = planner(rules(1));
    let a = attempt(&planner);
    let events = [run_started(), a.started.clone(), a.ended.clone(), a.judged(Verdict::Fail)];
    assert_eq!(next(&planner, &events, Some(board("Doing"))), "settle: failed, to Stuck");
}

/// What stands above all cards, strongest first.
#[test]
fn a_stop_goes_before_all_and_a_pause_before_new_work() {
    let planner = planner(rules(2));
    let a = attempt(&planner);
    let running = [run_started(), a.started.clone()];
    let mut state = after(&running, None);
    state.stopping = true;
    assert_eq!(told(&decide(&state, &planner).unwrap()), "finish, signal: stopped by a signal");

    let paused = [run_started(), Event::Paused];
    assert_eq!(next(&planner, &paused, Some(board("Doing"))), "finish, guard: paused; `resume` goes on");
    let ended = [run_started(), Event::Paused, a.started.clone(), a.ended.clone()];
    assert_eq!(next(&planner, &ended, Some(board("Doing"))), "judge a.1", "what runs is brought to its end");
    let resumed = [run_started(), Event::Paused, Event::Resumed];
    assert_eq!(next(&planner, &resumed, Some(board("Doing"))), "execute a.1 as 1 of 2");

    let watching = with(rules(2), |settings| settings.watch = true);
    assert_eq!(next(&watching, &paused, Some(board("Doing"))), "wait for resume");
    assert_eq!(next(&watching, &[run_started()], Some(board("Todo"))), "wait for board");

    let held = [run_started(), Event::Held { card: CardId::from("a") }];
    assert_eq!(next(&planner, &held, Some(board("Doing"))), "skip: blocked");
    let released = [&held[..], &[Event::Released { card: CardId::from("a") }]].concat();
    assert_eq!(next(&planner, &released, Some(board("Doing"))), "execute a.1 as 1 of 2");
}

fn with(rules: impl IntoIterator<Item = (crate::board::Column, Rule)>, change: impl FnOnce(&mut Settings)) -> Planner {
    let mut settings = settings();
    change(&mut settings);
    planner_of(settings, rules, "@a :: includes:aaa\n@b :: includes:bbb\n@c :: includes:ccc\n")
}

#[test]
fn the_wait_for_the_world_outside_doubles_to_five_minutes_and_ends() {
    let planner = with(rules(2), |settings| {
        settings.backoff = Duration::from_secs(10);
        settings.infrastructure_limit = 9;
    });
    let a = attempt(&planner);
    let lost = |wait_seconds| Ending::Infrastructure { reason: "429".into(), hint: String::new(), wait_seconds };
    let mut events = vec![run_started()];
    for expected in ["10s", "20s", "40s", "80s", "160s", "300s", "300s", "300s"] {
        events.extend([a.started.clone(), a.ends(lost(None))]);
        assert_eq!(next(&planner, &events, None), format!("wait {expected}"));
    }
    let mut named = events.clone();
    named.extend([a.started.clone(), a.ends(lost(Some(7)))]);
    assert_eq!(next(&planner, &named, None), "finish, infrastructure: codex could not work 9 times in a row: 429");
    named = vec![run_started(), a.started.clone(), a.ends(lost(Some(3600)))];
    assert_eq!(next(&planner, &named, None), "wait 3600s", "what codex says holds");
    named.push(Event::Waiting { seconds: 3600, reason: String::new() });
    assert_eq!(next(&planner, &named, Some(board("Doing"))), "execute a.2 as 1 of 2");
    named = vec![run_started()];
    for expected in ["10s", "20s"] {
        named.extend([a.started.clone(), a.ends(lost(Some(0)))]);
        assert_eq!(next(&planner, &named, None), format!("wait {expected}"), "what was said to be over is not");
    }
    // Work in between, or a new run, begins to count anew.
    events.extend([a.started.clone(), a.ended.clone()]);
    assert_eq!(next(&planner, &events, Some(board("Doing"))), "judge a.1");
    events.extend([a.judged(Verdict::Fail), a.started.clone(), a.ends(lost(None))]);
    assert_eq!(next(&planner, &events, None), "wait 10s");
}

#[test]
fn a_board_that_is_away_ends_a_plain_run_and_never_a_watcher() {
    for (watch, end) in
        [(false, "finish, infrastructure: the board can't be reached 3 times in a row: 502"), (true, "wait 40s")]
    {
        let planner = with(rules(2), |settings| {
            settings.backoff = Duration::from_secs(10);
            settings.infrastructure_limit = 3;
            settings.watch = watch;
        });
        let away = |wait_seconds| Event::Unreachable { reason: "502".into(), hint: String::new(), wait_seconds };
        let mut events = vec![run_started()];
        for expected in ["wait 10s", "wait 20s", end] {
            events.push(away(None));
            assert_eq!(next(&planner, &events, None), expected);
        }
        assert_eq!(next(&planner, &[run_started(), away(Some(3600))], None), "wait 3600s", "what GitHub says holds");
        // What is owed is owed still.
        let a = attempt(&planner);
        let owed = [run_started(), a.started.clone(), a.ended.clone(), a.judged(Verdict::Pass), away(None)];
        let waited = Event::Waiting { seconds: 10, reason: String::new() };
        let events: Vec<Event> = owed.into_iter().chain([waited]).collect();
        assert!(next(&planner, &events, Some(board("Doing"))).starts_with("settle"));
    }
}

/// Codex's and the board's own trouble and the end of the work: told where somebody listens, and again when it was otherwise.
#[test]
fn what_is_about_no_card_is_told_once() {
    let mut planner = planner(rules(2));
    let hook = |name: &str| Event::HookEnded { card: None, hook: name.into(), ok: true, text: String::new() };
    let lost = Ending::Infrastructure { reason: "429".into(), hint: String::new(), wait_seconds: None };
    let a = attempt(&planner);
    let failed = vec![run_started(), a.started.clone(), a.ends(lost)];
    let over = vec![run_started()];
    assert!(next(&planner, &failed, None).starts_with("wait"), "nobody listens");
    assert_eq!(next(&planner, &over, Some(board("Done"))), "finish, drained: nothing left to do");

    let listeners = Occasion::ALL.map(|occasion| (occasion, Hook::Js("tell.mjs".into())));
    Arc::get_mut(&mut planner.inputs).unwrap().rules.on_event = listeners.into();
    let after = |events: &[Event], more: &[Event]| [events, more].concat();
    assert_eq!(next(&planner, &failed, None), "onEvent.infrastructure: 429");
    let told = after(&failed, &[hook("onEvent.infrastructure")]);
    assert!(next(&planner, &told, None).starts_with("wait"));
    let again = after(&told, &failed);
    assert!(next(&planner, &again, None).starts_with("wait"), "a later run's trouble is no news");
    let mended = after(&told, &[a.started.clone(), a.ended.clone()]);
    assert_eq!(next(&planner, &after(&mended, &failed), None), "onEvent.infrastructure: 429");

    assert_eq!(next(&planner, &over, Some(board("Done"))), "onEvent.drained: nothing left to do");
    let told = after(&over, &[hook("onEvent.drained")]);
    assert_eq!(next(&planner, &told, Some(board("Done"))), "finish, drained: nothing left to do");
    assert!(
        next(&planner, &after(&told, &over), Some(board("Done"))).starts_with("finish"),
        "nor is it to a later run"
    );
    let passed = a.judged(Verdict::Pass);
    let worked = [a.started.clone(), a.ended.clone(), passed, a.moved("Done", Verdict::Pass, false), Event::PassEnded];
    let worked = after(&told, &worked);
    assert_eq!(next(&planner, &worked, Some(board("Done"))), "onEvent.drained: nothing left to do");
}

/// Each guard lets an attempt be, and forbids the next one.
#[test]
fn guards_forbid_new_attempts_only() {
    type Change = fn(&mut Settings);
    #[rustfmt::skip]
    let table: [(&str, Change, &str); 3] = [
        ("cards",    |s| s.guards.max_cards = Some(1),    "finish, guard: --max-cards 1: as many cards were worked"),
        ("tokens",   |s| s.guards.max_tokens = Some(1),   "finish, guard: --max-tokens"),
        ("failures", |s| s.guards.max_failures = Some(1), "finish, guard: --max-failures 1"),
    ];
    for (name, change, expected) in table {
        let planner = with(rules(3), change);
        let a = attempt(&planner);
        let before = next(&planner, &[run_started()], Some(board("Doing")));
        assert_eq!(before, "execute a.1 as 1 of 3", "{name}");
        let failed = [run_started(), a.started.clone(), a.ended.clone(), a.judged(Verdict::Fail)];
        assert_eq!(next(&planner, &failed, Some(board("Doing"))), "settle: failed, to Todo", "{name}");
        let moved = [&failed[..], &[a.moved("Todo", Verdict::Fail, false)]].concat();
        let mut two = board("Todo");
        two.cards.push(card("b", "Doing", true));
        let told = next(&planner, &moved, Some(two.clone()));
        assert!(told.starts_with(expected), "{name}: {told}");
        // A killed runner's successor goes on counting; a new run begins anew, but for a window.
        let killed = [&moved[..], &[run_started()]].concat();
        assert!(next(&planner, &killed, Some(two.clone())).starts_with(expected), "{name}");
        let counts = crate::journal::Counts::default();
        let summary = Event::Summary { counts, stopped: crate::journal::Stopped::Guard, reason: String::new() };
        let ended = [&moved[..], &[summary, run_started()]].concat();
        assert_eq!(next(&planner, &ended, Some(two.clone())), "execute b.1 as 1 of 3", "{name}");
        let window = with(rules(3), |settings| {
            change(settings);
            settings.guards.budget_window = Some(Duration::from_secs(3600));
        });
        if name != "failures" {
            assert!(next(&window, &ended, Some(two)).starts_with(expected), "{name}, counted over a window");
        }
    }
}

/// Before the card is moved, whatever becomes of it meanwhile; a runner that dies leaves it owed, and judges nothing again
/// that it has begun to act upon.
#[test]
fn work_that_failed_is_taken_back_before_its_card_is_moved_where_the_rule_says_so() {
    let with = |on_fail_work| {
        let [(name, rule)] = rules(3);
        planner([(name, Rule { on_fail_work, ..rule })])
    };
    let (keep, revert, stash) = (with(FailWork::Keep), with(FailWork::Revert), with(FailWork::Stash));
    let first = attempt(&revert);
    let lost = changing(first.ends(Ending::Interrupted));
    let interrupted = [run_started(), changing(first.started.clone()), lost];
    let state = after(&interrupted, None);
    let plan = revert.plan(&card("a", "Doing", true), &state).unwrap().unwrap();
    let ended = [changing(started(&plan)), changing(ended(&plan.attempt, Ending::Ok))];
    let judged = |verdict| [&interrupted[..], &ended, &[judged_as(&plan.attempt, &plan, verdict)]].concat();
    let failed = judged(Verdict::Fail);
    let [a1, a2] = ["a.1", "a.2"].map(|id| AttemptId(id.into()));
    let take = TakeBack { attempt: a2.clone(), of: vec![a1.clone(), a2.clone()], stash: false };
    let begun = [&failed[..], &[Event::TakeBackStarted(take)]].concat();
    let works = [a1, a2.clone()].map(|attempt| WorkTaken { attempt, paths: Vec::new() }).to_vec();
    let back = Event::TakenBack { attempt: a2, works, left: Vec::new(), tree: None, restore: None };
    let done = [&begun[..], std::slice::from_ref(&back)].concat();
    let forged = [&judged(Verdict::Pass)[..], &begun[failed.len()..], &[run_started(), back]].concat();
    let again = |events: &[Event]| [events, &[run_started()]].concat();
    #[rustfmt::skip]
    let table = [
        (&keep,   failed.clone(),            Some("Doing"), "settle: failed, to Todo"),
        (&revert, interrupted.to_vec(),      Some("Doing"), "execute a.2 as 1 of 3"),
        (&revert, judged(Verdict::Pass),     Some("Doing"), "settle: passed, to Done"),
        (&revert, failed.clone(),            Some("Doing"), "take back a.1, a.2"),
        (&revert, judged(Verdict::Tampered), Some("Doing"), "take back a.1, a.2"),
        (&stash,  failed.clone(),            Some("Doing"), "take back a.1, a.2, kept"),
        (&revert, failed.clone(),            Some("Todo"),  "take back a.1, a.2"),
        (&revert, again(&failed),            Some("Doing"), "judge a.2"),
        // What was begun is brought to its end by whatever rules, and before the board is read.
        (&keep,   begun.clone(),             Some("Todo"),  "take back a.1, a.2"),
        (&keep,   again(&begun),             None,          "take back a.1, a.2"),
        (&revert, done.clone(),              Some("Doing"), "settle: failed, to Todo"),
        (&revert, again(&done),              Some("Doing"), "settle: failed, to Todo"),
        // No journal's word is taken for a pass.
        (&revert, forged,                    Some("Doing"), "judge a.2"),
    ];
    for (planner, events, status, expected) in table {
        let told = next(planner, &events, status.map(board));
        assert_eq!(told, expected, "with the card in {status:?} after {events:#?}");
    }
    // What was settled by a failure whose work is gone is no work to judge again by other tests.
    let fate = after(&done, None);
    assert!(fate.failed_work(&CardId::from("a"), &column("Doing"), &plan.key).is_none());
    let kept = after(&failed, None);
    assert!(kept.failed_work(&CardId::from("a"), &column("Doing"), &plan.key).is_some());
}
