//! Why a card stands where it does, as `explain` prints it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::page::Page;
use super::plan::verdict;
use super::units;
use crate::board::Card;
use crate::checks::Source;
use crate::cycle::plan::{CardPlan, MissedTest, SelectedTest};
use crate::cycle::state::{State, Taken};
use crate::evidence::Skipped;
use crate::index::{Missed, NearMiss};
use crate::journal::{AttemptId, TestOutcome};
use crate::rules::Rule;

/// `explain --format json`.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Explanation {
    pub version: u32,
    pub id: String,
    pub title: String,
    pub status: String,
    /// None: the column has no rule, its cards are never worked.
    pub plan: Option<Plan>,
    /// Where it was not worked, or not moved on, and why; by the tests, rules and hooks of then.
    pub refused: Vec<Refusal>,
    /// The newest that was judged, in whatever column.
    pub attempt: Option<JudgedAttempt>,
    /// Executions before that.
    pub earlier: usize,
    /// A later execution without a verdict.
    pub unjudged: Option<Unjudged>,
}

#[derive(Debug, JsonSchema, Serialize)]
pub struct Plan {
    /// `ready`, `unverified`, `cached`, `exhausted` or `blocked`
    pub verdict: &'static str,
    pub reason: String,
    pub on_pass: Option<String>,
    pub on_fail: Option<String>,
    pub on_exhausted: Option<String>,
    pub max_attempts: u32,
    pub gate: Gate,
    /// In the order of choice.
    pub tests: Vec<Ranked>,
    /// Which limit ended the selection: `k`, `threshold`, or `none` where no other test has a word of the card.
    pub cut: &'static str,
    /// The best of the others.
    pub near_misses: Vec<Near>,
}

/// What the column asks for.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Gate {
    pub k: usize,
    pub require: usize,
    pub threshold: f32,
    pub mmr_lambda: f32,
    pub evidence: Vec<Source>,
    pub require_changes: bool,
    pub red_green: bool,
}

#[derive(Debug, Clone, JsonSchema, Deserialize, Serialize)]
pub struct Ranked {
    /// From 1.
    pub rank: usize,
    pub id: String,
    pub text: String,
    pub similarity: f32,
    pub score: f32,
    /// What its likeness to tests before it cost.
    pub penalty: f32,
    /// The card names it, or it is `#always`: it is ranked by nothing.
    pub named: bool,
    /// Why it can't be run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<String>,
    pub words: Vec<String>,
}

#[derive(Debug, JsonSchema, Serialize)]
pub struct Near {
    pub id: String,
    pub text: String,
    pub similarity: f32,
    pub words: Vec<String>,
    /// `below_threshold`, `crowded_out` or `beyond_k`
    pub reason: &'static str,
}

#[derive(Debug, JsonSchema, Serialize)]
pub struct JudgedAttempt {
    pub id: String,
    pub column: String,
    pub verdict: &'static str,
    pub reason: String,
    pub tests: Vec<TestOutcome>,
    /// What became of its work, where that was taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_back: Option<TakenBack>,
    pub kept: Kept,
}

#[derive(Debug, Clone, JsonSchema, Deserialize, Serialize)]
pub struct TakenBack {
    /// That are as before it.
    pub files: usize,
    /// That are left as they are, and why.
    pub left: Vec<Skipped>,
    /// The command that brings the work back, where it was kept.
    pub restore: Option<String>,
}

/// What there is to read of an attempt.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Kept {
    pub folder: String,
    /// Names in it.
    pub files: Vec<String>,
}

#[derive(Debug, JsonSchema, Serialize)]
pub struct Refusal {
    pub column: String,
    pub reason: String,
}

#[derive(Debug, JsonSchema, Serialize)]
pub struct Unjudged {
    pub id: String,
    pub column: String,
    pub reason: String,
}

impl Explanation {
    /// `plan` is that of the card where it stands; `kept` looks up an attempt's folder.
    pub fn of(
        card: &Card,
        plan: Option<&CardPlan>,
        state: &State,
        kept: impl FnOnce(&AttemptId) -> Kept,
    ) -> Explanation {
        let visits = state.history(&card.id).into_iter().flat_map(|history| history.visits.iter());
        let refused = visits.filter_map(|(column, visits)| {
            let waiting = visits.waiting.as_ref()?;
            Some(Refusal { column: column.0.to_string(), reason: waiting.reason.clone() })
        });
        let attempts = state.history(&card.id).map(|history| history.attempts.as_slice()).unwrap_or_default();
        let known: Vec<_> = attempts.iter().filter_map(|id| Some((id, state.attempt(id)?))).collect();
        let newest = known.iter().rposition(|(_, attempt)| attempt.verdict.is_some());
        let judged = newest.and_then(|at| known.get(at)).and_then(|(id, attempt)| {
            Some(JudgedAttempt {
                id: id.0.clone(),
                column: attempt.column.0.to_string(),
                verdict: attempt.verdict?.name(),
                reason: attempt.reason.clone(),
                tests: attempt.outcomes.clone(),
                taken_back: attempt.taken.as_ref().map(TakenBack::of),
                kept: kept(id),
            })
        });
        let later = known.last().filter(|(_, attempt)| attempt.verdict.is_none());
        Explanation {
            version: 1,
            id: card.id.0.to_string(),
            title: card.title.to_string(),
            status: card.status.0.to_string(),
            plan: plan.map(Plan::of),
            refused: refused.collect(),
            attempt: judged,
            earlier: newest.unwrap_or(0),
            unjudged: later.map(|(id, attempt)| Unjudged {
                id: id.0.clone(),
                column: attempt.column.0.to_string(),
                reason: attempt.unjudged(),
            }),
        }
    }
}

impl TakenBack {
    fn of(Taken { paths, left, restore, .. }: &Taken) -> TakenBack {
        TakenBack { files: paths.len(), left: left.clone(), restore: restore.clone() }
    }

    fn show(&self, page: &mut Page) {
        page.line("work", &format!("{} as before it", units::are(self.files, "file")));
        for Skipped { path, reason } in &self.left {
            page.line("", &format!("left: {path}: {reason}"));
        }
        if let Some(restore) = &self.restore {
            page.line("", &format!("kept: {restore}"));
        }
    }
}

impl Plan {
    fn of(plan: &CardPlan) -> Plan {
        let Rule { on_pass, on_fail, on_exhausted, require_changes, red_green, .. } = &plan.rule;
        let name = |column: &Option<crate::board::Column>| column.as_ref().map(|column| column.0.to_string());
        Plan {
            verdict: verdict(plan),
            reason: plan.reason.clone(),
            on_pass: name(on_pass),
            on_fail: name(on_fail),
            on_exhausted: name(on_exhausted),
            max_attempts: plan.limit,
            gate: Gate {
                k: plan.limits.k,
                require: plan.require,
                threshold: plan.limits.threshold,
                mmr_lambda: plan.limits.mmr_lambda,
                evidence: plan.sources.clone(),
                require_changes: *require_changes,
                red_green: *red_green,
            },
            tests: (1..).zip(&plan.tests).map(|(rank, test)| Ranked::of(rank, test)).collect(),
            cut: match plan.missed.iter().map(|missed| missed.near.reason).max() {
                Some(Missed::CrowdedOut | Missed::BeyondK) => "k",
                Some(Missed::BelowThreshold) => "threshold",
                None => "none",
            },
            near_misses: plan.missed.iter().map(Near::of).collect(),
        }
    }
}

impl Ranked {
    pub(super) fn of(rank: usize, SelectedTest { test, chosen, blocked }: &SelectedTest) -> Ranked {
        Ranked {
            rank,
            id: test.id.0.clone(),
            text: test.text.clone(),
            similarity: chosen.similarity,
            score: chosen.score,
            penalty: chosen.penalty,
            named: chosen.named,
            blocked: blocked.clone(),
            words: chosen.words.clone(),
        }
    }
}

impl Near {
    fn of(MissedTest { test, near: NearMiss { candidate, reason } }: &MissedTest) -> Near {
        Near {
            id: test.id.0.clone(),
            text: test.text.clone(),
            similarity: candidate.similarity,
            words: candidate.words.clone(),
            reason: match reason {
                Missed::BelowThreshold => "below_threshold",
                Missed::CrowdedOut => "crowded_out",
                Missed::BeyondK => "beyond_k",
            },
        }
    }
}

/// One page.
pub fn human(explanation: &Explanation) -> String {
    let Explanation { id, title, status, plan, refused, attempt, earlier, unjudged, .. } = explanation;
    let mut page = Page::default();
    page.line("card", &format!("{title} ({id})"));
    match plan {
        Some(plan) => plan.show(status, &mut page),
        None => page.line("column", &format!("{status}, which has no rule: its cards are never worked")),
    }
    for Refusal { column, reason } in refused {
        page.line("refused", &format!("in {column}: {reason}"));
    }
    page.blank();
    match attempt {
        Some(attempt) => attempt.show(*earlier, &mut page),
        None => page.line("attempt", "none was judged yet"),
    }
    if let Some(Unjudged { id, column, reason }) = unjudged {
        page.line("", &format!("{id} in {column} has no verdict: {reason}"));
    }
    page.into_text()
}

impl Plan {
    fn show(&self, status: &str, page: &mut Page) {
        let to = |column: &Option<String>| column.as_ref().map_or("stays".to_owned(), |column| format!("to {column}"));
        let exhausted = self.on_exhausted.as_ref().map(|column| format!(", then to {column}")).unwrap_or_default();
        let (pass, fail) = (to(&self.on_pass), to(&self.on_fail));
        let most = units::of(self.max_attempts as usize, "attempt");
        page.line("column", &format!("{status}: passed {pass}, failed {fail}; {most}{exhausted}"));
        page.line("verdict", &format!("{}: {}", self.verdict, self.reason));
        page.line("gate", &self.gate.text(self.tests.len()));
        page.blank();
        page.line("tests", "rank, similarity, score, penalty for likeness to tests before it");
        let below = " ".repeat(MARGIN);
        for test in &self.tests {
            let score = match test.named {
                true => "named     ".to_owned(),
                false => format!("{:.2}  {:.2}", test.score, test.penalty),
            };
            page.hanging(&format!("{:>4}  {:.2}  {score}  ", test.rank, test.similarity), &test.text);
            if let Some(blocked) = &test.blocked {
                page.hanging(&below, &format!("BLOCKED: {blocked}"));
            }
            page.hanging(&below, &words(&test.words));
        }
        if self.tests.is_empty() {
            page.line("", "none");
        }
        page.line("cut-off", &self.cut_off());
        let mut label = "near";
        for near in &self.near_misses {
            let reason = match near.reason {
                "below_threshold" => "below the threshold",
                "crowded_out" => "crowded out by a like test",
                _ => "beyond k",
            };
            let start = format!("{label:<4}  {:.2}", near.similarity);
            page.hanging(&format!("{start:<MARGIN$}"), &near.text);
            page.hanging(&below, &format!("{reason}; {}", words(&near.words)));
            label = "";
        }
    }

    fn cut_off(&self) -> String {
        let Gate { k, threshold, .. } = self.gate;
        let limits = format!("similarity {threshold:.2}, k {k}");
        match self.cut {
            "k" => format!("{limits}: k cut, others are similar enough"),
            "threshold" => format!("{limits}: similarity cut, no other test is similar enough"),
            _ => format!("{limits}: neither cut, no other test has a word of the card"),
        }
    }
}

/// The width of what stands before a test.
const MARGIN: usize = 24;

fn words(words: &[String]) -> String {
    if words.is_empty() { "no word in common".to_owned() } else { format!("words: {}", words.join(", ")) }
}

impl Gate {
    /// `tests`: so many are judged. Those that the card names and those for every card come whatever `k` is.
    fn text(&self, tests: usize) -> String {
        let (most, up_to) = if tests > self.k { (tests, "") } else { (self.k, "at most ") };
        let names = self.evidence.iter().map(|source| match source {
            Source::Message => "message",
            Source::Changes => "changes",
        });
        let mut text = format!(
            "{} of {up_to}{}; evidence: {}",
            self.require,
            units::of(most, "test"),
            names.collect::<Vec<_>>().join(", ")
        );
        if self.require_changes {
            text.push_str("; its attempts must have changed files");
        }
        if self.red_green {
            text.push_str("; shell tests must have been red before the work");
        }
        text
    }
}

impl JudgedAttempt {
    fn show(&self, earlier: usize, page: &mut Page) {
        let before = match earlier {
            0 => String::new(),
            1 => " (1 before it)".to_owned(),
            many => format!(" ({many} before it)"),
        };
        page.line("attempt", &format!("{} in {}{before}", self.id, self.column));
        page.line("", &format!("{}: {}", self.verdict, self.reason));
        page.outcomes(&self.tests);
        if let Some(taken) = &self.taken_back {
            taken.show(page);
        }
        let Kept { folder, files } = &self.kept;
        let files = if files.is_empty() { "nothing is left of it".to_owned() } else { files.join(", ") };
        page.line("to read", &format!("{folder}: {files}"));
    }
}
