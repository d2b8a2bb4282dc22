//! Between attempts: the board, the gate inputs, and what people asked for.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;

use super::Live;
use crate::cycle::drive::Book;
use crate::failure::Problem;
use crate::inputs::{self, Inputs};
use crate::journal::{Acceptance, Event};
use crate::requests::{self, Request};
use crate::storage::Writer;

impl Live {
    pub(super) async fn look(&mut self, book: &mut Book<'_>) -> Result<()> {
        book.state.stopping = self.stop.asked().is_some();
        let accept = self.requests(book)?;
        let board = self.provider.read()?;
        if book.state.active.is_empty() {
            self.inputs(&board.columns, accept, book)?;
        }
        for event in book.state.moved_by_people(&board) {
            book.record(event)?;
        }
        for refused in &board.refused {
            let text = format!("{} (line {:?}): {}", refused.title, refused.lines, refused.reason);
            if self.told.insert(text.clone()) {
                book.record(Event::Warning { text })?;
            }
        }
        book.state.board = Some(Arc::new(board));
        Ok(())
    }

    /// Journals what people asked for, then takes the requests away. True when the changed inputs are to be accepted.
    fn requests(&mut self, book: &mut Book<'_>) -> Result<bool> {
        let mut accept = false;
        for (file, request) in requests::pending(&self.settings.cache_dir) {
            match request {
                Request::Accept => accept = true,
                other => book.record(other.event())?,
            }
            self.writer.remove(&file)?;
        }
        Ok(accept)
    }

    /// Adopts what a person changed between attempts. What changed during one is kept out until it is restored or accepted.
    fn inputs(&mut self, columns: &[crate::board::Column], accept: bool, book: &mut Book<'_>) -> Result<()> {
        let changed: Vec<String> = book.planner.inputs.changed().iter().map(|file| file.name.clone()).collect();
        let held = !book.state.held_inputs.is_empty();
        if changed.is_empty() {
            self.rejected.clear();
            return if held { self.accept(book.planner.inputs.clone(), Acceptance::Change, book) } else { Ok(()) };
        }
        if held && !accept {
            return Ok(());
        }
        match Inputs::load(&self.settings, columns) {
            Ok(inputs) => {
                let by = if accept { Acceptance::Command } else { Acceptance::Change };
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

    /// From now on these inputs hold; a copy of each is kept, so that a later run can judge by them.
    pub fn accept(&mut self, inputs: Arc<Inputs>, by: Acceptance, book: &mut Book<'_>) -> Result<()> {
        save(&self.writer, &self.settings.cache_dir, &inputs)?;
        let hashes = inputs.hashes();
        book.planner.inputs = inputs;
        book.record(Event::InputsAccepted { inputs: hashes, by })
    }

    /// The gate inputs that are not as accepted; from now on none of them is adopted.
    pub(super) fn tampered(&self, book: &mut Book<'_>) -> Result<Vec<String>> {
        let files: Vec<String> = book.planner.inputs.changed().iter().map(|file| file.name.clone()).collect();
        let known: BTreeSet<String> = files.iter().cloned().collect();
        if !files.is_empty() && known != book.state.held_inputs {
            book.record(Event::InputsHeld { files: files.clone() })?;
        }
        Ok(files)
    }
}

/// Writes the inputs' copies and, where it is new, their index.
fn save(writer: &Writer, cache_dir: &std::path::Path, inputs: &Inputs) -> Result<()> {
    let folder = cache_dir.join("inputs");
    writer.folder(&folder)?;
    for file in &inputs.files {
        let copy = folder.join(&file.sha256);
        if !copy.exists() {
            writer.replace(&copy, &file.bytes)?;
        }
    }
    match &inputs.fresh_index {
        Some(bytes) => writer.replace(&inputs::index_path(cache_dir), bytes),
        None => Ok(()),
    }
}
