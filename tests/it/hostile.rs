//! Agents that would have a card promoted without the work, or are careless, each beside an honest twin that works in
//! much the same way. A folder of `hostile/` is a case.
//!
//! ```text
//! NNN-name/case.yaml   what it is about
//!         /agent.sh    what codex does in the hostile world, with the words of `words.sh`
//!         /twin.sh     what it does in the honest one
//!         /repo/…      files laid over those of `base/`
//!         /beside/…    files beside the repository, out of codex's working folder
//! ```
//! No hostile agent may ever be promoted; every twin must be, or the gate would only be deaf.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

mod case;
mod play;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::support::World;
use crate::support::model::{self, Model};
use case::{Case, Side};
use play::Played;

/// Worlds at work at once. Most of a world's time is waiting for the disk and for children.
const AT_ONCE: usize = 4;

/// Plays both sides of these cases; what each line of the table says, or why the case fails.
fn play_all(cases: &[Case], play: impl Fn(&Case, Side) -> Played + Sync) -> BTreeMap<String, Result<String, String>> {
    let todo = Mutex::new(cases.iter());
    let done = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = { todo.lock().unwrap().next() } {
                    let sides = [Side::Hostile, Side::Twin].map(|side| {
                        catch_unwind(AssertUnwindSafe(|| play(case, side))).map_err(|cause| told(cause.as_ref()))
                    });
                    done.lock().unwrap().insert(case.name.clone(), case.line(sides));
                }
            });
        }
    });
    done.into_inner().unwrap()
}

fn told(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// All that fail at once; else the lines.
fn lines(table: BTreeMap<String, Result<String, String>>) -> Vec<String> {
    let (good, bad): (Vec<_>, Vec<_>) = table.into_values().partition(Result::is_ok);
    let bad: Vec<String> = bad.into_iter().filter_map(Result::err).collect();
    assert!(bad.is_empty(), "{} cases fail:\n\n{}", bad.len(), bad.join("\n\n"));
    good.into_iter().filter_map(Result::ok).collect()
}

#[test]
fn no_hostile_agent_is_promoted_and_every_honest_twin_is() {
    let cases = case::all();
    let table = play_all(&cases, |case, side| {
        let script = match case.raw {
            true => "raw\nexport card\n. \"$WORLD/agent\"",
            false => {
                "raw\nexport card\nbegin\nsh \"$WORLD/agent\" >\"$WORLD/agent.log\" 2>&1\ncat \"$WORLD/said.jsonl\"\ncp \"$WORLD/said\" \"$last\"\ncomplete"
            }
        };
        case.run(case.world(side, World::new("")).codex(script), side)
    });
    if case::chosen().is_some() {
        println!("{}", table.values().flatten().map(|line| format!("{line}\n")).collect::<String>());
    }
    let table = lines(table);
    if case::chosen().is_some() {
        return;
    }
    assert!(table.len() >= 40, "{} cases", table.len());
    let title = "case | verdict | reason | twin".to_owned();
    insta::assert_snapshot!("hostile", [title].into_iter().chain(table).collect::<Vec<_>>().join("\n"));
}

#[test]
fn nor_is_one_that_the_real_codex_carries_out() {
    let mut cases = case::all();
    cases.retain(|case| case.real && !case.raw);
    if model::world("").is_none() {
        return;
    }
    let table = play_all(&cases, |case, side| {
        let Some(world) = model::world("") else { panic!("there is no real codex") };
        let world = case.world(side, world);
        let model = Model::start(&world, &script(case, side));
        let played = case.run(world, side);
        drop(model);
        played
    });
    // Not one verdict may rest on what only the stand-in does.
    let told = include_str!("snapshots/it__hostile__hostile.snap");
    let others: Vec<String> = lines(table).into_iter().filter(|line| !told.lines().any(|told| told == line)).collect();
    assert_eq!(others, [] as [String; 0], "the stand-in's table has other lines");
}

/// The model has codex run the agent's script by a tool, and then says the case's message.
fn script(case: &Case, side: Side) -> Value {
    let rule = |card: &str| {
        json!({"match": format!("{card} "), "steps": [
            {"shell": format!("card={card} sh \"$WORLD/agent\"")}, {"say": case.message(side)}]})
    };
    json!([rule("KB-1"), rule("KB-2")])
}
