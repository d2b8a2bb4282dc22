//! Sets of cards, tests and the links between them, as they lie in a folder: a folder a set, with `queries.jsonl` (id, title,
//! text), `docs.jsonl` (id, text) and `qrels.tsv` (query, doc, 1); in `bm25`, if there is one, the MAP to be beaten.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use kanban_codex_exec::index::{self, Index, Limits, Query};
use serde_json::Value;

/// Where the sets are: in the folder that `RETRIEVAL_SETS` names, else beside the repository.
#[expect(clippy::disallowed_methods, reason = "it is no setting of the program")]
pub fn folder() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/retrieval");
    std::env::var_os("RETRIEVAL_SETS").map_or_else(beside, PathBuf::from)
}

/// The MAP of the best BM25 (k1 1.2, b .75; stop words, stemming, split identifiers, with and without the title three times).
const BM25: [(&str, f64); 8] = [
    ("ebt", 0.815),
    ("easyclinic", 0.780),
    ("libest", 0.573),
    ("firefox_title", 0.441),
    ("lsst_name", 0.906),
    ("gnatcov", 0.603),
    ("swe_django", 0.547),
    ("d4j", 0.462),
];

/// None where the set is none of the eight.
pub fn published_bm25(set: &str) -> Option<f64> {
    BM25.iter().find(|(name, _)| *name == set).map(|(_, map)| *map)
}

pub struct Set {
    pub name: String,
    pub cards: Vec<Card>,
    pub texts: Vec<String>,
    pub index: Index,
    /// The MAP of the best BM25; None where it was not measured.
    pub bm25: Option<f64>,
}

#[derive(Clone)]
pub struct Card {
    pub title: String,
    pub body: String,
    /// Ordinals.
    pub relevant: HashSet<u32>,
}

impl Card {
    pub fn query(&self) -> Query<'_> {
        Query { title: &self.title, body: &self.body }
    }
}

/// All sets of a folder, by name; None where there is no such folder.
pub fn read(folder: &Path) -> Option<Vec<Set>> {
    let mut folders: Vec<PathBuf> = fs::read_dir(folder).ok()?.map(|entry| entry.unwrap().path()).collect();
    folders.retain(|folder| folder.join("qrels.tsv").exists());
    folders.sort();
    Some(folders.iter().map(|folder| Set::read(folder)).collect())
}

impl Set {
    fn read(folder: &Path) -> Set {
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
            let [query, doc, _] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{folder:?}: {line}") };
            links.entry(query.to_owned()).or_default().insert(ordinals[doc]);
        }
        let card = |row: &Value| {
            let relevant = links.remove(row["id"].as_str().unwrap())?;
            Some(Card { title: text(row, "title"), body: text(row, "text"), relevant })
        };
        let cards = lines("queries.jsonl").iter().filter_map(card).collect();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let told = fs::read_to_string(folder.join("bm25")).ok().map(|map| map.trim().parse().unwrap());
        let bm25 = told.or_else(|| published_bm25(&name));
        Set { name, cards, index: Index::from_bytes(index::build(&texts, "")).unwrap(), texts, bm25 }
    }

    /// The means of measures over the cards, on two threads.
    pub fn mean<const N: usize>(&self, measures: impl Fn(&Card) -> [f64; N] + Sync) -> [f64; N] {
        let plus = |mut sums: [f64; N], values: [f64; N]| {
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            sums
        };
        let sum = |cards: &[Card]| cards.iter().map(&measures).fold([0.0; N], plus);
        let (left, right) = self.cards.split_at(self.cards.len() / 2);
        let sums = std::thread::scope(|scope| {
            let left = scope.spawn(|| sum(left));
            plus(sum(right), left.join().unwrap())
        });
        sums.map(|sum| sum / self.cards.len() as f64)
    }
}

pub fn ranking(index: &Index, card: &Card, pool: usize) -> Vec<u32> {
    index.rank(&card.query(), pool).unwrap().into_iter().map(|candidate| candidate.ordinal).collect()
}

pub fn selected(index: &Index, card: &Card, limits: Limits) -> Vec<u32> {
    let selection = index::select(index, &card.query(), &[], limits).unwrap();
    selection.chosen.into_iter().map(|test| test.ordinal).collect()
}
