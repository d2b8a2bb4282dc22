//! What a run's end means: good, work that is not there, or no fault of the card's.
//!
//! Only what codex says of itself is looked at: `turn.failed`, `error` events and, where there are no events, the error
//! lines of standard error. The output of the commands that it ran can hold "429" and "unauthorized" as well.

mod cause;
mod reset;

use serde::{Deserialize, Serialize};

pub use reset::Reset;

use super::events::{Events, NO_EVENT};
use crate::process::Exit;
use cause::{Judgement, judge, refused_to_start};

/// Characters of a reason.
const LONGEST_REASON: usize = 500;
const SIGHUP: i32 = 1;
const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;
/// The exit code of a Rust program that panicked.
const PANIC: i32 = 101;

/// How an attempt's run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// With the final message.
    Ok { message: String },
    /// Codex worked, and the work is not there: the card's own failure.
    Work { reason: String },
    /// No fault of the card's: it spends none of its attempts.
    Infrastructure {
        cause: Cause,
        reason: String,
        hint: &'static str,
        /// When codex said that it would work again.
        reset: Option<Reset>,
    },
    /// The runner, PM2 or a person ended it.
    Interrupted,
}

/// Why codex could not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    NotStarted,
    Login,
    Network,
    RateLimit,
    Quota,
    Server,
    /// Model, command line or config.toml.
    Configuration,
    Crash,
    /// No answer of the model within a limit.
    NoAnswer,
}

impl Cause {
    /// What to do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Cause::NotStarted => {
                "install codex or name it with --codex-bin; under PM2 and cron the PATH is often a shorter one"
            }
            Cause::Login => {
                "run `codex login` as the user of this loop, or set CODEX_API_KEY and let `env:` hand it on to codex"
            }
            Cause::Network => "check the connection, the proxy, and the provider's address in codex's config.toml",
            Cause::RateLimit => "wait for the reset, or take another model or plan",
            Cause::Quota => "check the plan and the billing of the account",
            Cause::Server => "the provider has trouble: trying again later is all there is to do",
            Cause::Configuration => {
                "run the line that print-plan shows by hand; check --model, codex.args and codex's config.toml"
            }
            Cause::Crash => {
                "see the attempt's stderr.log; a kill without a word is often the system being out of memory"
            }
            Cause::NoAnswer => "check the connection and the provider; raise the limit if the model is only slow",
        }
    }

    fn outcome(self, reason: &str) -> Outcome {
        Outcome::Infrastructure { cause: self, reason: bounded(reason), hint: self.hint(), reset: Reset::parse(reason) }
    }
}

/// Sorts the end of a run of codex, or of a program in its place that prints plain text. `message` is what this
/// run wrote into its last message file, or the plain text; `stderr` the end of standard error.
pub fn classify(exit: &Exit, events: &Events, stderr: &str, message: &str) -> Outcome {
    match exit {
        Exit::Stopped | Exit::Outside | Exit::Signal(SIGHUP | SIGINT | SIGTERM) => Outcome::Interrupted,
        Exit::NotStarted(text) => Cause::NotStarted.outcome(text),
        Exit::Signal(signal) => Cause::Crash.outcome(&format!("codex was killed by signal {signal}")),
        Exit::Limit(limit) => silent(limit, events),
        Exit::Code(0) if !events.seen => ok(events, message),
        Exit::Code(code) if !events.seen => without_events(*code, stderr, message),
        Exit::Code(0) if events.turn_completed && events.turn_failed.is_none() => ok(events, message),
        Exit::Code(code) => failed(*code, events, stderr),
    }
}

/// It ended well, and says what it did: who says nothing has done nothing that could be looked at.
fn ok(events: &Events, message: &str) -> Outcome {
    // A stand-in may print events and write no file.
    let messages = [Some(message), events.message.as_deref()];
    match messages.into_iter().flatten().find(|message| !message.trim().is_empty()) {
        Some(message) => Outcome::Ok { message: message.to_owned() },
        None => work("codex ended without a final message"),
    }
}

/// Ended at a limit: codex's fault while it waits for the model, the card's while it works.
fn silent(limit: &str, events: &Events) -> Outcome {
    if let Some(error) = events.failing_with().filter(|_| events.reconnecting()) {
        let cause = match judge(error) {
            Judgement::Infrastructure(cause) => cause,
            Judgement::Work | Judgement::Unknown => Cause::Network,
        };
        return cause.outcome(&format!("{limit}, while codex tried to reach the model: {error}"));
    }
    if limit == NO_EVENT || (events.seen && !events.worked) {
        return Cause::NoAnswer.outcome(&format!("{limit}, and nothing of the model before"));
    }
    let done = if events.turn_completed { ", although its turn was complete" } else { "" };
    work(&format!("codex was ended: {limit}{done}"))
}

/// Events came, and it was not good.
fn failed(code: i32, events: &Events, stderr: &str) -> Outcome {
    if code == PANIC {
        return Cause::Crash.outcome(&format!("codex crashed{}", quoted(panic_line(stderr))));
    }
    if let Some(said) = events.turn_failed.as_deref().or(events.failing_with()) {
        return match judge(said) {
            Judgement::Infrastructure(cause) => cause.outcome(said),
            Judgement::Work | Judgement::Unknown => work(&format!("codex's turn failed: {said}")),
        };
    }
    match (events.turn_completed, events.worked) {
        (true, _) => work(&format!("codex ended with exit code {code}, although its turn was complete")),
        (false, true) => work(&format!("codex ended with exit code {code} before its turn was complete")),
        (false, false) => Cause::Crash.outcome(&format!("codex ended with exit code {code} before it did anything")),
    }
}

/// No event came: codex that did not get that far, or another program, which its exit code judges.
fn without_events(code: i32, stderr: &str, message: &str) -> Outcome {
    if code == PANIC && stderr.contains("panicked at") {
        return Cause::Crash.outcome(&format!("codex crashed{}", quoted(panic_line(stderr))));
    }
    // What printed a text worked.
    if message.trim().is_empty()
        && let Some((cause, line)) = refused_to_start(code, stderr)
    {
        return cause.outcome(&format!("codex ended with exit code {code}: {line}"));
    }
    let last = stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    work(&format!("the program ended with exit code {code}{}", quoted(last)))
}

fn work(reason: &str) -> Outcome {
    Outcome::Work { reason: bounded(reason) }
}

fn panic_line(stderr: &str) -> &str {
    stderr.lines().find(|line| line.contains("panicked at")).unwrap_or_default()
}

fn quoted(line: &str) -> String {
    if line.is_empty() { String::new() } else { format!(": {}", line.trim()) }
}

fn bounded(reason: &str) -> String {
    match reason.char_indices().nth(LONGEST_REASON) {
        Some((at, _)) => format!("{}…", &reason[..at]),
        None => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests;
