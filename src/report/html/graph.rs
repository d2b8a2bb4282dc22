//! The ways between columns as a picture: what passes goes above the columns, what fails below; and the same as a list.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::board::Column;
use crate::report::story::{On, Story, Way};
use crate::report::units;

const NODE: (f32, f32) = (138.0, 48.0);
const GAP: f32 = 30.0;
const MARGIN: f32 = 8.0;
/// From the columns to the nearest way, and from way to way.
const FIRST: f32 = 26.0;
const LANE: f32 = 22.0;
const BEND: f32 = 8.0;
/// So near to a number no other way crosses, where that can be.
const LABEL: f32 = 13.0;
/// Of a name, in a column.
const LETTERS: usize = 17;

pub fn section(story: &Story) -> Markup {
    if story.ways.is_empty() {
        return html! {};
    }
    let drawing = Drawing::of(story);
    html! {
        section aria-labelledby="flow" {
            h2 id="flow" { "Flow" }
            p.legend {
                @for on in [On::Pass, On::Fail, On::Exhausted, On::Person] {
                    @if story.ways.iter().any(|way| way.on == on) { span class=(class(on)) { (on.name()) } " " }
                }
                span.muted { "Numbers are moves that were made; a faint way was never gone, a dashed one is not in the rules." }
            }
            div.flow tabindex="0" role="group" aria-labelledby="flow" { (drawing.markup(story)) }
            details {
                summary { "The same as a list" }
                ul {
                    @for way in &story.ways {
                        li {
                            bdi { (way.from) } " → " bdi { (way.to) } ", " (way.on.name()) ": "
                            (units::of(way.moves as usize, "move"))
                            @if !way.ruled { " (not in the rules)" }
                        }
                    }
                }
            }
        }
    }
}

fn class(on: On) -> &'static str {
    match on {
        On::Pass => "pass",
        On::Fail => "fail",
        On::Exhausted => "exhausted",
        On::Person => "person",
    }
}

fn is_above(way: &Way) -> bool {
    match way.on {
        On::Pass | On::Person => true,
        On::Fail | On::Exhausted => false,
    }
}

/// Where everything is.
struct Drawing<'s> {
    /// Those of the board, then others that ways lead to.
    columns: Vec<&'s Column>,
    lines: Vec<Line<'s>>,
    /// Above and below.
    lanes: [usize; 2],
}

/// A way: from one place at a column's edge up (or down) to its lane, along it, and back to a column.
struct Line<'s> {
    way: &'s Way,
    start: f32,
    end: f32,
    lane: usize,
}

impl<'s> Drawing<'s> {
    fn of(story: &'s Story) -> Drawing<'s> {
        let mut columns: Vec<&Column> = story.columns.iter().map(|column| &column.name).collect();
        for column in story.ways.iter().flat_map(|way| [&way.from, &way.to]) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        let at: BTreeMap<&Column, usize> = columns.iter().enumerate().map(|(at, column)| (*column, at)).collect();
        let ends = |way: &Way| [at.get(&way.from).copied().unwrap_or(0), at.get(&way.to).copied().unwrap_or(0)];
        let ways: Vec<(&Way, [usize; 2])> = story.ways.iter().map(|way| (way, ends(way))).collect();
        let ports = ports(&ways, columns.len());
        let place = |way: usize, end: usize| ports.get(&(way, end)).copied().unwrap_or_default();
        let mut lines: Vec<Line<'_>> = (0..)
            .zip(&ways)
            .map(|(number, (way, _))| Line { way, start: place(number, 0), end: place(number, 1), lane: 0 })
            .collect();
        lines.sort_by(|one, other| one.length().total_cmp(&other.length()));
        let lanes = [true, false].map(|above| lay(lines.iter_mut().filter(|line| is_above(line.way) == above)));
        Drawing { columns, lines, lanes }
    }

    fn markup(&self, story: &Story) -> Markup {
        let height = |lanes: usize| if lanes == 0 { 0.0 } else { FIRST + LANE * lanes as f32 };
        let top = MARGIN + height(self.lanes[0]);
        let (width, height) = (x(self.columns.len()) - GAP + MARGIN, top + NODE.1 + height(self.lanes[1]) + MARGIN);
        html! {
            svg viewBox=(format!("0 0 {width} {height}")) width=(width) height=(height) role="img" aria-labelledby="drawing" {
                title id="drawing" { "Columns and the ways between them" }
                @for line in &self.lines { (line.markup(top, self.label(line))) }
                @for (at, column) in self.columns.iter().enumerate() { (node(column, x(at), top, story)) }
            }
        }
    }
}

impl Drawing<'_> {
    /// Where on its lane a line's number stands: in the middle, or beside it where others cross there.
    fn label(&self, line: &Line<'_>) -> f32 {
        let crosses = |other: &&Line<'_>| other.lane > line.lane && is_above(other.way) == is_above(line.way);
        let crossing: Vec<f32> = self.lines.iter().filter(crosses).flat_map(|other| [other.start, other.end]).collect();
        let places = [0.5, 0.4, 0.6, 0.3, 0.7].map(|part| line.start + (line.end - line.start) * part);
        let clear = |place: &&f32| crossing.iter().all(|other| (*place - other).abs() > LABEL);
        *places.iter().find(clear).unwrap_or(&places[0])
    }
}

fn x(column: usize) -> f32 {
    MARGIN + column as f32 * (NODE.0 + GAP)
}

/// Where each end (0, 1) of each way meets its column, so that ways cross as little as can be: those to the left leave on
/// the left, the nearest outermost; those to the right on the right, the nearest outermost.
fn ports(ways: &[(&Way, [usize; 2])], columns: usize) -> BTreeMap<(usize, usize), f32> {
    let mut ports = BTreeMap::new();
    for (column, above) in (0..columns).flat_map(|column| [(column, true), (column, false)]) {
        let mut ends: Vec<(bool, std::cmp::Reverse<usize>, usize, usize)> = Vec::new();
        for (number, (_, at)) in ways.iter().enumerate().filter(|(_, (way, _))| is_above(way) == above) {
            for (end, _) in at.iter().enumerate().filter(|(_, at)| **at == column) {
                let other = at[1 - end];
                let right = other > column || (other == column && end == 1);
                ends.push((right, std::cmp::Reverse(other), number, end));
            }
        }
        ends.sort();
        let step = NODE.0 / (ends.len() + 1) as f32;
        for (number, (.., way, end)) in (1..).zip(ends) {
            ports.insert((way, end), x(column) + step * number as f32);
        }
    }
    ports
}

/// Gives each line, shortest first, the nearest lane where it has room; how many there are.
fn lay<'l, 's: 'l>(lines: impl Iterator<Item = &'l mut Line<'s>>) -> usize {
    let mut lanes: Vec<Vec<(f32, f32)>> = Vec::new();
    for line in lines {
        let (left, right) = (line.start.min(line.end) - BEND, line.start.max(line.end) + BEND);
        let free = |lane: &Vec<(f32, f32)>| lane.iter().all(|(from, to)| right < *from || *to < left);
        line.lane = lanes.iter().position(free).unwrap_or(lanes.len());
        if line.lane == lanes.len() {
            lanes.push(Vec::new());
        }
        lanes[line.lane].push((left, right));
    }
    lanes.len()
}

impl Line<'_> {
    fn length(&self) -> f32 {
        (self.end - self.start).abs()
    }

    /// `label` is where its number stands.
    fn markup(&self, top: f32, label: f32) -> Markup {
        let Line { way, start, end, lane } = self;
        let (edge, out) = if is_above(way) { (top, -1.0) } else { (top + NODE.1, 1.0) };
        let along = edge + out * (FIRST + LANE * *lane as f32);
        let side = if end > start { 1.0 } else { -1.0 };
        let bend = BEND.min(self.length() / 2.0);
        let (before, near, tip) = (along - out * bend, side * bend, edge + out * 2.0);
        let path = format!(
            "M{start:.1} {edge:.1}V{before:.1}Q{start:.1} {along:.1} {:.1} {along:.1}H{:.1}Q{end:.1} {along:.1} {end:.1} {before:.1}V{:.1}",
            start + near,
            end - near,
            tip + out * 5.0,
        );
        let head = format!("M{end:.1} {tip:.1}l-4 {:.1}h8z", out * 7.0);
        let class = format!(
            "way {}{}{}",
            class(way.on),
            if way.moves == 0 { " never" } else { "" },
            if way.ruled { "" } else { " unruled" }
        );
        html! {
            g class=(class) {
                title { (way.from) " → " (way.to) ", " (way.on.name()) ": " (way.moves) }
                path.line d=(path) {}
                path.head d=(head) {}
                @if way.moves > 0 {
                    @let number = way.moves.to_string();
                    @let width = 10.0 + 8.0 * number.len() as f32;
                    rect x=(format!("{:.1}", label - width / 2.0)) y=(format!("{:.1}", along - 9.0)) width=(width) height="18" rx="9" {}
                    text x=(format!("{label:.1}")) y=(format!("{:.1}", along + 4.5)) { (number) }
                }
            }
        }
    }
}

fn node(column: &Column, x: f32, y: f32, story: &Story) -> Markup {
    let worked = story.columns.iter().any(|known| known.name == *column && known.worked);
    let cards = story.in_column(column).count();
    let mut name: String = column.0.chars().take(LETTERS).collect();
    if name.len() < column.0.len() {
        name.push('…');
    }
    let middle = x + NODE.0 / 2.0;
    html! {
        g class={ "node" @if !worked { " parked" } } {
            title { (column) }
            rect x=(x) y=(y) width=(NODE.0) height=(NODE.1) rx="8" {}
            text.name x=(middle) y=(y + 21.0) { (name) }
            text.count x=(middle) y=(y + 38.0) { (units::of(cards, "card")) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Drawing, is_above, x};
    use crate::board::Column;
    use crate::report::story::{On, Story, Way};

    fn story(columns: &[&str], ways: &[(&str, &str, On)]) -> Story {
        let story = serde_json::json!({
            "version": 1, "source": "board.md", "notices": [], "cards": [], "ways": [],
            "columns": columns.iter().map(|name| serde_json::json!({"name": name, "worked": true})).collect::<Vec<_>>(),
            "totals": {
                "cards": 0, "promoted": 0, "bounced": 0, "unverified": 0, "failed": 0, "attempts": 0, "tokens": 0,
                "untold": 0, "seconds": 0.0,
            },
        });
        let column = |name: &str| Column::from(name);
        let way = |(from, to, on): &(&str, &str, On)| Way {
            from: column(from),
            to: column(to),
            on: *on,
            ruled: true,
            moves: 1,
        };
        Story { ways: ways.iter().map(way).collect(), ..serde_json::from_value(story).unwrap() }
    }

    /// Every pair of columns in both directions, each with itself, and one that the board lacks.
    #[test]
    fn ways_meet_their_columns_and_none_lies_on_another() {
        let names = ["A", "B", "C", "D", "E"];
        let ways: Vec<_> = names
            .iter()
            .flat_map(|from| names.iter().map(|to| (*from, *to, On::Pass)))
            .chain([("A", "Gone", On::Fail), ("B", "D", On::Exhausted), ("E", "A", On::Person)])
            .collect();
        let story = story(&names, &ways);
        let drawing = Drawing::of(&story);
        assert_eq!((drawing.columns.len(), drawing.lines.len()), (6, ways.len()));
        let reach = |column: &Column| {
            let at = drawing.columns.iter().position(|known| *known == column).unwrap();
            x(at)..x(at + 1)
        };
        for (number, line) in drawing.lines.iter().enumerate() {
            assert!(reach(&line.way.from).contains(&line.start) && reach(&line.way.to).contains(&line.end));
            for other in &drawing.lines[number + 1..] {
                let beside = line.lane != other.lane || is_above(line.way) != is_above(other.way);
                let apart = line.start.max(line.end) < other.start.min(other.end)
                    || other.start.max(other.end) < line.start.min(line.end);
                assert!(beside || apart, "{:?} and {:?}", line.way, other.way);
            }
        }
        let shown = drawing.markup(&story).into_string();
        assert!(!shown.contains("NaN") && !shown.contains("inf"), "{shown}");
    }
}
