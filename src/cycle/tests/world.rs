//! A world for the loop: a board in memory, a journal that keeps lines, a codex whose outcomes are known beforehand, and a
//! power cut at any moment. It records what [`crate::cycle::live`] records, in the same order.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use anyhow::{Result, bail};
use jiff::Timestamp;

use super::work::changing;
use crate::board::{Board, Card, CardContent, CardId, Column};
use crate::checks;
use crate::codex::Usage;
use crate::cycle::clock::Clock;
use crate::cycle::decide::{Action, Settlement, Wait};
use crate::cycle::drive::{Book, Driver, drive};
use crate::cycle::gate::{self, Case, Judgement, Tested};
use crate::cycle::plan::{CardPlan, Found, Planner};
use crate::cycle::state::State;
use crate::index::{self, Index};
use crate::inputs::Inputs;
use crate::journal::append::line;
use crate::journal::{AttemptId, Ending, Event, Keep, Record, Stopped, VERSION};
use crate::redact::Redactor;
use crate::report::Report;
use crate::rules::{Rule, Rules, Verdict};
use crate::settings::{Given, Need, Settings};

/// No time passes in this world.
static STILL: LazyLock<Instant> = LazyLock::new(Instant::now);

/// What becomes of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Pass,
    Fail,
    /// Codex itself says that it failed.
    Work,
    Tampered,
    /// The gate can't tell twice, then the attempt passes.
    Inconclusive,
    Infrastructure,
    /// Codex ends by a signal that nobody here sent.
    Interrupted,
    /// It passes, and the hook before the move says no.
    Vetoed,
    /// A person moves the card to the board's last column meanwhile.
    Moved,
    /// The card is edited meanwhile, by a person or by codex.
    Edited,
    /// The same, and other tests belong to it then.
    Retested,
    /// The same, and then the network is gone.
    RetestedAndLost,
    /// It passes, and something undoes its work: judged again, it fails.
    Undone,
    /// A person deletes the card meanwhile.
    Deleted,
}

impl Outcome {
    pub const ALL: [Outcome; 14] = [
        Outcome::Pass,
        Outcome::Fail,
        Outcome::Work,
        Outcome::Tampered,
        Outcome::Inconclusive,
        Outcome::Infrastructure,
        Outcome::Interrupted,
        Outcome::Vetoed,
        Outcome::Moved,
        Outcome::Edited,
        Outcome::Retested,
        Outcome::RetestedAndLost,
        Outcome::Undone,
        Outcome::Deleted,
    ];

    /// Whose repetition is bounded by the card's own attempts, and that depends on nobody outside.
    pub const WORK: [Outcome; 5] = [Outcome::Pass, Outcome::Fail, Outcome::Work, Outcome::Tampered, Outcome::Vetoed];

    fn verdict(self) -> Verdict {
        match self {
            Outcome::Fail | Outcome::Work => Verdict::Fail,
            Outcome::Tampered => Verdict::Tampered,
            Outcome::Inconclusive => Verdict::Inconclusive,
            _ => Verdict::Pass,
        }
    }
}

/// How much may happen until the power goes off. Shared by all that lasts.
type Fuel = Rc<Cell<usize>>;

pub fn burn(fuel: &Fuel) -> Result<()> {
    let Some(left) = fuel.get().checked_sub(1) else { bail!("the power is off") };
    fuel.set(left);
    Ok(())
}

/// What a power cut leaves: the journal's lines.
#[derive(Debug, Default, Clone)]
pub struct Disk {
    pub lines: Vec<String>,
    fuel: Fuel,
}

impl Disk {
    pub fn records(&self) -> Vec<Record> {
        self.lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Keep for Disk {
    fn keep(&mut self, record: &Record) -> Result<()> {
        burn(&self.fuel)?;
        self.lines.push(line(record, &Redactor::default())?);
        Ok(())
    }
}

pub fn fold(records: &[Record]) -> State {
    let mut state = State::default();
    records.iter().for_each(|record| state.apply(record));
    state
}

/// Checks what must hold after each record, and keeps what the journal does not.
#[derive(Default)]
pub struct Witness {
    pub shown: Vec<Record>,
}

impl Report for Witness {
    fn show(&mut self, record: &Record) {
        self.shown.push(record.clone());
    }
}

pub struct World {
    pub board: Board,
    pub disk: Disk,
    pub planner: Planner,
    pub outcome: Rc<dyn Fn(&CardPlan) -> Outcome>,
    pub fuel: Fuel,
    /// What the attempts' folders hold: their outcome, and how often they were judged.
    folders: BTreeMap<AttemptId, (Outcome, u32)>,
    pub steps: usize,
    /// The attempts whose work is in the workspace.
    pub standing: BTreeSet<AttemptId>,
    /// Executions of codex, and runs of hooks that hear of something.
    pub executed: Vec<AttemptId>,
    pub hooks: usize,
    /// Whether the files are still as the attempts left them.
    pub untouched: bool,
    /// What the gate says from now on, whatever became of the attempts.
    pub gate: Option<Verdict>,
    /// What each test says when an attempt is judged for the nth time; the gate makes the verdict of it.
    pub tests: Option<Tests>,
}

type Tests = Rc<dyn Fn(&CardPlan, u32) -> Vec<Tested>>;

/// No world here needs as many steps.
const ENDLESS: usize = 500;

impl World {
    pub fn new(board: Board, planner: Planner, outcome: impl Fn(&CardPlan) -> Outcome + 'static) -> World {
        let fuel = Fuel::new(Cell::new(usize::MAX));
        let disk = Disk { lines: Vec::new(), fuel: fuel.clone() };
        let outcome = Rc::new(outcome);
        let (folders, executed) = (BTreeMap::new(), Vec::new());
        World {
            board,
            disk,
            planner,
            outcome,
            fuel,
            folders,
            steps: 0,
            standing: BTreeSet::new(),
            executed,
            hooks: 0,
            untouched: true,
            gate: None,
            tests: None,
        }
    }

    /// The power goes off after `fuel` more effects.
    pub fn power(&mut self, fuel: usize) {
        self.fuel.set(fuel);
    }

    /// Effects that may still happen.
    pub fn left(&self) -> usize {
        self.fuel.get()
    }

    /// One run of the program, from the journal on; the state at its end and why it ended, if the power lasted.
    pub fn run(&mut self) -> (State, Vec<Record>, Result<(Stopped, String)>) {
        let mut disk = self.disk.clone();
        let mut witness = Witness::default();
        let state = fold(&disk.records());
        let planner = self.planner.clone();
        let clock = Clock::after(state.now, || Timestamp::UNIX_EPOCH, || *STILL);
        let mut book = Book { state, planner, keep: &mut disk, report: &mut witness, clock };
        let ended = self.one_run(&mut book);
        let state = book.state;
        self.disk = disk;
        (state, witness.shown, ended)
    }

    fn one_run(&mut self, book: &mut Book<'_>) -> Result<(Stopped, String)> {
        book.record(Event::RunStarted {
            run: "run".into(),
            pid: 1,
            source: "board".into(),
            workspace: "here".into(),
            version: "1".into(),
            clock: book.clock.behind(book.now()),
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let (stopped, reason) = runtime.block_on(drive(self, book))?;
        book.record(Event::Summary { counts: book.state.counts, stopped, reason: reason.clone() })?;
        Ok((stopped, reason))
    }

    /// Where each card is.
    pub fn places(&self) -> BTreeMap<String, String> {
        self.board.cards.iter().map(|card| (card.id.to_string(), card.status.to_string())).collect()
    }

    fn execute(&mut self, plan: CardPlan, book: &mut Book<'_>) -> Result<()> {
        let outcome = (self.outcome)(&plan);
        book.record(changing(started(&plan)))?;
        self.executed.push(plan.attempt.clone());
        self.standing.insert(plan.attempt.clone());
        burn(&self.fuel)?;
        self.person(outcome, &plan.card.id);
        self.folders.insert(plan.attempt.clone(), (outcome, 0));
        book.record(changing(ended(&plan.attempt, ending(outcome))))
    }

    fn person(&mut self, outcome: Outcome, card: &CardId) {
        match outcome {
            Outcome::Moved => {
                let last = self.board.columns.last().unwrap().clone();
                self.board.place(card, &last);
            }
            Outcome::Edited => self.edit(card, " and more"),
            Outcome::Retested | Outcome::RetestedAndLost => self.edit(card, " @d"),
            Outcome::Deleted => self.board.cards.retain(|found| found.id != *card),
            _ => {}
        }
    }

    pub fn edit(&mut self, card: &CardId, more: &str) {
        let card = self.board.cards.iter_mut().find(|found| found.id == *card).unwrap();
        card.body = format!("{}{more}", card.body);
    }

    /// As after a restart: what had ended well is not repeated.
    fn recover(&mut self, id: AttemptId, book: &mut Book<'_>) -> Result<()> {
        let ending = match self.folders.get(&id).map(|(outcome, _)| ending(*outcome)) {
            Some(Ending::Ok) => Ending::Ok,
            _ => Ending::Interrupted,
        };
        book.record(changing(ended(&id, ending)))
    }

    fn judge(&mut self, id: AttemptId, plan: &CardPlan, book: &mut Book<'_>) -> Result<()> {
        burn(&self.fuel)?;
        let (outcome, judged) = self.folders.get_mut(&id).unwrap();
        *judged += 1;
        if let Some(tests) = &self.tests {
            let tests = tests(plan, *judged);
            let tampered: Vec<String> =
                (*outcome == Outcome::Tampered).then(|| "tests.txt".into()).into_iter().collect();
            let ending = book.state.attempts[&id].ending.clone();
            let case = Case {
                ending: &ending,
                tampered: &tampered,
                tests: &tests,
                require: plan.require,
                lacks_changes: false,
            };
            let Judgement { verdict, reason, passed } = gate::judge(&case);
            let tests = tests.into_iter().map(|tested| tested.outcome).collect();
            let Event::Judged { attempt, required, gate, artifacts, weakened, .. } = judged_as(&id, plan, verdict)
            else {
                return Ok(());
            };
            return book.record(Event::Judged {
                attempt,
                verdict,
                reason,
                passed,
                required,
                tests,
                gate,
                artifacts,
                weakened,
            });
        }
        let verdict = match self.gate.unwrap_or(outcome.verdict()) {
            Verdict::Inconclusive if *judged > 2 => Verdict::Pass,
            Verdict::Pass if *outcome == Outcome::Undone && *judged > 1 => Verdict::Fail,
            verdict => verdict,
        };
        book.record(judged_as(&id, plan, verdict))
    }

    fn settle(&mut self, settlement: Settlement, book: &mut Book<'_>) -> Result<()> {
        let Settlement { attempt, card, from, to, verdict, reason, plan } = settlement;
        book.record(Event::TransitionStarted {
            attempt: attempt.clone(),
            card: card.id.clone(),
            from: from.clone(),
            to: to.clone(),
            verdict,
        })?;
        let outcome = attempt.as_ref().and_then(|id| self.folders.get(id)).map(|(outcome, _)| *outcome);
        if let (Some(Outcome::Vetoed), Some(to)) = (outcome, &to) {
            let (key, gate, reason) = (plan.key.clone(), plan.gate.clone(), "no".to_owned());
            return book.record(Event::Vetoed {
                attempt,
                card: card.id.clone(),
                from,
                to: to.clone(),
                key,
                gate,
                reason,
            });
        }
        let now = self.board.card(&card.id).map(|card| card.status.clone());
        if now.as_ref() != Some(&from) && now != to {
            return book.record(Event::Elsewhere {
                attempt,
                card: card.id.clone(),
                from,
                now,
                reason,
                spent: false,
                edited: None,
            });
        }
        if let Some(to) = &to {
            burn(&self.fuel)?;
            self.board.place(&card.id, to);
        }
        let hook = to.is_some() && plan.rule.after.is_some();
        let news = !book.planner.inputs.rules.on_event.is_empty();
        let (card, title) = (card.id.clone(), card.title.clone());
        book.record(Event::Transitioned { attempt, card, title, from, to, verdict, reason, hook, news })
    }
}

impl Driver for World {
    async fn perform(&mut self, action: Action, book: &mut Book<'_>) -> Result<()> {
        self.steps += 1;
        assert!(self.steps < ENDLESS, "endless: {action:?}");
        assert!(book.state.active.len() <= 1, "several attempts at once: {:?}", book.state.active);
        match action {
            Action::Finish { .. } => Ok(()),
            Action::Look => {
                for event in book.state.moved_by_people(&self.board) {
                    book.record(event)?;
                }
                book.state.board = Some(Arc::new(self.board.clone()));
                Ok(())
            }
            Action::Recover(id) => self.recover(id, book),
            Action::Execute(plan) => self.execute(*plan, book),
            Action::Judge { attempt, plan } => self.judge(attempt, &plan, book),
            Action::TakeBack(take) => self.take_back(take, book),
            Action::Settle(settlement) => self.settle(*settlement, book),
            Action::Refuse { plan, settlement } => {
                book.record(plan.refused())?;
                self.settle(*settlement, book)
            }
            Action::Abandon { event, .. } => book.record(*event),
            Action::Verify { attempt, plan } => {
                let undone = self.folders.get(&attempt).is_some_and(|(outcome, _)| *outcome == Outcome::Undone);
                let event = plan.verified(attempt, &book.state, |_| self.untouched && !undone);
                book.record(event)
            }
            Action::Skip { plan, why, reason } => book.record(plan.skipped(why, reason)),
            Action::Hook(owed) => {
                let (card, hook) = (owed.card().cloned(), owed.name());
                if !owed.started {
                    book.record(Event::HookStarted { card: card.clone(), hook: hook.clone() })?;
                    self.hooks += 1;
                }
                book.record(Event::HookEnded { card, hook, ok: !owed.started, text: String::new() })
            }
            Action::Wait(Wait::Backoff { reason, .. }) => book.record(Event::Waiting { seconds: 1, reason }),
            Action::Wait(Wait::Board | Wait::Resume) => unreachable!("nothing is watched here"),
            Action::NextPass => book.record(Event::PassEnded),
        }
    }
}

fn ending(outcome: Outcome) -> Ending {
    match outcome {
        Outcome::Work => Ending::Work { reason: "exit 1".into() },
        Outcome::Infrastructure | Outcome::RetestedAndLost => {
            Ending::Infrastructure { reason: "no network".into(), hint: String::new(), wait_seconds: None }
        }
        Outcome::Interrupted => Ending::Interrupted,
        _ => Ending::Ok,
    }
}

pub fn started(plan: &CardPlan) -> Event {
    plan.started(Found::default())
}

pub fn ended(attempt: &AttemptId, ending: Ending) -> Event {
    let usage = matches!(ending, Ending::Infrastructure { .. }).then(Usage::default);
    Event::AttemptEnded {
        attempt: attempt.clone(),
        ending,
        after: None,
        artifacts: vec![],
        usage,
        seconds: 0.0,
        strays: 0,
        meddled: vec![],
    }
}

pub fn judged_as(attempt: &AttemptId, plan: &CardPlan, verdict: Verdict) -> Event {
    Event::Judged {
        attempt: attempt.clone(),
        verdict,
        reason: verdict.to_string(),
        passed: if verdict == Verdict::Pass { plan.require as u32 } else { 0 },
        required: plan.require as u32,
        tests: Vec::new(),
        gate: plan.gate.clone(),
        artifacts: Vec::new(),
        weakened: Vec::new(),
    }
}

pub fn record(event: Event) -> Record {
    Record { v: VERSION, at: Timestamp::UNIX_EPOCH, event }
}

pub fn column(name: impl Into<Arc<str>>) -> Column {
    Column::from(name)
}

/// A card whose text names `@a`, `@b` and `@c`, the tests of every planner here; without them no test belongs to it.
pub fn card(id: &str, status: &str, tests: bool) -> Card {
    let content = CardContent {
        id: CardId::from(id),
        title: id.into(),
        body: if tests { format!("{id} @a @b @c") } else { id.into() },
        state: None,
        labels: Vec::new(),
        dependencies: Vec::new(),
        stamped: true,
    };
    Card::new(content, column(status))
}

pub fn settings() -> Settings {
    let given = Given { folder: PathBuf::from("/"), ..Given::default() };
    let mut settings = Settings::resolve(&given, Need::History).unwrap();
    // What a card does not name does not belong to it.
    settings.threshold = 1.0;
    settings
}

pub fn planner(rules: impl IntoIterator<Item = (Column, Rule)>) -> Planner {
    planner_of(settings(), rules, "@a :: includes:aaa\n@b :: includes:bbb\n@c :: includes:ccc\n@d :: includes:ddd\n")
}

pub fn planner_of(settings: Settings, rules: impl IntoIterator<Item = (Column, Rule)>, tests: &str) -> Planner {
    let tests = checks::parse(tests, "tests.txt").unwrap();
    let words: Vec<&str> = tests.iter().map(|test| test.words.as_str()).collect();
    let index = Index::from_bytes(index::build(&words, "sha")).unwrap();
    let rules = Rules { columns: rules.into_iter().collect(), ..Rules::default() };
    let names = checks::Names::of(&tests);
    let inputs = Inputs { files: Vec::new(), rules, unfit: Vec::new(), tests, names, index, fresh_index: None };
    Planner { settings: Arc::new(settings), inputs: Arc::new(inputs) }
}
