//! The journal: one JSON line an event, on disk before the effect that it announces and after its outcome.
//!
//! [`Record`] is the only wire type: the journal, the JSON report and the fold of a restart all use it. Pure but for
//! [`append`].

pub mod append;
pub mod compact;
pub mod replay;
mod summary;
#[cfg(test)]
mod tests;
mod wire;

use std::path::{Path, PathBuf};

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::board::{CardId, Column};
use crate::checks::TestId;
use crate::codex::Usage;
use crate::evidence::{Artifact, Skipped, TreeId, TreePath};
use crate::rules::Verdict;
pub use summary::{Counts, Stopped};
pub(crate) use wire::none;

/// The version of the records that this program writes.
pub const VERSION: u32 = 1;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Record {
    pub v: u32,
    /// When, UTC, to the millisecond.
    pub at: jiff::Timestamp,
    #[serde(flatten)]
    pub event: Event,
}

/// Keeps what happened: the journal, or nothing in a simulated world.
pub trait Keep {
    /// Durable when this returns.
    fn keep(&mut self, record: &Record) -> Result<()>;

    /// Takes back what somebody else wrote there since the last record; true where somebody did.
    fn mend(&mut self) -> Result<bool> {
        Ok(false)
    }
}

/// A simulated world keeps nothing.
impl Keep for () {
    fn keep(&mut self, _record: &Record) -> Result<()> {
        Ok(())
    }
}

/// An attempt's name and folder: the card's id and the number of its execution, `kb-1a2b3c4d.2`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptId(pub String);

impl AttemptId {
    /// Where its prompt, streams and patch are.
    pub fn folder(&self, cache_dir: &Path) -> PathBuf {
        cache_dir.join("attempts").join(&self.0)
    }

    /// Which execution of its card it is, from 1.
    pub fn execution(&self) -> Option<u32> {
        self.0.rsplit_once('.')?.1.parse().ok()
    }
}

impl std::fmt::Display for AttemptId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Lower-case hex SHA-256 of `task.id + task.status + promptHash`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CacheKey(pub String);

/// A card's text and labels, as a hash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TextHash(pub String);

/// What the gate judges a card by, as a hash: another one judges again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GateHash(pub String);

/// A gate input as it was accepted; its copy is `CACHE_DIR/inputs/SHA256`.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct InputHash {
    pub file: String,
    pub sha256: String,
}

/// What an attempt may use, set aside before it is started: it counts until it is known what the attempt did use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct Reserved {
    /// None: there is nothing to tell from what it may be.
    pub tokens: Option<u64>,
    /// Its time limit.
    pub seconds: u64,
}

/// How an execution ended.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Ending {
    /// Codex says that it is done.
    Ok,
    /// Codex worked and ended badly.
    Work { reason: String },
    /// Codex could not work. Costs the card nothing.
    Infrastructure { reason: String, hint: String, wait_seconds: Option<u64> },
    /// A stop, or a killed runner. Costs the card nothing.
    Interrupted,
}

/// What one test string said.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct TestOutcome {
    pub id: TestId,
    /// The line of the tests file.
    pub text: String,
    pub passed: bool,
    /// Whether a pass counts toward K_REQ.
    pub counts: bool,
    /// Where it matched (`src/cli.rs:41`, `message`), or what was looked for, where, and the nearest miss.
    pub evidence: String,
    /// The end of a failing command's output.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tail: String,
}

impl TestOutcome {
    /// Whether it is a reason against the card: it failed, or it passed and that is no proof.
    pub fn lacks(&self) -> bool {
        !(self.passed && self.counts)
    }

    /// The evidence, for people and for codex.
    pub fn told(&self) -> String {
        match self.passed && !self.counts {
            true => format!("does not count: {}", self.evidence),
            false => self.evidence.clone(),
        }
    }
}

/// A card's text that was written while an attempt at it ran.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Edited {
    pub text: TextHash,
    /// Other tests belong to it than to the text that the attempt was started with.
    pub other_tests: bool,
}

/// Work that is to be taken back.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct TakeBack {
    /// The failed attempt.
    pub attempt: AttemptId,
    /// Whose work it is, oldest first.
    pub of: Vec<AttemptId>,
    /// It is kept elsewhere first.
    pub stash: bool,
}

/// What of an attempt's work was taken back.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct WorkTaken {
    pub attempt: AttemptId,
    pub paths: Vec<TreePath>,
}

/// Everything that can happen. Those of [`Event::durable`] make the journal.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    RunStarted {
        run: String,
        pid: u32,
        source: String,
        workspace: String,
        version: String,
        /// What the clock said where that was before the newest record, for it was once ahead.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clock: Option<jiff::Timestamp>,
    },
    /// The gate inputs that hold from now on.
    InputsAccepted {
        inputs: Vec<InputHash>,
        by: Acceptance,
    },
    /// Inputs that changed during an attempt: not adopted until restored or accepted.
    InputsHeld {
        files: Vec<String>,
    },
    /// A new version of the inputs has errors: the last good one holds.
    InputsRejected {
        problems: Vec<String>,
    },
    /// Something a person should know that stops nothing.
    Warning {
        text: String,
    },
    /// A card was found in another column than the program left it in.
    MovedByPerson {
        card: CardId,
        from: Column,
        to: Column,
    },
    /// A person's command: `retry`, `skip`, `skip --undo`.
    Retried {
        card: CardId,
    },
    Held {
        card: CardId,
    },
    Released {
        card: CardId,
    },
    Paused,
    Resumed,
    /// The id was stamped on the card.
    Claimed {
        card: CardId,
        title: String,
    },
    /// About to start codex.
    AttemptStarted {
        attempt: AttemptId,
        card: CardId,
        title: String,
        column: Column,
        /// Which attempt of this card, column and body it is, from 1, of `limit`.
        number: u32,
        limit: u32,
        key: CacheKey,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<TextHash>,
        gate: GateHash,
        prompt_sha256: String,
        tests: Vec<TestId>,
        command: Vec<String>,
        /// The tree before it; None in a dry run.
        before: Option<TreeId>,
        /// The lines of shell tests that were green before the work began, and of those that were not.
        green: Vec<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        red: Vec<String>,
        /// And of those of which neither is known, with what befell them.
        #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
        unjudged: std::collections::BTreeMap<String, String>,
        /// Gate inputs that were not as accepted already, as they were found.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unaccepted: Vec<InputHash>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reserved: Option<Reserved>,
    },
    AttemptEnded {
        attempt: AttemptId,
        ending: Ending,
        /// The tree after it; None where none could be taken.
        after: Option<TreeId>,
        artifacts: Vec<Artifact>,
        /// None: codex didn't say.
        usage: Option<Usage>,
        seconds: f64,
        /// Processes that outlived codex and were ended.
        strays: u32,
        /// Gate inputs that changed meanwhile, and what of this program's own files was written into.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        meddled: Vec<String>,
    },
    Judged {
        attempt: AttemptId,
        verdict: Verdict,
        reason: String,
        passed: u32,
        required: u32,
        tests: Vec<TestOutcome>,
        gate: GateHash,
        artifacts: Vec<Artifact>,
        /// Guarded files that the card's attempts changed, as they left them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        weakened: Vec<Artifact>,
    },
    /// About to take back what a failed attempt did, and with it what the interrupted ones did that it went on with.
    TakeBackStarted(TakeBack),
    /// The workspace is as it was before them, but for what is left as it is.
    TakenBack {
        attempt: AttemptId,
        works: Vec<WorkTaken>,
        left: Vec<Skipped>,
        /// The tree without the work; None where none could be taken.
        tree: Option<TreeId>,
        /// The command that brings the work back, where it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        restore: Option<String>,
    },
    /// What old attempts left is about to be removed: folders, and trees of which nothing counts any more.
    LetGo {
        folders: Vec<AttemptId>,
        trees: Vec<AttemptId>,
        /// Cards that their board lacks: what is left of their attempts is let go once it lacked them for long.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        missing: Vec<CardId>,
    },
    /// The saved trees of these attempts at a card are gone: what was done for it can't be proved any more.
    TreesLost {
        card: CardId,
        attempts: Vec<AttemptId>,
    },
    /// Too few tests: codex was not started.
    Refused {
        card: CardId,
        title: String,
        column: Column,
        key: CacheKey,
        gate: GateHash,
        reason: String,
    },
    /// About to move a card (or, without `to`, to write on it).
    TransitionStarted {
        attempt: Option<AttemptId>,
        card: CardId,
        from: Column,
        to: Option<Column>,
        verdict: Verdict,
    },
    /// The board says so.
    Transitioned {
        attempt: Option<AttemptId>,
        card: CardId,
        title: String,
        from: Column,
        to: Option<Column>,
        verdict: Verdict,
        reason: String,
        /// An afterTransition hook is still owed.
        hook: bool,
        /// An onEvent hook as well.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        news: bool,
    },
    /// A beforeTransition hook said no, or the board can't take the move.
    Vetoed {
        attempt: Option<AttemptId>,
        card: CardId,
        from: Column,
        to: Column,
        key: CacheKey,
        gate: GateHash,
        reason: String,
    },
    /// The card is not where it was worked, or no longer what was worked; nothing was moved.
    Elsewhere {
        attempt: Option<AttemptId>,
        card: CardId,
        from: Column,
        now: Option<Column>,
        reason: String,
        /// It came so while the attempt ran, maybe by its doing: the attempt is used up.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        spent: bool,
        /// Its text, where that was edited while the attempt ran.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        edited: Option<Edited>,
    },
    HookStarted {
        card: Option<CardId>,
        hook: String,
    },
    HookEnded {
        card: Option<CardId>,
        hook: String,
        ok: bool,
        text: String,
    },
    /// A card that is passed over.
    Skipped {
        card: CardId,
        title: String,
        column: Column,
        why: Why,
        reason: String,
    },
    /// A cached pass is judged again: its transition is still owed, or its gate or artifacts changed.
    Reopened {
        attempt: AttemptId,
        card: CardId,
        title: String,
        column: Column,
        reason: String,
    },
    /// The board can't be read or written for reasons that pass: what is owed to it stays so.
    Unreachable {
        reason: String,
        hint: String,
        wait_seconds: Option<u64>,
    },
    Waiting {
        seconds: u64,
        reason: String,
    },
    PassEnded,
    Summary {
        #[serde(flatten)]
        counts: Counts,
        stopped: Stopped,
        reason: String,
    },
    /// A dry run: what follows is what happens if every attempt ends so.
    Assumed {
        assumed: Assumed,
    },
}

/// What a dry run takes every attempt to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assumed {
    Pass,
    Fail,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Acceptance {
    Start,
    /// A person changed them between attempts.
    Change,
    /// `accept`
    Command,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    Cached,
    Unverified,
    Exhausted,
    Blocked,
}

impl Event {
    /// Whether the journal keeps it: what a restart must know, or a person will ask for.
    pub fn durable(&self) -> bool {
        match self {
            Event::Skipped { .. }
            | Event::Unreachable { .. }
            | Event::Waiting { .. }
            | Event::PassEnded
            | Event::Warning { .. }
            | Event::Assumed { .. } => false,
            Event::RunStarted { .. }
            | Event::InputsAccepted { .. }
            | Event::InputsHeld { .. }
            | Event::InputsRejected { .. }
            | Event::MovedByPerson { .. }
            | Event::Retried { .. }
            | Event::Held { .. }
            | Event::Released { .. }
            | Event::Paused
            | Event::Resumed
            | Event::Claimed { .. }
            | Event::AttemptStarted { .. }
            | Event::AttemptEnded { .. }
            | Event::Judged { .. }
            | Event::TakeBackStarted(_)
            | Event::TakenBack { .. }
            | Event::LetGo { .. }
            | Event::TreesLost { .. }
            | Event::Refused { .. }
            | Event::TransitionStarted { .. }
            | Event::Transitioned { .. }
            | Event::Vetoed { .. }
            | Event::Elsewhere { .. }
            | Event::HookStarted { .. }
            | Event::HookEnded { .. }
            | Event::Reopened { .. }
            | Event::Summary { .. } => true,
        }
    }
}
