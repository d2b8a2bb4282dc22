//! How fast the index is, and how large:
//!
//! ```text
//! cargo bench --bench index -- [TESTS]... [--sets FOLDER] [--write FOLDER]     10000, 100000 and 1000000 unless told
//! cargo bench --bench index -- --ask FOLDER                                    a process that asks one card
//! ```
//!
//! The tests are of made-up words, or of the sets of `benches/retrieval`. What was measured is left in a folder for `--ask`
//! and for `benches/peers.py`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench prints, writes the files that it reads, and what can't be measured ends it"
)]

mod corpus;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kanban_codex_exec::index::{DEFAULT_MMR_LAMBDA, DEFAULT_THRESHOLD, Index, Limits, Query, build, select};

use corpus::{CARDS, Corpus};

/// With the defaults of `run`.
const LIMITS: Limits = Limits { k: 5, threshold: DEFAULT_THRESHOLD, mmr_lambda: DEFAULT_MMR_LAMBDA };

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let told = |option: &str| words.iter().skip_while(|word| *word != option).nth(1).map(PathBuf::from);
    if let Some(folder) = told("--ask") {
        return ask_once(&folder);
    }
    let mut sizes: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = vec![10_000, 100_000, 1_000_000];
    }
    println!(
        "| tests | build s | 3 lines edited s (of a build) | 3 lines put on top s (of a build) | MiB | of it texts MiB | open ms | first query ms | warm median ms | warm p95 ms |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let (sets, scratch) = (told("--sets"), tempfile::tempdir().unwrap());
    let folder = told("--write").unwrap_or(scratch.path().to_owned());
    for tests in sizes {
        let corpus = sets.as_ref().map_or_else(|| Corpus::made_up(tests), |sets| Corpus::of_sets(sets, tests));
        corpus.write(&folder);
        row(&corpus, &folder.join("index"));
    }
}

fn row(Corpus { texts, cards }: &Corpus, path: &Path) {
    let (building, bytes) = timed(|| build(texts, ""));
    std::fs::write(path, &bytes).unwrap();
    let (opening, index) = timed(|| Index::open(path).unwrap());
    let ask = |card: &(String, String)| timed(|| ask(&index, card)).0;
    let first = ask(&cards[0]);
    cards.iter().for_each(|card| _ = ask(card));
    let mut warm: Vec<Duration> = cards.iter().map(ask).collect();
    warm.sort();
    let changed = changed(texts).map(|texts| {
        let updating = timed(|| Index::open(path).unwrap().update(&texts, "")).0;
        format!("{:.4} ({:.3})", updating.as_secs_f64(), updating.as_secs_f64() / building.as_secs_f64())
    });
    let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
    println!(
        "| {} | {:.3} | {} | {} | {:.1} | {:.1} | {:.3} | {:.2} | {:.3} | {:.3} |",
        texts.len(),
        building.as_secs_f64(),
        changed[0],
        changed[1],
        mib(bytes.len()),
        mib(texts.iter().map(String::len).sum()),
        ms(opening),
        ms(first),
        ms(warm[CARDS / 2]),
        ms(warm[CARDS * 95 / 100]),
    );
}

/// With three lines edited where they stand, and with three lines more before all others.
fn changed(texts: &[String]) -> [Vec<String>; 2] {
    let mut edited = texts.to_vec();
    (1..4).for_each(|quarter| edited[quarter * texts.len() / 4].push_str(" edited"));
    let on_top = ["one more", "two more", "three more"].map(String::from).into_iter().chain(texts.iter().cloned());
    [edited, on_top.collect()]
}

fn ask_once(folder: &Path) {
    let cards = std::fs::read_to_string(folder.join("cards.jsonl")).unwrap();
    let card: serde_json::Value = serde_json::from_str(cards.lines().next().unwrap()).unwrap();
    let text = |field: &str| card[field].as_str().unwrap().to_owned();
    let card = (text("title"), text("text"));
    let (opening, index) = timed(|| Index::open(&folder.join("index")).unwrap());
    let first = timed(|| ask(&index, &card)).0;
    println!("open {:.3} ms, query {:.3} ms", ms(opening), ms(first));
}

fn ask(index: &Index, (title, body): &(String, String)) -> usize {
    select(index, &Query { title, body }, &[], LIMITS).unwrap().chosen.len()
}

fn ms(time: Duration) -> f64 {
    1000.0 * time.as_secs_f64()
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed(), result)
}
