//! One card's plan: prompt, selected tests, command, cache verdict. The same for run, dry-run and print-plan. Pure.

mod ready;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;
use sha2::{Digest, Sha256};

use super::gate::Before;
use super::state::{State, Visits};
use crate::board::{Card, CardId, Column};
use crate::checks::shell::{self, Allowlist};
use crate::checks::{Kind, Source, TestId, TestString};
use crate::codex::{self, CommandLine};
use crate::evidence::{Artifact, ChangeSet, ChangedFile, TreeId};
use crate::index::{Chosen, Limits, NearMiss, Query, select};
use crate::inputs::Inputs;
use crate::journal::{AttemptId, CacheKey, Event, GateHash, InputHash, Reserved, TextHash, Why};
use crate::prompt::{self, Prompt};
use crate::rules::{Rule, Verdict};
use crate::settings::Settings;
use crate::storage;
pub use ready::{no_way, other_tests};

/// What plans are made from.
#[derive(Debug, Clone)]
pub struct Planner {
    pub settings: Arc<Settings>,
    pub inputs: Arc<Inputs>,
}

/// A test that belongs to a card.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectedTest {
    pub test: TestString,
    /// How it ranks, and what it has of the card; named are those that the card names and those that are `#always`.
    pub chosen: Chosen,
    /// Why it can't be run.
    pub blocked: Option<String>,
}

/// A test that has something of a card and was not selected for it.
#[derive(Debug, Clone, PartialEq)]
pub struct MissedTest {
    pub test: TestString,
    pub near: NearMiss,
}

/// What was selected for a card, what not, and within which limits.
#[derive(Debug, Clone, PartialEq)]
struct Selected {
    limits: Limits,
    tests: Vec<SelectedTest>,
    missed: Vec<MissedTest>,
}

/// Whether a card is worked now.
#[derive(Debug, Clone, PartialEq)]
pub enum Readiness {
    Ready,
    /// Too few tests; `told`: it was refused for this before.
    Unverified {
        told: bool,
    },
    /// Its newest attempt here passed; whether that still holds is looked up.
    Cached,
    /// Its newest attempt here failed tests that are others now, or was not judged: the gate alone is run first.
    Stale,
    /// `told`: that is what its note says, and it is not to be moved for it, or was.
    Exhausted {
        told: bool,
    },
    Blocked,
}

/// How things stood before an attempt.
#[derive(Debug, Default)]
pub struct Found {
    /// The tree; None in a dry run.
    pub before: Option<TreeId>,
    /// Shell tests, and how they were.
    pub tests: Vec<(TestString, Before)>,
    /// The gate inputs that were not as accepted already.
    pub unaccepted: Vec<InputHash>,
}

/// Everything that is known of a card before codex is started.
#[derive(Debug, Clone)]
pub struct CardPlan {
    pub attempt: AttemptId,
    pub card: Card,
    pub rule: Rule,
    pub number: u32,
    pub limit: u32,
    /// What is set aside for the attempt; it may take no longer.
    pub reserved: Reserved,
    pub prompt: Prompt,
    pub command: Result<CommandLine, String>,
    /// What the selection was bound by, the tests that it chose, and the best of the others.
    pub limits: Limits,
    pub tests: Vec<SelectedTest>,
    pub missed: Vec<MissedTest>,
    pub require: usize,
    pub sources: Vec<Source>,
    pub key: CacheKey,
    pub text: TextHash,
    pub gate: GateHash,
    pub readiness: Readiness,
    /// Why, for people.
    pub reason: String,
}

impl Planner {
    /// Plans a card; None where its column has no rule.
    pub fn plan(&self, card: &Card, state: &State) -> Result<Option<CardPlan>> {
        let Some(rule) = self.inputs.rules.columns.get(&card.status) else { return Ok(None) };
        self.plan_as(card, rule, &card.status, state).map(Some)
    }

    /// Plans a card as if it stood in `column`.
    pub fn plan_as(&self, card: &Card, rule: &Rule, column: &Column, state: &State) -> Result<CardPlan> {
        let settings = &self.settings;
        let Selected { limits, tests, missed } = self.select(card, rule)?;
        let key = cache_key(&card.id, column, &prompt::hash(&rule.prompt, &card.body));
        let require = rule.require.unwrap_or(settings.require);
        let sources = rule.sources();
        let gate = gate_hash(&tests, rule, require, &sources);
        let text = text_hash(&card.body, &card.labels);
        let spent = state.spent(&card.id, column, &key, &text);
        let failed = spent.map_or(0, Visits::failures);
        let limit = rule.max_attempts.unwrap_or(settings.guards.max_attempts);
        let history = state.history(&card.id);
        let attempt = attempt_id(&card.id, history.map_or(0, |history| history.executions) + 1);
        let failure = history.and_then(|history| state.attempt(history.failure.as_ref()?));
        let failures = |column| state.visits(&card.id, column).map_or(0, Visits::failures);
        let feedback = failure.map(|attempt| prompt::Feedback::of(attempt, failures(&attempt.column)));
        let prompt = Prompt::compose(&rule.prompt, &card.body, feedback.as_ref(), settings.env.redactor());
        let message = attempt.folder(&settings.cache_dir).join("message.md");
        let command = codex::command(&settings.codex, &prompt.text, &message, settings.in_git);
        let mut plan = CardPlan {
            attempt,
            card: Card { status: column.clone(), ..card.clone() },
            rule: rule.clone(),
            number: failed + 1,
            limit,
            reserved: reserved(settings, state, spent, limit),
            prompt,
            command: command.map_err(|error| error.to_string()),
            limits,
            tests,
            missed,
            require,
            sources,
            key,
            text,
            gate,
            readiness: Readiness::Ready,
            reason: String::new(),
        };
        (plan.readiness, plan.reason) = ready::of(&plan, card, spent, state, self);
        Ok(plan)
    }

    /// The tests that belong to a card: those that it names and those for every card, then the most similar ones.
    fn select(&self, card: &Card, rule: &Rule) -> Result<Selected> {
        let settings = &self.settings;
        let named = self.inputs.names.named(&card.body, &card.labels);
        let limits = Limits {
            k: rule.k.unwrap_or(settings.k),
            threshold: rule.threshold.unwrap_or(settings.threshold),
            mmr_lambda: settings.mmr_lambda,
        };
        let query = Query { title: &card.title, body: &card.body };
        let selection = select(&self.inputs.index, &query, &named, limits)?;
        let allowlist = Allowlist::new(settings.shell_allowlist.iter().cloned());
        let test = |ordinal: u32| self.inputs.tests.get(ordinal as usize).cloned();
        let tests = selection.chosen.into_iter().filter_map(|chosen| {
            let test = test(chosen.ordinal)?;
            let blocked = match &test.check.kind {
                Kind::Shell(line) => shell::plan(line, &allowlist, settings.allow_shell_tests).err(),
                Kind::Includes(_) | Kind::Excludes(_) | Kind::Regex(_) => None,
            };
            Some(SelectedTest { test, chosen, blocked: blocked.map(|blocked| blocked.reason) })
        });
        let missed = selection.near_misses.into_iter();
        let missed = missed.filter_map(|near| Some(MissedTest { test: test(near.candidate.ordinal)?, near }));
        Ok(Selected { limits, tests: tests.collect(), missed: missed.collect() })
    }
}

impl CardPlan {
    pub fn started(&self, found: Found) -> Event {
        let Found { before, tests, unaccepted } = found;
        let (mut green, mut red, mut unjudged) = (Vec::new(), Vec::new(), BTreeMap::new());
        for (TestString { text: line, .. }, before) in tests {
            match before {
                Before::Green => green.push(line),
                Before::Red => red.push(line),
                Before::Unknown(why) => drop(unjudged.insert(line, why)),
            }
        }
        let argv = self.command.as_ref().map(|command| command.argv.as_slice()).unwrap_or_default();
        // The journal knows the prompt by its hash.
        let short = |word: &String| if *word == self.prompt.text { "<prompt>".to_owned() } else { word.clone() };
        Event::AttemptStarted {
            attempt: self.attempt.clone(),
            card: self.card.id.clone(),
            title: self.card.title.to_string(),
            column: self.card.status.clone(),
            number: self.number,
            limit: self.limit,
            key: self.key.clone(),
            text: Some(self.text.clone()),
            gate: self.gate.clone(),
            prompt_sha256: self.prompt.sha256.clone(),
            tests: self.tests.iter().map(|selected| selected.test.id.clone()).collect(),
            command: argv.iter().map(short).collect(),
            before,
            green,
            red,
            unjudged,
            unaccepted,
            reserved: Some(self.reserved),
        }
    }

    /// Whether these are the tests that belong to the card.
    pub fn has_tests(&self, tests: &[TestId]) -> bool {
        let own: BTreeSet<&TestId> = self.tests.iter().map(|selected| &selected.test.id).collect();
        own == tests.iter().collect()
    }

    /// The tests that may be run.
    pub fn runnable(&self) -> impl Iterator<Item = &SelectedTest> {
        self.tests.iter().filter(|selected| selected.blocked.is_none())
    }

    /// The guarded files that the card's attempts changed or made, and that are still as they left them.
    pub fn weakened<'c>(&self, changes: &'c ChangeSet) -> Vec<&'c ChangedFile> {
        weakened(&self.rule, self.runnable().map(|selected| &selected.test), changes)
    }

    /// Why it can't pass, given how its shell tests were `before` and why none of them counts, if none does. Codex would be
    /// paid in vain. `worked`: what the card's attempts did may still be there.
    pub fn hopeless(&self, before: &[(TestString, Before)], spoiled: Option<&String>, worked: bool) -> Option<String> {
        let known = |test: &TestString| {
            let own = before.iter().find(|(known, _)| known.command() == test.command());
            own.map(|(_, before)| before).filter(|_| self.rule.red_green)
        };
        let vain = |test: &&TestString| match known(test) {
            _ if test.check.kind.is_shell() && spoiled.is_some() => true,
            Some(Before::Green) => !test.guard(),
            Some(Before::Red) => test.guard(),
            Some(Before::Unknown(_)) => true,
            None => false,
        };
        let vain: Vec<_> = self.runnable().map(|selected| &selected.test).filter(vain).collect();
        let (left, require, card) = (self.runnable().count() - vain.len(), self.require, &self.card.id);
        let test = vain.first().filter(|_| left < require)?;
        let (id, again) = (&test.id, format!("`retry {card}` looks again"));
        let undo = format!("move the card on yourself, or take its work back and `retry {card}`");
        let why = match (spoiled, known(test)) {
            (Some(why), _) => format!("{why}; then `retry {card}`"),
            (None, Some(Before::Unknown(why))) => format!("{id} {why}; {}", if worked { &undo } else { &again }),
            (None, _) => {
                let how = if test.guard() { ", a #guard, is not green" } else { " is green" };
                let then = if worked { "move the card on yourself, or give it other tests" } else { &again };
                format!("{id}{how} already before the work; {then}")
            }
        };
        Some(format!("{left} of {require} required tests can count: {why}"))
    }

    pub fn refused(&self) -> Event {
        Event::Refused {
            card: self.card.id.clone(),
            title: self.card.title.to_string(),
            column: self.card.status.clone(),
            key: self.key.clone(),
            gate: self.gate.clone(),
            reason: self.reason.clone(),
        }
    }

    pub fn skipped(&self, why: Why, reason: String) -> Event {
        Event::Skipped {
            card: self.card.id.clone(),
            title: self.card.title.to_string(),
            column: self.card.status.clone(),
            why,
            reason,
        }
    }

    /// What becomes of a cached pass: it still holds and the card is passed over, or the gate is run again.
    pub fn verified(&self, attempt: AttemptId, state: &State, unchanged: impl Fn(&[Artifact]) -> bool) -> Event {
        let found = state.attempt(&attempt);
        let reason = match found {
            Some(found) if found.missed => "it is on the board again",
            Some(found) if found.verdict != Some(Verdict::Pass) => "its tests changed since it failed",
            Some(found) if found.gate != self.gate => "its tests or rules changed since it passed",
            Some(found) if !unchanged(&found.artifacts) => "its files changed since it passed",
            Some(found) if !found.settled => "it passed and its transition is still owed",
            Some(_) | None => return self.skipped(Why::Cached, self.reason.clone()),
        };
        Event::Reopened {
            attempt,
            card: self.card.id.clone(),
            title: self.card.title.to_string(),
            column: self.card.status.clone(),
            reason: reason.to_owned(),
        }
    }
}

/// The files that a rule guards for the sake of `tests`, where a change set weakens them.
pub fn weakened<'t, 'c>(
    rule: &Rule,
    mut tests: impl Iterator<Item = &'t TestString>,
    changes: &'c ChangeSet,
) -> Vec<&'c ChangedFile> {
    let shell = tests.any(|test| test.check.kind.is_shell());
    let guarded = |file: &&ChangedFile| file.as_left && rule.guard_paths.guards(&file.path, file.existed, shell);
    changes.files.iter().filter(guarded).collect()
}

/// What another attempt may use: as many tokens as the most that one was seen to use, at least its share of the card's, and
/// as much time as one attempt and the card have.
fn reserved(settings: &Settings, state: &State, spent: Option<&Visits>, attempts: u32) -> Reserved {
    let guards = &settings.guards;
    let share = guards.max_card_tokens.map(|most| most.div_ceil(u64::from(attempts)));
    let seconds = settings.codex.attempt_limit.as_secs_f64();
    let left = guards.max_card_time.map(|most| most.as_secs_f64() - spent.map_or(0.0, Visits::seconds));
    Reserved {
        tokens: state.budget.most.max(share),
        seconds: left.unwrap_or(seconds).min(seconds).ceil().max(1.0) as u64,
    }
}

/// Cache key = SHA-256 of `task.id + task.status + promptHash`.
fn cache_key(id: &CardId, column: &Column, prompt_hash: &str) -> CacheKey {
    CacheKey(hex(&[&id.0, &column.0, prompt_hash]))
}

pub fn text_hash(body: &str, labels: &[String]) -> TextHash {
    let parts: Vec<&str> = std::iter::once(body).chain(labels.iter().map(String::as_str)).collect();
    TextHash(hex(&parts))
}

fn gate_hash(tests: &[SelectedTest], rule: &Rule, require: usize, sources: &[Source]) -> GateHash {
    let blocked = |selected: &SelectedTest| if selected.blocked.is_some() { "blocked" } else { "" };
    let lines = tests.iter().flat_map(|selected| [selected.test.text.as_str(), blocked(selected)]);
    let flags = format!("{require} {sources:?} {} {} {:?}", rule.require_changes, rule.red_green, rule.guard_paths);
    let parts: Vec<&str> = lines.chain([flags.as_str()]).collect();
    GateHash(hex(&parts))
}

/// SHA-256 of parts, each with its length, so that no two lists of parts give the same bytes.
fn hex(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    storage::hex(&hash.finalize())
}

/// As part of a file's name: what a file system may not like is replaced and told apart.
pub fn file_name(id: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let name: String = id.chars().map(|c| if safe(c) { c } else { '-' }).take(40).collect();
    if *name == *id { name } else { format!("{name}-{}", &hex(&[id])[..6]) }
}

/// A card's `n`th execution: also a folder's name.
pub fn attempt_id(card: &CardId, n: u32) -> AttemptId {
    AttemptId(format!("{}.{n}", file_name(&card.0)))
}
