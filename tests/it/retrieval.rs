//! The level that the index was chosen for, on the public sets of `benches/retrieval`. They are no part of the repository: where
//! they are missing, this says so and proves nothing.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a data set that can't be read fails the test")]

#[path = "../../benches/retrieval/measures.rs"]
mod measures;
#[path = "../../benches/retrieval/sets.rs"]
mod sets;

use kanban_codex_exec::index::{DEFAULT_MMR_LAMBDA, Limits};
use measures::{average_precision, ndcg, recall, reciprocal_rank};
use sets::{Set, ranking, selected};

/// The eight sets whose level is known.
fn known() -> Option<Vec<Set>> {
    let folder = sets::folder();
    let Some(mut sets) = sets::read(&folder) else {
        println!("skipped: {} is not there", folder.display());
        return None;
    };
    sets.retain(|set| sets::published_bm25(&set.name).is_some());
    assert_eq!(sets.len(), 8, "sets are missing in {}", folder.display());
    Some(sets)
}

fn means<const N: usize>(rows: &[[f64; N]]) -> [f64; N] {
    std::array::from_fn(|at| rows.iter().map(|row| row[at]).sum::<f64>() / rows.len() as f64)
}

#[test]
fn finds_the_tests_of_a_card_as_well_as_measured() {
    let Some(sets) = known() else { return };
    let mut rows = Vec::new();
    for set in &sets {
        let bm25 = set.bm25.unwrap();
        let row = set.mean(|card| {
            let ranked = ranking(&set.index, card, 400);
            let relevant = &card.relevant;
            [average_precision(&ranked, relevant), recall(&ranked, relevant, 5), reciprocal_rank(&ranked, relevant)]
        });
        println!("{:14} {} tests: {row:.4?} (BM25 {bm25})", set.name, set.texts.len());
        assert!(row[0] >= bm25 - 0.02, "{}: MAP {:.4} is more than .02 under BM25's {bm25}", set.name, row[0]);
        rows.push(row);
    }
    let mean = means(&rows);
    println!("mean MAP, recall at 5, MRR {mean:.4?}");
    assert!(mean.iter().zip([0.675, 0.575, 0.740]).all(|(value, level)| *value >= level), "{mean:.4?}");
}

#[test]
fn thinning_out_costs_at_most_one_percent() {
    let Some(sets) = known() else { return };
    let limits = |mmr_lambda| Limits { k: 10, threshold: 0.0, mmr_lambda };
    let gains = |set: &Set| {
        set.mean(|card| {
            [1.0, DEFAULT_MMR_LAMBDA].map(|lambda| ndcg(&selected(&set.index, card, limits(lambda)), &card.relevant))
        })
    };
    let [plain, thinned] = means(&sets.iter().map(gains).collect::<Vec<_>>());
    println!("nDCG@10 {plain:.4} by similarity alone, {thinned:.4} thinned out");
    assert!(thinned >= 0.99 * plain, "nDCG@10 {thinned:.4} against {plain:.4}");
}
