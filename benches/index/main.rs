//! How fast the index is, and how large: `cargo bench --bench index -- [TESTS]...` (10000, 100000 and 1000000 unless told).
//!
//! The tests are of made-up words, as frequent as words are (Zipf), and the same in each run.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench prints, writes the file that it reads, and what can't be measured ends it"
)]

use std::time::{Duration, Instant};

use kanban_codex_exec::index::{DEFAULT_MMR_LAMBDA, DEFAULT_THRESHOLD, Index, Limits, Query, build, select};

/// Distinct words: about as many as a large project has.
const VOCABULARY: f64 = 100_000.0;
const WORDS_OF_A_TEST: usize = 8;
const WORDS_OF_A_CARD: usize = 60;
const CARDS: usize = 100;
/// With the defaults of `run`.
const LIMITS: Limits = Limits { k: 5, threshold: DEFAULT_THRESHOLD, mmr_lambda: DEFAULT_MMR_LAMBDA };

fn main() {
    let told: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let sizes = if told.is_empty() { vec![10_000, 100_000, 1_000_000] } else { told };
    println!("| tests | build s | MiB | of it texts MiB | open ms | first query ms | warm median ms | warm p95 ms |");
    println!("|---|---|---|---|---|---|---|---|");
    sizes.into_iter().for_each(row);
}

fn row(tests: usize) {
    let mut words = Words(42);
    let texts: Vec<String> = (0..tests).map(|_| words.text(WORDS_OF_A_TEST)).collect();
    let cards: Vec<(String, String)> =
        (0..CARDS).map(|_| (words.text(WORDS_OF_A_TEST), words.text(WORDS_OF_A_CARD))).collect();
    let (building, bytes) = timed(|| build(&texts, ""));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    std::fs::write(&path, &bytes).unwrap();
    let (opening, index) = timed(|| Index::open(&path).unwrap());
    let ask =
        |(title, body): &(String, String)| timed(|| select(&index, &Query { title, body }, &[], LIMITS).unwrap()).0;
    let first = ask(&cards[0]);
    cards.iter().for_each(|card| _ = ask(card));
    let mut warm: Vec<Duration> = cards.iter().map(ask).collect();
    warm.sort();
    let ms = |time: Duration| 1000.0 * time.as_secs_f64();
    let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
    println!(
        "| {tests} | {:.3} | {:.1} | {:.1} | {:.3} | {:.2} | {:.3} | {:.3} |",
        building.as_secs_f64(),
        mib(bytes.len()),
        mib(texts.iter().map(String::len).sum()),
        ms(opening),
        ms(first),
        ms(warm[CARDS / 2]),
        ms(warm[CARDS * 95 / 100]),
    );
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed(), result)
}

/// Makes up words, from a state.
struct Words(u64);

impl Words {
    fn text(&mut self, words: usize) -> String {
        (0..words).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }

    /// The n-th word is met about 1/n times as often as the first.
    fn word(&mut self) -> String {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let share = (self.0 >> 11) as f64 / (1_u64 << 53) as f64;
        let mut rank = VOCABULARY.powf(share) as u32;
        let mut word = String::from("z");
        while rank > 0 {
            word.push(char::from(b'a' + (rank % 20) as u8));
            word.push(['a', 'e', 'i', 'o'][rank as usize % 4]);
            rank /= 20;
        }
        word
    }
}
