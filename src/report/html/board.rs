//! The board: its columns, side by side where there is room.

use maud::{Markup, html};

use super::chip;
use crate::report::story::{CardStory, ColumnStory, Story};
use crate::report::units;

pub fn section(story: &Story) -> Markup {
    html! {
        section aria-labelledby="board" {
            h2 id="board" { "Board" }
            // What scrolls can be reached by key.
            div.board tabindex="0" role="group" aria-labelledby="board" {
                @for column in &story.columns { (of(column, story)) }
            }
        }
    }
}

fn of(column: &ColumnStory, story: &Story) -> Markup {
    let count = story.in_column(&column.name).count();
    html! {
        div class={ "column" @if count == 0 { " empty" } } {
            h3 {
                bdi { (column.name) } " " span.count { (units::count(count as u64)) }
                @if !column.worked { span.parked { "parked" } }
            }
            @if count > 0 {
                ul { @for (number, card) in story.in_column(&column.name) { li { (tile(number, card)) } } }
            }
        }
    }
}

fn tile(number: usize, card: &CardStory) -> Markup {
    let attempts = card.attempts.len();
    html! {
        a.tile href=(format!("#c{number}")) {
            span.title { bdi { (card.title) } }
            span.below {
                (chip(card.fate))
                @if attempts > 0 {
                    " " span.muted { (units::of(attempts, "attempt")) }
                }
            }
        }
    }
}
