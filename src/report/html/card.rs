//! The cards one by one: why each stands where it does, its tests, and the way that it went.

use std::collections::BTreeSet;
use std::ops::Range;

use jiff::Timestamp;
use maud::{Markup, html};

use super::diff::{Diff, File};
use super::{chip, look, moment, selection, sign};
use crate::journal::TestOutcome;
use crate::report::story::{AttemptStory, CardStory, Happening, Story, What};
use crate::report::units;

/// So many cards are shown with what is in them; of more, each is opened when it is wanted.
const OPEN: usize = 5;

pub fn section(story: &Story) -> Markup {
    let open = story.cards.iter().filter(|card| card.fate.is_bad()).count() <= OPEN;
    html! {
        section aria-labelledby="cards" {
            h2 id="cards" { "Cards" }
            @if story.cards.is_empty() { p.muted { "The board has no cards." } }
            @for (number, card) in story.cards.iter().enumerate() {
                (of(number, card, open && card.fate.is_bad()))
            }
        }
    }
}

fn of(number: usize, card: &CardStory, open: bool) -> Markup {
    let name = format!("c{number}");
    html! {
        details.card open=[open.then_some("")] {
            summary {
                h3 { bdi { (card.title) } }
                " " (chip(card.fate)) " "
                span.muted { @match &card.column { Some(column) => { "in " bdi { (column) } } None => { "gone from the board" } } }
                @if !card.reason.is_empty() { span.reason { (card.reason) } }
            }
            // Whoever is led to what is in it finds it open.
            div id=(name) {
                (facts(card))
                (selection::section(card))
                (timeline(&name, card))
            }
        }
        "\n"
    }
}

fn facts(card: &CardStory) -> Markup {
    html! {
        dl.facts {
            div { dt { "Id" } dd { code { (card.id) } } }
            @if card.line > 0 { div { dt { "Line" } dd { (card.line) } } }
            @if !card.labels.is_empty() { div { dt { "Labels" } dd { (card.labels.join(", ")) } } }
            @if !card.attempts.is_empty() {
                div { dt { "Tokens" } dd { (units::count(card.tokens())) } }
                div { dt { "Time" } dd { (units::time(card.seconds())) } }
            }
            @if let Some(next) = &card.next {
                div.wide { dt { "Next" } dd { (next.verdict) @if !next.reason.is_empty() { ": " (next.reason) } } }
            }
        }
    }
}

enum Step<'s> {
    Attempt(usize, &'s AttemptStory),
    Happening(&'s Happening),
}

impl Step<'_> {
    fn at(&self) -> Timestamp {
        match self {
            Step::Attempt(_, attempt) => attempt.started,
            Step::Happening(happening) => happening.at,
        }
    }
}

fn timeline(name: &str, card: &CardStory) -> Markup {
    let attempts = card.attempts.iter().enumerate().map(|(number, attempt)| Step::Attempt(number, attempt));
    let mut steps: Vec<Step<'_>> = attempts.chain(card.happenings.iter().map(Step::Happening)).collect();
    steps.sort_by_key(Step::at);
    let places = Places::of(name, card);
    html! {
        @if !steps.is_empty() {
            h4 { "What happened" }
            ol.timeline {
                @for step in &steps {
                    @match step {
                        Step::Attempt(number, attempt) => (self::attempt(*number, attempt, &places)),
                        Step::Happening(happening) => (self::happening(happening)),
                    }
                }
            }
        }
    }
}

fn happening(happening: &Happening) -> Markup {
    let Happening { at, what, from, to, reason } = happening;
    let (class, word) = match what {
        What::Promoted => ("pass", "promoted"),
        What::Passed => ("pass", "passed and stayed"),
        What::Bounced => ("fail", "bounced"),
        What::Exhausted => ("fail", "its attempts are used up"),
        What::Failed => ("fail", "failed and stayed"),
        What::Vetoed => ("fail", "not let go"),
        What::HookFailed => ("fail", "hook"),
        What::Unverified => ("warn", "not run"),
        What::MovedByPerson => ("plain", "moved by hand"),
        What::Elsewhere => ("plain", "changed meanwhile"),
        What::Retried => ("plain", "retry: its attempts start anew"),
        What::Held => ("plain", "held back"),
        What::Released => ("plain", "released"),
    };
    // What an attempt beside it has said already.
    let said = matches!(what, What::Promoted | What::Passed | What::Bounced | What::Failed);
    html! {
        li class=(class) {
            strong { (word) }
            @if let Some(from) = from {
                " " span { bdi { (from) } @if let Some(to) = to { " → " bdi { (to) } } }
            }
            " " span.muted { (moment(*at)) }
            @if !reason.is_empty() && !said { div { (reason) } }
        }
    }
}

fn attempt(number: usize, attempt: &AttemptStory, places: &Places<'_>) -> Markup {
    let (class, _) = look(attempt.fate);
    html! {
        li class=(class) {
            strong { "Attempt " (attempt.number) " of " (attempt.limit) " in " bdi { (attempt.column) } }
            " " (chip(attempt.fate)) " "
            span.muted {
                (moment(attempt.started))
                @if let Some(seconds) = attempt.seconds { " · " (units::time(seconds)) }
                @if let Some(tokens) = attempt.tokens { " · " (units::count(tokens)) " tokens" }
                " · " code { (attempt.id) }
            }
            @if !attempt.reason.is_empty() { div { (attempt.reason) } }
            @if !attempt.tests.is_empty() {
                ul.outcomes { @for test in &attempt.tests { (outcome(test, number, places)) } }
            }
            @if let Some(taken) = &attempt.taken_back {
                p {
                    "Its work was taken back: " (units::of(taken.files, "file")) "."
                    @if let Some(restore) = &taken.restore { " It is kept: " code { (restore) } }
                }
                @if !taken.left.is_empty() {
                    ul { @for left in &taken.left { li { "left: " code { (left.path) } ": " (left.reason) } } }
                }
            }
            @if attempt.patch.is_some() { (places.diff(number)) }
        }
    }
}

fn outcome(test: &TestOutcome, number: usize, places: &Places<'_>) -> Markup {
    html! {
        li {
            (sign(!test.lacks())) " " code { (test.id) } " "
            span { (places.linked(number, &test.told())) }
            div.muted { code { (test.text) } }
            @if !test.tail.is_empty() {
                details { summary { "The end of its output" } pre tabindex="0" { (test.tail) } }
            }
        }
    }
}

/// Where evidence leads: to the line in the newest of the card's patches that has its file.
struct Places<'p> {
    name: &'p str,
    /// One an attempt.
    diffs: Vec<Diff<'p>>,
    /// Attempt, file and line of those that evidence leads to.
    wanted: BTreeSet<(usize, usize, usize)>,
}

/// A place that evidence names: where in its text, and where in the patches.
struct Place {
    text: Range<usize>,
    attempt: usize,
    file: usize,
    line: Option<usize>,
}

impl<'p> Places<'p> {
    fn of(name: &'p str, card: &'p CardStory) -> Places<'p> {
        let diff = |attempt: &'p AttemptStory| attempt.patch.as_ref().map(Diff::of).unwrap_or_default();
        let mut places = Places { name, diffs: card.attempts.iter().map(diff).collect(), wanted: BTreeSet::new() };
        for (number, attempt) in card.attempts.iter().enumerate() {
            let found = attempt.tests.iter().filter_map(|test| places.find(number, &test.told()));
            let found: Vec<_> = found.filter_map(|place| Some((place.attempt, place.file, place.line?))).collect();
            places.wanted.extend(found);
        }
        places
    }

    fn find(&self, number: usize, evidence: &str) -> Option<Place> {
        let newest_first = self.diffs.iter().enumerate().take(number + 1).rev();
        let files = newest_first.flat_map(|(at, diff)| diff.files.iter().enumerate().map(move |file| (at, file)));
        let named = |(attempt, (file, found)): (usize, (usize, &File<'_>))| {
            let (text, line) = named(&found.path, evidence)?;
            Some(Place { text, attempt, file, line: Some(line).filter(|line| found.has(*line)) })
        };
        files.filter_map(named).next()
    }

    fn linked(&self, number: usize, evidence: &str) -> Markup {
        let Some(Place { text, attempt, file, line }) = self.find(number, evidence) else {
            return html! { (evidence) };
        };
        let line = line.map(|line| format!("l{line}")).unwrap_or_default();
        html! {
            (evidence[..text.start])
            a href=(format!("#{}a{attempt}f{file}{line}", self.name)) { (evidence[text.clone()]) }
            (evidence[text.end..])
        }
    }

    fn diff(&self, number: usize) -> Markup {
        let name = format!("{}a{number}", self.name);
        let wanted = |file, line| self.wanted.contains(&(number, file, line));
        self.diffs.get(number).map(|diff| diff.markup(&name, wanted)).unwrap_or_default()
    }
}

/// Where a text names a line of a file, and which. A patch names files from the top of the repository, evidence from the
/// workspace, which may lie below it.
fn named(path: &str, text: &str) -> Option<(Range<usize>, usize)> {
    let starts = std::iter::once(0).chain(path.match_indices('/').map(|(at, _)| at + 1));
    starts.map(|start| &path[start..]).filter(|path| !path.is_empty()).find_map(|path| {
        let start = text.find(&format!("{path}:"))?;
        let word = text[..start].chars().next_back().is_none_or(|before| before.is_whitespace() || before == '`');
        let digits = start + path.len() + 1;
        let rest = &text[digits..];
        let end = digits + rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(rest.len());
        Some((start..end, text[digits..end].parse().ok().filter(|_| word)?))
    })
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn evidence_names_a_file_from_the_workspace_and_a_patch_from_the_top() {
        for (path, text, found) in [
            ("src/a.rs", "src/a.rs:41", Some((0..11, 41))),
            ("app/src/a.rs", "src/a.rs:41", Some((0..11, 41))),
            ("a.rs", "src/a.rs:41", None),
            ("a b.txt", "nearest: a b.txt:3: x", Some((9..18, 3))),
            ("a.rs", "a.rs: no line", None),
            ("", ":3", None),
            ("ä/", "ä/:3", Some((0..5, 3))),
        ] {
            assert_eq!(named(path, text), found, "{path} in {text}");
        }
    }
}
