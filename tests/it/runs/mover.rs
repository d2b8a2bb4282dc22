//! A person who edits the board fifty times a second through whole runs: in place and by rename, at any
//! instant. A model keeps what they wrote. Each time that they look, and at the end, the board is that model and what the
//! program may do: its ids, its state blocks, moves of cards that the person did not put aside.
//!
//! `KANBAN_MOVER_EDITS` and `KANBAN_MOVER_SEED` make it longer (a single run has two minutes) and other; it says its figures.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use super::instants::STYLES;
use super::number;
use crate::support::World;
use crate::support::board::{with, without_state};

const EDITS: u64 = 150;
const SEED: u64 = 7;
const PERIOD: Duration = Duration::from_millis(20);
/// Columns that no rule works: what a person puts there stays there.
const PARKED: [&str; 4] = ["Backlog", "Needs Specs", "Blocked", "Done"];

/// A board as its reader splits it: every line belongs to one place, and all of them together are the file.
#[derive(Clone)]
struct Sheet {
    head: String,
    columns: Vec<Lane>,
}

#[derive(Clone)]
struct Lane {
    name: String,
    /// The heading and what is no card.
    text: String,
    cards: Vec<Entry>,
    /// What is no card and follows one.
    tail: String,
}

#[derive(Clone)]
struct Entry {
    key: String,
    text: String,
}

impl Sheet {
    fn read(text: &str) -> Sheet {
        let mut sheet = Sheet { head: String::new(), columns: Vec::new() };
        for line in text.split_inclusive('\n') {
            if let Some(name) = line.strip_prefix("## ") {
                let name = name.trim_end().to_owned();
                sheet.columns.push(Lane { name, text: line.to_owned(), cards: Vec::new(), tail: String::new() });
                continue;
            }
            let Some(lane) = sheet.columns.last_mut() else {
                sheet.head.push_str(line);
                continue;
            };
            if line.starts_with("- [") {
                let key = line.split_whitespace().nth(3 - usize::from(line.starts_with("- [x"))).unwrap().to_owned();
                lane.text.push_str(&std::mem::take(&mut lane.tail));
                lane.cards.push(Entry { key, text: line.to_owned() });
            } else if let (Some(card), true) = (lane.cards.last_mut(), line.starts_with(['\t', ' '])) {
                card.text.push_str(line);
            } else {
                lane.tail.push_str(line);
            }
        }
        sheet
    }

    fn text(&self) -> String {
        let mut text = self.head.clone();
        for lane in &self.columns {
            text.push_str(&lane.text);
            lane.cards.iter().for_each(|card| text.push_str(&card.text));
            text.push_str(&lane.tail);
        }
        text
    }

    fn lane(&mut self, name: &str) -> &mut Lane {
        self.columns.iter_mut().find(|lane| lane.name == name).unwrap()
    }

    fn cards(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.columns.iter().flat_map(|lane| lane.cards.iter().map(|card| (lane.name.as_str(), card)))
    }
}

/// What the person wrote.
#[derive(Debug, Default, PartialEq)]
struct Model {
    head: String,
    /// Headings and what else is no card, without empty lines.
    rest: Vec<String>,
    /// Each card's text.
    cards: BTreeMap<String, String>,
    /// Where they put cards aside; the program puts none into Backlog, so there their order is theirs too.
    parked: BTreeMap<String, String>,
    backlog: Vec<String>,
}

impl Model {
    /// What the sheet says of all this, of the cards that the model has put aside.
    fn of(sheet: &Sheet, parked: &BTreeMap<String, String>) -> Model {
        let stamp = regex::Regex::new(r" \^kb-[0-9a-z]+\n").unwrap();
        let own = |text: &str| without_state(&stamp.replace(text, "\n"));
        let lines = |lane: &Lane| -> Vec<String> {
            let text = format!("{}{}", lane.text, lane.tail);
            text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
        };
        let place = |(lane, card): (&str, &Entry)| (card.key.clone(), lane.to_owned());
        let backlog = sheet.cards().filter(|(lane, _)| *lane == "Backlog");
        Model {
            head: sheet.head.clone(),
            rest: sheet.columns.iter().flat_map(lines).collect(),
            cards: sheet.cards().map(|(_, card)| (card.key.clone(), own(&card.text))).collect(),
            parked: sheet.cards().filter(|(_, card)| parked.contains_key(&card.key)).map(place).collect(),
            backlog: backlog.map(|(_, card)| card.key.clone()).collect(),
        }
    }
}

struct Mover {
    path: PathBuf,
    random: u64,
    edits: u64,
    model: Model,
    /// Edits whose writing met a board that was not what they had read.
    overwrote: u64,
}

impl Mover {
    fn new(world: &World, seed: u64) -> Mover {
        let mut mover =
            Mover { path: world.repo("board.md"), random: seed, edits: 0, model: Model::default(), overwrote: 0 };
        mover.model = Model::of(&mover.look(), &BTreeMap::new());
        mover
    }

    fn below(&mut self, limit: usize) -> usize {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as usize % limit
    }

    fn look(&self) -> Sheet {
        Sheet::read(&fs::read_to_string(&self.path).unwrap())
    }

    #[track_caller]
    fn check(&self, sheet: &Sheet) {
        let now = Model::of(sheet, &self.model.parked);
        assert!(now == self.model, "after {} edits\n{now:#?}\nis not\n{:#?}\n{}", self.edits, self.model, sheet.text());
    }

    fn edit(&mut self) {
        let mut sheet = self.look();
        let before = sheet.text();
        self.check(&sheet);
        self.edits += 1;
        let cards: Vec<String> = sheet.cards().map(|(_, card)| card.key.clone()).collect();
        let any = self.below(cards.len().max(1));
        let mut parked = self.model.parked.clone();
        match (self.below(8), cards.get(any)) {
            (0 | 1, _) | (_, None) if cards.len() < 12 => {
                let key = format!("{}-{}", ["KB", "item"][self.below(2)], 100 + self.edits);
                let column = ["In Progress", "In Progress", "Review", "Backlog"][self.below(4)];
                if column == "Backlog" {
                    parked.insert(key.clone(), column.to_owned());
                }
                let text = format!("- [ ] {key} naïve 日本 @made\n\twith a\u{a0}line  \n");
                self.put(&mut sheet, column, Entry { key, text });
            }
            (0 | 2, Some(key)) if cards.len() > 5 => {
                take(&mut sheet, key);
                parked.remove(key);
            }
            (3 | 4, Some(key)) => {
                let entry = take(&mut sheet, key);
                let column = ["In Progress", "Review", PARKED[self.below(4)], PARKED[self.below(4)]][self.below(4)];
                parked.remove(key);
                if PARKED.contains(&column) {
                    parked.insert(key.clone(), column.to_owned());
                }
                self.put(&mut sheet, column, entry);
            }
            (5, _) => sheet.head = format!("A line of text, {} times edited.\n\n", self.edits),
            (word, Some(key)) => {
                let (edits, end) = (self.edits, word == 6);
                let card = sheet.columns.iter_mut().flat_map(|lane| &mut lane.cards).find(|card| card.key == *key);
                let card = card.unwrap();
                match end {
                    true => card.text.push_str(&format!("\tnote {edits} <b>&amp; *so on*\n")),
                    false => card.text = card.text.replacen(key.as_str(), &format!("{key} w{edits}"), 1),
                }
            }
            (_, None) => {}
        }
        self.model = Model::of(&sheet, &parked);
        let (_, write) = STYLES[self.below(STYLES.len())];
        if self.look().text() != before {
            self.overwrote += 1;
        }
        write(&self.path, &sheet.text());
    }

    fn put(&mut self, sheet: &mut Sheet, column: &str, entry: Entry) {
        let lane = sheet.lane(column);
        let at = self.below(lane.cards.len() + 1);
        lane.cards.insert(at, entry);
    }
}

fn take(sheet: &mut Sheet, key: &str) -> Entry {
    let lane = sheet.columns.iter_mut().find(|lane| lane.cards.iter().any(|card| card.key == key)).unwrap();
    let at = lane.cards.iter().position(|card| card.key == key).unwrap();
    lane.cards.remove(at)
}

#[test]
fn a_person_who_never_rests_loses_no_byte_and_no_card_is_moved_against_them() {
    let cards = (1..=6).map(|number| format!("- [ ] KB-{number} card @made\n")).collect::<String>();
    let board = format!("A line of text.\n\n{}\n> a quote\n", with(&cards));
    let world = World::outside_git("").with("board.md", board).codex("make made");
    let (edits, seed) = (number("KANBAN_MOVER_EDITS", EDITS), number("KANBAN_MOVER_SEED", SEED));
    let mut mover = Mover::new(&world, seed);
    let mut runs = 0;
    std::thread::scope(|scope| {
        let person = scope.spawn(|| {
            while mover.edits < edits {
                mover.edit();
                let pause = PERIOD.mul_f64(mover.below(2000) as f64 / 1000.0);
                std::thread::sleep(pause);
            }
        });
        while !person.is_finished() {
            world.run(&["run", "--log-level", "debug"]).exits(0);
            runs += 1;
        }
        person.join().unwrap();
    });
    mover.check(&mover.look());
    world.run(&["run"]).exits(0);
    mover.check(&mover.look());
    let count = |event: &str| world.records(event).len();
    let log = fs::read_dir(world.cache("logs")).unwrap();
    let log: String = log.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    let figures = format!(
        "{} edits in {runs} runs, seed {seed}: {} attempts, {} moves, {} met by an edit before they were written, {} after; the person wrote over {}",
        mover.edits,
        count("attempt_started"),
        count("transitioned"),
        log.matches("the board changed before it was written").count(),
        log.matches("the board changed as it was written").count(),
        mover.overwrote,
    );
    writeln!(std::io::stderr(), "{figures}").unwrap();
    assert!(count("transitioned") > 0, "{figures}");
}
