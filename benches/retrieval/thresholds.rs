//! What one threshold does to boards of different sizes, which are samples of the sets.
//!
//! Half of a board's tests belong to cards that are asked, as far as they fit; the others are tests of other cards. *Wrongly
//! unverified* is a card that gets fewer tests than `K_REQ`, or than it has links where those are fewer. *Wrongly verified*
//! is a card that gets `K_REQ` tests though none of its own is on the board: one of the same project, or of another one.

use std::collections::{HashMap, HashSet};

use kanban_codex_exec::index::{self, DEFAULT_MMR_LAMBDA, DEFAULT_THRESHOLD, Index, Limits};

use crate::sets::{Card, Set, selected};

/// As `run` has them by default.
const K_MIN: usize = 5;
const K_REQ: usize = 3;

const SIZES: [usize; 6] = [10, 30, 100, 300, 1000, 3000];
const THRESHOLDS: [f32; 8] = [0.10, 0.12, 0.14, 0.15, 0.16, 0.17, 0.20, 0.30];
/// For each set and size, so that small boards are not judged by a few.
const BOARDS: usize = 20;
/// Of each kind, for each board.
const CARDS: usize = 15;

struct Board {
    index: Index,
    related: Vec<Card>,
    same_project: Vec<Card>,
    other_project: Vec<Card>,
}

/// Sums, to be divided by the counts of their kind.
#[derive(Default, Clone, Copy)]
struct Tally {
    cards: f64,
    chosen: f64,
    right: f64,
    recall: f64,
    unverified: f64,
    same: f64,
    same_verified: f64,
    other: f64,
    other_verified: f64,
}

pub fn print(sets: &[Set]) {
    let boards: Vec<Vec<Vec<Board>>> = SIZES.iter().map(|size| all_boards(sets, *size)).collect();
    println!("The default threshold of {DEFAULT_THRESHOLD} on boards of different sizes (means over the sets)\n");
    println!("| tests | precision | recall | wrongly unverified | wrongly verified, same project | other project |");
    println!("|---|---|---|---|---|---|");
    let any = |boards: &[Vec<Board>]| boards.iter().any(|of_set| !of_set.is_empty());
    for (size, boards) in SIZES.iter().zip(&boards).filter(|(_, boards)| any(boards)) {
        println!("| {size} {}", row(boards.iter(), DEFAULT_THRESHOLD));
    }
    println!("\nOther thresholds (means over sets and sizes)\n");
    println!(
        "| threshold | precision | recall | wrongly unverified | wrongly verified, same project | other project |"
    );
    println!("|---|---|---|---|---|---|");
    for threshold in THRESHOLDS {
        println!("| {threshold:.2} {}", row(boards.iter().flatten(), threshold));
    }
    println!("\nThe default threshold by set\n");
    println!("| set | precision | recall | wrongly unverified | wrongly verified, same project | other project |");
    println!("|---|---|---|---|---|---|");
    for (at, set) in sets.iter().enumerate() {
        println!("| {} {}", set.name, row(boards.iter().filter_map(|boards| boards.get(at)), DEFAULT_THRESHOLD));
    }
    println!();
}

/// By set: its boards of this size, none where it has too few tests.
fn all_boards(sets: &[Set], size: usize) -> Vec<Vec<Board>> {
    let others = |at: usize| &sets[(at + 1) % sets.len()];
    (0..sets.len()).map(|at| boards(&sets[at], others(at), size)).collect()
}

fn boards(set: &Set, other: &Set, size: usize) -> Vec<Board> {
    let mut random = Random(size as u64);
    let count = if size <= set.texts.len() { BOARDS.min(4 * set.texts.len() / size) } else { 0 };
    (0..count).filter_map(|_| Board::of(set, other, size, &mut random)).collect()
}

impl Board {
    fn of(set: &Set, other: &Set, size: usize, random: &mut Random) -> Option<Board> {
        let cards = random.shuffled(&set.cards);
        let mut tests = HashSet::new();
        for card in &cards {
            let with: HashSet<u32> = tests.union(&card.relevant).copied().collect();
            if with.len() <= size.div_ceil(2) {
                tests = with;
            }
        }
        let all: Vec<u32> = (0..set.texts.len() as u32).collect();
        let fill: Vec<u32> = random.shuffled(&all).into_iter().filter(|test| !tests.contains(test)).collect();
        tests.extend(fill.into_iter().take(size - tests.len()));
        let mut tests: Vec<u32> = tests.into_iter().collect();
        tests.sort_unstable();
        let places: HashMap<u32, u32> = (0..).zip(&tests).map(|(place, test)| (*test, place)).collect();
        let texts: Vec<&str> = tests.iter().map(|test| set.texts[*test as usize].as_str()).collect();
        let links = |card: &Card| card.relevant.iter().filter_map(|test| places.get(test)).copied().collect();
        let here = cards.iter().map(|card| Card { relevant: links(card), ..card.clone() });
        let (related, same_project): (Vec<Card>, Vec<Card>) = here.partition(|card| !card.relevant.is_empty());
        if related.is_empty() {
            return None;
        }
        Some(Board {
            index: Index::from_bytes(index::build(&texts, "")).unwrap(),
            related: related.into_iter().take(CARDS).collect(),
            same_project: same_project.into_iter().take(CARDS).collect(),
            other_project: random.shuffled(&other.cards).into_iter().take(CARDS).collect(),
        })
    }

    fn tally(&self, threshold: f32) -> Tally {
        let chosen = |card: &Card| selected(&self.index, card, limits(threshold));
        let verified = |cards: &[Card]| cards.iter().filter(|card| chosen(card).len() >= K_REQ).count() as f64;
        let mut tally = Tally {
            same: self.same_project.len() as f64,
            same_verified: verified(&self.same_project),
            other: self.other_project.len() as f64,
            other_verified: verified(&self.other_project),
            ..Tally::default()
        };
        for card in &self.related {
            let chosen = chosen(card);
            let right = chosen.iter().filter(|test| card.relevant.contains(test)).count();
            tally.cards += 1.0;
            tally.chosen += chosen.len() as f64;
            tally.right += right as f64;
            tally.recall += right as f64 / card.relevant.len().min(K_MIN) as f64;
            tally.unverified += f64::from(u8::from(chosen.len() < K_REQ.min(card.relevant.len())));
        }
        tally
    }
}

fn limits(threshold: f32) -> Limits {
    Limits { k: K_MIN, threshold, mmr_lambda: DEFAULT_MMR_LAMBDA }
}

/// Each set and size counts the same; those without boards don't.
fn row<'b>(boards: impl Iterator<Item = &'b Vec<Board>>, threshold: f32) -> String {
    let groups: Vec<&Vec<Board>> = boards.filter(|boards| !boards.is_empty()).collect();
    let (left, right) = groups.split_at(groups.len() / 2);
    let rates = |groups: &[&Vec<Board>]| groups.iter().map(|boards| rates(boards, threshold)).collect::<Vec<_>>();
    let all = std::thread::scope(|scope| {
        let left = scope.spawn(|| rates(left));
        [rates(right), left.join().unwrap()].concat()
    });
    let mean = |at: usize| all.iter().map(|rates| rates[at]).sum::<f64>() / all.len() as f64;
    let cells: Vec<String> = (0..5).map(|at| format!("{:.3}", mean(at))).collect();
    format!("| {} |", cells.join(" | "))
}

fn rates(boards: &[Board], threshold: f32) -> [f64; 5] {
    let tallies: Vec<Tally> = boards.iter().map(|board| board.tally(threshold)).collect();
    let share = |part: fn(&Tally) -> f64, whole: fn(&Tally) -> f64| {
        tallies.iter().map(part).sum::<f64>() / tallies.iter().map(whole).sum::<f64>().max(1.0)
    };
    [
        share(|tally| tally.right, |tally| tally.chosen),
        share(|tally| tally.recall, |tally| tally.cards),
        share(|tally| tally.unverified, |tally| tally.cards),
        share(|tally| tally.same_verified, |tally| tally.same),
        share(|tally| tally.other_verified, |tally| tally.other),
    ]
}

/// A fixed sequence (Knuth's MMIX generator): the same boards each time.
struct Random(u64);

impl Random {
    fn shuffled<T: Clone>(&mut self, items: &[T]) -> Vec<T> {
        let mut items = items.to_vec();
        for left in (1..items.len()).rev() {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            items.swap(left, (self.0 >> 33) as usize % (left + 1));
        }
        items
    }
}
