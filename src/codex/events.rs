//! What `codex exec --json` prints: one event a line, read as it comes, in bounded memory.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Settings, Told, told};
use crate::process::{Exit, Watch};
use crate::redact::Redactor;

/// A longer line is skipped. Codex gives 1 MiB of a command's output, and JSON makes six bytes of one at worst.
const LONGEST_LINE: usize = 8 << 20;
/// Bytes that are kept of a message: its end.
const LONGEST_MESSAGE: usize = 1 << 20;
/// Characters that are kept of an error: its beginning.
const LONGEST_ERROR: usize = 2000;
/// Errors that are kept: the last ones.
const ERRORS: usize = 5;
/// Commands and tools of which it is known that they run: more never do at once.
const RUNNING: usize = 1000;
/// Items that wait for something other than the model.
const TOOLS: [&str; 3] = ["command_execution", "mcp_tool_call", "collab_tool_call"];

/// Limits that [`EventWatch`] names.
pub const NO_EVENT: &str = "no event came within the start limit";
pub const SILENCE: &str = "no event came within the silence limit";

/// Tokens of a whole run, over all of its model requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct Usage {
    /// The cached ones included.
    pub input_tokens: u64,
    pub cached_input_tokens: Option<u64>,
    /// Those for reasoning included.
    pub output_tokens: u64,
    pub reasoning_output_tokens: Option<u64>,
}

impl Usage {
    pub fn total(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }

    fn of(event: &Value) -> Option<Usage> {
        let count = |name: &str| event["usage"][name].as_u64();
        Some(Usage {
            input_tokens: count("input_tokens")?,
            cached_input_tokens: count("cached_input_tokens"),
            output_tokens: count("output_tokens")?,
            reasoning_output_tokens: count("reasoning_output_tokens"),
        })
    }

    fn plus(self, other: Usage) -> Usage {
        let sum = |a: Option<u64>, b: Option<u64>| Some(a?.saturating_add(b?));
        Usage {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            cached_input_tokens: sum(self.cached_input_tokens, other.cached_input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            reasoning_output_tokens: sum(self.reasoning_output_tokens, other.reasoning_output_tokens),
        }
    }
}

/// What the events said. A program that printed none has the default. Texts are redacted: a token that is cut in two
/// would not be known any more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Events {
    /// Any event came.
    pub seen: bool,
    pub thread_id: Option<String>,
    /// The model answered: an item came that is not an error.
    pub worked: bool,
    pub turn_completed: bool,
    /// With its message.
    pub turn_failed: Option<String>,
    /// The last one of the agent's.
    pub message: Option<String>,
    /// None is unknown, not zero.
    pub usage: Option<Usage>,
    /// The last `error` events, which also occur in good runs.
    pub errors: Vec<String>,
    /// The last sign was one of them: nothing went on after it.
    pub failing: bool,
    /// Ids of commands and tools that were started and not completed.
    pub running: BTreeSet<String>,
}

impl Events {
    /// What the run used: nothing where it failed by itself, or could not reach the model, before that answered anything. None
    /// is unknown.
    pub fn used(&self, exit: &Exit, stdout: &str) -> Option<Usage> {
        let failed = match exit {
            Exit::NotStarted(_) => true,
            Exit::Code(code) => *code != 0 && (self.seen || stdout.trim().is_empty()),
            Exit::Limit(_) => self.reconnecting(),
            Exit::Signal(_) | Exit::Stopped | Exit::Outside => false,
        };
        self.usage.or_else(|| (failed && !self.worked && !self.turn_completed).then(Usage::default))
    }

    /// The error that codex is at, which nothing followed.
    pub fn failing_with(&self) -> Option<&str> {
        self.errors.last().map(String::as_str).filter(|_| self.failing)
    }

    /// Codex is trying to reach the model again: it says so in an `error` event.
    pub fn reconnecting(&self) -> bool {
        self.failing_with().is_some_and(|error| error.starts_with("Reconnecting"))
    }

    /// Takes one event. Whether it is a sign of life: `Reconnecting…` is none.
    fn take(&mut self, event: &Value) -> bool {
        let Some(kind) = event["type"].as_str() else {
            return false;
        };
        let life = match kind {
            "error" => {
                self.error(event["message"].as_str().unwrap_or_default());
                false
            }
            "thread.started" => {
                self.thread_id = event["thread_id"].as_str().map(beginning);
                true
            }
            "turn.completed" => {
                self.turn_completed = true;
                self.running.clear();
                self.usage = match (self.usage, Usage::of(event)) {
                    (Some(before), Some(this)) => Some(before.plus(this)),
                    (before, this) => before.or(this),
                };
                true
            }
            "turn.failed" => {
                self.turn_failed = Some(beginning(event["error"]["message"].as_str().unwrap_or("no reason given")));
                self.running.clear();
                true
            }
            _ if kind.starts_with("item.") => {
                self.item(kind, &event["item"]);
                true
            }
            _ if kind.starts_with("turn.") => true,
            _ => return false,
        };
        self.seen = true;
        self.failing &= !life;
        life
    }

    fn item(&mut self, event: &str, item: &Value) {
        let kind = item["type"].as_str().unwrap_or_default();
        self.worked |= kind != "error";
        if kind == "agent_message"
            && let Some(text) = item["text"].as_str()
        {
            self.message = Some(end(text));
        }
        if let Some(id) = item["id"].as_str() {
            match event {
                "item.started" if TOOLS.contains(&kind) && self.running.len() < RUNNING => {
                    self.running.insert(beginning(id));
                }
                "item.completed" => {
                    self.running.remove(&beginning(id));
                }
                _ => {}
            }
        }
    }

    fn error(&mut self, message: &str) {
        self.failing = true;
        if self.errors.len() == ERRORS {
            self.errors.remove(0);
        }
        self.errors.push(beginning(message));
    }

    /// Takes what there is of a line that is too long to be read. Whether it is a sign of life.
    fn take_beginning(&mut self, line: &[u8]) -> bool {
        // Nothing else of codex's grows that long.
        let life = line.starts_with(b"{\"type\":\"item.");
        if life {
            self.seen = true;
            self.worked = true;
            self.failing = false;
            // A command whose output is that long is over, and must not be waited for.
            let head = String::from_utf8_lossy(&line[..line.len().min(200)]);
            let id = head.split_once("\"id\":\"").and_then(|(_, rest)| rest.split_once('"'));
            if let Some((id, _)) = id.filter(|_| head.starts_with("{\"type\":\"item.completed\"")) {
                self.running.remove(id);
            }
        }
        life
    }
}

fn beginning(text: &str) -> String {
    text.chars().take(LONGEST_ERROR).collect()
}

fn end(text: &str) -> String {
    let from = text.len().saturating_sub(LONGEST_MESSAGE);
    let from = (from..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(from);
    text[from..].to_owned()
}

/// Makes events of bytes that come in pieces.
#[derive(Debug)]
struct Reader {
    events: Events,
    /// The line that is not complete yet.
    line: Vec<u8>,
    /// The rest of a line that is too long is passed over.
    skipping: bool,
    /// Something came that is no event.
    plain: bool,
    /// The last event that tells something.
    latest: Option<Told>,
    redactor: Redactor,
}

impl Reader {
    fn new(redactor: &Redactor) -> Reader {
        let (events, line, latest) = Default::default();
        Reader { events, line, skipping: false, plain: false, latest, redactor: redactor.clone() }
    }

    /// Whether there was a sign of life.
    fn push(&mut self, mut piece: &[u8]) -> bool {
        let mut life = false;
        let no_event = !piece.contains(&b'{');
        while !piece.is_empty() {
            let fresh = self.line.is_empty() && !self.skipping;
            // A flood is passed over in one go: no line of it can be an event.
            let lines = if no_event && fresh { last_line_end(piece) } else { None };
            if let Some(end) = lines {
                self.plain |= !piece[..end].trim_ascii().is_empty();
                piece = &piece[end..];
                continue;
            }
            let end = piece.iter().position(|byte| *byte == b'\n').map_or(piece.len(), |at| at + 1);
            let (part, rest) = piece.split_at(end);
            piece = rest;
            if !self.skipping {
                self.line.extend_from_slice(part);
            }
            if part.ends_with(b"\n") {
                life |= self.complete();
            } else if self.line.len() > LONGEST_LINE {
                life |= self.events.take_beginning(&self.line);
                self.skipping = true;
                self.line = Vec::new();
            }
        }
        self.plain |= self.line.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| *byte != b'{');
        life
    }

    fn complete(&mut self) -> bool {
        self.skipping = false;
        let line = std::mem::take(&mut self.line);
        let text = line.trim_ascii();
        if !text.starts_with(b"{") {
            self.plain |= !text.is_empty();
            return false;
        }
        let text = String::from_utf8_lossy(text);
        match serde_json::from_str::<Value>(&text) {
            Ok(mut event @ Value::Object(_)) => {
                self.redactor.json(&mut event);
                if let Some(Told { what, text }) = told(&event) {
                    let text = text.lines().next().map(beginning).unwrap_or_default();
                    self.latest = Some(Told { what, text });
                }
                self.events.take(&event)
            }
            Ok(_) | Err(_) => {
                self.plain = true;
                false
            }
        }
    }
}

/// Where the last whole line ends.
fn last_line_end(piece: &[u8]) -> Option<usize> {
    piece.iter().rposition(|byte| *byte == b'\n').map(|at| at + 1)
}

/// Reads a run's events as they come, and ends it when it is silent for too long. Only a running command may be.
/// A program that prints text instead of events may be silent as well once it has printed something.
#[derive(Debug)]
pub struct EventWatch {
    reader: Reader,
    silence_limit: Duration,
    /// When it is dead if nothing comes.
    first: Option<Instant>,
    last_life: Option<Instant>,
}

impl EventWatch {
    /// For a run that starts `now`.
    pub fn new(settings: &Settings, redactor: &Redactor, now: Instant) -> EventWatch {
        EventWatch {
            reader: Reader::new(redactor),
            silence_limit: settings.silence_limit,
            first: now.checked_add(settings.start_limit),
            last_life: None,
        }
    }

    /// What came last, the first line of it.
    pub fn latest(&self) -> Option<&Told> {
        self.reader.latest.as_ref()
    }

    /// What the events said, after the end of the run.
    pub fn into_events(mut self) -> Events {
        // The last line may lack its end.
        self.reader.complete();
        self.reader.events
    }
}

impl Watch for EventWatch {
    fn stdout(&mut self, piece: &[u8], now: Instant) {
        if self.reader.push(piece) {
            self.last_life = Some(now);
        }
    }

    fn deadline(&self) -> Option<(Instant, &'static str)> {
        let plain = self.reader.plain && !self.reader.events.seen;
        match self.last_life {
            None if plain => None,
            None => self.first.map(|at| (at, NO_EVENT)),
            Some(_) if !self.reader.events.running.is_empty() => None,
            Some(last) => last.checked_add(self.silence_limit).map(|at| (at, SILENCE)),
        }
    }
}

#[cfg(test)]
mod tests;
