//! One execution: the tree before, codex, the tree after.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Error, Result};

use super::Live;
use super::shown::{Locked, Shown};
use crate::codex::{Cause, EventWatch, Events, Outcome, classify};
use crate::cycle::decide::Settlement;
use crate::cycle::drive::Book;
use crate::cycle::plan::{CardPlan, Found};
use crate::cycle::recorded::LEFT_OUT;
use crate::cycle::state::Attempt;
use crate::evidence::{Artifact, Forged, Gone, IgnoreRules, Lost, TreeId, TreePath, Work, artifacts};
use crate::failure::disk_hint;
use crate::journal::{AttemptId, Ending, Event, Reserved, Why};
use crate::process::{Exit, Input, Job, OUTSIDE, TIME_LIMIT, Watch, ended, recorded};
use crate::provider::Applied;
use crate::rules::GuardPaths;
use crate::settings::cache;
use crate::storage;

/// So much of each of codex's streams is kept of an attempt, in bytes. Its end waits in memory, at times twice.
const KEEP: usize = 8 << 20;
/// So much of CACHE_DIR's disk is kept from codex, in bytes: what it did can be recorded also where it filled the disk.
const RESERVE: u64 = 16 << 20;
/// What an attempt removed with `.git`, or by a `git gc` after history was rewritten.
const GONE: &str = "git's objects of what it changed, which are gone";
/// A larger patch is not kept; the trees are.
const LARGEST_PATCH: usize = 16 << 20;

impl Live {
    pub(super) async fn execute(&mut self, plan: CardPlan, book: &mut Book<'_>) -> Result<()> {
        self.lock.keep()?.map_err(|held| Error::msg(held.refusal()))?;
        if self.lost(&plan.card.id, book)? {
            return Ok(());
        }
        let room = self.writer.reserve(&mut self.reserve, &self.settings.cache_dir, RESERVE)?;
        if !self.claim(&plan, book)? {
            return Ok(());
        }
        let folder = self.folder(&plan.attempt);
        // A folder of that name is of an execution that the journal no longer knows.
        self.writer.remove_folder(&folder)?;
        let Some(tests) = self.before(&plan, book).await? else {
            book.state.stopping = true;
            return Ok(());
        };
        let spoiled = self.spoiled(&plan.card.id, &book.state);
        if let Some(reason) = plan.hopeless(&tests, spoiled.as_ref(), book.state.worked(&plan.card.id)) {
            let plan = CardPlan { reason, ..plan };
            book.record(plan.refused())?;
            return self.settle(Settlement::refusal(plan), book).await;
        }
        let guards = book.planner.inputs.rules.columns.values().map(|rule| &rule.guard_paths);
        let named: Vec<TreePath> = guards.flat_map(GuardPaths::named).collect();
        let (snapshot, ignore) =
            self.trees.snapshot_before(&named).context("the tree before the attempt can't be taken")?;
        let (prompt, ignore_json) = (plan.prompt.text.as_bytes(), serde_json::to_vec(&ignore)?);
        let mut files = self.writer.batch();
        files.put(&folder.join("prompt.md"), prompt)?;
        files.put(&folder.join("ignore.json"), &ignore_json)?;
        files.commit()?;
        let command = plan.command.clone().map_err(anyhow::Error::msg)?;
        let watched = self.watched(book);
        let (before, unaccepted) = (Some(snapshot.tree.clone()), watched.unaccepted.clone());
        book.record(plan.started(Found { before, tests, unaccepted }))?;
        let prompt = folder.join("prompt.md");
        let stdin = if command.prompt_on_stdin { Input::File(prompt) } else { Input::Null };
        let (program, args) = command.argv.split_first().context("an empty command")?;
        let job = self.codex_job(program, args, stdin, &folder, plan.reserved);
        let watch = EventWatch::new(&self.settings.codex, self.settings.env.redactor(), Instant::now());
        let shown = Shown::new(watch, &plan.card, book.report);
        let mut locked = Locked { watch: shown, lock: &mut self.lock };
        let ended = self.spawner.run(job, &mut locked, &mut self.stop).await?;
        let watch = locked.watch.watch;
        drop(room);
        // Where somebody removed them, what is left to be told still finds its place.
        cache::claim(&self.writer, &self.settings)?;
        self.writer.folder(&folder)?;
        self.clean_message(&folder)?;
        if let Some(lost) = &ended.lost {
            tracing::warn!(attempt = %plan.attempt, "not recorded: {lost}");
        }
        let mut meddled = self.meddled(&watched, &plan.card.id, book)?;
        let events = watch.into_events();
        let usage = events.used(&ended.exit, &ended.stdout.tail);
        let message = message(&folder, &events, &ended.stdout.tail);
        let outcome = classify(&ended.exit, &events, &ended.stderr.tail, &message);
        let ending = self.ending(self.by_own_limit(outcome, &ended.exit, plan.reserved), &folder)?;
        book.state.stopping = self.stop.asked().is_some();
        let after = self.after_tree(&plan.attempt, Some(&snapshot.tree), &ignore, None)?;
        let (after, artifacts) = match self.keep_work(&plan.attempt, &snapshot.tree, after) {
            Err(error) if error.is::<Forged>() => {
                meddled.push(error.root_cause().to_string());
                (None, Vec::new())
            }
            // A runner that ended here would pay for the same again.
            Err(error) if error.is::<Gone>() => {
                meddled.push(GONE.to_owned());
                self.trees.forget()?;
                (None, Vec::new())
            }
            // It goes with what else it removed.
            Err(error) if error.is::<Lost>() && !meddled.is_empty() => {
                tracing::warn!(attempt = %plan.attempt, "{error:#}");
                (None, Vec::new())
            }
            kept => kept?,
        };
        book.record(Event::AttemptEnded {
            attempt: plan.attempt,
            ending,
            after,
            artifacts,
            usage,
            seconds: ended.took.as_secs_f64(),
            strays: ended.strays,
            meddled,
        })
    }

    /// Stamps the card's id, so that it is found again whatever becomes of its text. False where the card is elsewhere.
    fn claim(&self, plan: &CardPlan, book: &mut Book<'_>) -> Result<bool> {
        if plan.card.stamped {
            return Ok(true);
        }
        match self.provider.claim(&self.writer, &plan.card)? {
            Applied::Done { id } => book.record(Event::Claimed { card: id, title: plan.card.title.to_string() })?,
            Applied::Already => {}
            Applied::Elsewhere(_) | Applied::Reworded => {
                book.state.board = None;
                return Ok(false);
            }
            Applied::Refused(reason) => {
                let reason = format!("it can't be claimed on the board: {reason}");
                book.record(plan.skipped(Why::Blocked, reason))?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn codex_job(&self, program: &str, args: &[String], stdin: Input, folder: &Path, reserved: Reserved) -> Job {
        Job {
            program: program.into(),
            args: args.iter().map(OsString::from).collect(),
            folder: self.settings.workspace.clone(),
            env: self.settings.env.codex(),
            stdin,
            record: folder.to_owned(),
            stdout_name: "events.jsonl".into(),
            stderr_name: "stderr.log".into(),
            limit: self.settings.codex.attempt_limit.min(Duration::from_secs(reserved.seconds)),
            grace: self.settings.grace,
            keep: KEEP,
            redactor: self.settings.env.redactor().clone(),
        }
    }

    /// What was left of its card's time is no measure of the model: who comes to its end has failed.
    fn by_own_limit(&self, outcome: Outcome, exit: &Exit, reserved: Reserved) -> Outcome {
        let limit = Duration::from_secs(reserved.seconds);
        let own = *exit == Exit::Limit(TIME_LIMIT) && limit < self.settings.codex.attempt_limit;
        match outcome {
            Outcome::Work { .. } | Outcome::Infrastructure { cause: Cause::NoAnswer, .. } if own => {
                Outcome::Work { reason: "codex was ended: the time that its card has was used up".to_owned() }
            }
            outcome => outcome,
        }
    }

    /// Codex writes its last message itself: what it wrote holds no secret from now on.
    fn clean_message(&self, folder: &Path) -> Result<()> {
        let path = folder.join("message.md");
        let Ok(bytes) = storage::read(&path) else { return Ok(()) };
        match self.settings.env.redactor().text(&String::from_utf8_lossy(&bytes)) {
            Cow::Borrowed(_) => Ok(()),
            Cow::Owned(clean) => self.writer.replace(&path, clean.as_bytes()),
        }
    }

    /// What an outcome costs. The message of a good one is kept for later judgements.
    fn ending(&self, outcome: Outcome, folder: &Path) -> Result<Ending> {
        let kept = folder.join("message.md");
        match &outcome {
            Outcome::Ok { message } => {
                self.writer.replace(&kept, self.settings.env.redactor().text(message).as_bytes())?;
            }
            Outcome::Work { .. } | Outcome::Infrastructure { .. } | Outcome::Interrupted => {
                self.writer.remove(&kept)?
            }
        }
        Ok(match outcome {
            Outcome::Ok { .. } => Ending::Ok,
            // A stop is never taken for a failure.
            _ if self.stop.asked().is_some() => Ending::Interrupted,
            Outcome::Work { reason } => Ending::Work { reason },
            Outcome::Infrastructure { reason, hint, reset, .. } => {
                let now = jiff::Zoned::now().datetime();
                let wait_seconds = reset.map(|reset| reset.wait(now).as_secs());
                Ending::Infrastructure { reason, hint: hint.to_owned(), wait_seconds }
            }
            // Somebody ended it who did not stop the loop. Were that free, an agent could be run all night.
            Outcome::Interrupted => Ending::Infrastructure {
                reason: format!("codex was {OUTSIDE}"),
                hint: "see who ends it: a memory limit, a supervisor, or the agent itself".to_owned(),
                wait_seconds: None,
            },
        })
    }

    /// The rules that an attempt's trees are taken with.
    pub(super) fn ignore_rules(&self, attempt: &AttemptId) -> Option<IgnoreRules> {
        serde_json::from_slice(&storage::read(self.folder(attempt).join("ignore.json")).ok()?).ok()
    }

    /// The tree after an attempt, which has `ended` then where that is not now; None where its doing keeps it from being taken.
    /// That the disk is full is no card's doing: the attempt stays open, and a later run takes the tree.
    pub(super) fn after_tree(
        &self,
        attempt: &AttemptId,
        before: Option<&TreeId>,
        ignore: &IgnoreRules,
        ended: Option<SystemTime>,
    ) -> Result<Option<TreeId>> {
        let Some(before) = before else { return Ok(None) };
        match self.trees.snapshot_after(ignore, ended.map(|ended| (ended, before))) {
            Ok(snapshot) => {
                for skipped in &snapshot.skipped {
                    tracing::warn!(%attempt, "not in the tree: {skipped:?}");
                }
                let left_out = self.folder(attempt).join(LEFT_OUT);
                if !snapshot.skipped.is_empty() || left_out.exists() {
                    self.writer.replace(&left_out, &serde_json::to_vec(&snapshot.skipped)?)?;
                }
                Ok(Some(snapshot.tree))
            }
            // Or git was ended with the run.
            Err(error) if disk_hint(&error).is_some() || self.stop.asked().is_some() => {
                Err(error.context("the tree after the attempt can't be taken"))
            }
            Err(error) => {
                tracing::error!(%attempt, "the tree after the attempt can't be taken: {error:#}");
                Ok(None)
            }
        }
    }

    /// Keeps the attempt's patch, and says which files it is about.
    fn keep_work(
        &self,
        id: &AttemptId,
        before: &TreeId,
        after: Option<TreeId>,
    ) -> Result<(Option<TreeId>, Vec<Artifact>)> {
        let Some(after) = after else { return Ok((None, Vec::new())) };
        let Work { changes, back, whole } = self.trees.work(before, &after)?;
        if !whole {
            tracing::warn!(attempt = %id, "it changed more than 512 MiB: the largest files are no evidence, and no patch is kept");
        } else if !changes.is_empty() {
            let patch = self.trees.saved().patch(before, &after)?;
            if patch.len() > LARGEST_PATCH {
                let size = patch.len() >> 20;
                tracing::warn!(attempt = %id, "its patch holds {size} MiB and is not kept; its trees are");
            } else {
                let text = String::from_utf8_lossy(&patch);
                // A hunk may begin in the midst of a key, of the file as it is or as it was.
                let redactor = self.settings.env.redactor().knowing(changes.texts().chain(back.texts()));
                // Without a secret in it, it is what `git apply` takes, UTF-8 or not.
                let bytes = match redactor.text(&text) {
                    Cow::Borrowed(_) => Cow::Borrowed(patch.as_slice()),
                    Cow::Owned(clean) => Cow::Owned(clean.into_bytes()),
                };
                self.writer.replace(&self.folder(id).join("changes.patch"), &bytes)?;
            }
        }
        Ok((Some(after), artifacts(changes.files.iter())))
    }

    /// An attempt whose runner died. What codex had finished is not repeated; anything else is interrupted.
    pub(super) async fn recover(&mut self, id: &AttemptId, book: &mut Book<'_>) -> Result<()> {
        let Some(attempt) = book.state.attempts.get(id).cloned() else { return Ok(()) };
        self.refuse_requests(&attempt.card, book)?;
        let mut meddled = self.tampered(&attempt.unaccepted, book)?;
        if self.disowned {
            let text = format!("the journal was written into while {id} was open: what it did is no evidence");
            book.record(Event::Warning { text })?;
        }
        let folder = self.folder(id);
        // People may have worked on since.
        let ended = ended(&folder, self.settings.codex.silence_limit);
        self.clean_message(&folder)?;
        let (ending, usage) = match self.disowned {
            true => (Ending::Interrupted, None),
            false => self.recovered(&attempt, &folder).await?,
        };
        let ignore = self.ignore_rules(id).filter(|_| !self.disowned);
        let after = match ignore {
            Some(ignore) => self.after_tree(id, attempt.before.as_ref(), &ignore, ended)?,
            None => None,
        };
        let kept = attempt.before.as_ref().map(|before| self.keep_work(id, before, after)).transpose();
        let (ending, (after, artifacts)) = match kept {
            Err(error) if error.is::<Forged>() => {
                meddled.push(error.root_cause().to_string());
                (ending, Default::default())
            }
            // By whom is not known.
            Err(error) if error.is::<Lost>() => {
                let text = format!("what {id} did is no evidence, and it is tried again: {error}");
                book.record(Event::Warning { text })?;
                (Ending::Interrupted, Default::default())
            }
            kept => (ending, kept?.unwrap_or_default()),
        };
        // Its runner's death can be long ago.
        let now = book.now();
        let until = ended.and_then(|ended| jiff::Timestamp::try_from(ended).ok()).map_or(now, |ended| ended.min(now));
        let since = until.duration_since(attempt.started).as_secs_f64().max(0.0);
        let seconds = since.min(attempt.reserved.seconds as f64);
        book.record(Event::AttemptEnded {
            attempt: id.clone(),
            ending,
            after,
            artifacts,
            usage,
            seconds,
            strays: 0,
            meddled,
        })
    }

    async fn recovered(&mut self, attempt: &Attempt, folder: &Path) -> Result<(Ending, Option<crate::codex::Usage>)> {
        let Some(exit) = recorded(folder) else { return Ok((Ending::Interrupted, None)) };
        let read = |name: &str| storage::read(folder.join(name)).unwrap_or_default();
        let mut watch = EventWatch::new(&self.settings.codex, self.settings.env.redactor(), Instant::now());
        let stdout = read("events.jsonl");
        watch.stdout(&stdout, Instant::now());
        let events = watch.into_events();
        let stdout = String::from_utf8_lossy(&stdout).into_owned();
        let message = message(folder, &events, &stdout);
        let outcome = classify(&exit, &events, &String::from_utf8_lossy(&read("stderr.log")), &message);
        let last = storage::read(folder.join("message.md")).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let outcome = match last.unwrap_or_default() {
            // The runner died before it had read the end of the events, but codex writes its last message only after that.
            message if exit == Exit::Code(0) && events.turn_failed.is_none() && !message.trim().is_empty() => {
                Outcome::Ok { message }
            }
            _ => outcome,
        };
        tracing::info!(card = %attempt.card, "recovered: {outcome:?}");
        Ok(match outcome {
            Outcome::Ok { .. } => (self.ending(outcome, folder)?, events.usage),
            // A codex that lost its runner ends badly without a fault of its own.
            Outcome::Work { .. } | Outcome::Infrastructure { .. } | Outcome::Interrupted => {
                self.writer.remove(&folder.join("message.md"))?;
                (Ending::Interrupted, events.usage)
            }
        })
    }
}

/// The final message: what the events say, else the file that codex writes it to, else the plain text on stdout.
fn message(folder: &Path, events: &Events, stdout: &str) -> String {
    if let Some(message) = &events.message {
        return message.clone();
    }
    match storage::read(folder.join("message.md")) {
        Ok(bytes) if !bytes.is_empty() => String::from_utf8_lossy(&bytes).into_owned(),
        _ if events.seen => String::new(),
        _ => stdout.to_owned(),
    }
}
