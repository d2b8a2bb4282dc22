//! The level that the index was chosen for, on eight public sets of cards and tests. They are no part of the repository: where
//! they are missing, this says so and proves nothing.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a data set that can't be read fails the test")]

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use kanban_codex_exec::index::{self, DEFAULT_MMR_LAMBDA, Index, Limits, Query};
use serde_json::Value;

/// With the MAP of the best BM25 (stop words, stemming, split identifiers, title three times) on the same set.
const SETS: [(&str, f64); 8] = [
    ("ebt", 0.815),
    ("easyclinic", 0.780),
    ("libest", 0.573),
    ("firefox_title", 0.441),
    ("lsst_name", 0.906),
    ("gnatcov", 0.603),
    ("swe_django", 0.547),
    ("d4j", 0.462),
];

#[test]
fn finds_the_tests_of_a_card_as_well_as_measured() {
    let Some(sets) = sets() else { return };
    let mut maps = Vec::new();
    for (set, bm25) in &sets {
        let map = set.mean(|query, relevant| average_precision(&set.ranking(query, 400), relevant));
        println!("{:14} MAP {map:.4} (BM25 {bm25})", set.name);
        assert!(map >= bm25 - 0.02, "{}: MAP {map:.4} is more than .02 under BM25's {bm25}", set.name);
        maps.push(map);
    }
    let mean = maps.iter().sum::<f64>() / maps.len() as f64;
    println!("mean MAP {mean:.4}");
    assert!(mean >= 0.667, "mean MAP {mean:.4}");
}

#[test]
fn thinning_out_costs_at_most_one_percent() {
    let Some(sets) = sets() else { return };
    let gain = |set: &Set, lambda| set.mean(|query, relevant| ndcg(&set.selected(query, 10, 0.0, lambda), relevant));
    let mean = |lambda| sets.iter().map(|(set, _)| gain(set, lambda)).sum::<f64>() / sets.len() as f64;
    let (plain, thinned) = (mean(1.0), mean(DEFAULT_MMR_LAMBDA));
    println!("nDCG@10 {plain:.4} by similarity alone, {thinned:.4} thinned out");
    assert!(thinned >= 0.99 * plain, "nDCG@10 {thinned:.4} against {plain:.4}");
}

fn sets() -> Option<Vec<(Set, f64)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/retrieval");
    if !folder.exists() {
        println!("skipped: {} is not there", folder.display());
        return None;
    }
    Some(SETS.iter().map(|(name, bm25)| (Set::read(name, folder.join(name)), *bm25)).collect())
}

struct Set {
    name: &'static str,
    queries: Vec<Card>,
    index: Index,
}

struct Card {
    title: String,
    body: String,
    /// Ordinals.
    relevant: HashSet<u32>,
}

impl Set {
    fn read(name: &'static str, folder: PathBuf) -> Set {
        let lines = |file: &str| -> Vec<Value> {
            let text = fs::read_to_string(folder.join(file)).unwrap();
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        let text = |row: &Value, field: &str| row[field].as_str().unwrap().to_owned();
        let docs = lines("docs.jsonl");
        let texts: Vec<String> = docs.iter().map(|row| text(row, "text")).collect();
        let ordinals: HashMap<String, u32> = (0..).zip(&docs).map(|(at, row)| (text(row, "id"), at)).collect();
        let mut links: HashMap<String, HashSet<u32>> = HashMap::new();
        for line in fs::read_to_string(folder.join("qrels.tsv")).unwrap().lines() {
            let [query, doc, _] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{name}: {line}") };
            links.entry(query.to_owned()).or_default().insert(ordinals[doc]);
        }
        let card = |row: &Value| {
            let relevant = links.remove(row["id"].as_str().unwrap())?;
            Some(Card { title: text(row, "title"), body: text(row, "text"), relevant })
        };
        let queries = lines("queries.jsonl").iter().filter_map(card).collect();
        Set { name, queries, index: Index::from_bytes(index::build(&texts, "")).unwrap() }
    }

    fn mean(&self, measure: impl Fn(&Query<'_>, &HashSet<u32>) -> f64 + Sync) -> f64 {
        let one = |card: &Card| measure(&Query { title: &card.title, body: &card.body }, &card.relevant);
        let (left, right) = self.queries.split_at(self.queries.len() / 2);
        let sum = |cards: &[Card]| cards.iter().map(one).sum::<f64>();
        let total = std::thread::scope(|scope| {
            let left = scope.spawn(|| sum(left));
            sum(right) + left.join().unwrap()
        });
        total / self.queries.len() as f64
    }

    fn ranking(&self, query: &Query<'_>, pool: usize) -> Vec<u32> {
        self.index.rank(query, pool).unwrap().into_iter().map(|candidate| candidate.ordinal).collect()
    }

    fn selected(&self, query: &Query<'_>, k: usize, threshold: f32, mmr_lambda: f32) -> Vec<u32> {
        let limits = Limits { k, threshold, mmr_lambda };
        let selection = index::select(&self.index, query, &[], limits).unwrap();
        selection.chosen.into_iter().map(|test| test.ordinal).collect()
    }
}

fn average_precision(ranking: &[u32], relevant: &HashSet<u32>) -> f64 {
    let mut hits = 0.0;
    let mut sum = 0.0;
    for (rank, ordinal) in (1..).map(f64::from).zip(ranking) {
        if relevant.contains(ordinal) {
            hits += 1.0;
            sum += hits / rank;
        }
    }
    sum / relevant.len() as f64
}

fn ndcg(ranking: &[u32], relevant: &HashSet<u32>) -> f64 {
    let gain = |rank: u32| 1.0 / f64::from(rank + 1).log2();
    let found: f64 = (1..).zip(ranking).filter(|(_, test)| relevant.contains(test)).map(|(rank, _)| gain(rank)).sum();
    found / (1..=relevant.len().min(10) as u32).map(gain).sum::<f64>()
}
