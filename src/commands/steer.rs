//! `retry`, `skip`, `pause`, `resume`: requests that a runner takes up between attempts.

use std::path::Path;

use clap::ArgMatches;

use super::chronicle::at_work;
use super::journaled::Journaled;
use super::{argument, last_cache_dir, open_board, say};
use crate::board::{Board, Card, CardId, Column};
use crate::failure::{Failure, Kind, closest};
use crate::provider::Wanted;
use crate::report::{on_a_line, warning};
use crate::requests::{self, Request};
use crate::rules;
use crate::settings::{Settings, read_text};
use crate::storage::Writer;

pub fn steer(name: &str, matches: &ArgMatches, settings: &Settings) -> Result<u8, Failure> {
    let mut column = None;
    let mut card = || -> Result<CardId, Failure> {
        let board = open_board(settings)?.read(&Wanted::default())?;
        let card = find(&board, argument(matches, "card"))?;
        column = Some(card.status.clone());
        Ok(card.id.clone())
    };
    let request = match name {
        "retry" => Request::Retry { card: card()? },
        "skip" if matches.get_flag("undo") => Request::Unskip { card: card()? },
        "skip" => Request::Skip { card: card()? },
        "pause" => Request::Pause,
        "resume" => Request::Resume,
        other => return Err(Failure::usage(format!("unknown command `{other}`"))),
    };
    if let Request::Retry { card } = &request {
        let state = Journaled::<()>::read(&settings.cache_dir)?.warned(settings).state;
        let at_work = at_work(settings)?;
        if state.in_hand(at_work).any(|(_, attempt)| attempt.card == *card) {
            let (text, hint) = match at_work {
                true => ("is at work", "retry it after its end"),
                false => ("was at work when its runner died", "the next `run` ends it: retry it then"),
            };
            return Err(Failure::new(Kind::Error, anyhow::anyhow!("an attempt at {card} {text}")).hint(hint));
        }
    }
    let writer = Writer::within_own(&settings.cache_dir);
    writer.cache_folder(&settings.cache_dir)?;
    requests::leave(&writer, &settings.cache_dir, &request, jiff::Timestamp::now())?;
    let told = match &request {
        Request::Retry { card } => match column.filter(|column| is_parked(settings, column)) {
            Some(column) => {
                format!("no rule works `{column}`, where {card} stands: in another column it will be worked anew")
            }
            None => format!("{card} will be worked anew"),
        },
        Request::Skip { card } => format!("{card} will be held back"),
        Request::Unskip { card } => format!("{card} will be released"),
        Request::Pause => "no attempt will be started until `resume`".to_owned(),
        Request::Resume => "the loop will go on".to_owned(),
        Request::Accept { .. } => "the gate inputs as they are now will hold".to_owned(),
    };
    if let Some(last) = last_cache_dir(settings).filter(|last| *last != settings.cache_dir) {
        let (last, own) = (settings.shown(&last), settings.shown(&settings.cache_dir));
        let text = format!(
            "the board's newest run had the CACHE_DIR {last}, and one that has it does not see this: it is left in {own}"
        );
        warning(settings.env.redactor(), &text);
    }
    let told = on_a_line(settings.env.redactor(), &told);
    say(&format!("{told}: the runner takes it up before its next choice, or the next run does\n"))?;
    Ok(0)
}

/// Whether no rule works the column, as far as the rules can be read.
fn is_parked(settings: &Settings, column: &Column) -> bool {
    let name = settings.shown(&settings.transitions);
    let folder = settings.transitions.parent().unwrap_or(Path::new("/"));
    let rules = read_text(&settings.transitions, &name, "").ok();
    let rules = rules.and_then(|text| rules::parse(&text, &name, folder, None).ok());
    rules.is_some_and(|rules| !rules.worked().contains(column))
}

/// A card of the board by its id, or by its title where that is one card's alone.
pub(super) fn find<'b>(board: &'b Board, name: &str) -> Result<&'b Card, Failure> {
    let cards = board.all().map(|card| (&card.id, &*card.title));
    let id = among(cards, name, ("the board", "board"))?;
    board.card(&id).ok_or_else(|| Failure::usage(format!("the board has no card `{name}`")))
}

/// The same among the ids and titles that `whose` has, which a command lists.
pub(super) fn among<'c>(
    cards: impl Iterator<Item = (&'c CardId, &'c str)> + Clone,
    name: &str,
    (whose, lists): (&str, &str),
) -> Result<CardId, Failure> {
    if let Some((id, _)) = cards.clone().find(|(id, _)| *id.0 == *name) {
        return Ok(id.clone());
    }
    let titled: Vec<_> = cards.clone().filter(|(_, title)| title.eq_ignore_ascii_case(name)).collect();
    match titled.as_slice() {
        [(id, _)] => Ok((*id).clone()),
        [] => {
            let names = cards.flat_map(|(id, title)| [&*id.0, title]);
            let failure = Failure::usage(format!("{whose} has no card `{name}`"));
            Err(match closest(name, names) {
                Some(near) => failure.hint(format!("did you mean `{near}`?")),
                None => failure.hint(format!("`{lists}` lists the cards with their ids")),
            })
        }
        several => {
            let ids: Vec<_> = several.iter().map(|(id, _)| &*id.0).collect();
            Err(Failure::usage(format!("several cards have the title `{name}`"))
                .hint(format!("use an id: {}", ids.join(", "))))
        }
    }
}
