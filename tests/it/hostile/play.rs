//! One side of a case from its start to its end, and what was seen of it from outside: the journal is the agent's to forge.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use std::fmt;

use regex::Regex;
use serde_json::Value;

use super::case::{self, Case, Side};
use crate::support::board::{diff, without_state};
use crate::support::{Outcome, World};

/// What a person parked on the board.
const PARKED: [&str; 2] =
    ["- [ ] KB-8 parked,\u{a0}perhaps  \n\t1) naïve  \n\t   * 日本語 <!-- kept -->\n", "- [x] KB-9 an old one   \n"];

/// What came of it.
pub struct Played {
    pub places: Vec<String>,
    /// What the runs said.
    events: Vec<Value>,
    /// What the last run counted.
    promoted: Vec<u64>,
    journal: String,
    outcomes: Vec<Outcome>,
}

impl Case {
    pub fn run(&self, world: World, side: Side) -> Played {
        let before = world.board();
        let killed = match side {
            Side::Hostile => self.killed,
            Side::Twin => self.twin_killed,
        };
        let run = &["run", "--format", "json"];
        // What a killed runner leaves is ended by its launcher or by the next run.
        let mut outcomes = vec![if killed { world.run_beside(run) } else { world.run(run) }];
        assert_eq!(outcomes[0].code.is_none(), killed, "{}", outcomes[0]);
        if self.again || killed {
            std::fs::write(world.path("again"), "").unwrap();
            if !world.places().contains(&format!("{}: Done", self.card)) {
                world.write("board.md", back(&world.board(), &self.card));
            }
            outcomes.push(world.run(run));
        }
        let last = outcomes.last().unwrap();
        assert!(world.path("ran").exists(), "the agent was not run: {last}");
        let exits = if side == Side::Twin { &[0][..] } else { &self.exits };
        assert!(last.code.is_some_and(|code| exits.contains(&code)), "{last}");

        let board = world.board();
        if !self.board {
            let lines = diff(&without_state(&before), &without_state(&board));
            assert!(
                lines.iter().all(|line| matches!(line.as_str(), "+" | "-")),
                "more than moves and state: {lines:?}"
            );
        }
        for parked in PARKED {
            assert!(board.contains(parked), "{parked:?} is not in {board}");
        }
        let events: Vec<Value> = outcomes.iter().flat_map(Outcome::events).collect();
        let summaries = events.iter().filter(|event| event["event"] == "summary");
        Played {
            places: world.places(),
            promoted: summaries.filter_map(|summary| summary["promoted"].as_u64()).collect(),
            events,
            journal: std::fs::read_to_string(world.cache("journal.jsonl")).unwrap_or_default(),
            outcomes,
        }
    }
}

/// As a person who drags the card back to the column where it was worked.
fn back(board: &str, card: &str) -> String {
    let lines: Vec<&str> = board.split_inclusive('\n').collect();
    let Some(first) = lines.iter().position(|line| line.starts_with("- [") && line.contains(&format!("] {card} ")))
    else {
        return board.to_owned();
    };
    let length = 1 + lines[first + 1..].iter().take_while(|line| line.starts_with([' ', '\t'])).count();
    let (moved, mut rest) = (lines[first..first + length].concat(), lines);
    rest.drain(first..first + length);
    rest.concat().replace("## In Progress\n", &format!("## In Progress\n\n{moved}"))
}

impl Played {
    /// What is wrong where exactly these cards should have been promoted.
    pub fn promoted(&self, expected: &[String]) -> Vec<String> {
        let passed = self.events.iter().filter(|event| event["event"] == "transitioned" && event["verdict"] == "pass");
        let mut cards: Vec<&str> = passed.filter_map(|event| event["card"].as_str()).collect();
        cards.sort_unstable();
        let mut problems = Vec::new();
        if cards != expected {
            problems.push(format!("promoted: {cards:?}, not {expected:?}"));
        }
        let counted: u64 = self.promoted.iter().sum();
        if counted != expected.len() as u64 {
            problems.push(format!("{counted} are counted as promoted"));
        }
        problems
    }

    /// The last thing that was said of the card: a verdict and its reason.
    pub fn verdict(&self, card: &str) -> (String, String) {
        let text = |event: &Value, name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let mut verdict = ("none".to_owned(), String::new());
        let mut judged = None;
        for event in &self.events {
            match event["event"].as_str().unwrap_or_default() {
                "attempt_started" if event["card"] == card => judged = Some(&event["attempt"]),
                "judged" if judged == Some(&event["attempt"]) => {
                    verdict = (text(event, "verdict"), text(event, "reason"));
                }
                "elsewhere" if event["card"] == card => verdict = ("moved".into(), text(event, "reason")),
                "vetoed" if event["card"] == card => verdict = ("vetoed".into(), text(event, "reason")),
                "transitioned" if event["card"] == card && event["verdict"] != verdict.0 => {
                    verdict = (text(event, "verdict"), text(event, "reason"));
                }
                _ => {}
            }
        }
        if verdict.0 == "none" {
            let said = self.outcomes.last().map(|outcome| outcome.stderr.lines().next().unwrap_or_default().to_owned());
            verdict.1 = said.unwrap_or_default();
        }
        (verdict.0, settled(&verdict.1))
    }
}

/// Without what differs from run to run.
fn settled(text: &str) -> String {
    let passing =
        [(r"/\S*/kanban-world-\w+", "WORLD"), (r"\b[0-9a-f]{12,}\b", "HASH"), (r"\b\d+(\.\d+)? ?m?s\b", "TIME")];
    let text = text.replace('\n', " ");
    passing
        .iter()
        .fold(text, |text, (pattern, with)| Regex::new(pattern).unwrap().replace_all(&text, *with).into_owned())
}

impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for event in self.events.iter().filter(|event| event["event"] == "judged") {
            writeln!(f, "  {}: {}", event["verdict"], event["reason"])?;
            for test in event["tests"].as_array().into_iter().flatten() {
                writeln!(f, "    {} counts: {}, {}", test["id"], test["counts"], test["evidence"])?;
            }
        }
        if case::chosen().is_some() {
            for outcome in &self.outcomes {
                writeln!(f, "{outcome}")?;
            }
            writeln!(f, "--- journal\n{}", self.journal)?;
        }
        Ok(())
    }
}
