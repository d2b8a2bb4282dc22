//! Whether board, tests, rules and hooks are what a run can work with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::machine::answers;
use crate::board::Board;
use crate::checks::Kind;
use crate::checks::shell::{self, Allowlist};
use crate::commands::open_board;
use crate::commands::run::{ignored, unfrozen, unguarded};
use crate::failure::{Failure, Problem};
use crate::inputs::{Inputs, unfit};
use crate::process::find;
use crate::provider::Wanted;
use crate::report::doctor::Findings;
use crate::report::units::{are, of};
use crate::rules::Hook;
use crate::settings::Settings;

pub fn check(settings: &Settings, has_board: bool, findings: &mut Findings) {
    let board = has_board.then(|| read(settings, findings)).flatten();
    let inputs = Inputs::load(settings, &board.clone().unwrap_or_default());
    if let Some(board) = board {
        let order = inputs.as_ref().map_or(&[][..], |inputs| &inputs.rules.order);
        self::board(&board.arranged(order), settings, findings);
    }
    match inputs {
        Err(problems) => problems.into_iter().for_each(|problem| told(problem, "rules and tests", findings)),
        Ok(inputs) => self::inputs(&inputs, settings, findings),
    }
}

/// An error with its file and line.
pub fn told(problem: Problem, check: &'static str, findings: &mut Findings) {
    let text = problem.to_string();
    findings.error(check, text, problem.hint.unwrap_or_default());
}

fn read(settings: &Settings, findings: &mut Findings) -> Option<Arc<Board>> {
    let read = open_board(settings).map_err(anyhow::Error::msg).and_then(|provider| provider.read(&Wanted::default()));
    match read {
        Ok(board) => Some(board),
        Err(error) => {
            let failure = Failure::from(error);
            findings.error("board", format!("{}: {:#}", settings.source_name, failure.error), failure.hints.join("; "));
            None
        }
    }
}

fn board(board: &Board, settings: &Settings, findings: &mut Findings) {
    let name = &settings.source_name;
    findings.ok("board", format!("{name}: {}, {}", of(board.columns.len(), "column"), of(board.cards.len(), "card")));
    for refused in &board.refused {
        let hint = "the others are worked; `board` shows what is read";
        findings.warning("board", format!("{name}: refused: {refused}"), hint);
    }
    // Of a project this says whether the token may write.
    if settings.source.path().is_none() && board.cards.iter().any(|card| !card.stamped) {
        let hint = "the token needs the scope `project` (`gh auth refresh -s project,repo`), or write access to it, and the project must be open";
        findings.error("board", format!("{name} can be read, and not written"), hint);
    }
}

fn inputs(inputs: &Inputs, settings: &Settings, findings: &mut Findings) {
    let rules = settings.shown(&settings.transitions);
    findings.ok("rules", format!("{rules}: {} worked", are(inputs.rules.columns.len(), "column")));
    for (column, _) in inputs.rules.columns.iter().filter(|(_, rule)| rule.evidence.is_none()) {
        let text = format!("{rules}: `{column}` has no `evidence`: codex's own message counts as well");
        findings.warning("rules", text, "evidence: [changes]");
    }
    let tests = settings.shown(&settings.tests);
    findings.ok("tests", format!("{tests}: {}", of(inputs.tests.len(), "test")));
    let shell = inputs.tests.iter().filter(|test| matches!(test.check.kind, Kind::Shell(_))).count();
    if shell > 0 && !settings.allow_shell_tests {
        let text = format!("{} off: a card that needs one is not run", are(shell, "`shell:` test"));
        findings.warning("tests", text, "--allow-shell-tests, and their commands on the --shell-allowlist");
    }
    for (program, many) in missing(settings, inputs) {
        let text = format!("`{program}` is not on PATH: {} can't be judged", of(many, "`shell:` test"));
        findings.warning(
            "tests",
            text,
            "install it, or set PATH where the run is started: PM2 and cron have a short one",
        );
    }
    if let Some([text, hint]) = ignored(settings, inputs) {
        findings.warning("workspace", text, hint);
    }
    for problem in inputs.unfit.clone() {
        told(problem, "hooks", findings);
    }
    let after = inputs.rules.columns.values().filter_map(|rule| rule.after.as_ref());
    let after: Vec<&Hook> = after.chain(inputs.rules.on_event.values()).collect();
    // Of JavaScript `node` is asked below.
    let shell = after.iter().filter(|hook| matches!(hook, Hook::Shell { .. }));
    let unfit: BTreeSet<[String; 2]> = shell.filter_map(|hook| unfit(hook, settings)).collect();
    for [text, hint] in unfit {
        findings.error("hooks", text, hint);
    }
    let judging = unguarded(inputs).chain(after.iter().copied());
    let unfrozen: BTreeSet<[String; 2]> = judging.filter_map(|hook| unfrozen(hook, settings, inputs)).collect();
    for [text, hint] in unfrozen {
        findings.warning("hooks", text, hint);
    }
    let mut hooks = inputs.rules.columns.values().filter_map(|rule| rule.before.as_ref()).chain(after);
    if hooks.any(|hook| matches!(hook, Hook::Js(_))) {
        node(settings, findings);
    }
}

/// Programs that tests would start by their names and that aren't there, with how many tests do.
fn missing(settings: &Settings, inputs: &Inputs) -> BTreeMap<String, usize> {
    let allowlist = Allowlist::new(settings.shell_allowlist.iter().cloned());
    let mut missing = BTreeMap::new();
    for test in &inputs.tests {
        let Kind::Shell(line) = &test.check.kind else { continue };
        let Ok(words) = shell::plan(line, &allowlist, settings.allow_shell_tests) else { continue };
        let program = words.into_iter().next().filter(|program| !program.contains('/'));
        if let Some(program) = program.filter(|program| find(program, &settings.env.path()).is_none()) {
            *missing.entry(program).or_default() += 1;
        }
    }
    missing
}

fn node(settings: &Settings, findings: &mut Findings) {
    let name = &settings.js_runtime;
    let hint = "JavaScript hooks run with it: install it, or name another with --js-runtime";
    answers("node", name, &format!("{name} is not there"), hint, settings, findings);
}
