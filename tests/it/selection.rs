//! Which tests a person would take, on ordinary small boards and among near-duplicates: `tests/retrieval`.

#![expect(clippy::unwrap_used, reason = "a case that can't be read fails the test")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use kanban_codex_exec::checks::{self, TestString};
use kanban_codex_exec::index::{self, DEFAULT_MMR_LAMBDA, DEFAULT_THRESHOLD, Index, Limits, Query};
use serde::Deserialize;

const K_MIN: usize = 5;
const K_REQ: usize = 3;

#[derive(Deserialize)]
struct Board {
    tests: String,
    cards: Vec<Card>,
}

#[derive(Deserialize)]
struct Card {
    title: String,
    body: String,
    /// Names of tests, or their lines' ends; none: no test is about it.
    related: Vec<String>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    title: String,
    body: String,
    tests: BTreeMap<String, String>,
    chosen: Vec<Cluster>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Cluster {
    One(String),
    Alike(Vec<String>),
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/retrieval")
}

/// The tests that are selected for a card by default, in the order of choice, with their similarities.
fn select<'t>(tests: &'t [TestString], title: &str, body: &str, k: usize) -> Vec<(&'t TestString, f32)> {
    let words: Vec<&str> = tests.iter().map(|test| test.words.as_str()).collect();
    let index = Index::from_bytes(index::build(&words, "")).unwrap();
    let limits = Limits { k, threshold: DEFAULT_THRESHOLD, mmr_lambda: DEFAULT_MMR_LAMBDA };
    let body = format!("{title}\n{body}");
    let selection = index::select(&index, &Query { title, body: &body }, &[], limits).unwrap();
    selection.chosen.iter().map(|test| (&tests[test.ordinal as usize], test.similarity)).collect()
}

fn is(test: &TestString, name: &str) -> bool {
    test.id.0 == name || test.text.ends_with(name)
}

/// What is selected for each card, where it isn't what a person would take.
#[test]
fn small_boards_get_the_tests_that_are_about_the_card_and_few_others() {
    let (mut related, mut found, mut chosen_for_related) = (0, 0, 0);
    let mut wrong = String::new();
    let mut boards: Vec<PathBuf> =
        fs::read_dir(folder().join("boards")).unwrap().map(|entry| entry.unwrap().path()).collect();
    boards.sort();
    for path in boards {
        let board: Board = serde_yaml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let tests = checks::parse(&board.tests, "tests").unwrap();
        for card in &board.cards {
            for name in &card.related {
                assert!(tests.iter().any(|test| is(test, name)), "{}: no test {name}", path.display());
            }
            let chosen = select(&tests, &card.title, &card.body, K_MIN);
            let right = chosen.iter().filter(|(test, _)| card.related.iter().any(|name| is(test, name))).count();
            let as_needed = match card.related.len() {
                0 => chosen.len() < K_REQ,
                related => chosen.len() >= related.min(K_REQ),
            };
            if !as_needed || right < card.related.len() {
                writeln!(wrong, "{}: {right} of {}", card.title, card.related.len()).unwrap();
                chosen.iter().for_each(|(test, near)| writeln!(wrong, "    {near:.2} {}", test.text).unwrap());
            }
            if !card.related.is_empty() {
                related += card.related.len();
                found += right;
                chosen_for_related += chosen.len();
            }
        }
    }
    insta::assert_snapshot!(format!(
        "of {related} related tests {found} are selected, with {} others\n{wrong}",
        chosen_for_related - found
    ));
}

#[test]
fn one_of_each_cluster_of_near_duplicates_is_chosen_and_every_distinct_test() {
    let cases: Vec<Case> =
        serde_yaml::from_str(&fs::read_to_string(folder().join("duplicates.yaml")).unwrap()).unwrap();
    let mut wrong = String::new();
    for case in &cases {
        let names: Vec<&String> = case.tests.keys().collect();
        let lines: Vec<&str> = case.tests.values().map(String::as_str).collect();
        let tests = checks::parse(&lines.join("\n"), "tests").unwrap();
        let chosen = select(&tests, &case.title, &case.body, case.chosen.len());
        let chosen: Vec<&String> = chosen.iter().map(|(test, _)| names[test.line - 1]).collect();
        let one = |cluster: &Cluster| match cluster {
            Cluster::One(name) => chosen.contains(&name),
            Cluster::Alike(names) => names.iter().filter(|name| chosen.contains(name)).count() == 1,
        };
        if !case.chosen.iter().all(one) {
            writeln!(wrong, "{}: {chosen:?}", case.name).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
