//! Promoted means proved: whatever the tests say in whatever attempt, and whatever becomes of the attempts.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use proptest::prelude::*;

use super::properties::{case, repeatable};
use super::world::*;
use crate::checks::TestId;
use crate::cycle::gate::{Before, Ran, Tested};
use crate::journal::{AttemptId, Ending, Event, Record, TestOutcome};
use crate::rules::Verdict;

/// What a test says: `p`asses, `f`ails, was green `b`efore, is not known from before, can't be judged.
const SAYS: [char; 5] = ['p', 'f', 'b', 'u', '?'];

fn says(test: &crate::checks::TestString, letter: char) -> Tested {
    let ran = Ran { passed: !matches!(letter, 'f' | '?'), inconclusive: letter == '?', ..Ran::default() };
    let before = match letter {
        'b' => Before::Green,
        'u' => Before::Unknown(String::new()),
        _ => Before::Red,
    };
    Tested::ran(test, ran, Some(before))
}

/// Every promotion rests on that attempt's own newest judgement, and on enough distinct tests of the accepted file.
fn proved(records: &[Record], require: usize, frozen: &BTreeSet<String>) {
    let mut ended: BTreeMap<&AttemptId, &Ending> = BTreeMap::new();
    let mut judged: BTreeMap<&AttemptId, &[TestOutcome]> = BTreeMap::new();
    for record in records {
        match &record.event {
            Event::AttemptEnded { attempt, ending, .. } => drop(ended.insert(attempt, ending)),
            Event::Judged { attempt, tests, .. } => drop(judged.insert(attempt, tests)),
            Event::Transitioned { attempt, to: Some(_), verdict: Verdict::Pass, .. } => {
                let attempt = attempt.as_ref().expect("a promotion without an attempt");
                assert_eq!(ended[attempt], &Ending::Ok, "{attempt}");
                let counted = judged[attempt].iter().filter(|outcome| outcome.passed && outcome.counts);
                let counted = counted.inspect(|outcome| assert!(frozen.contains(&outcome.text), "{}", outcome.text));
                let ids: BTreeSet<&TestId> = counted.map(|outcome| &outcome.id).collect();
                assert!(ids.len() >= require, "{attempt} was promoted by {ids:?}, {require} were required");
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(repeatable(300))]

    #[test]
    fn promoted_means_that_enough_distinct_tests_of_the_accepted_file_passed_in_that_attempt(
        case in case(&Outcome::ALL, 3),
        letters in prop::collection::vec(prop::sample::select(&SAYS[..]), 3..40),
        require in 1..=3usize,
        power in 0..60usize,
    ) {
        let mut world = case.in_sequence(Outcome::Pass);
        let mut settings = settings();
        settings.require = require;
        world.planner.settings = settings.into();
        let frozen = world.planner.inputs.tests.iter().map(|test| test.text.clone()).collect();
        // Different ones say different things in different attempts, and each time that they are asked.
        world.tests = Some(Rc::new(move |plan, times| {
            let seed = plan.attempt.0.bytes().map(usize::from).sum::<usize>() + 7 * times as usize;
            let told = |(at, selected): (usize, &crate::cycle::plan::SelectedTest)| {
                says(&selected.test, letters[(seed * 31 + at * 17) % letters.len()])
            };
            plan.tests.iter().enumerate().map(told).collect()
        }));
        // A power cut in the first run; the second one goes on.
        world.power(power);
        drop(world.run());
        world.power(usize::MAX);
        world.run().2.unwrap();
        proved(&world.disk.records(), require, &frozen);
    }
}
