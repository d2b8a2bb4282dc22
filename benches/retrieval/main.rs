//! How well the selector finds the tests that belong to a card: `cargo bench --bench retrieval -- [FOLDER]`.
//!
//! It asks the index that `run` asks, with the defaults of `run`. The sets are no part of the repository: a folder a set, as
//! `sets.rs` reads them, and as `benches/commits.py` makes them of any git repository.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints, and a set that can't be read ends it"
)]

mod measures;
mod sets;
mod thresholds;

use std::path::PathBuf;
use std::process::ExitCode;

use kanban_codex_exec::index::{DEFAULT_MMR_LAMBDA, Limits};
use measures::{average_precision, ndcg, recall, reciprocal_rank};
use sets::{Set, ranking, selected};

/// Deep enough that what lies below counts next to nothing.
const DEPTH: usize = 400;

fn main() -> ExitCode {
    // cargo hands `--bench` on.
    let folder = std::env::args().skip(1).find(|word| !word.starts_with("--"));
    let folder = folder.map_or_else(sets::folder, PathBuf::from);
    match sets::read(&folder) {
        Some(sets) if !sets.is_empty() => {
            quality(&sets);
            thresholds::print(&sets);
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("error: there are no sets in {}", folder.display());
            eprintln!(
                "\nhint: name their folder: `cargo bench --bench retrieval -- FOLDER`, or RETRIEVAL_SETS=FOLDER; in it a"
            );
            eprintln!(
                "      folder a set, with queries.jsonl (id, title, text), docs.jsonl (id, text) and qrels.tsv (query, doc, 1);\n      \
                 `benches/commits.py FOLDER REPOSITORY` makes one of a git repository's commits"
            );
            ExitCode::from(2)
        }
    }
}

fn quality(sets: &[Set]) {
    println!("Similarity alone, and nDCG@10 after MMR at the default lambda of {DEFAULT_MMR_LAMBDA}\n");
    println!(
        "| set | cards | tests | MAP | best BM25 | nDCG@10 | R@5 | R@10 | MRR | nDCG@10 with MMR | R@5 with MMR |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    let mut total = [0.0; 7];
    for set in sets {
        let row = measure(set);
        let bm25 = set.bm25.map_or("".to_owned(), |map| format!("{map:.3}"));
        println!("| {} | {} | {} | {}", set.name, set.cards.len(), set.texts.len(), cells(row, &bm25));
        total.iter_mut().zip(row).for_each(|(sum, value)| *sum += value / sets.len() as f64);
    }
    println!("| mean | | | {}", cells(total, ""));
    println!("\nMMR costs {:.2} % of nDCG@10.\n", 100.0 * (1.0 - total[5] / total[1]));
}

fn cells(row: [f64; 7], bm25: &str) -> String {
    let [map, rest @ ..] = row;
    let rest: Vec<String> = rest.iter().map(|value| format!("{value:.4}")).collect();
    format!("{map:.4} | {bm25} | {} |", rest.join(" | "))
}

fn measure(set: &Set) -> [f64; 7] {
    let limits = Limits { k: 10, threshold: 0.0, mmr_lambda: DEFAULT_MMR_LAMBDA };
    set.mean(|card| {
        let (ranked, thinned) = (ranking(&set.index, card, DEPTH), selected(&set.index, card, limits));
        let relevant = &card.relevant;
        [
            average_precision(&ranked, relevant),
            ndcg(&ranked, relevant),
            recall(&ranked, relevant, 5),
            recall(&ranked, relevant, 10),
            reciprocal_rank(&ranked, relevant),
            ndcg(&thinned, relevant),
            recall(&thinned, relevant, 5),
        ]
    })
}
