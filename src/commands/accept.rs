//! `accept`: a person adopts gate inputs that changed during an attempt, having seen what changed.

use std::path::Path;

use super::chronicle::at_work;
use super::journaled::Journaled;
use super::{last_cache_dir, open_board, say};
use crate::cycle::state::State;
use crate::failure::{Failure, Kind};
use crate::inputs::{self, Inputs, difference};
use crate::journal::InputHash;
use crate::report::clean;
use crate::requests::{self, Request};
use crate::settings::Settings;
use crate::storage::{self, Writer};

pub fn accept(settings: &Settings) -> Result<u8, Failure> {
    // The inputs as they are now must be valid before they can hold.
    let board = open_board(settings)?.outline()?;
    Inputs::load(settings, &board)?;
    let cache_dir = last_cache_dir(settings).unwrap_or_else(|| settings.cache_dir.clone());
    let state = Journaled::<()>::read(&cache_dir)?.warned(settings).state;
    let at_work = at_work(settings)?;
    if state.in_hand(at_work).next().is_some() {
        let (text, hint) = match at_work {
            true => ("is at work", "wait for its end; `pause` lets no other start"),
            false => ("was at work when its runner died", "the next `run` ends it: `accept` after that"),
        };
        let text = format!("an attempt {text}: what changes meanwhile can't be accepted");
        return Err(Failure::new(Kind::Error, anyhow::anyhow!(text)).hint(hint));
    }
    let changed = changed(settings, &state);
    if changed.is_empty() {
        say("nothing to accept: tests, rules, hooks and config are as they were accepted\n")?;
        return Ok(0);
    }
    for input in &changed {
        say(&clean(settings.env.redactor(), &told(settings, &cache_dir, input, &state)))?;
    }
    let writer = Writer::within_own(&cache_dir);
    writer.cache_folder(&cache_dir)?;
    requests::leave(&writer, &cache_dir, &Request::Accept { inputs: changed }, jiff::Timestamp::now())?;
    say(
        "what was added (+) and removed (-) will hold: the runner takes it up before its next choice, or the next run does\n",
    )?;
    Ok(0)
}

/// The inputs that are not as accepted, as they are now.
fn changed(settings: &Settings, state: &State) -> Vec<InputHash> {
    let now = |name: &str| inputs::hash(storage::read(settings.workspace.join(name)).ok());
    let hashes = state.accepted_as().into_iter().map(|(file, accepted)| (file, accepted, now(file)));
    let changed = hashes.filter(|(_, accepted, now)| now != *accepted);
    changed.map(|(file, _, sha256)| InputHash { file: file.clone(), sha256 }).collect()
}

fn told(settings: &Settings, cache_dir: &Path, input: &InputHash, state: &State) -> String {
    let accepted = state.accepted_as().get(&input.file).map_or("", |hash| hash.as_str());
    let now = storage::read(settings.workspace.join(&input.file)).ok();
    match inputs::copy(cache_dir, &input.file, accepted) {
        Ok(before) => difference::unified(&input.file, before.as_deref(), now.as_deref(), settings.env.redactor()),
        Err(_) => format!("{}: what was accepted of it is gone, so the difference can't be shown\n", input.file),
    }
}
