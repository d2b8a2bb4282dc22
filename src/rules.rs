//! The transitions file: what each column does with its cards, and where a verdict sends them. Pure.

mod guard;
mod news;
mod parse;
pub mod script;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::board::{Board, Column};
use crate::checks::Source;
pub use guard::GuardPaths;
pub use news::{Listeners, Occasion};
pub use parse::{KEYS, parse, read};

/// The whole transitions file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rules {
    pub columns: BTreeMap<Column, Rule>,
    /// The columns that the file names: in its order, then where their cards go.
    pub order: Vec<Column>,
    /// Targets that the board lacks are created on first use.
    pub create_columns: bool,
    pub on_event: Listeners,
}

impl Rules {
    /// The columns whose cards are worked.
    pub fn worked(&self) -> Vec<Column> {
        self.columns.keys().cloned().collect()
    }

    /// A column that the rule sends cards to, and that the board lacks.
    pub fn lost<'r>(&self, rule: &'r Rule, board: &Board) -> Option<&'r Column> {
        rule.targets().find(|target| !self.create_columns && !board.columns.contains(target))
    }

    /// Columns with cards, unknown to the file, whose names differ in letter case alone from one that it works.
    pub fn misspelt<'b>(&self, board: &'b Board) -> impl Iterator<Item = (&'b Column, &Column)> {
        let known = |column: &&Column| self.order.contains(column) || board.column(column).next().is_none();
        board.columns.iter().filter(move |column| !known(column)).filter_map(|column| {
            let lower = column.0.to_lowercase();
            Some((column, self.columns.keys().find(|worked| worked.0.to_lowercase() == lower)?))
        })
    }

    /// Whether any rule sends cards there that passed.
    pub fn takes_passed(&self, column: &Column) -> bool {
        self.columns.values().any(|rule| rule.on_pass.as_ref() == Some(column))
    }

    /// Whether any rule sends cards there that did not pass.
    pub fn takes_failed(&self, column: &Column) -> bool {
        let targets = self.columns.values().flat_map(|rule| [&rule.on_fail, &rule.on_exhausted]);
        targets.flatten().any(|target| target == column)
    }
}

/// One column's rule. None where it says nothing and the settings hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rule {
    pub prompt: String,
    /// The file that the prompt comes from; [`crate::inputs`] reads it into `prompt`.
    pub prompt_file: Option<PathBuf>,
    pub on_pass: Option<Column>,
    pub on_fail: Option<Column>,
    pub max_attempts: Option<u32>,
    pub on_exhausted: Option<Column>,
    pub before: Option<Hook>,
    pub after: Option<Hook>,
    pub k: Option<usize>,
    pub require: Option<usize>,
    pub threshold: Option<f32>,
    /// What tests without a scope are judged against; None: both, with a warning.
    pub evidence: Option<Vec<Source>>,
    pub require_changes: bool,
    pub red_green: bool,
    /// Files that the attempts at a card may not weaken.
    pub guard_paths: GuardPaths,
    pub on_fail_work: FailWork,
}

/// What becomes of the work of a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FailWork {
    /// It stays in the workspace.
    #[default]
    Keep,
    /// It is taken back, and kept as a patch.
    Stash,
    /// It is taken back.
    Revert,
}

/// A program at a transition. Relative paths start at the transitions file's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hook {
    /// A line for the shell; `file` is its first word where that is a path.
    Shell {
        line: String,
        file: Option<PathBuf>,
    },
    Js(PathBuf),
}

/// What the gate says of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Enough tests passed.
    Pass,
    /// The work is not there.
    Fail,
    /// Too few tests to judge by; codex was not started.
    Unverified,
    /// A gate input changed during the attempt.
    Tampered,
    /// A test could not be judged.
    Inconclusive,
    /// The failed attempts are used up.
    Exhausted,
    /// The card is no longer where it was worked.
    Moved,
}

impl Verdict {
    /// As the journal and JSON write it.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Unverified => "unverified",
            Verdict::Tampered => "tampered",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Exhausted => "exhausted",
            Verdict::Moved => "moved",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Pass => "passed",
            Verdict::Fail => "failed",
            Verdict::Unverified => "unverified",
            Verdict::Tampered => "tampered",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Exhausted => "exhausted",
            Verdict::Moved => "moved",
        })
    }
}

impl Rule {
    /// Where it sends cards.
    pub fn targets(&self) -> impl Iterator<Item = &Column> {
        [&self.on_pass, &self.on_fail, &self.on_exhausted].into_iter().flatten()
    }

    /// Where a verdict sends the card; None: it stays. `last` says that this failure used up the attempts.
    pub fn target(&self, verdict: Verdict, last: bool) -> Option<&Column> {
        match verdict {
            Verdict::Pass => self.on_pass.as_ref(),
            Verdict::Fail | Verdict::Tampered if last && self.on_exhausted.is_some() => self.on_exhausted.as_ref(),
            Verdict::Fail | Verdict::Tampered | Verdict::Unverified => self.on_fail.as_ref(),
            Verdict::Exhausted => self.on_exhausted.as_ref(),
            Verdict::Inconclusive | Verdict::Moved => None,
        }
    }

    /// What unscoped tests look at.
    pub fn sources(&self) -> Vec<Source> {
        self.evidence.clone().unwrap_or_else(|| vec![Source::Message, Source::Changes])
    }
}
