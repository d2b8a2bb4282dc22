//! Whatever happens: the loop ends, attempts are bounded, a card moves along its rules only, and only a pass promotes.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;

use super::world::*;
use crate::board::{Board, CardId};
use crate::journal::{AttemptId, Event, Record};
use crate::rules::{FailWork, Hook, Rule, Rules, Verdict};

/// The same cases in every run, so that nobody's change is blamed for what it found by luck. To look for more, change the
/// seed and raise the number.
pub fn repeatable(cases: u32) -> ProptestConfig {
    let rng_seed = RngSeed::Fixed(20);
    ProptestConfig { cases, rng_seed, failure_persistence: None, max_shrink_iters: 100, ..ProptestConfig::default() }
}

/// A random board, its rules, and what becomes of the cards' executions.
#[derive(Debug, Clone)]
pub struct Case {
    pub columns: usize,
    pub rules: Vec<RandomRule>,
    /// Which column, whether it has tests, and its executions' outcomes.
    pub cards: Vec<(usize, bool, Vec<Outcome>)>,
}

#[derive(Debug, Clone)]
pub struct RandomRule {
    ruled: bool,
    /// Where a pass, a failure and exhaustion lead.
    targets: [Option<usize>; 3],
    max_attempts: u32,
    hook: bool,
    revert: bool,
}

fn rule() -> impl Strategy<Value = RandomRule> {
    let target = || prop::option::weighted(0.8, 0..4usize);
    (prop::bool::weighted(0.8), [target(), target(), target()], 1..3u32, any::<[bool; 2]>()).prop_map(
        |(ruled, targets, max_attempts, [hook, revert])| RandomRule { ruled, targets, max_attempts, hook, revert },
    )
}

pub fn case(outcomes: &'static [Outcome], cards: usize) -> impl Strategy<Value = Case> {
    (2..5usize).prop_flat_map(move |columns| {
        let one = (0..4usize, prop::bool::weighted(0.9), prop::collection::vec(select(outcomes), 0..8));
        (prop::collection::vec(rule(), columns), prop::collection::vec(one, 1..=cards))
            .prop_map(move |(rules, cards)| Case { columns, rules, cards })
    })
}

impl Case {
    pub fn world(&self, outcome: impl Fn(&crate::cycle::plan::CardPlan) -> Outcome + 'static) -> World {
        let names: Vec<_> = (0..self.columns).map(|at| column(format!("column {at}"))).collect();
        let rules = names.iter().zip(&self.rules).filter(|(_, rule)| rule.ruled).map(|(name, rule)| {
            let target = |at: usize| rule.targets[at].map(|to| names[to % names.len()].clone());
            let after = rule.hook.then(|| Hook::Js("/hook.mjs".into()));
            let max_attempts = Some(rule.max_attempts);
            let (on_pass, on_fail, on_exhausted) = (target(0), target(1), target(2));
            let on_fail_work = if rule.revert { FailWork::Revert } else { FailWork::Keep };
            let rule = Rule { on_pass, on_fail, on_exhausted, max_attempts, after, on_fail_work, ..Rule::default() };
            (name.clone(), rule)
        });
        let cards = self
            .cards
            .iter()
            .enumerate()
            .map(|(number, (at, tests, _))| card(&format!("card-{number}"), &names[at % names.len()].0, *tests));
        let board = Board { columns: names.clone(), cards: cards.collect(), ..Board::default() };
        World::new(board, planner(rules), outcome)
    }

    /// Each card's executions end as listed, all later ones as `then`.
    pub fn in_sequence(&self, then: Outcome) -> World {
        let lists: BTreeMap<String, Vec<Outcome>> =
            self.cards.iter().enumerate().map(|(at, (.., list))| (format!("card-{at}"), list.clone())).collect();
        let executed = RefCell::new(BTreeMap::<CardId, usize>::new());
        self.world(move |plan| {
            let mut executed = executed.borrow_mut();
            let number = executed.entry(plan.card.id.clone()).or_default();
            *number += 1;
            lists[&*plan.card.id.0].get(*number - 1).copied().unwrap_or(then)
        })
    }

    /// An attempt's outcome depends on nothing but its card, column and number.
    pub fn by_attempt(&self) -> World {
        let lists: Vec<Vec<Outcome>> = self.cards.iter().map(|(.., list)| list.clone()).collect();
        self.world(move |plan| {
            let digits = |text: &str| text.chars().filter_map(|c| c.to_digit(10)).sum::<u32>() as usize;
            let list = &lists[digits(&plan.card.id.0)];
            match list.len() {
                0 => Outcome::Pass,
                many => list[(digits(&plan.card.status.0) * 3 + plan.number as usize) % many],
            }
        })
    }
}

/// Along the rules, with a judged pass behind each promotion, and never more attempts used up than the rule allows. A text
/// changes here during attempts only: whatever the card reads then, what was used up stays so.
fn check(records: &[Record], rules: &Rules) {
    let mut judged: BTreeMap<AttemptId, (Verdict, u32, u32)> = BTreeMap::new();
    let mut started = BTreeMap::new();
    let mut used_up: BTreeMap<_, BTreeSet<AttemptId>> = BTreeMap::new();
    let mut held = BTreeSet::new();
    for record in records {
        match &record.event {
            Event::AttemptStarted { attempt, card, column, limit, number, .. } => {
                let place = (card.clone(), column.clone());
                assert!(started.insert(attempt.clone(), place.clone()).is_none(), "{attempt} twice");
                let spent = used_up.get(&place).map_or(0, |spent| spent.len() as u32);
                assert!(spent < *limit && *number == spent + 1, "{attempt}: number {number} of {limit}, {spent} spent");
                assert!(!held.contains(card), "{attempt}: with tests that came while an attempt ran");
            }
            Event::Judged { attempt, verdict, passed, required, .. } => {
                let first = judged.insert(attempt.clone(), (*verdict, *passed, *required)).is_none();
                if matches!(verdict, Verdict::Fail | Verdict::Tampered) && first {
                    used_up.entry(started[attempt].clone()).or_default().insert(attempt.clone());
                }
            }
            Event::Transitioned { attempt, from, to: Some(to), verdict, .. } => {
                let rule = &rules.columns[from];
                let edges = [rule.target(*verdict, false), rule.target(*verdict, true)];
                assert!(edges.contains(&Some(to)), "{verdict}: {from} → {to} is no edge");
                assert_ne!(from, to);
                if *verdict == Verdict::Pass {
                    let (said, passed, required) = judged[attempt.as_ref().unwrap()];
                    assert!(said == Verdict::Pass && passed >= required, "promoted by {said}, {passed} of {required}");
                }
            }
            Event::Elsewhere { attempt: Some(attempt), card, spent, edited, .. } => {
                if *spent {
                    used_up.entry(started[attempt].clone()).or_default().insert(attempt.clone());
                }
                if edited.as_ref().is_some_and(|edited| edited.other_tests) {
                    held.insert(card.clone());
                }
            }
            // A person's doing starts the attempts anew.
            Event::MovedByPerson { card, to, .. } => {
                used_up.remove(&(card.clone(), to.clone()));
                held.remove(card);
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(repeatable(300))]

    #[test]
    fn any_outcomes_on_any_rules_come_to_an_end(case in case(&Outcome::ALL, 3), then in select(&Outcome::WORK[..])) {
        let mut world = case.in_sequence(then);
        let rules = world.planner.inputs.rules.clone();
        let (live, _, ended) = world.run();
        ended.unwrap();
        let records = world.disk.records();
        check(&records, &rules);
        same(&live, &fold(&records));
        // A later run may take up what the world outside stopped; then nothing is left to do, and nothing is executed.
        for _ in 0..30 {
            world.run().2.unwrap();
        }
        let executed = world.disk.lines.len();
        let (_, shown, _) = world.run();
        let again: Vec<_> = shown.iter().filter(|record| matches!(record.event, Event::AttemptStarted { .. })).collect();
        prop_assert!(again.is_empty() && world.disk.lines.len() > executed, "{again:?}");
        check(&world.disk.records(), &rules);
        world.check_work();
    }
}

/// What a restart must know is the same, whether it was lived or read.
pub fn same(live: &crate::cycle::state::State, read: &crate::cycle::state::State) {
    assert_eq!(live.cards, read.cards);
    assert_eq!(live.attempts, read.attempts);
    assert_eq!(live.active, read.active, "active");
    assert_eq!(live.taking, read.taking);
    assert_eq!(live.hooks, read.hooks);
    assert_eq!((live.paused, live.ended), (read.paused, read.ended));
    assert_eq!((&live.held_inputs, &live.accepted), (&read.held_inputs, &read.accepted));
    assert_eq!(live.budget, read.budget);
    assert_eq!(live.moving, read.moving);
}
