//! Between attempts: the board, the gate inputs, and what people asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Error, Result};

use super::Live;
use crate::board::{Board, CardId};
use crate::cycle::drive::Book;
use crate::cycle::plan::no_way;
use crate::cycle::state::Infrastructure;
use crate::failure::{Failure, Kind, Problem};
use crate::inputs::{self, InputFile, Inputs, difference};
use crate::journal::{Acceptance, Event, InputHash};
use crate::provider::Wanted;
use crate::requests::{self, Request};
use crate::settings::{Given, Need, Settings};
use crate::storage::{self, Stamp, Writer};

/// How often an unreadable board is looked at again, and how long after.
const UNREADABLE: u32 = 10;
const MOMENT: Duration = Duration::from_millis(100);
/// How it is told once each time that a watcher finds no board.
const AWAY: &str = "the board can't be read, waiting";

impl Live {
    pub(super) async fn look(&mut self, book: &mut Book<'_>) -> Result<()> {
        book.state.stopping = self.stop.asked().is_some();
        let accept = self.requests(book)?;
        let Some(board) = self.board(book).await? else { return Ok(()) };
        if book.state.active.is_empty() {
            self.inputs(&board, accept.as_deref(), book).await?;
        }
        let board = board.arranged(&book.planner.inputs.rules.order);
        for event in book.state.moved_by_people(&board) {
            book.record(event)?;
        }
        let rules = &book.planner.inputs.rules;
        let gone = rules.worked().into_iter().filter(|column| !rules.create_columns && !board.columns.contains(column));
        let gone =
            gone.map(|column| format!("the rules work the column `{column}`, which the board does not have any more"));
        let lost = rules.columns.iter().filter_map(|(column, rule)| Some((column, rules.lost(rule, &board)?)));
        let lost = lost.map(|(column, target)| format!("{}: no attempt begins there", no_way(column, target)));
        let misspelt = rules.misspelt(&board).map(|(column, worked)| {
            format!("no rule works the column `{column}`, so its cards wait: did you mean `{worked}`, which one does?")
        });
        for text in gone.chain(lost).chain(misspelt).collect::<Vec<_>>() {
            if self.told.insert(text.clone()) {
                book.record(Event::Warning { text })?;
            }
        }
        for refused in &board.refused {
            let text = refused.to_string();
            if self.told.insert(text.clone()) {
                book.record(Event::Warning { text })?;
            }
        }
        book.state.board = Some(board);
        Ok(())
    }

    /// Reads the board. An editor may be in the middle of writing a file: it is given a moment, and while watching all the
    /// time that it takes. None when the runner is stopping or has waited.
    async fn board(&mut self, book: &mut Book<'_>) -> Result<Option<Arc<Board>>> {
        let mut tries = 0;
        loop {
            let provider = self.provider.clone();
            let wanted = Wanted { columns: book.planner.inputs.rules.worked(), cards: book.state.open() };
            let reading = tokio::task::spawn_blocking(move || provider.read(&wanted));
            let read = tokio::select! {
                read = reading => read?,
                _ = self.stop.wait() => {
                    book.state.stopping = true;
                    return Ok(None);
                }
            };
            match read {
                Ok(board) => {
                    let told = self.told.len();
                    self.told.retain(|text| !text.starts_with(AWAY));
                    if self.told.len() < told {
                        book.record(Event::Warning { text: "the board can be read again".to_owned() })?;
                    }
                    // Whether it can be written as well is to be seen where that is owed.
                    if book.state.unreachable != Infrastructure::default() && !book.state.owes() {
                        book.state.unreachable = Infrastructure::default();
                    }
                    return Ok(Some(board));
                }
                Err(error) if self.settings.source.path().is_none() => {
                    let failure = Failure::from(error);
                    // It could be read at the start: a token can be given its rights again, a project back to its owner, and
                    // a proxy can have answered.
                    return Err(Error::msg(Failure { kind: Kind::Infrastructure, ..failure }));
                }
                Err(_) if tries < UNREADABLE && !book.state.stopping => {
                    tries += 1;
                    tokio::time::sleep(MOMENT).await;
                }
                Err(error) if self.settings.watch && !book.state.stopping => {
                    let text = format!("{AWAY}: {error:#}");
                    if self.told.insert(text.clone()) {
                        book.record(Event::Warning { text })?;
                    }
                    self.pause(self.settings.poll_interval).await;
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Journals what people asked for, then takes the requests away. Gives the changed inputs that are to be accepted.
    fn requests(&mut self, book: &mut Book<'_>) -> Result<Option<Vec<InputHash>>> {
        let mut accept = None;
        for (file, request) in requests::pending(&self.settings.cache_dir) {
            match request {
                // Between attempts they are adopted: until then it waits, unless codex can have left it.
                Request::Accept { .. } if !book.state.active.is_empty() => continue,
                Request::Accept { inputs } => accept = Some(inputs),
                other => book.record(other.event())?,
            }
            self.writer.remove(&file)?;
        }
        Ok(accept)
    }

    /// Drops what was asked for while an attempt at `card` ran and would serve it: codex can leave a request as well.
    pub(super) fn refuse_requests(&self, card: &CardId, book: &mut Book<'_>) -> Result<()> {
        for (file, request) in requests::pending(&self.settings.cache_dir) {
            let name = match &request {
                Request::Accept { .. } => "accept",
                Request::Retry { card: asked } if asked == card => "retry",
                _ => continue,
            };
            self.writer.remove(&file)?;
            let text = format!("`{name}` was asked for while an attempt at {card} ran, perhaps by codex: ask again");
            book.record(Event::Warning { text })?;
        }
        Ok(())
    }

    /// Adopts what a person changed between attempts. What changed during one is kept out until it is restored or accepted.
    async fn inputs(&mut self, board: &Board, accept: Option<&[InputHash]>, book: &mut Book<'_>) -> Result<()> {
        let changed: Vec<String> = book.planner.inputs.changed().iter().map(|file| file.name.clone()).collect();
        let held = book.planner.inputs.any_held(&book.state);
        if changed.is_empty() {
            self.rejected.clear();
            return if held { self.accept(book.planner.inputs.clone(), Acceptance::Change, book) } else { Ok(()) };
        }
        // An editor may be in the middle of writing: what holds is what is still there a moment later.
        let now = book.planner.inputs.unaccepted();
        let seen = accept.is_some_and(|seen| now.iter().all(|input| seen.contains(input)));
        if accept.is_some() && !seen {
            let text = "what was to be accepted has changed since: look at it and `accept` it again".to_owned();
            book.record(Event::Warning { text })?;
        }
        if held && !seen {
            return Ok(());
        }
        self.pause(MOMENT).await;
        let config = |file: &&InputFile| self.settings.config_places.contains(&file.path);
        let checked = match book.planner.inputs.changed().iter().any(config) {
            true => self.next_start(board),
            false => Ok(()),
        };
        let loaded = checked.and_then(|()| Inputs::load(&self.settings, board));
        if book.planner.inputs.unaccepted() != now {
            return Ok(());
        }
        match loaded {
            Ok(inputs) => {
                let by = if seen { Acceptance::Command } else { Acceptance::Change };
                self.accept(Arc::new(inputs), by, book)
            }
            Err(problems) => {
                let problems: Vec<String> = problems.iter().map(Problem::to_string).collect();
                if self.rejected == problems {
                    return Ok(());
                }
                self.rejected.clone_from(&problems);
                book.record(Event::InputsRejected { problems })
            }
        }
    }

    /// A changed config holds from the next start on: what would be wrong with that one.
    fn next_start(&self, board: &Board) -> Result<(), Vec<Problem>> {
        let given = Given { accepted_configs: BTreeMap::new(), ..self.settings.given.clone() };
        let (settings, problems) = Settings::with_problems(&given, Need::Board);
        if !problems.is_empty() {
            return Err(problems);
        }
        // Another board has other columns.
        if settings.source.to_string() == self.settings.source.to_string() {
            Inputs::load(&settings, board)?;
        }
        Ok(())
    }

    /// From now on these inputs hold; a copy of each is kept, so that a later run can judge by them.
    pub fn accept(&mut self, inputs: Arc<Inputs>, by: Acceptance, book: &mut Book<'_>) -> Result<()> {
        save(&self.writer, &self.settings.cache_dir, &inputs)?;
        let hashes = inputs.hashes();
        book.planner.inputs = inputs;
        book.record(Event::InputsAccepted { inputs: hashes, by })
    }

    /// To be asked before codex, or what it made, is at work.
    pub(super) fn watched(&self, book: &Book<'_>) -> Watched {
        Watched { unaccepted: book.planner.inputs.unaccepted(), own: self.own_files() }
    }

    fn own_files(&self) -> [(&'static str, Option<Stamp>); 2] {
        let index = Stamp::of(&inputs::index_path(&self.settings.cache_dir));
        [("the index of the tests", index), ("the index of the trees", self.trees.index_stamp())]
    }

    /// What was written into meanwhile, by an attempt at `card` or a check of it. The journal is as it was again, the indexes
    /// are made anew when they are wanted.
    pub(super) fn meddled(&self, then: &Watched, card: &CardId, book: &mut Book<'_>) -> Result<Vec<String>> {
        let own = self.own_files();
        let own = own.iter().zip(&then.own).filter(|(now, then)| now != then);
        let mut meddled: Vec<String> = own.map(|((name, _), _)| (*name).to_owned()).collect();
        if !meddled.is_empty() {
            self.writer.remove(&inputs::index_path(&self.settings.cache_dir))?;
            self.trees.forget()?;
        }
        // Before anything is recorded there.
        if book.keep.mend()? {
            meddled.push("the journal".to_owned());
        }
        self.refuse_requests(card, book)?;
        Ok(self.tampered(&then.unaccepted, book)?.into_iter().chain(meddled).collect())
    }

    /// The gate inputs that changed since; `before`: those that were not as accepted then. From now on nothing that is not as
    /// accepted is adopted.
    pub(super) fn tampered(&self, before: &[InputHash], book: &mut Book<'_>) -> Result<Vec<String>> {
        let inputs = book.planner.inputs.clone();
        let now = inputs.unaccepted();
        let tampered: Vec<_> = now.iter().filter(|input| !before.contains(input)).collect();
        if tampered.is_empty() {
            return Ok(Vec::new());
        }
        let files = now.iter().map(|input| input.file.clone());
        let files: BTreeSet<String> = files.chain(inputs.without_own(book.state.held_inputs.keys())).collect();
        if !files.iter().eq(book.state.held_inputs.keys()) {
            book.record(Event::InputsHeld { files: files.into_iter().collect() })?;
        }
        Ok(tampered.into_iter().map(|input| input.file.clone()).collect())
    }

    /// With what changed in it, where it is an input.
    pub(super) fn differs(&self, name: String, inputs: &Inputs) -> String {
        let Some(file) = inputs.files.iter().find(|file| file.name == name && file.changed()) else { return name };
        let redactor = self.settings.env.redactor();
        format!("{name} ({})", difference::summary(file.bytes.as_deref(), file.now().as_deref(), redactor))
    }
}

/// What only people and this program write, as it was.
pub(super) struct Watched {
    /// The gate inputs that were not as accepted.
    pub unaccepted: Vec<InputHash>,
    /// The files of this program's own that are written between attempts only, beside the journal.
    own: [(&'static str, Option<Stamp>); 2],
}

/// Writes the inputs' copies and, where it is new, their index.
fn save(writer: &Writer, cache_dir: &std::path::Path, inputs: &Inputs) -> Result<()> {
    let folder = cache_dir.join("inputs");
    writer.folder(&folder)?;
    for file in &inputs.files {
        let copy = folder.join(&file.sha256);
        if let Some(bytes) = &file.bytes
            && !storage::read(&copy).is_ok_and(|kept| kept == *bytes)
        {
            writer.replace(&copy, bytes)?;
        }
    }
    match &inputs.fresh_index {
        Some(bytes) => writer.replace(&inputs::index_path(cache_dir), bytes),
        None => Ok(()),
    }
}
