//! The runner's side of a job: starts the launcher, drains both streams, keeps the limits, says how it ended.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::{MissedTickBehavior, interval, sleep_until};

use super::capture::Capture;
use super::launcher::{self, AT_ONCE, END, EXIT_FILE, EndedBy, Order, Report, SWEEP};
use super::{Captured, Ended, Exit, Input, Job, MARKER, Spawner, Stop, TIME_LIMIT, Watch, strays, tree};
use crate::storage::{self, effect};

/// After the launcher's end its pipes are read for this long: what it could not kill may still hold them.
const DRAIN: Duration = Duration::from_secs(2);
/// What a launcher may take beyond grace and sweep before the runner ends everything itself.
const SLACK: Duration = Duration::from_secs(2);
/// Silence is believed only after another look: a stopped and continued runner finds pipes full and deadlines past.
const SECOND_LOOK: Duration = Duration::from_millis(100);
const PIECE: usize = 64 * 1024;
const TICK: Duration = Duration::from_secs(1);

impl Spawner {
    /// Runs a job to its end; when this returns, nothing of its tree is running. Ends it early when `job.limit` or a
    /// deadline of `watch` passes, or `stop` is asked for; a stop asked for again takes its grace. Dropping the future
    /// ends the job as well, in the background. An error means that the record can't be written, and nothing was run.
    pub async fn run(&self, job: Job, watch: &mut dyn Watch, stop: &mut Stop) -> Result<Ended> {
        let began = Instant::now();
        if stop.asked().is_some() {
            return Ok(Ended::without_running(Exit::Stopped, began));
        }
        let record = std::path::absolute(&job.record).context("cannot tell the current folder")?;
        let stdin = self.prepare(&job, &record)?;
        static JOBS: AtomicU32 = AtomicU32::new(0);
        let number = JOBS.fetch_add(1, Ordering::Relaxed);
        let marker = format!("{}:{}-{number}", self.marker, std::process::id());
        let mut child = match self.launch(&job, &record, stdin.as_deref(), &marker) {
            Ok(child) => child,
            Err(text) => return Ok(Ended::without_running(Exit::NotStarted(text), began)),
        };
        let capture = |name: &str| Capture::new(&self.writer, &record.join(name), job.keep, &job.redactor);
        let running = Running {
            control: child.stdin.take(),
            stdout: Stream { pipe: child.stdout.take(), capture: capture(&job.stdout_name) },
            stderr: Stream { pipe: child.stderr.take(), capture: capture(&job.stderr_name) },
            child,
            marker,
            own_children: self.own_children.clone(),
            grace: job.grace,
            reason: None,
            exited: None,
            hard: after(began, job.limit),
            strays: 0,
        };
        let mut ended = running.follow(watch, stop).await.ended(&record, began);
        // Who signals a whole tree, as PM2 can, reaches the program before the runner: a stop is no failure of the program's.
        let untimely = matches!(ended.exit, Exit::Code(1..) | Exit::Signal(_) | Exit::Outside);
        if untimely && stop.soon().await {
            ended.exit = Exit::Stopped;
        }
        Ok(ended)
    }

    /// Makes the record folder fit for a new run. Gives the file that is to be standard input.
    fn prepare(&self, job: &Job, record: &Path) -> Result<Option<PathBuf>> {
        self.writer.folder(record)?;
        // An older one would be taken for this run's.
        self.writer.remove(&record.join(EXIT_FILE))?;
        match &job.stdin {
            Input::Null => Ok(None),
            Input::File(path) => {
                Ok(Some(std::path::absolute(path).with_context(|| format!("cannot find {}", path.display()))?))
            }
            Input::Bytes(bytes) => {
                let path = record.join("stdin");
                self.writer.replace(&path, bytes)?;
                Ok(Some(path))
            }
        }
    }

    fn launch(&self, job: &Job, record: &Path, stdin: Option<&Path>, marker: &str) -> Result<Child, String> {
        // Otherwise it would be told as a program that is missing.
        if !job.folder.is_dir() {
            return Err(format!("there is no folder {}", job.folder.display()));
        }
        let order = Order { record, grace: job.grace, stdin, program: &job.program, args: &job.args };
        let mut command = Command::new(&self.launcher);
        command
            .arg0(env!("CARGO_PKG_NAME"))
            .args(order.words())
            .env_clear()
            .envs(job.env.iter().map(|(name, value)| (name, value)))
            .env(MARKER, marker)
            .current_dir(&job.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        effect("spawn", Path::new(&job.program), || command.spawn()).map_err(|error| match error.kind() {
            std::io::ErrorKind::ArgumentListTooLong => launcher::refusal(&job.program, &error),
            _ => format!("cannot start {}: {error}", self.launcher.display()),
        })
    }
}

impl Ended {
    fn without_running(exit: Exit, began: Instant) -> Ended {
        let nothing = Captured::default;
        Ended { exit, stdout: nothing(), stderr: nothing(), strays: 0, took: began.elapsed(), lost: None }
    }
}

struct Stream<P> {
    /// None after its end.
    pipe: Option<P>,
    capture: Capture,
}

struct Running {
    child: Child,
    control: Option<ChildStdin>,
    stdout: Stream<ChildStdout>,
    stderr: Stream<ChildStderr>,
    /// In the environment of everything in this job's tree.
    marker: String,
    own_children: Option<Vec<i32>>,
    grace: Duration,
    /// Why the runner is ending the job, when it is.
    reason: Option<Exit>,
    /// The launcher's end.
    exited: Option<Option<ExitStatus>>,
    /// When the phase that the job is in has taken too long: running, ending, draining.
    hard: Instant,
    strays: u32,
}

impl Running {
    async fn follow(mut self, watch: &mut dyn Watch, stop: &mut Stop) -> Running {
        let (mut out, mut err) = (vec![0; PIECE], vec![0; PIECE]);
        let mut stops = 0;
        let mut second_look = None;
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.exited.is_none() || self.stdout.pipe.is_some() || self.stderr.pipe.is_some() {
            // Not left to the timer alone: a program that never stops printing keeps it from being looked at.
            if Instant::now() >= self.hard && self.too_long().await {
                break;
            }
            let watched = watch.deadline().filter(|_| self.reason.is_none() && self.exited.is_none());
            let soft = watched.map(|(at, _)| second_look.unwrap_or(at));
            let timer = soft.map_or(self.hard, |at| at.min(self.hard));
            tokio::select! {
                times = stop.beyond(stops), if self.exited.is_none() => {
                    stops = times;
                    self.asked_to_stop(times).await;
                }
                status = self.child.wait(), if self.exited.is_none() => self.exited(status.ok()).await,
                size = read(&mut self.stdout.pipe, &mut out), if self.stdout.pipe.is_some() => {
                    second_look = None;
                    if size > 0 {
                        watch.stdout(&out[..size], Instant::now());
                    }
                    self.stdout.capture.push(&out[..size]);
                }
                size = read(&mut self.stderr.pipe, &mut err), if self.stderr.pipe.is_some() => {
                    self.stderr.capture.push(&err[..size]);
                }
                _ = ticks.tick() => watch.tick(Instant::now()),
                () = sleep_until(timer.into()) => {
                    if let Some((_, limit)) = watched.filter(|_| timer < self.hard) {
                        match second_look {
                            None => second_look = Some(Instant::now() + SECOND_LOOK),
                            Some(_) => self.end(Exit::Limit(limit), END).await,
                        }
                    }
                }
            }
        }
        self
    }

    async fn asked_to_stop(&mut self, times: u32) {
        if times > 1 {
            self.end(Exit::Stopped, AT_ONCE).await;
        } else if self.reason.is_none() {
            self.end(Exit::Stopped, END).await;
        }
    }

    /// Tells the launcher to end the job. The first reason counts.
    async fn end(&mut self, reason: Exit, word: u8) {
        let grace = if word == AT_ONCE { Duration::ZERO } else { self.grace };
        let hard = after(Instant::now() + SWEEP + SLACK, grace);
        // A stop that is asked for again and again must not put the end off.
        self.hard = if self.reason.is_some() { hard.min(self.hard) } else { hard };
        self.reason.get_or_insert(reason);
        if let Some(control) = &mut self.control {
            // A launcher that no longer reads is dead or dying; the backstop sees to its tree.
            control.write_all(&[word]).await.ok();
        }
    }

    /// The phase took too long: the next one begins. True when there is none.
    async fn too_long(&mut self) -> bool {
        match (&self.exited, &self.reason) {
            (Some(_), _) => return true,
            (None, None) => self.end(Exit::Limit(TIME_LIMIT), END).await,
            (None, Some(_)) => {
                self.kill_all().await;
                let status = tokio::time::timeout(DRAIN, self.child.wait()).await;
                self.exited(status.ok().and_then(Result::ok)).await;
            }
        }
        false
    }

    /// The launcher is frozen: its tree is ended from here.
    async fn kill_all(&mut self) {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok());
        let tree = pid.map(|pid| tree::descendants(pid, &tree::all())).unwrap_or_default();
        // The launcher first: it must not see its child's end and report that as the program's own.
        self.child.start_kill().ok();
        let killed = tree.iter().filter(|process| tree::kill(process)).count();
        self.strays += u32::try_from(killed).unwrap_or(u32::MAX);
    }

    async fn exited(&mut self, status: Option<ExitStatus>) {
        self.exited = Some(status);
        // A launcher that did not end by itself left its tree.
        if status.is_none_or(|status| status.code().is_none()) {
            let killed = strays::end(&self.marker, Duration::ZERO).await.unwrap_or_else(|error| {
                tracing::warn!("{error:#}");
                0
            });
            let adopted = match &self.own_children {
                Some(own) => strays::end_adopted(own).await,
                None => 0,
            };
            self.strays += u32::try_from(killed + adopted).unwrap_or(u32::MAX);
        }
        self.hard = Instant::now() + DRAIN;
    }

    fn ended(self, record: &Path, began: Instant) -> Ended {
        let report = storage::read(record.join(EXIT_FILE)).ok();
        let report = report.and_then(|json| serde_json::from_slice::<Report>(&json).ok());
        if let Some(Report { left: left @ 1.., .. }) = report {
            tracing::warn!(left, "processes of a job could not be killed");
        }
        let strays = self.strays + report.as_ref().map_or(0, |report| report.strays);
        let (stdout, lost_stdout) = self.stdout.capture.finish();
        let (stderr, lost_stderr) = self.stderr.capture.finish();
        let own_end = self.exited.flatten().is_some_and(|status| status.code().is_some());
        let unreported = report.is_none() && own_end;
        let lost_exit = unreported.then(|| format!("{} is missing", record.join(EXIT_FILE).display()));
        let lost = lost_stdout.or(lost_stderr).or(lost_exit);
        let exit = exit(report, self.reason, self.exited.flatten());
        Ended { exit, stdout, stderr, strays, took: began.elapsed(), lost }
    }
}

/// How the job ended whose record this is, if its launcher lived to say so; the runner may have died before. What was
/// ended from outside, as the launcher does when its runner dies, is [`Exit::Outside`].
pub fn recorded(record: &Path) -> Option<Exit> {
    let report = serde_json::from_slice::<Report>(&storage::read(record.join(EXIT_FILE)).ok()?).ok()?;
    Some(exit(Some(report), None, None))
}

/// When the job of that record ended, at the latest: as its launcher says or, where it could not, this long after it last
/// said anything.
pub fn ended(record: &Path, silence: Duration) -> Option<SystemTime> {
    let written = |path: PathBuf| fs::metadata(path).and_then(|data| data.modified()).ok();
    if recorded(record).is_some() {
        return written(record.join(EXIT_FILE));
    }
    let said = fs::read_dir(record).ok()?.flatten().filter_map(|entry| written(entry.path())).max();
    said?.checked_add(silence)
}

/// What the launcher reported counts most: a program that had ended before the runner could end it has ended by itself.
fn exit(report: Option<Report>, reason: Option<Exit>, launcher: Option<ExitStatus>) -> Exit {
    match report {
        Some(Report { error: Some(error), .. }) => Exit::NotStarted(error),
        Some(Report { ended_by: EndedBy::Exit, code: Some(code), .. }) => Exit::Code(code),
        Some(Report { ended_by: EndedBy::Exit, signal: Some(signal), .. }) => Exit::Signal(signal),
        Some(_) => reason.unwrap_or(Exit::Outside),
        // The launcher was killed, or the disk is full: then its exit code says what the program's was.
        None => reason.unwrap_or_else(|| launcher.and_then(|status| status.code()).map_or(Exit::Outside, Exit::Code)),
    }
}

/// No limit is longer than a year: beyond what the clock can count, adding would panic.
fn after(start: Instant, limit: Duration) -> Instant {
    start + limit.min(Duration::from_secs(365 * 24 * 3600))
}

/// The size of the next piece; 0 at the end, where the pipe is closed.
async fn read(pipe: &mut Option<impl AsyncRead + Unpin>, piece: &mut [u8]) -> usize {
    let Some(open) = pipe else {
        return 0;
    };
    let size = open.read(piece).await.unwrap_or(0);
    if size == 0 {
        *pipe = None;
    }
    size
}
