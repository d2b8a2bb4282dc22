//! `board`: what is read of the board. It needs no tests, and no rules either: it is what people run first on their own board.

use std::io::ErrorKind;

use anyhow::Context;

use super::{open_board, show};
use crate::failure::Failure;
use crate::provider::Wanted;
use crate::report::board::{BoardPage, human};
use crate::rules::{self, Rules};
use crate::settings::Settings;
use crate::storage;

pub fn board(settings: &Settings) -> Result<u8, Failure> {
    let board = open_board(settings)?.read(&Wanted::default())?;
    let path = &settings.transitions;
    let (rules, problems) = match storage::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => (Rules::default(), None),
        text => {
            let text = text.with_context(|| format!("cannot read {}", settings.shown(path)))?;
            let folder = path.parent().unwrap_or(path);
            match rules::parse(&text, &settings.shown(path), folder, Some(&board)) {
                Ok(rules) => (rules, None),
                Err(problems) => (Rules::default(), Some(problems)),
            }
        }
    };
    let page = BoardPage::of(&settings.source_name, &board.arranged(&rules.order), &rules);
    show(settings, &page, &human(&page))?;
    match problems {
        Some(problems) => Err(problems.into()),
        None => Ok(0),
    }
}
