//! Programs of the user's at a transition: `beforeTransition` may veto it, `afterTransition` hears of it.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;

use crate::board::{CardId, Column};
use crate::journal::AttemptId;
use crate::process::{Ended, Exit, Input, Job, Spawner, Stop};
use crate::prompt::tail;
use crate::redact::Redactor;
use crate::rules::{Hook, Verdict};
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

/// Runs a hook in the workspace.
pub async fn run(
    spawner: &Spawner,
    settings: &Settings,
    hook: &Hook,
    transition: &Transition<'_>,
    stop: &mut Stop,
) -> Result<Answer> {
    let (program, args) = command(hook, &settings.js_runtime);
    let redactor = settings.env.redactor();
    let mut env = settings.env.hooks(&settings.workspace);
    env.extend(variables(transition, redactor));
    let mut told = serde_json::to_value(transition)?;
    redactor.json(&mut told);
    let job = Job {
        program,
        args,
        folder: settings.workspace.clone(),
        env,
        stdin: Input::Bytes(told.to_string().into_bytes()),
        record: settings.cache_dir.join("hooks").join(transition.hook),
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
            let rest = line.split_once(char::is_whitespace).map_or("", |(_, rest)| rest);
            let line = match file {
                Some(file) => format!("{} {rest}", shell_words::quote(&file.to_string_lossy())),
                None => line.clone(),
            };
            ("sh".into(), vec!["-c".into(), line.into()])
        }
    }
}

fn variables(transition: &Transition, redactor: &Redactor) -> Vec<(OsString, OsString)> {
    let attempt = transition.attempt.map_or("", |attempt| attempt.0.as_str());
    [
        ("KANBAN_HOOK", transition.hook),
        ("KANBAN_CARD_ID", &transition.card.0),
        ("KANBAN_CARD_TITLE", transition.title),
        ("KANBAN_FROM", &transition.from.0),
        ("KANBAN_TO", &transition.to.0),
        ("KANBAN_VERDICT", transition.verdict.name()),
        ("KANBAN_REASON", transition.reason),
        ("KANBAN_ATTEMPT", attempt),
    ]
    // A variable can't hold a NUL.
    .map(|(name, value)| (name.into(), redactor.text(value).replace('\0', "").into()))
    .into()
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
        Exit::Outside => Answer::No("ended from outside, by a signal or with its launcher".to_owned()),
        Exit::Stopped => Answer::Stopped,
    }
}
