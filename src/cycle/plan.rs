//! One card's plan: prompt, selected tests, command, cache verdict. The same for run, dry-run and print-plan. Pure.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;
use sha2::{Digest, Sha256};

use super::state::{State, Visits};
use crate::board::{Board, Card, CardId, Column};
use crate::checks::shell::{self, Allowlist};
use crate::checks::{Kind, Source, TestId, TestString};
use crate::codex::{self, CommandLine};
use crate::evidence::{Artifact, ChangeSet, ChangedFile, TreeId};
use crate::index::{Chosen, Limits, NearMiss, Query, select};
use crate::inputs::Inputs;
use crate::journal::{AttemptId, CacheKey, Event, GateHash, InputHash, Reserved, TextHash, Why};
use crate::prompt::{self, Prompt};
use crate::rules::{Rule, Rules, Verdict};
use crate::settings::{Guards, Settings};
use crate::storage;

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
    /// Its newest attempt here failed tests that are others now: the gate alone is run again first.
    Stale,
    /// `told`: that stands on the card, and it is not to be moved for it, or was.
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
    /// The lines of shell tests that passed already, and of those that didn't.
    pub green: Vec<String>,
    pub red: Vec<String>,
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
        let text = text_hash(card);
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
        let waits = state.board.as_ref().and_then(|board| waits(card, board, &self.inputs.rules));
        (plan.readiness, plan.reason) = match waits {
            Some(reason) => (Readiness::Blocked, reason),
            None => readiness(&plan, spent, state, &settings.guards),
        };
        let lost = state.board.as_ref().and_then(|board| self.inputs.rules.lost(rule, board));
        if let (Readiness::Ready, Some(target)) = (&plan.readiness, lost) {
            (plan.readiness, plan.reason) = (Readiness::Blocked, no_way(column, target));
        }
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
        let Found { before, green, red, unaccepted } = found;
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

    /// Why it can't pass, given the lines of the shell tests that were green and red before the work, and why none of them
    /// counts, if none does. Codex would be paid in vain.
    pub fn hopeless(&self, green: &[String], red: &[String], spoiled: Option<&String>) -> Option<String> {
        let vain = |selected: &&SelectedTest| match selected.test.guard() {
            _ if selected.test.check.kind.is_shell() && spoiled.is_some() => true,
            true => red.contains(&selected.test.text),
            false => self.rule.red_green && green.contains(&selected.test.text),
        };
        let vain: Vec<_> = self.runnable().filter(vain).collect();
        let (left, require) = (self.runnable().count() - vain.len(), self.require);
        let test = vain.first().map(|selected| &selected.test).filter(|_| left < require)?;
        if let Some(why) = spoiled {
            return Some(format!("{left} of {require} required tests can count: {why}; then `retry {}`", self.card.id));
        }
        let why = if test.guard() { ", a #guard, is not green" } else { " is green" };
        Some(format!(
            "{left} of {require} required tests can count: {}{why} already before the work; `retry {}` looks again",
            test.id, self.card.id
        ))
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

fn readiness(plan: &CardPlan, spent: Option<&Visits>, state: &State, guards: &Guards) -> (Readiness, String) {
    let (card, column) = (&plan.card.id, &plan.card.status);
    let visits = state.visits(card, column);
    let waiting = visits.and_then(|visits| visits.waiting.as_ref());
    let waiting = waiting.filter(|waiting| waiting.key == plan.key && waiting.gate == plan.gate);
    let history = state.history(card);
    if history.is_some_and(|history| history.held) {
        return (Readiness::Blocked, format!("held back by `skip`; `skip --undo {card}` releases it"));
    }
    let edited = history.and_then(|history| history.edited.as_ref());
    if edited.is_some_and(|edited| edited.other_tests && edited.text == plan.text) {
        return (Readiness::Blocked, other_tests(card));
    }
    if history.is_some_and(|history| history.arrived.as_ref() == Some(column)) {
        let reason = format!("it came here while an attempt at it ran: move it again or `retry {card}`");
        return (Readiness::Blocked, reason);
    }
    if let Some((id, _)) = state.passed(card, column, &plan.key) {
        return match waiting {
            Some(waiting) => (Readiness::Blocked, waiting.reason.clone()),
            None => {
                (Readiness::Cached, format!("passed in attempt {id}; edit the card or `retry {card}` to run it again"))
            }
        };
    }
    let stale = state.failed_work(card, column, &plan.key).filter(|(_, attempt)| attempt.gate != plan.gate);
    if let (Some((id, _)), None) = (stale, too_few(plan)) {
        return (
            Readiness::Stale,
            format!("the tests changed since attempt {id} failed: the gate alone is run again first"),
        );
    }
    if let Some(used_up) = spent.and_then(|visits| used_up(visits, plan.limit, guards)) {
        let stays = plan.rule.on_exhausted.as_ref().is_none_or(|to| to == column);
        let told = visits.is_some_and(|visits| visits.sent_away || (visits.exhausted && stays));
        return (Readiness::Exhausted { told }, format!("{used_up}; edit the card or `retry {card}` to start anew"));
    }
    let refused = waiting.filter(|waiting| waiting.refused).map(|waiting| waiting.reason.clone());
    match too_few(plan).or(refused) {
        Some(reason) => {
            let owed = visits.is_some_and(|visits| visits.owed);
            (Readiness::Unverified { told: waiting.is_some() && !owed }, reason)
        }
        None => match &plan.command {
            Ok(_) => (Readiness::Ready, format!("{} tests, {} must pass", plan.tests.len(), plan.require)),
            Err(error) => (Readiness::Blocked, error.clone()),
        },
    }
}

/// Why no attempt begins in a column: codex would be paid for what can't be moved.
pub fn no_way(column: &Column, target: &Column) -> String {
    format!("the rule of `{column}` names the column `{target}`, which the board does not have any more")
}

/// Why the card has to wait for another: one that is not done, or not on the board.
fn waits(card: &Card, board: &Board, rules: &Rules) -> Option<String> {
    card.dependencies.iter().find_map(|id| match board.card(id) {
        None => Some(format!("it depends on {id}, which is not on the board")),
        Some(other) if done(&other.status, board, rules) => None,
        Some(other) => Some(format!("it depends on {id}, which stands in {}", other.status)),
    })
}

/// Names of columns whose cards are done, wherever they stand on the board.
const DONE: [&str; 4] = ["done", "completed", "complete", "closed"];

/// The last column ends the work, unless it is where cards that failed wait for a person.
fn done(column: &Column, board: &Board, rules: &Rules) -> bool {
    let named = DONE.contains(&column.0.to_lowercase().as_str());
    let ends = named || (board.columns.last() == Some(column) && !rules.takes_failed(column));
    ends && !rules.columns.contains_key(column)
}

/// A card that codex may have given other tests waits for a person's word.
pub fn other_tests(card: &CardId) -> String {
    format!(
        "its text was edited while an attempt at it ran, and other tests belong to it now: edit it again or `retry {card}`"
    )
}

/// Why no further attempt is made. A pass that other work undoes again and again ends
/// like one that fails.
fn used_up(visits: &Visits, limit: u32, guards: &Guards) -> Option<String> {
    let (failed, lost) = (visits.failures(), visits.lost.len() as u32);
    if failed >= limit {
        return Some(format!("{failed} of {limit} attempts failed"));
    }
    if failed + lost > limit {
        return Some(format!("{failed} attempts failed, and what {lost} others had passed with was undone"));
    }
    if let Some(most) = guards.max_card_time.filter(|most| visits.seconds() >= most.as_secs_f64()) {
        return Some(format!("its attempts took {:.0} of {} seconds", visits.seconds(), most.as_secs()));
    }
    match (guards.max_card_tokens, visits.tokens()) {
        (Some(most), Some(used)) if used >= most => Some(format!("its attempts used {used} of {most} tokens")),
        (Some(_), None) => Some("codex didn't say how many tokens an attempt used".to_owned()),
        _ => None,
    }
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

/// Why the selected tests can't prove the card.
fn too_few(plan: &CardPlan) -> Option<String> {
    let runnable: Vec<_> = plan.runnable().collect();
    let blocked: Vec<_> =
        plan.tests.iter().filter_map(|selected| Some((&selected.test, selected.blocked.as_ref()?))).collect();
    if let Some((test, reason)) = blocked.iter().find(|(test, _)| test.always()) {
        return Some(format!("the test {} is for every card and can't be run: {reason}", test.id));
    }
    if runnable.len() < plan.require {
        let also = match blocked.first() {
            Some((test, reason)) => format!("; {} more are blocked ({}: {reason})", blocked.len(), test.id),
            None => String::new(),
        };
        let hint = "add tests for it, or name some on the card with @name";
        return Some(format!("{} of {} required tests match the card{also}: {hint}", runnable.len(), plan.require));
    }
    if !runnable.iter().any(|selected| selected.test.check.kind.proves()) {
        return Some("all its tests are `excludes`: they prove nothing alone".to_owned());
    }
    None
}

/// Cache key = SHA-256 of `task.id + task.status + promptHash`.
fn cache_key(id: &CardId, column: &Column, prompt_hash: &str) -> CacheKey {
    CacheKey(hex(&[&id.0, &column.0, prompt_hash]))
}

fn text_hash(card: &Card) -> TextHash {
    let labels = card.labels.iter().map(String::as_str);
    let parts: Vec<&str> = std::iter::once(&*card.body).chain(labels).collect();
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

/// A card's `n`th execution: also a folder's name, so what a file system may not like is replaced and told apart.
pub fn attempt_id(card: &CardId, n: u32) -> AttemptId {
    let safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let name: String = card.0.chars().map(|c| if safe(c) { c } else { '-' }).take(40).collect();
    match *name == *card.0 {
        true => AttemptId(format!("{name}.{n}")),
        false => AttemptId(format!("{name}-{}.{n}", &hex(&[&card.0])[..6])),
    }
}
