//! Rules for the columns that a board has: strict, and commented for whoever reads them first. Pure.

use super::scalar;
use crate::board::{Column, Role};

const HEAD: &str = "\
# What each column does with its cards, and where they go. One that is only named is a parking place: nothing there is
# worked. The README has all keys (Rules); `kanban-codex-exec dry-run` shows where each card would go.
";

const STRICT: &str =
    "    # Strict: only lines that the card's own attempts added count, never what codex says of its work.
    evidence: [changes]
    requireChanges: true # a card that changed nothing has done nothing
    redGreen: true # a shell test counts only if it failed before the card's first attempt
";

const MORE: &str =
    "    # guardPaths: [\"tests/**\"] # what shell tests rest on: codex may add files there, and change none
    # onFailWork: stash # take back what a failed attempt did; otherwise it stays, for the next one to go on with
    # beforeTransition: { shell: ./hooks/check.sh } # may veto the move
    # afterTransition: { shell: ./hooks/notify.sh } # hears of it
";

const FOOT: &str = "
# Hears of what happens: promoted, bounced, exhausted, infrastructure, drained.
# onEvent: { shell: ./hooks/notify.sh }
";

const WORK: &str = "You work alone in this folder on one card of a Kanban board. Do what the card says, all of it and
nothing else.";
const REVIEW: &str = "Review the work that was done for this card of a Kanban board, in this folder. Mend what is wrong
or missing; if all is well, change nothing.";

/// The transitions file for these columns. `files`: what the work is judged by, as codex would name it.
pub fn text(columns: &[Column], files: &str) -> String {
    let ways = Ways::of(columns);
    let mut text = format!("{HEAD}statuses:\n");
    for (at, column) in columns.iter().enumerate().filter(|(at, column)| !columns[..*at].contains(column)) {
        text.push_str(&format!("  {}:", scalar(&column.0)));
        match ways.worked(at) {
            None if ways.role(at) == Some(Role::Unclear) => {
                text.push_str(" # a person sharpens what bounced, and moves it back")
            }
            None => {}
            Some(prompt) => rule(&mut text, &ways, at, prompt, files),
        }
        text.push('\n');
    }
    text + FOOT
}

fn rule(text: &mut String, ways: &Ways, at: usize, prompt: &str, files: &str) {
    text.push('\n');
    if ways.role(at).is_none() {
        text.push_str("    # Chosen by its place, as no name tells: this rule belongs to the column where cards are to be worked.\n");
    }
    text.push_str("    prompt: |-\n");
    let leave = format!("Leave {files} as they are: your work is judged by them.");
    for line in prompt.lines().chain([leave.as_str(), "The card:"]) {
        text.push_str(&format!("      {line}\n"));
    }
    let review = ways.role(at) == Some(Role::Review);
    let back = if review { ways.first_worked() } else { ways.first(Role::Unclear) };
    let back = back.filter(|back| *back != at);
    let why = if review { "worked again, with what failed in the prompt" } else { "with the reasons on the card" };
    let stays = "    # onFail: COLUMN # without it, it is tried again in place, with what failed in the prompt\n";
    text.push_str(&ways.way("onPass", ways.next(at), "", "    # onPass: COLUMN # without it, it stays here\n"));
    text.push_str(&ways.way("onFail", back, why, stays));
    text.push_str("    maxAttempts: 3 # failed ones, of each card; then\n");
    let marked = "    # onExhausted: COLUMN # without it, it stays here, marked, and waits for a person\n";
    text.push_str(&ways.way("onExhausted", ways.first(Role::Blocked), "a person is needed", marked));
    text.push_str(STRICT);
    if ways.first_worked() == Some(at) {
        text.push_str(MORE);
    }
    text.truncate(text.trim_end().len());
}

/// The way of a card over a board's columns.
struct Ways<'c> {
    columns: &'c [Column],
    roles: Vec<Option<Role>>,
    /// Where cards are begun, in board order.
    begun: Vec<usize>,
}

impl<'c> Ways<'c> {
    fn of(columns: &'c [Column]) -> Ways<'c> {
        let roles: Vec<Option<Role>> = columns.iter().map(|column| Role::of(&column.0)).collect();
        let all = |role| (0..roles.len()).filter(|at| roles[*at] == role).collect::<Vec<_>>();
        let last = columns.len().saturating_sub(1);
        // A board in other words: the last that is neither its end nor known to be something else.
        let other = all(None).into_iter().rfind(|at| *at != last || last == 0).into_iter().collect();
        let choices = [all(Some(Role::Work)), all(Some(Role::Ready)), other];
        let begun = choices.into_iter().find(|choice| !choice.is_empty()).unwrap_or_default();
        Ways { columns, roles, begun }
    }

    fn role(&self, at: usize) -> Option<Role> {
        self.roles[at]
    }

    fn first(&self, role: Role) -> Option<usize> {
        self.roles.iter().position(|other| *other == Some(role))
    }

    /// The prompt of a column that is worked.
    fn worked(&self, at: usize) -> Option<&'static str> {
        match self.roles[at] {
            _ if self.begun.contains(&at) => Some(WORK),
            // Where nothing is begun, there is nothing to review either.
            Some(Role::Review) if !self.begun.is_empty() => Some(REVIEW),
            _ => None,
        }
    }

    fn first_worked(&self) -> Option<usize> {
        self.begun.first().copied()
    }

    /// Where what passed goes: on to a review, then to its end.
    fn next(&self, at: usize) -> Option<usize> {
        let reviewed = self.roles[at] == Some(Role::Review);
        let from = if reviewed { at + 1 } else { 0 };
        let review = (from..self.roles.len()).find(|other| self.roles[*other] == Some(Role::Review));
        let last = self.columns.len().checked_sub(1).filter(|last| self.roles[*last].is_none());
        review.or(self.first(Role::Done)).or(last).filter(|to| *to != at)
    }

    /// One line, or what stands there in its place.
    fn way(&self, key: &str, to: Option<usize>, why: &str, otherwise: &str) -> String {
        let Some(to) = to else { return otherwise.to_owned() };
        let why = if why.is_empty() { String::new() } else { format!(" # {why}") };
        format!("    {key}: {}{why}\n", scalar(&self.columns[to].0))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::rules::{Rules, parse};

    fn rules(names: &[&str]) -> Rules {
        let columns: Vec<Column> = names.iter().map(|name| Column::from(*name)).collect();
        let text = text(&columns, "board.md");
        let board = crate::board::Board { columns, ..Default::default() };
        parse(&text, "t.yaml", Path::new("/"), Some(&board)).unwrap_or_else(|wrong| panic!("{wrong:?}\n{text}"))
    }

    /// `In Progress → Review / Needs Specs / Blocked` of each column that is worked, in board order.
    fn ways(names: &[&str]) -> Vec<String> {
        let rules = rules(names);
        let name = |column: &Option<Column>| column.as_ref().map_or("-", |column| &*column.0).to_owned();
        let way = |column: &Column| {
            let rule = rules.columns.get(column)?;
            let ways = [name(&rule.on_pass), name(&rule.on_fail), name(&rule.on_exhausted)];
            Some(format!("{column} → {}", ways.join(" / ")))
        };
        names.iter().filter_map(|column| way(&Column::from(*column))).collect()
    }

    #[test]
    fn cards_go_the_way_that_a_boards_names_tell() {
        for (names, expected) in [
            (
                &["Backlog", "In Progress", "Review", "Needs Specs", "Blocked", "Done"][..],
                &["In Progress → Review / Needs Specs / Blocked", "Review → Done / In Progress / Blocked"][..],
            ),
            (&["To Do", "In Progress", "Done"], &["In Progress → Done / - / -"]),
            (&["Todo", "Done"], &["Todo → Done / - / -"]),
            (
                &["📥 Inbox", "🚧 Doing", "👀 In review", "QA", "✅ Shipped"],
                &[
                    "🚧 Doing → 👀 In review / - / -",
                    "👀 In review → QA / 🚧 Doing / -",
                    "QA → ✅ Shipped / 🚧 Doing / -",
                ],
            ),
            (&["Ideen", "In Arbeit", "Erledigt"], &["In Arbeit → Erledigt / - / -"]),
            (&["All"], &["All → - / - / -"]),
            (&["Done"], &[]),
            (&["Backlog", "Review"], &[]),
            (&["Review", "Todo"], &["Review → - / Todo / -", "Todo → Review / - / -"]),
        ] {
            assert_eq!(ways(names), expected, "{names:?}");
        }
    }

    #[test]
    fn every_worked_column_is_strict() {
        for rule in rules(&["To Do", "Doing", "Review", "Done"]).columns.values() {
            assert_eq!(rule.evidence, Some(vec![crate::checks::Source::Changes]));
            assert!(rule.require_changes && rule.red_green && !rule.prompt.is_empty());
            assert_eq!(rule.max_attempts, Some(3));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_a_board_calls_its_columns_its_rules_are_valid(names in prop::collection::vec("\\PC{0,12}\\w", 1..6)) {
            let names: Vec<&str> = names.iter().map(|name| name.trim()).collect();
            rules(&names);
        }
    }
}
