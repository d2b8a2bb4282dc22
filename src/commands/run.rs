//! `run`: the loop over the real world.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;

use super::journaled::Journaled;
use super::{Known, Opened, places};
use crate::changes::Changes;
use crate::cycle::clock::Clock;
use crate::cycle::drive::{Book, drive};
use crate::cycle::live::Live;
use crate::cycle::plan::Planner;
use crate::cycle::state::Infrastructure;
use crate::evidence::{TreePath, Trees, ignores_all, seen_from};
use crate::failure::{Failure, Kind};
use crate::inputs::{self, Inputs};
use crate::journal::append::Journal;
use crate::journal::{Acceptance, Event, Stopped, compact};
use crate::logs;
use crate::process::{Signal, Spawner, Stop};
use crate::report::{Out, Report, human::Human, json::Json, terminal::Terminal};
use crate::requests;
use crate::rules::{GuardPaths, Hook};
use crate::settings::{Format, Settings, cache};
use crate::storage::{Reserve, RunLock, Writer};

pub fn run(settings: Settings) -> Result<u8, Failure> {
    run_to(settings, None)
}

/// Without a report: the journal has it all.
pub fn quietly(settings: Settings) -> Result<u8, Failure> {
    run_to(settings, Some(Box::new(std::io::sink())))
}

/// `out`: in place of stdout.
fn run_to(settings: Settings, out: Option<Out>) -> Result<u8, Failure> {
    #[cfg(debug_assertions)]
    crate::storage::arm(crate::settings::points(), None);
    // Everything is checked before anything is written or locked. A watcher's board may be away meanwhile.
    let settings = Arc::new(settings);
    let (settings, before) = match Opened::open(settings.clone()) {
        Ok(opened) => {
            fit(&opened.inputs)?;
            (opened.settings, opened.journaled)
        }
        Err(failure) if settings.watch && failure.kind == Kind::Infrastructure => {
            let known = Known::of(settings, None)?;
            (known.settings, known.journaled)
        }
        Err(failure) => return Err(failure),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(anyhow::Error::from)?;
    let stop = Stop::on_signals().map_err(anyhow::Error::from)?;
    let mut lock = lock(&settings)?;
    let writer = lock.writer();
    let told = |failure| told(failure, &settings.cache_dir);
    cache::claim(&writer, &settings).map_err(Failure::from).map_err(told)?;
    lock.hold_history()?.map_err(|held| held.refusal())?;
    let terminal = if out.is_some() { Terminal::NONE } else { Terminal::of(&settings) };
    let logs = logs::start(&writer, &settings, terminal.before_warnings()).map_err(Failure::from).map_err(told)?;
    let code = runtime.block_on(work(
        settings.clone(),
        before,
        lock,
        writer,
        stop.clone(),
        (out.unwrap_or_else(|| logs.stdout()), terminal),
    ));
    let code = code.map_err(told).map_err(|failure| at_once(failure, &stop));
    // A thread that is still reading or waiting must not hold up the end.
    runtime.shutdown_background();
    logs.tell_dropped();
    code
}

/// With what can be done about it, where it is about CACHE_DIR.
fn told(failure: Failure, cache_dir: &Path) -> Failure {
    let about = failure.kind == Kind::Error && format!("{:#}", failure.error).contains(&*cache_dir.to_string_lossy());
    let hint = "journal and attempts are kept there: --cache-dir or CACHE_DIR names another folder";
    if about { failure.hint(hint) } else { failure }
}

/// What failed after a second signal failed because of it: git was ended.
fn at_once(failure: Failure, stop: &Stop) -> Failure {
    let Some(signal) = stop.insisted() else { return failure };
    let error = failure.error.context("stopped at once, by a second signal");
    Failure { kind: ended_by(Some(signal)), error, ..failure }
}

fn lock(settings: &Settings) -> Result<RunLock, Failure> {
    let holder = format!("pid {}, run --source {}", std::process::id(), settings.source_name);
    let (source, seen_from) = (settings.source.to_string(), seen_from(&settings.workspace));
    let locked = RunLock::acquire(&settings.lock_dir, places(settings, &source, &seen_from), &holder)?;
    locked.map_err(|held| held.refusal())
}

async fn work(
    settings: Arc<Settings>,
    before: Journaled,
    lock: RunLock,
    writer: Writer,
    mut stop: Stop,
    (out, terminal): (Out, Terminal),
) -> Result<u8, Failure> {
    let spawner = Spawner::new(&lock).adopting();
    let strays = spawner.end_strays(settings.grace).await?;
    // Read again under the lock: until now another run may have written.
    let Opened { provider, board, journaled, inputs, .. } = opened(&settings, before, &mut stop).await?;
    fit(&inputs)?;
    let disowned = journaled.written_later();
    let Journaled { state, damaged, tally, .. } = journaled;
    let redactor = settings.env.redactor();
    compact::compact(&writer, &settings.cache_dir, tally, redactor)?;
    let mut journal = Journal::open(&writer, &settings.cache_dir, redactor)?;
    let mut report: Box<dyn Report> = match settings.format {
        Format::Human => Box::new(Human::new(out, redactor.clone(), terminal)),
        Format::Json => Box::new(Json { out, redactor: redactor.clone() }),
    };
    let changes = match settings.watch {
        true => Changes::of(watched(&settings, &inputs, &writer)?),
        false => Changes::default(),
    };
    let ignored = ignored(&settings, &inputs).map(|told| told.join("; "));
    let excluded = excluded(&settings, &inputs);
    let trees = Trees::open(&spawner, &settings.cache_dir, &settings.workspace, excluded, &settings.env.path())?;
    let planner = Planner { settings: settings.clone(), inputs: Arc::new(inputs) };
    let clock = Clock::after(state.now, jiff::Timestamp::now, Instant::now);
    let mut book = Book { state, planner, keep: &mut journal, report: report.as_mut(), clock };
    let mut live = Live {
        settings: settings.clone(),
        lock,
        writer,
        spawner,
        provider,
        trees,
        stop,
        changes,
        rejected: Vec::new(),
        told: Default::default(),
        idle: false,
        disowned,
        put_off: 0,
        reserve: Reserve::default(),
    };
    live.writer.tidy(&settings.cache_dir)?;
    let left = settings.source.path().map(|board| live.writer.tidy(board)).transpose()?.unwrap_or_default();
    begin(&mut live, &mut book, [killed(strays), torn(&damaged), replaced(&left), ignored])?;
    live.retain(&board, &mut book)?;
    for refused in &board.refused {
        tracing::warn!("refused: {refused}");
    }
    let outcome = drive(&mut live, &mut book).await;
    end(&live, &mut book, outcome)
}

/// Opens the board; a watcher waits for one that can't be reached.
async fn opened(settings: &Arc<Settings>, before: Journaled, stop: &mut Stop) -> Result<Opened, Failure> {
    let (mut away, mut before) = (Infrastructure::default(), Some(before));
    loop {
        let failure = match Opened::after(before.take(), settings.clone()) {
            Err(failure) if settings.watch && failure.kind == Kind::Infrastructure => failure,
            opened => return opened,
        };
        tracing::warn!("the board can't be reached, waiting: {:#}", failure.error);
        away.again("", "", failure.wait_seconds());
        tokio::select! {
            () = tokio::time::sleep(away.pause(settings.backoff)) => {}
            signal = stop.wait() => return Err(Failure::new(ended_by(Some(signal)), anyhow::anyhow!("stopped while the board could not be reached"))),
        }
    }
}

fn ended_by(signal: Option<Signal>) -> Kind {
    match signal {
        Some(Signal::Interrupt) => Kind::Interrupted,
        _ => Kind::Terminated,
    }
}

/// The first records of a run.
fn begin(live: &mut Live, book: &mut Book<'_>, warnings: [Option<String>; 4]) -> Result<()> {
    let settings = live.settings.clone();
    let pid = std::process::id();
    book.record(Event::RunStarted {
        run: format!("{}-{pid}", book.now().strftime("%Y%m%dT%H%M%SZ")),
        pid,
        source: settings.source.to_string(),
        workspace: settings.workspace.display().to_string(),
        version: env!("CARGO_PKG_VERSION").into(),
        clock: book.clock.behind(book.now()),
    })?;
    let mut warnings: Vec<String> = warnings.into_iter().flatten().collect();
    match live.trees.uncommitted() {
        Ok(paths) => warnings.extend(paths.filter(|paths| !paths.is_empty()).map(|paths| dirty(&paths))),
        Err(error) => tracing::warn!("what is not committed is not known: {error:#}"),
    }
    for (column, _) in book.planner.inputs.rules.columns.iter().filter(|(_, rule)| rule.evidence.is_none()) {
        warnings.push(format!("the rule of `{column}` has no `evidence`: codex's own message counts as well; `evidence: [changes]` is strict"));
    }
    let inputs = &book.planner.inputs;
    let told = unguarded(inputs).filter_map(|hook| unfrozen(hook, &settings, inputs));
    warnings.extend(told.map(|told| told.join("; ")));
    for text in warnings {
        book.record(Event::Warning { text })?;
    }
    adopt(live, book)
}

/// The inputs hold as the files are. What changed while the last run was in an attempt is not adopted: not by this run, nor by
/// one after it by other files.
fn adopt(live: &mut Live, book: &mut Book<'_>) -> Result<()> {
    let inputs = book.planner.inputs.clone();
    let hashes = inputs.hashes();
    let known = hashes.iter().all(|input| book.state.accepted.get(&input.file) == Some(&input.sha256));
    let state = &book.state;
    let copies = inputs::held(&live.settings.workspace, &live.settings.cache_dir, state).map_err(anyhow::Error::msg)?;
    let copied = state.accepted.keys().filter(|file| copies.contains_key(&live.settings.workspace.join(file)));
    let beside: BTreeSet<String> = inputs.without_own(copied.chain(state.held_inputs.keys())).into_iter().collect();
    let changed: Vec<String> = inputs.changed().iter().map(|file| file.name.clone()).collect();
    let held = inputs.any_held(state);
    let unheld = beside.iter().any(|file| !state.held_inputs.contains_key(file));
    if !changed.is_empty() || unheld {
        book.record(Event::InputsHeld { files: changed.iter().cloned().chain(beside).collect() })?;
    }
    match changed.is_empty() && (held || !known) {
        true => live.accept(inputs, Acceptance::Start, book),
        false => Ok(()),
    }
}

/// Where no card could pass, none is paid for.
fn fit(inputs: &Inputs) -> Result<(), Failure> {
    if inputs.unfit.is_empty() { Ok(()) } else { Err(inputs.unfit.clone().into()) }
}

fn killed(strays: usize) -> Option<String> {
    match strays {
        0 => None,
        1 => Some("a process that a killed run left was ended".to_owned()),
        _ => Some(format!("{strays} processes that a killed run left were ended")),
    }
}

fn torn(damaged: &[usize]) -> Option<String> {
    (!damaged.is_empty()).then(|| format!("journal lines {damaged:?} are damaged; the rest is used"))
}

fn replaced(left: &[PathBuf]) -> Option<String> {
    let files: Vec<String> = left.iter().map(|path| path.display().to_string()).collect();
    let files = files.join(", ");
    (!left.is_empty()).then(|| format!("a run was killed as somebody else wrote the board too; what they wrote is in {files}: compare it with the board, then remove it"))
}

/// Of a workspace in which no new file could count, for codex would be paid in vain.
pub fn ignored(settings: &Settings, inputs: &Inputs) -> Option<[&'static str; 2]> {
    let text =
        "git ignores new files in the workspace, and what it ignores is no evidence: cards that make some bounce";
    let hint = "except them in .gitignore with `!`, or name another --workspace";
    ignores_all(&settings.workspace, &excluded(settings, inputs)).then_some([text, hint])
}

/// The `beforeTransition`s of columns without `guardPaths`: what they rest on is guarded as far as it is frozen.
pub fn unguarded(inputs: &Inputs) -> impl Iterator<Item = &Hook> {
    let rules = inputs.rules.columns.values().filter(|rule| rule.guard_paths == GuardPaths::default());
    rules.filter_map(|rule| rule.before.as_ref())
}

/// Of a hook whose answer codex can change unseen.
pub fn unfrozen(hook: &Hook, settings: &Settings, inputs: &Inputs) -> Option<[String; 2]> {
    let Hook::Shell { line, .. } = hook else { return None };
    let text = format!("the hook `{line}` runs no file that is frozen: what codex does to what it rests on holds");
    let hint = "let it run a script of the project, such as ./hooks/check.sh, or name what it rests on in `guardPaths`";
    inputs.of_hook(hook, settings).next().is_none().then(|| [text, hint.to_owned()])
}

/// So many uncommitted files are named.
const NAMED: usize = 3;

fn dirty(paths: &BTreeSet<TreePath>) -> String {
    let named: Vec<String> = paths.iter().take(NAMED).map(ToString::to_string).collect();
    let more = paths.len().checked_sub(NAMED).filter(|more| *more > 0);
    let more = more.map(|more| format!(" and {more} more")).unwrap_or_default();
    let named = named.join(", ");
    format!("not committed: {named}{more}; attempts work on top of that, and git can't tell it from what they do")
}

fn end(live: &Live, book: &mut Book<'_>, outcome: Result<(Stopped, String)>) -> Result<u8, Failure> {
    let settings = &live.settings;
    let counts = book.state.counts;
    let (stopped, reason) = match outcome {
        Ok(ended) => ended,
        Err(error) => {
            // Not a matter of usage alone any more: something may have been done.
            let failure = Failure { kind: Kind::Error, ..Failure::from(error) };
            let reason = format!("{:#}", failure.error);
            let stopped = if live.stop.insisted().is_some() { Stopped::Signal } else { Stopped::Error };
            // The journal itself may be what failed; the error is told in any case.
            book.record(Event::Summary { counts, stopped, reason }).ok();
            return Err(failure);
        }
    };
    let hints = [&book.state.unreachable, &book.state.infrastructure].map(|failure| failure.hint.clone());
    book.record(Event::Summary { counts, stopped, reason: reason.clone() })?;
    let not_passed = counts.bounced + counts.unverified + counts.vetoed > 0 || !book.state.failing.is_empty();
    let kind = match (stopped, live.stop.asked()) {
        (Stopped::Signal, signal) => ended_by(signal),
        (Stopped::Infrastructure, _) => {
            let failure = Failure::new(Kind::Infrastructure, anyhow::anyhow!(reason));
            return Err(hints.into_iter().filter(|hint| !hint.is_empty()).fold(failure, Failure::hint));
        }
        (Stopped::Error, _) => Kind::Error,
        (Stopped::Guard, _) => Kind::Guard,
        (Stopped::Drained, _) if settings.fail_on_bounce && not_passed => Kind::Bounced,
        (Stopped::Drained, _) => return Ok(settings.drained_exit_code),
    };
    Ok(kind.code())
}

/// What a watcher waits for: the board, the gate inputs and what people ask for.
fn watched(settings: &Settings, inputs: &Inputs, writer: &Writer) -> Result<Vec<PathBuf>> {
    let requests = requests::folder(&settings.cache_dir);
    writer.folder(&requests)?;
    let files = inputs.files.iter().map(|file| file.path.clone());
    Ok(files.chain(settings.source.path().map(Path::to_owned)).chain([requests]).collect())
}

/// What is never evidence: the board, the gate inputs, CACHE_DIR, and the run's own report (`run >run.log`).
fn excluded(settings: &Settings, inputs: &Inputs) -> Vec<PathBuf> {
    let files = inputs.files.iter().map(|file| file.path.clone());
    let board = settings.source.path().map(Path::to_owned);
    files.chain(board).chain([settings.cache_dir.clone()]).chain(logs::redirected()).collect()
}
