//! For a pull request or a job's summary: counts, a table of the cards, and why some did not pass. Pure.

use std::borrow::Cow;
use std::fmt::Write;

use super::story::{CardStory, Story, Totals};
use super::units;

/// GitHub takes summaries up to 1 MiB, comments up to 65,536 characters, and says nothing where more is lost.
const MOST: usize = 1 << 20;
/// Kept free for what says what is left out.
const RESERVE: usize = 1 << 10;

pub fn page(story: &Story) -> String {
    within(story, MOST - RESERVE)
}

/// At most so many bytes, and a line that says what was left out.
fn within(story: &Story, most: usize) -> String {
    let mut page = head(story);
    let rows: Vec<String> = story.cards.iter().map(row).collect();
    let (shown_rows, left) = fitting(&rows, most.saturating_sub(page.len()));
    shown_rows.iter().for_each(|row| page.push_str(row));
    let mut out = vec![(left, "rows of cards")];
    let bad: Vec<String> = story.cards.iter().filter(|card| card.fate.is_bad()).map(details).collect();
    let (shown, left) = fitting(&bad, most.saturating_sub(page.len()));
    shown.iter().for_each(|details| page.push_str(details));
    out.push((left, "cards' reasons"));
    let out: Vec<String> =
        out.into_iter().filter(|(left, _)| *left > 0).map(|(left, what)| format!("{left} {what}")).collect();
    if !out.is_empty() {
        writeln!(page, "\nLeft out, because the page would be too long: {}.", out.join(", ")).ok();
    }
    page
}

/// The first texts that fit, and how many don't.
fn fitting(texts: &[String], most: usize) -> (&[String], usize) {
    let mut size = 0;
    let fit = texts.iter().take_while(|text| {
        size += text.len();
        size <= most
    });
    let (shown, left) = texts.split_at(fit.count());
    (shown, left.len())
}

fn head(story: &Story) -> String {
    let Totals { cards, promoted, bounced, unverified, failed, vetoed, attempts, tokens, untold, seconds } =
        &story.totals;
    let mut page = format!("## Board {}\n\n", text(&story.source));
    let untold = match untold {
        0 => String::new(),
        untold => format!(" (and those of {}, where codex said nothing)", units::of(*untold, "attempt")),
    };
    let vetoed = if *vetoed > 0 { format!(", {vetoed} vetoed") } else { String::new() };
    let (cards, attempts) = (units::of(*cards, "card"), units::of(*attempts, "attempt"));
    let (tokens, time) = (units::count(*tokens), units::time(*seconds));
    writeln!(
        page,
        "**{promoted} promoted**, {bounced} bounced, {unverified} unverified, {failed} failed in place{vetoed} · {cards}, {attempts}, \
         {tokens} tokens{untold}, {time}"
    )
    .ok();
    for notice in &story.notices {
        write!(page, "\n> {}\n", text(notice)).ok();
    }
    page.push_str("\n| Card | Column | Verdict | Why | Tests | Tokens | Time |\n|---|---|---|---|--:|--:|--:|\n");
    page
}

fn row(card: &CardStory) -> String {
    let column = card.column.as_ref().map_or("*gone*".to_owned(), |column| text(&column.0));
    let why = match (&card.next, card.attempts.is_empty()) {
        (Some(next), true) if card.reason.is_empty() => &next.reason,
        _ => &card.reason,
    };
    let (tests, tokens, time) = match card.judged() {
        _ if card.attempts.is_empty() => Default::default(),
        judged => {
            let tests = judged.map(|attempt| format!("{} of {}", attempt.passed(), attempt.tests.len()));
            (tests.unwrap_or_default(), units::count(card.tokens()), units::time(card.seconds()))
        }
    };
    let (title, verdict, why) = (text(&short(&card.title)), card.fate.name(), text(&short(why)));
    format!("| {title} | {column} | {verdict} | {why} | {tests} | {tokens} | {time} |\n")
}

fn details(card: &CardStory) -> String {
    let mut part = format!("\n### {}: {}\n\n{}\n", card.fate.name(), text(&card.title), text(&card.reason));
    let Some(attempt) = card.judged() else { return part };
    writeln!(part, "\nAttempt {} of {} in {}:\n", attempt.number, attempt.limit, text(&attempt.column.0)).ok();
    for test in &attempt.tests {
        let sign = if test.lacks() { "❌" } else { "✅" };
        writeln!(part, "- {sign} {}: {}", text(&test.id.0), text(&test.told())).ok();
        if !test.tail.is_empty() {
            part.push_str(&fenced(&test.tail));
        }
    }
    part
}

/// Of a cell of the table.
fn short(text: &str) -> Cow<'_, str> {
    const LETTERS: usize = 160;
    match text.char_indices().nth(LETTERS) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// On one line, and nothing but text: no markup, no mention, no link, no table's end.
fn text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\n' | '\t' => shown.push(' '),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '&' => shown.push_str("&amp;"),
            // A zero-width space keeps people and issues from being called.
            '@' | '#' if chars.peek().is_some_and(|next| next.is_alphanumeric()) => {
                shown.push(char);
                shown.push_str("&#8203;");
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' | ':' | '!' => {
                shown.push('\\');
                shown.push(char);
            }
            _ => shown.push(char),
        }
    }
    shown
}

/// Several lines as they are, below a list's item.
fn fenced(text: &str) -> String {
    let longest = text.split(|char| char != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let lines: String = text.lines().map(|line| format!("  {line}\n")).collect();
    format!("\n  {fence}text\n{lines}  {fence}\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Story, fenced, text, within};

    #[test]
    fn what_would_make_the_page_too_long_is_left_out_and_counted() {
        let card = |number: u32| {
            json!({
                "id": format!("KB-{number}"), "title": format!("card {number}"), "column": "Done", "line": 0, "labels": [],
                "fate": "failed", "reason": "why not", "attempts": [], "happenings": [],
            })
        };
        let story = json!({
            "version": 1, "source": "board.md", "notices": [], "columns": [], "ways": [],
            "totals": {
                "cards": 100, "promoted": 0, "bounced": 100, "unverified": 0, "failed": 0, "attempts": 0, "tokens": 0,
                "untold": 0, "seconds": 0.0,
            },
            "cards": (0..100).map(card).collect::<Vec<_>>(),
        });
        let story: Story = serde_json::from_value(story).unwrap();
        let whole = within(&story, 100_000);
        assert!(whole.contains("| card 99 |") && whole.contains("### failed: card 99") && !whole.contains("Left out"));
        for most in [0, 500, 2_000, whole.len() - 1] {
            let page = within(&story, most);
            let (rows, reasons) = (page.matches("| card ").count(), page.matches("### failed").count());
            let left = [(100 - rows, "rows of cards"), (100 - reasons, "cards' reasons")];
            let left: Vec<_> =
                left.iter().filter(|(left, _)| *left > 0).map(|(left, what)| format!("{left} {what}")).collect();
            assert!(page.ends_with(&format!("too long: {}.\n", left.join(", "))), "{most}: {page}");
            assert!(page.len() <= most.max(300) + 200, "{most}: {}", page.len());
        }
    }

    #[test]
    fn nothing_of_a_text_is_markup() {
        for (written, shown) in [
            ("a | b\n| c", "a \\| b \\| c"),
            ("<img src=x onerror=alert(1)> &amp;", "&lt;img src=x onerror=alert(1)&gt; &amp;amp;"),
            ("`code` *bold* _it_ ~~no~~ $x$", "\\`code\\` \\*bold\\* \\_it\\_ \\~\\~no\\~\\~ \\$x\\$"),
            ("![x](http://a) [y](b)", "\\!\\[x\\](http\\://a) \\[y\\](b)"),
            ("fixes #12 for @me, not # or me@", "fixes #&#8203;12 for @&#8203;me, not # or me@"),
            ("a \\| b", "a \\\\\\| b"),
        ] {
            assert_eq!(text(written), shown);
        }
    }

    #[test]
    fn a_fence_is_longer_than_any_in_its_text() {
        assert_eq!(fenced("a\n````\nb"), "\n  `````text\n  a\n  ````\n  b\n  `````\n");
        assert_eq!(fenced("a"), "\n  ```text\n  a\n  ```\n");
    }
}
