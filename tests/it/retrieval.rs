//! The level that the index was chosen for, on the public sets of `benches/retrieval`. They are no part of the repository: where
//! they are missing, this says so and proves nothing.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a data set that can't be read fails the test")]

#[path = "../../benches/retrieval/measures.rs"]
mod measures;
#[path = "../../benches/retrieval/sets.rs"]
mod sets;

use std::path::Path;

use kanban_codex_exec::index::{DEFAULT_MMR_LAMBDA, Limits};
use measures::{average_precision, ndcg};
use sets::{FOLDER, Set, ranking, selected};

/// The eight sets whose level is known.
fn known() -> Option<Vec<Set>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
    let Some(mut sets) = sets::read(&folder) else {
        println!("skipped: {} is not there", folder.display());
        return None;
    };
    sets.retain(|set| set.bm25().is_some());
    assert_eq!(sets.len(), 8, "sets are missing in {}", folder.display());
    Some(sets)
}

#[test]
fn finds_the_tests_of_a_card_as_well_as_measured() {
    let Some(sets) = known() else { return };
    let mut maps = Vec::new();
    for set in &sets {
        let bm25 = set.bm25().unwrap();
        let [map] = set.mean(|card| [average_precision(&ranking(&set.index, card, 400), &card.relevant)]);
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
    let Some(sets) = known() else { return };
    let limits = |mmr_lambda| Limits { k: 10, threshold: 0.0, mmr_lambda };
    let gain = |set: &Set, lambda| {
        let [gain] = set.mean(|card| [ndcg(&selected(&set.index, card, limits(lambda)), &card.relevant)]);
        gain
    };
    let mean = |lambda| sets.iter().map(|set| gain(set, lambda)).sum::<f64>() / sets.len() as f64;
    let (plain, thinned) = (mean(1.0), mean(DEFAULT_MMR_LAMBDA));
    println!("nDCG@10 {plain:.4} by similarity alone, {thinned:.4} thinned out");
    assert!(thinned >= 0.99 * plain, "nDCG@10 {thinned:.4} against {plain:.4}");
}
