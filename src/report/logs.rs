//! What codex printed in an attempt, as `logs` shows it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::page::{Page, moment};
use crate::board::{CardId, Column};
use crate::codex::{Told, told};
use crate::cycle::state::Attempt;
use crate::journal::{AttemptId, Ending};
use crate::rules::Verdict;

/// `logs --format json`.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Logs {
    pub version: u32,
    pub attempt: AttemptId,
    pub card: CardId,
    pub title: String,
    pub column: Column,
    pub started: Timestamp,
    /// None: it did not end yet.
    pub ending: Option<Ending>,
    pub verdict: Option<Verdict>,
    pub reason: String,
    /// Line by line: codex's events, and text where it printed something else.
    pub stdout: Vec<Printed>,
    pub stderr: String,
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(untagged)]
pub enum Printed {
    Event(Value),
    Text(String),
}

impl Printed {
    pub fn line(line: &str) -> Printed {
        match serde_json::from_str(line) {
            Ok(event @ Value::Object(_)) => Printed::Event(event),
            Ok(_) | Err(_) => Printed::Text(line.to_owned()),
        }
    }
}

/// The attempt, above what it printed.
pub fn head(id: &AttemptId, attempt: &Attempt) -> String {
    let mut page = Page::default();
    page.line("attempt", &format!("{id} in {}: {}", attempt.column, attempt.title));
    page.line("started", &format!("{} UTC", moment(attempt.started)));
    page.into_text()
}

/// How it ended, below.
pub fn foot(attempt: &Attempt) -> String {
    let mut page = Page::default();
    match attempt.verdict {
        Some(verdict) => page.line("verdict", &format!("{}: {}", verdict.name(), attempt.reason)),
        None => page.line("ending", &attempt.unjudged()),
    }
    page.into_text()
}

/// So many lines of a command's output are shown: its last ones.
const OUTPUT: usize = 12;
/// So much of a line, in characters.
const WIDEST: usize = 400;

/// A line of stdout. Empty where it tells nothing.
pub fn stdout(line: &str) -> String {
    match Printed::line(line) {
        Printed::Event(event) => told(&event).map(|Told { what, text }| labelled(&what, &text)).unwrap_or_default(),
        Printed::Text(text) => labelled("", &text),
    }
}

pub fn stderr(line: &str) -> String {
    labelled("stderr", line)
}

fn labelled(label: &str, text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let cut = if label == "message" { 0 } else { lines.len().saturating_sub(OUTPUT) };
    let mut shown = String::new();
    let mut label = label;
    let mut add = |text: String| {
        shown.push_str(format!("{:<10}{text}", std::mem::take(&mut label)).trim_end());
        shown.push('\n');
    };
    if cut > 0 {
        add(format!("… {cut} lines …"));
    }
    for line in &lines[cut..] {
        let more = if line.chars().nth(WIDEST).is_some() { "…" } else { "" };
        add(line.chars().take(WIDEST).collect::<String>() + more);
    }
    if lines.is_empty() {
        add(String::new());
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_label_and_the_end_of_its_text() {
        let event = |kind: &str, key: &str, text: &str| {
            let item = serde_json::json!({ "type": kind, key: text, "exit_code": 0 });
            stdout(&serde_json::json!({ "type": "item.completed", "item": item }).to_string())
        };
        assert_eq!(event("agent_message", "text", "one\ntwo"), "message   one\n          two\n");
        let long: String = (1..=20).map(|line| format!("{line}\n")).collect();
        let shown = event("command_execution", "aggregated_output", &long);
        assert!(shown.starts_with("exit 0    … 8 lines …\n          9\n"), "{shown}");
        assert_eq!(event("command_execution", "aggregated_output", ""), "exit 0\n");
        assert_eq!(stdout(r#"{"type":"turn.started"}"#), "");
        assert_eq!(stdout("no event"), "          no event\n");
        assert_eq!(stdout(r#"{"type":"item.comp"#), "          {\"type\":\"item.comp\n");
        assert_eq!(stderr(&"x".repeat(500)), format!("stderr    {}…\n", "x".repeat(WIDEST)));
    }
}
