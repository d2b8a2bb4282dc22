//! A person and the program write one board at the same instants: both as fast as they can, the person by read, change and
//! write, without a lock. What the person wrote is never lost; the program's own write may be, and is made again.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kanban_codex_exec::board::{Card, Column};
use kanban_codex_exec::provider::file::keys::Keys;
use kanban_codex_exec::provider::{Applied, Kind, Source, Wanted, open};
use kanban_codex_exec::storage::Writer;

/// A way to write a file, and its name.
pub type Style = (&'static str, fn(&Path, &str));

/// How programs write a file that a person edits. One that pauses in the middle of a file for longer than the program takes for
/// rest is not among them: half of a board can be a board, and what it writes after that is lost.
pub const STYLES: [Style; 4] = [
    ("in place", |path, text| fs::write(path, text).unwrap()),
    ("over what stands there", |path, text| {
        let mut file = OpenOptions::new().write(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.set_len(text.len() as u64).unwrap();
    }),
    ("aside, then renamed", |path, text| {
        let aside = path.with_extension("aside");
        fs::write(&aside, text).unwrap();
        fs::rename(&aside, path).unwrap();
    }),
    // For an instant there is no board.
    ("after the old one was put out of the way", |path, text| {
        fs::rename(path, path.with_extension("aside")).unwrap();
        fs::write(path, text).unwrap();
    }),
];

/// So long the program takes a file that is written to be unfinished.
const REST: Duration = Duration::from_millis(25);

/// The person's writes of each style.
const WRITES: usize = 60;

#[test]
fn no_line_of_a_person_is_lost_to_a_write_at_the_same_instant() {
    let writes = super::number("KANBAN_MOVER_EDITS", WRITES as u64) as usize;
    for (style, write) in STYLES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board.md");
        fs::write(&path, "## A\n\n- [ ] KB-1 to and fro\n\n## B\n\n## Notes\n\n").unwrap();
        let done = AtomicBool::new(false);
        let (moves, paused) = std::thread::scope(|scope| {
            let program = scope.spawn(|| {
                let board = open(Kind::Markdown, &Source::Path(path.clone()), false, &Keys::default()).unwrap();
                let writer = Writer::within(folder.path());
                let card = board.read(&Wanted::default()).unwrap().cards[0].clone();
                let columns = ["A", "B"].map(Column::from);
                let (mut moves, mut looked) = (0, Vec::new());
                while !done.load(Ordering::Relaxed) {
                    for (from, to) in [(0, 1), (1, 0)] {
                        let card = Card { status: columns[from].clone(), ..card.clone() };
                        let moved = board.transition(&writer, &card, &columns[to], None);
                        looked.push(Instant::now());
                        moves += usize::from(matches!(moved, Ok(Applied::Done { .. })));
                    }
                }
                (moves, looked)
            });
            let mut wrote = Vec::new();
            for number in 0..writes {
                let text = fs::read_to_string(&path).unwrap();
                let began = Instant::now();
                write(&path, &format!("{text}- [ ] note {number}\n"));
                wrote.push(began..Instant::now());
                let spread = number as u64 * 7919 % 61;
                std::thread::sleep(Duration::from_millis(spread));
            }
            done.store(true, Ordering::Relaxed);
            let (moves, looked) = program.join().unwrap();
            // The machine let it pause: for longer than the program takes for rest, or with the old file open until the
            // program had looked at that for the last time.
            let paused = |write: &Range<Instant>| {
                write.end.duration_since(write.start) > REST || looked.iter().any(|look| write.contains(look))
            };
            (moves, wrote.iter().map(paused).collect::<Vec<bool>>())
        });
        let text = fs::read_to_string(&path).unwrap();
        let lost = |number: &usize| !paused[*number] && !text.contains(&format!("- [ ] note {number}\n"));
        let lost: Vec<usize> = (0..writes).filter(lost).collect();
        let pauses = paused.iter().filter(|paused| **paused).count();
        writeln!(std::io::stderr(), "{style}: {writes} lines, {moves} moves, {pauses} pauses, {} lost", lost.len())
            .unwrap();
        assert!(pauses < writes / 2, "{style}: the machine is too slow to tell: {pauses} pauses");
        assert_eq!(lost, [] as [usize; 0], "{style}, {moves} moves");
    }
}
