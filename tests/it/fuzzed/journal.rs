//! A journal: torn at any byte and damaged in any line, it gives every whole line that is left.

use std::path::Path;

use kanban_codex_exec::cycle::state::State;
use kanban_codex_exec::failure::Failure;
use kanban_codex_exec::journal::replay::{Replayed, replay};
use kanban_codex_exec::journal::{Record, append, compact};
use kanban_codex_exec::redact::Redactor;

/// So many places of one journal are torn, and lines damaged, spread over it.
const TEARS: usize = 20;

/// How many records were read.
pub fn holds(data: &[u8]) -> usize {
    let Ok(whole) = read(data) else {
        // A newer program's line refuses the journal; there must be one, and no other line matters.
        let newer = |line: &[u8]| read(line).is_err();
        assert!(data.split_inclusive(|byte| *byte == b'\n').any(newer), "refused without a reason");
        return 0;
    };
    let lines: Vec<&[u8]> = data.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")).collect();
    let read_alone: Vec<Option<Record>> = lines.iter().map(|line| alone(line)).collect();
    assert_eq!(whole, expected(&read_alone), "a line changes what another one says");
    // Corrupt is not empty.
    assert_eq!(whole.records.len() + whole.damaged.len(), lines.len(), "a line is lost");
    torn(data, data.len() / TEARS + 1);
    for damaged in (0..lines.len()).step_by(lines.len() / TEARS + 1) {
        let mut bytes = lines.concat();
        let at = lines[..damaged].iter().map(|line| line.len()).sum::<usize>();
        bytes[at..at + lines[damaged].len() - 1].fill(0xff);
        let mut expected_rest = read_alone.clone();
        expected_rest[damaged] = None;
        let found = read(&bytes).unwrap_or_else(|failure| panic!("line {damaged} damaged: {failure}"));
        assert_eq!(found, expected(&expected_rest), "line {damaged} damaged");
    }
    folds(&whole.records);
    whole.records.len()
}

/// Tears a journal at every `step`th byte.
pub fn torn(data: &[u8], step: usize) {
    let Ok(whole) = read(data) else { return };
    for cut in (0..=data.len()).step_by(step) {
        let left = data[..cut].iter().filter(|byte| **byte == b'\n').count();
        let damaged: Vec<usize> = whole.damaged.iter().copied().filter(|line| *line <= left).collect();
        let records = whole.records[..left - damaged.len()].to_vec();
        let torn = read(&data[..cut]).unwrap_or_else(|failure| panic!("torn at {cut}: {failure}"));
        assert_eq!(torn, Replayed { records, damaged }, "torn at {cut}");
    }
}

fn read(bytes: &[u8]) -> Result<Replayed, Failure> {
    replay(bytes, Path::new("journal.jsonl"))
}

fn alone(line: &[u8]) -> Option<Record> {
    read(line).unwrap_or_else(|failure| panic!("refused alone, and not among others: {failure}")).records.pop()
}

fn expected(lines: &[Option<Record>]) -> Replayed {
    let damaged = lines.iter().enumerate().filter(|(_, line)| line.is_none()).map(|(index, _)| index + 1).collect();
    Replayed { records: lines.iter().flatten().cloned().collect(), damaged }
}

/// Any records fold, are compacted, and are written as they were read.
fn folds(records: &[Record]) {
    let mut state = State::default();
    records.iter().for_each(|record| state.apply(record));
    let kept: Vec<Record> = compact::kept(records).into_iter().cloned().collect();
    let mut compacted = State::default();
    kept.iter().for_each(|record| compacted.apply(record));
    assert_eq!(compact::kept(&kept).len(), kept.len(), "compacting twice is compacting once");
    for record in records {
        let mut line = append::line(record, &Redactor::default()).unwrap_or_else(|error| panic!("{error:#}"));
        assert!(!line.contains('\n'), "{line}");
        line.push('\n');
        let again = alone(line.as_bytes()).unwrap_or_else(|| panic!("what was written can't be read: {line}"));
        let twice = append::line(&again, &Redactor::default()).unwrap_or_else(|error| panic!("{error:#}"));
        assert_eq!(twice + "\n", line);
    }
}
