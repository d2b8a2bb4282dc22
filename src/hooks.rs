//! Programs of the user's: `beforeTransition` may veto a move, `afterTransition` and `onEvent` hear of what happened.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::board::{CardId, Column};
use crate::journal::{AttemptId, Counts};
use crate::process::{Ended, Exit, Input, Job, OUTSIDE, Spawner, Stop};
use crate::prompt::tail;
use crate::rules::{Hook, Occasion, Verdict, script};
use crate::settings::Settings;

/// What a hook is told, as JSON on its standard input and in `KANBAN_*` variables.
#[derive(Debug, Clone, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Transition<'t> {
    /// `beforeTransition` or `afterTransition`
    pub hook: &'static str,
    pub card: &'t CardId,
    pub title: &'t str,
    pub from: &'t Column,
    pub to: &'t Column,
    pub verdict: Verdict,
    pub reason: &'t str,
    pub attempt: Option<&'t AttemptId>,
    pub workspace: &'t Path,
}

/// What `onEvent` is told, in the same ways.
#[derive(Debug, Clone, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct News<'n> {
    /// `onEvent`
    pub hook: &'static str,
    pub event: Occasion,
    /// None where it is about no single card, as all but the reason, the counts and the workspace.
    pub card: Option<&'n CardId>,
    pub title: Option<&'n str>,
    pub from: Option<&'n Column>,
    /// None: it stays.
    pub to: Option<&'n Column>,
    pub verdict: Option<Verdict>,
    pub reason: &'n str,
    pub attempt: Option<&'n AttemptId>,
    /// Of this run so far.
    pub counts: Counts,
    pub workspace: &'n Path,
}

/// How a hook ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Yes,
    /// Its output's end, or why it could not run.
    No(String),
    /// The runner is stopping; the hook was ended.
    Stopped,
}

/// So much of a hook's output is a reason, in bytes.
const REASON: usize = 1000;
const KEEP: usize = 256 << 10;

/// Runs a hook in the workspace. `told` is a [`Transition`] or [`News`].
pub async fn run(
    spawner: &Spawner,
    settings: &Settings,
    hook: &Hook,
    mut told: Value,
    stop: &mut Stop,
) -> Result<Answer> {
    let (program, args) = command(hook, &settings.js_runtime);
    let redactor = settings.env.redactor();
    let mut env = settings.env.hooks(&settings.workspace);
    redactor.json(&mut told);
    env.extend(variables(&told));
    let job = Job {
        program,
        args,
        folder: settings.workspace.clone(),
        env,
        stdin: Input::Bytes(told.to_string().into_bytes()),
        record: settings.cache_dir.join("hooks").join(told["hook"].as_str().unwrap_or_default()),
        stdout_name: "stdout.log".into(),
        stderr_name: "stderr.log".into(),
        limit: settings.hook_limit,
        grace: settings.grace,
        keep: KEEP,
        redactor: redactor.clone(),
    };
    Ok(answer(spawner.run(job, &mut (), stop).await?))
}

fn command(hook: &Hook, js_runtime: &str) -> (OsString, Vec<OsString>) {
    match hook {
        Hook::Js(file) => (js_runtime.into(), vec![file.into()]),
        Hook::Shell { line, file } => {
            // The program's own path stands for the one that was written relative to the transitions file.
            let line = match file.as_ref().zip(script::program(line)) {
                Some((file, (_, rest))) => format!("{}{rest}", shell_words::quote(&file.to_string_lossy())),
                None => line.clone(),
            };
            ("sh".into(), vec!["-c".into(), line.into()])
        }
    }
}

/// The variables that say the same as the JSON, which is without secrets already.
const VARIABLES: [(&str, &str); 9] = [
    ("KANBAN_HOOK", "hook"),
    ("KANBAN_EVENT", "event"),
    ("KANBAN_CARD_ID", "card"),
    ("KANBAN_CARD_TITLE", "title"),
    ("KANBAN_FROM", "from"),
    ("KANBAN_TO", "to"),
    ("KANBAN_VERDICT", "verdict"),
    ("KANBAN_REASON", "reason"),
    ("KANBAN_ATTEMPT", "attempt"),
];

fn variables(told: &Value) -> impl Iterator<Item = (OsString, OsString)> {
    // A variable can't hold a NUL.
    let value = |key: &str| told[key].as_str().unwrap_or_default().replace('\0', "").into();
    VARIABLES.into_iter().map(move |(name, key)| (name.into(), value(key)))
}

fn answer(ended: Ended) -> Answer {
    let said = match ended.stderr.tail.trim() {
        "" => ended.stdout.tail.trim().to_owned(),
        said => said.to_owned(),
    };
    let no = |what: String| match said.is_empty() {
        true => Answer::No(what),
        false => Answer::No(tail(&said, REASON)),
    };
    match ended.exit {
        Exit::Code(0) => Answer::Yes,
        Exit::Code(code) => no(format!("exit {code}")),
        Exit::Signal(signal) => no(format!("ended by signal {signal}")),
        Exit::Limit(limit) => Answer::No(limit.to_owned()),
        Exit::NotStarted(why) => Answer::No(why),
        Exit::Outside => Answer::No(OUTSIDE.to_owned()),
        Exit::Stopped => Answer::Stopped,
    }
}
