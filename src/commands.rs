//! One file a subcommand: arguments → options → one call.

mod accept;
mod board;
mod chronicle;
mod demo;
mod doctor;
mod dry_run;
mod explain;
mod history;
mod index_tests;
mod init;
mod journaled;
mod logs;
mod print_plan;
mod reference;
mod replay;
mod report;
mod run;
mod schema;
mod status;
mod steer;

use std::collections::BTreeSet;
use std::io::{ErrorKind, Write, stdout};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::ArgMatches;
use clap_complete::Shell;
use serde::Serialize;

use crate::board::{Board, Card, CardId};
use crate::cli;
use crate::cycle::clock::Clock;
use crate::cycle::plan::{CardPlan, Planner, Readiness};
use crate::cycle::state::State;
use crate::evidence::{artifacts_unchanged, seen_from};
use crate::failure::Failure;
use crate::inputs::{self, Copies, Inputs};
use crate::journal::{Event, Record, VERSION};
use crate::provider::{self, Provider, Wanted};
use crate::report::clean;
use crate::requests;
use crate::settings::{Format, Given, Need, Settings};
use crate::storage::{Held, Places, RunLock};
use journaled::{Beside, Journaled};

/// Runs the subcommand that was given; the exit code.
pub fn dispatch(matches: &ArgMatches) -> Result<u8, Failure> {
    let Some((name, matches)) = matches.subcommand() else { return Ok(2) };
    match name {
        "demo" => demo::demo(matches.get_one::<PathBuf>("folder").cloned()),
        "init" => init::init(matches),
        "schema" => schema::schema(matches.get_one("name")),
        "completions" => reference::completions(*matches.get_one("shell").unwrap_or(&Shell::Bash)),
        "man" => reference::man(matches.get_one::<PathBuf>("folder").map(PathBuf::as_path)),
        "index-tests" => index_tests::index_tests(&settings(matches, Need::History)?),
        "doctor" => doctor::doctor(&given(matches)?, matches.get_flag("self-test")),
        "dry-run" => dry_run::dry_run(settings(matches, Need::Board)?),
        "print-plan" => print_plan::print_plan(settings(matches, Need::Board)?),
        "run" => run::run(settings(matches, Need::Board)?),
        "board" => board::board(&settings(matches, Need::Board)?),
        "explain" => explain::explain(argument(matches, "card"), beside_run(matches)?),
        "replay" => replay::replay(argument(matches, "attempt"), matches.get_flag("then"), beside_run(matches)?),
        "report" => report::report(matches, beside_run(matches)?),
        "history" => {
            history::history(matches.get_one::<String>("card").map(String::as_str), &settings(matches, Need::History)?)
        }
        "logs" => {
            logs::logs(argument(matches, "attempt"), matches.get_flag("follow"), &settings(matches, Need::History)?)
        }
        "status" => status::status(settings(matches, Need::Board), || settings(matches, Need::History)),
        "accept" => accept::accept(&Settings::resolve(&given(matches)?, Need::Board)?),
        _ => steer::steer(name, matches, &beside_run(matches)?),
    }
}

/// A config file that codex left broken doesn't hold, as one that it changed: its accepted copy does.
fn settings(matches: &ArgMatches, need: Need) -> Result<Settings, Failure> {
    let (settings, problems) = Settings::with_problems(&given(matches)?, need);
    if problems.is_empty() {
        return Ok(settings);
    }
    match Known::<()>::of(Arc::new(settings), None) {
        Ok(known) if !known.settings.given.accepted_configs.is_empty() => Ok(Arc::unwrap_or_clone(known.settings)),
        _ => Err(problems.into()),
    }
}

/// For commands that are about a board's history: it is that of the run at work, where there is one.
fn beside_run(matches: &ArgMatches) -> Result<Settings, Failure> {
    let mut settings = settings(matches, Need::Board)?;
    if let Some(kept) = chronicle::kept_by_run(&settings)? {
        settings.cache_dir = kept;
    }
    Ok(settings)
}

fn given(matches: &ArgMatches) -> Result<Given, Failure> {
    Ok(Given::from_process(cli::flags(matches), matches.get_one::<PathBuf>("config").cloned())?)
}

fn argument<'m>(matches: &'m ArgMatches, name: &str) -> &'m str {
    matches.get_one::<String>(name).map_or("", String::as_str)
}

/// A card's plan, and of a cached pass whether it still holds.
fn planned(planner: &Planner, card: &Card, state: &State) -> Result<Option<CardPlan>, Failure> {
    let Some(mut plan) = planner.plan(card, state)? else { return Ok(None) };
    if plan.readiness == Readiness::Cached
        && let Some((attempt, _)) = state.passed(&card.id, &card.status, &plan.key)
    {
        let unchanged = |artifacts: &_| artifacts_unchanged(&planner.settings.workspace, artifacts);
        if let Event::Reopened { reason, .. } = plan.verified(attempt.clone(), state, unchanged) {
            plan.reason = format!("{reason}: the gate is run again, and codex only if it fails");
        }
    }
    Ok(Some(plan))
}

/// Prints one object, or what people read of it.
fn show(settings: &Settings, object: &impl Serialize, human: &str) -> Result<(), Failure> {
    let redactor = settings.env.redactor();
    let text = match settings.format {
        Format::Human => clean(redactor, human),
        Format::Json => {
            let mut value = serde_json::to_value(object).map_err(anyhow::Error::from)?;
            redactor.json(&mut value);
            format!("{value}\n")
        }
    };
    say(&text)?;
    Ok(())
}

/// Prints a text. False where its reader is gone, as `head` is: that leaves nobody to tell.
fn say(text: &str) -> Result<bool, Failure> {
    match stdout().write_all(text.as_bytes()).and_then(|()| stdout().flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(anyhow::Error::from(error).context("cannot write to stdout").into()),
    }
}

/// What a run is about; `source` is the board's one name, `seen_from` what [`seen_from`] says of the workspace.
fn places<'s>(settings: &'s Settings, source: &'s str, seen_from: &'s [PathBuf]) -> Places<'s> {
    Places { source, workspace: &settings.workspace, seen_from, cache_dir: &settings.cache_dir }
}

/// Who holds the board, or another who holds the workspace or one around it.
fn holder(settings: &Settings) -> anyhow::Result<Option<Held>> {
    let (source, seen_from) = (settings.source.to_string(), seen_from(&settings.workspace));
    RunLock::held_by(&settings.lock_dir, places(settings, &source, &seen_from))
}

/// Where the board's newest runner kept its history.
fn last_cache_dir(settings: &Settings) -> Option<PathBuf> {
    RunLock::last_cache_dir(&settings.lock_dir, &settings.source.to_string())
}

fn open_board(settings: &Settings) -> Result<Arc<dyn Provider>, Failure> {
    provider::open(settings.provider, &settings.source, settings.next, &settings.file_keys)
}

/// A board with everything that is known of it. Reading it writes nothing.
pub struct Opened<B = ()> {
    pub settings: Arc<Settings>,
    pub provider: Arc<dyn Provider>,
    pub board: Arc<Board>,
    pub journaled: Journaled<B>,
    pub inputs: Inputs,
}

/// What is known of a board before it is read, and the settings that hold.
struct Known<B = ()> {
    settings: Arc<Settings>,
    journaled: Journaled<B>,
    copies: Copies,
}

impl<B: Beside> Known<B> {
    /// `before`: what was read of the journal already.
    fn of(settings: Arc<Settings>, before: Option<Journaled<B>>) -> Result<Known<B>, Failure> {
        let journaled = Journaled::after(before, &settings.cache_dir)?;
        // A config file that was changed during an attempt doesn't hold, wherever it says that the history is.
        let last = last_cache_dir(&settings).filter(|last| *last != settings.cache_dir);
        let last = last.map(|last| Journaled::<()>::read(&last)).transpose()?;
        let mut copies = Copies::new();
        let last = last.iter().map(|last| (&last.cache_dir, &last.state));
        let known: Vec<_> = last.chain([(&journaled.cache_dir, &journaled.state)]).collect();
        for (folder, state) in known {
            copies = inputs::held(&settings.workspace, folder, state)?;
            let mut configs = copies.clone();
            configs.retain(|path, copy| {
                settings.config_places.contains(path) && settings.given.accepted_configs.get(path) != Some(copy)
            });
            if !configs.is_empty() {
                return Known::of(Arc::new(settings.with_configs(configs)?), Some(journaled));
            }
        }
        Ok(Known { settings, journaled, copies })
    }
}

impl Opened {
    pub fn open(settings: Arc<Settings>) -> Result<Opened, Failure> {
        Opened::after(None, settings)
    }
}

impl<B: Beside> Opened<B> {
    /// `before`: what was read of the journal already.
    fn after(before: Option<Journaled<B>>, settings: Arc<Settings>) -> Result<Opened<B>, Failure> {
        Opened::of(Known::of(settings, before)?, |_, state| state.open())
    }

    /// `cards` are those that are read in full wherever they stand.
    fn of(known: Known<B>, cards: impl FnOnce(&Settings, &State) -> BTreeSet<CardId>) -> Result<Opened<B>, Failure> {
        let Known { settings, journaled, copies } = known;
        let provider = open_board(&settings)?;
        let inputs = Inputs::accepted(&settings, &*provider.outline()?, copies, journaled.state.active.is_empty())?;
        let board =
            provider.read(&Wanted { columns: inputs.rules.worked(), cards: cards(&settings, &journaled.state) })?;
        let board = board.arranged(&inputs.rules.order);
        Ok(Opened { settings, provider, board, journaled, inputs })
    }

    /// For commands that only look: the state of a run that would start now, and its planner.
    pub fn as_if_run(self) -> (Arc<Board>, State, Planner) {
        let Opened { settings, board, journaled, inputs, .. } = self;
        let mut state = journaled.warned(&settings).state;
        let clock = Clock::after(state.now, jiff::Timestamp::now, Instant::now);
        let now = clock.now();
        let started = Event::RunStarted {
            run: String::new(),
            pid: 0,
            source: String::new(),
            workspace: String::new(),
            version: String::new(),
            clock: clock.behind(now),
        };
        let asked = requests::pending(&settings.cache_dir).into_iter().map(|(_, request)| request.event());
        for event in std::iter::once(started).chain(asked) {
            state.apply(&Record { v: VERSION, at: now, event });
        }
        for event in state.moved_by_people(&board) {
            state.apply(&Record { v: VERSION, at: now, event });
        }
        state.board = Some(board.clone());
        (board, state, Planner { settings, inputs: Arc::new(inputs) })
    }
}
