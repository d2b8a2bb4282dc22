use proptest::prelude::*;

use super::super::build::build;
use super::*;

fn reader(texts: &[impl AsRef<str> + Sync]) -> Reader {
    Reader::new(Store::from_bytes(build(texts, "")).unwrap()).unwrap()
}

/// The best by words, found the long way: every test is asked about by itself.
fn exhaustive(search: &Search<'_>, wanted: usize) -> Vec<(u32, f32)> {
    let score = |ordinal| (ordinal, search.words_of(ordinal).unwrap());
    let mut all: Vec<(u32, f32)> = (0..search.reader.tests).map(score).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    all.retain(|(_, score)| *score > 0.0);
    all.truncate(wanted);
    all
}

fn first(search: &Search<'_>, wanted: usize) -> Vec<(u32, f32)> {
    let mut hits = search.first_stage(wanted).unwrap();
    hits.retain(|hit| hit.similarity > 0.0);
    hits.sort_by(Hit::by_rank);
    hits.iter().map(|hit| (hit.ordinal, hit.similarity)).collect()
}

#[test]
fn the_best_of_several_windows_are_the_best_of_all() {
    let words = ["red", "green", "blue", "button", "window", "door", "opens", "closes"];
    let word = |at: usize, step: usize| words[(at / step) % words.len()];
    let text = |at| format!("{} {} {}", word(at, 1), word(at, 7), word(at, 61));
    // One thread passes over the first, and two over the second.
    for tests in [WINDOW + 5000, SHARED_WINDOWS * WINDOW] {
        let reader = reader(&(0..tests).map(text).collect::<Vec<String>>());
        let search = Search::new(&reader, &Query { title: "red door", body: "the red door closes slowly" }).unwrap();
        for wanted in [1, 100, 3000] {
            assert_eq!(first(&search, wanted), exhaustive(&search, wanted));
        }
    }
}

proptest! {
    /// To the last bit, and of equals the earlier ones.
    #[test]
    fn the_best_are_those_that_asking_about_each_test_finds(
        texts in prop::collection::vec("([a-d]{2} ){0,5}", 0..200),
        title in "([a-d]{2} ){0,3}",
        body in "([a-d]{2} ){0,30}",
        wanted in 1..150_usize,
    ) {
        let reader = reader(&texts);
        let search = Search::new(&reader, &Query { title: &title, body: &body }).unwrap();
        prop_assert_eq!(first(&search, wanted), exhaustive(&search, wanted));
    }
}
