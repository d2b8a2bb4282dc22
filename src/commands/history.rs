//! `history`: what was tried and what became of it, by the journal alone.

use super::chronicle::Chronicle;
use super::{open_board, show, steer};
use crate::board::CardId;
use crate::failure::Failure;
use crate::journal::Record;
use crate::provider::Wanted;
use crate::report::history::{History, human};
use crate::settings::Settings;

pub fn history(name: Option<&str>, settings: &Settings) -> Result<u8, Failure> {
    let chronicle = Chronicle::open(settings)?;
    let card = name.map(|name| card(name, &chronicle, settings)).transpose()?;
    let history = History::of(&chronicle.journaled.beside, card.as_ref(), chronicle.at_work());
    show(settings, &history, &human(&history))?;
    Ok(0)
}

/// One that was tried, or that is on the board and was not.
fn card(name: &str, chronicle: &Chronicle<Vec<Record>>, settings: &Settings) -> Result<CardId, Failure> {
    chronicle.card(name).or_else(|unknown| {
        let board = open_board(settings)?.read(&Wanted::default()).map_err(|_| unknown)?;
        steer::find(&board, name).map(|card| card.id.clone())
    })
}
