//! A dry run for people: each card's path if its attempts pass, and if they fail.

use std::collections::BTreeMap;
use std::io::Write;

use super::terminal::{ATTENTION, GOOD, Terminal};
use super::{Out, Report, human, on_a_line, units};
use crate::board::{Board, CardId, Column};
use crate::journal::{Assumed, Event, Record};
use crate::redact::Redactor;
use crate::rules::Verdict;

/// Collects the records of both worlds and prints the paths at the end.
pub struct Paths {
    out: Out,
    redactor: Redactor,
    terminal: Terminal,
    assumed: Assumed,
    cards: Vec<(CardId, String, Column)>,
    paths: BTreeMap<(CardId, Assumed), Path>,
}

#[derive(Default)]
struct Path {
    attempts: u32,
    steps: String,
    reason: String,
}

impl Paths {
    pub fn new(out: Out, redactor: Redactor, terminal: Terminal, board: &Board) -> Paths {
        let ordered = board.columns.iter().flat_map(|column| board.column(column));
        let cards = ordered.map(|card| (card.id.clone(), card.title.to_string(), card.status.clone())).collect();
        Paths { out, redactor, terminal, assumed: Assumed::Pass, cards, paths: BTreeMap::new() }
    }

    fn path(&mut self, card: &CardId) -> &mut Path {
        self.paths.entry((card.clone(), self.assumed)).or_default()
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (card, title, column) in &self.cards {
            let path = |assumed| self.paths.get(&(card.clone(), assumed));
            let (pass, fail) = (path(Assumed::Pass), path(Assumed::Fail));
            if pass.is_none() && fail.is_none() {
                continue;
            }
            text.push_str(&on_a_line(&self.redactor, &format!("{title} ({card})")));
            text.push('\n');
            for (name, style, path) in [("passes ", GOOD, pass), ("fails  ", ATTENTION, fail)] {
                let Some(Path { attempts, steps, reason }) = path else { continue };
                let runs = match attempts {
                    0 => "not run".to_owned(),
                    attempts => units::of(*attempts as usize, "attempt"),
                };
                let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
                let way = on_a_line(&self.redactor, &format!("{column}{steps} ({runs}){reason}"));
                text.push_str(&format!("  if it {} {way}\n", self.terminal.paint(style, name)));
            }
        }
        text
    }
}

impl Report for Paths {
    fn show(&mut self, record: &Record) {
        match &record.event {
            Event::Assumed { assumed } => self.assumed = *assumed,
            Event::AttemptStarted { attempt: _, card, .. } => self.path(card).attempts += 1,
            Event::Transitioned { card, to, verdict, reason, .. } => {
                let path = self.path(card);
                match to {
                    Some(to) => path.steps.push_str(&format!(" → {to}")),
                    None if *verdict == Verdict::Pass => path.steps.push_str(", stays"),
                    None => {}
                }
                if matches!(verdict, Verdict::Unverified | Verdict::Exhausted) {
                    path.reason.clone_from(reason);
                }
            }
            Event::Skipped { card, reason, .. } => self.path(card).reason.clone_from(reason),
            Event::Summary { counts, reason, .. } => {
                let summary = on_a_line(&self.redactor, &human::summary(counts, reason));
                writeln!(self.out, "{}{summary}", self.text()).and_then(|()| self.out.flush()).ok();
            }
            _ => {}
        }
    }
}
