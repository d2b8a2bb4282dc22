//! One page that needs nothing else: no network, no script, no font. Pure.
//!
//! [`maud`] escapes whatever is spliced in. Besides, the page's own policy forbids it to load or to run anything.

mod board;
mod card;
mod diff;
mod graph;
mod selection;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::story::{Fate, Story, Totals};
use super::units;

const STYLE: &str = include_str!("html/style.css");

/// Closed, so that the page is well-formed XML as well.
const HEAD: &str = r#"<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<meta name="referrer" content="no-referrer"/>
"#;

pub fn page(story: &Story) -> String {
    let markup = html! {
        (DOCTYPE) "\n"
        html lang="en" {
            head {
                "\n" (PreEscaped(HEAD))
                title { (story.source) ": what became of its cards" }
                style { (PreEscaped(STYLE)) }
            }
            "\n"
            body {
                (header(story))
                main {
                    (board::section(story))
                    (graph::section(story))
                    (card::section(story))
                }
                footer { "kanban-codex-exec: what its journal says, and the board as it stands." }
            }
        }
        "\n"
    };
    markup.into_string()
}

fn header(story: &Story) -> Markup {
    let Totals { promoted, bounced, unverified, failed, vetoed, attempts, tokens, untold, seconds, .. } = &story.totals;
    let attempts_told = if *attempts == 1 { "attempt" } else { "attempts" };
    let mut counts = vec![
        ("pass", promoted, "promoted"),
        ("fail", bounced, "bounced"),
        ("warn", unverified, "unverified"),
        ("fail", failed, "failed in place"),
    ];
    if *vetoed > 0 {
        counts.push(("fail", vetoed, "vetoed"));
    }
    html! {
        header {
            h1 { bdi { (story.source) } }
            p.muted {
                @match (story.since, story.until) {
                    (Some(since), Some(until)) => { (moment(since)) " to " (moment(until)) }
                    _ => "Nothing was done yet."
                }
            }
            ul.totals {
                @for (class, count, what) in counts {
                    li { (total(if *count > 0 { class } else { "muted" }, &units::count((*count).into()), what)) }
                }
                li { (total("", &units::count(*attempts as u64), attempts_told)) }
                li { (total("", &units::count(*tokens), "tokens")) }
                li { (total("", &units::time(*seconds), "at work")) }
            }
            @if *untold > 0 { p.muted { "Of " (units::of(*untold, "attempt")) " codex did not say how many tokens it took." } }
            @if !story.notices.is_empty() {
                ul.notices { @for notice in &story.notices { li { (notice) } } }
            }
        }
    }
}

fn total(class: &str, number: &str, what: &str) -> Markup {
    html! { strong class=(class) { (number) } " " span { (what) } }
}

fn moment(at: jiff::Timestamp) -> Markup {
    html! { time datetime=(at) { (at.strftime("%Y-%m-%d %H:%M")) " UTC" } }
}

/// The class and the sign of a fate.
fn look(fate: Fate) -> (&'static str, &'static str) {
    match fate {
        Fate::Passed => ("pass", "✓"),
        Fate::Failed | Fate::Exhausted => ("fail", "✗"),
        Fate::Tampered | Fate::Vetoed => ("fail", "!"),
        Fate::Unverified | Fate::Inconclusive => ("warn", "?"),
        Fate::Infrastructure | Fate::Interrupted => ("warn", "…"),
        Fate::Moved => ("plain", "→"),
        Fate::Open => ("busy", "●"),
        Fate::Untouched => ("plain", "–"),
    }
}

/// A sign and a word, so that none rests on colour alone.
fn chip(fate: Fate) -> Markup {
    let (class, sign) = look(fate);
    html! { span class={ "chip " (class) } { span aria-hidden="true" { (sign) } " " (fate.name()) } }
}

fn sign(passed: bool) -> Markup {
    match passed {
        true => html! { span.pass { "✓" span.hidden { "passed" } } },
        false => html! { span.fail { "✗" span.hidden { "did not pass" } } },
    }
}
