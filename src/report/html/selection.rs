//! The tests that belong to a card: how similar each is, as a bar, and what its newest attempt said of it.

use maud::{Markup, html};

use super::sign;
use crate::report::explain::Ranked;
use crate::report::story::{CardStory, Selection};

/// Of a bar, in its own units.
const WIDTH: f32 = 100.0;

pub fn section(card: &CardStory) -> Markup {
    let Some(Selection { column, require, threshold, tests }) = &card.selection else { return html! {} };
    let count = tests.len();
    html! {
        h4 { "Tests" }
        p.muted {
            (count) @if count == 1 { " belongs" } @else { " belong" } " to it in " bdi { (column) }
            ", " (require) " must pass. The bar is the similarity; the line in it the threshold, "
            (format!("{threshold:.2}")) "."
        }
        @if count > 0 {
            ol.tests { @for test in tests { li { (bar(test, *threshold)) " " (told(test, card)) } } }
        }
    }
}

fn bar(test: &Ranked, threshold: f32) -> Markup {
    let at = |similarity: f32| format!("{:.1}", similarity.clamp(0.0, 1.0) * WIDTH);
    let similarity = format!("{:.2}", test.similarity);
    html! {
        svg.bar viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label=(format!("similarity {similarity}")) {
            rect.ground width="100" height="10" {}
            rect class=(if test.named { "named" } else { "ranked" }) width=(at(test.similarity)) height="10" {}
            rect.limit x=(at(threshold)) width="1" height="10" {}
        }
        " " span.number { (similarity) }
    }
}

fn told(test: &Ranked, card: &CardStory) -> Markup {
    let judged = card.judged().and_then(|attempt| attempt.tests.iter().find(|judged| judged.id.0 == test.id));
    html! {
        div {
            @if let Some(judged) = judged { (sign(!judged.lacks())) " " }
            code { (test.text) }
            @if test.named { " " span.muted { "named, or for every card" } }
            @if let Some(blocked) = &test.blocked { " " span.blocked { "blocked: " (blocked) } }
            @if !test.words.is_empty() { div.muted { "words: " (test.words.join(", ")) } }
        }
    }
}
