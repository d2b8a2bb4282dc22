//! When codex says that it will work again.

use std::time::Duration;

use jiff::civil::{Date, DateTime, Time};

/// From `try again in 3 hours 5 minutes`, `try again at 7:30 PM` or `try again at Jan 1st, 2030 12:00 AM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    In(Duration),
    /// Of the day on which it was said, local time.
    At(Time),
    /// Local time.
    On(DateTime),
}

/// A time of day that is past by less than this many seconds was just missed, and is not tomorrow's.
const MISSED: i64 = 3600;
const MINUTE: i64 = 60;
const DAY: i64 = 24 * 3600;
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

impl Reset {
    /// What an error text says of it.
    pub(super) fn parse(said: &str) -> Option<Reset> {
        let said = said.to_lowercase();
        let (_, after) = said.split_once("try again ")?;
        if let Some(span) = after.strip_prefix("in ") {
            return parse_span(span).map(Reset::In);
        }
        let words: Vec<&str> = after.strip_prefix("at ")?.split_whitespace().take(5).collect();
        match words.as_slice() {
            [month, day, year, time @ ..] if MONTHS.iter().any(|name| month.starts_with(name)) => {
                Some(Reset::On(parse_date(month, day, year)?.to_datetime(parse_time(time)?)))
            }
            time => parse_time(time).map(Reset::At),
        }
    }

    /// How long it is until then, `now` being the local time. A time is told without its seconds: it is over with its minute.
    pub fn wait(self, now: DateTime) -> Duration {
        let seconds = match self {
            Reset::In(span) => return span,
            Reset::At(time) => match now.duration_until(now.date().to_datetime(time)).as_secs() {
                past if past < -MISSED => past + DAY,
                seconds => seconds,
            },
            Reset::On(at) => now.duration_until(at).as_secs(),
        };
        Duration::from_secs(u64::try_from(seconds + MINUTE).unwrap_or(0))
    }
}

/// `3 days 4 hours 5 minutes`, `1.5s`, `6m0s`, `less than a minute`.
fn parse_span(text: &str) -> Option<Duration> {
    if text.starts_with("less than a minute") {
        return Some(Duration::from_secs(60));
    }
    let mut rest = text;
    let mut seconds = None;
    while let Some((part, after)) = parse_part(rest) {
        seconds = Some(seconds.unwrap_or(0.0) + part);
        rest = after.trim_start_matches([' ', ',']);
        rest = rest.strip_prefix("and ").unwrap_or(rest);
    }
    Duration::try_from_secs_f64(seconds?).ok()
}

/// One number with its unit, in seconds, and what follows it.
fn parse_part(text: &str) -> Option<(f64, &str)> {
    let (number, rest) = split_where(text, |c| c.is_ascii_digit() || c == '.');
    let (unit, rest) = split_where(rest.trim_start(), |c| c.is_ascii_alphabetic());
    let seconds = match unit {
        "ms" | "millisecond" | "milliseconds" => 0.001,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        _ => return None,
    };
    Some((number.parse::<f64>().ok()? * seconds, rest))
}

fn split_where(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

/// `jan`, `1st,`, `2030`.
fn parse_date(month: &str, day: &str, year: &str) -> Option<Date> {
    let month = MONTHS.iter().position(|name| month.starts_with(name))?;
    let (day, _) = split_where(day, |c| c.is_ascii_digit());
    let (year, _) = split_where(year, |c| c.is_ascii_digit());
    Date::new(year.parse().ok()?, i8::try_from(month + 1).ok()?, day.parse().ok()?).ok()
}

/// `7:30`, `pm.` or `19:30`.
fn parse_time(words: &[&str]) -> Option<Time> {
    let (hour, rest) = words.first()?.split_once(':')?;
    let (minute, _) = split_where(rest, |c| c.is_ascii_digit());
    let hour: i8 = hour.parse().ok()?;
    let half = words.get(1).map_or("", |word| word.trim_end_matches(|c: char| !c.is_alphabetic()));
    let hour = match half {
        "am" => hour % 12,
        "pm" => hour % 12 + 12,
        _ => hour,
    };
    Time::new(hour, minute.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    #[test]
    fn what_codex_says_is_understood() {
        let span = |seconds| Some(Reset::In(Duration::from_millis(seconds)));
        let at = |hour, minute| Some(Reset::At(time(hour, minute, 0, 0)));
        let on = |day: Date, hour, minute| Some(Reset::On(day.at(hour, minute, 0, 0)));
        let cases = [
            ("or try again in 3 hours 5 minutes.", span(11_100_000)),
            ("Try again in 1 day 2 hours and 3 minutes.", span(93_780_000)),
            ("Please try again in 28s. Visit https://x", span(28_000)),
            ("try again in 1.5s", span(1500)),
            ("try again in 6m0s.", span(360_000)),
            ("try again in 250ms.", span(250)),
            ("try again in less than a minute.", span(60_000)),
            ("or try again at 7:30 PM.", at(19, 30)),
            ("try again at 12:05 AM.", at(0, 5)),
            ("try again at 12:05 PM", at(12, 5)),
            ("try again at 19:30.", at(19, 30)),
            ("try again at Jan 1st, 2030 12:00 AM.", on(date(2030, 1, 1), 0, 0)),
            ("try again at Dec 22nd, 2026 11:59 PM.", on(date(2026, 12, 22), 23, 59)),
            ("Try again later.", None),
            ("try again in", None),
            ("try again in a moment", None),
            ("try again in 1e999 days", None),
            ("try again in 99999999999999999999999999999999 days", None),
            ("try again in . seconds", None),
            ("try again at", None),
            ("try again at 25:00", None),
            ("try again at 127:99 PM", None),
            ("try again at Feb 30th, 2030 1:00 AM", None),
            ("try again at Jan 1st, 2030", None),
            ("", None),
        ];
        for (said, expected) in cases {
            assert_eq!(Reset::parse(said), expected, "{said}");
        }
    }

    #[test]
    fn the_wait_ends_at_the_reset_and_is_never_negative() {
        let now = date(2026, 11, 23).at(19, 0, 0, 0);
        let cases = [
            (Reset::In(Duration::from_secs(7)), 7),
            (Reset::At(time(19, 30, 0, 0)), 1860),
            (Reset::At(time(19, 0, 0, 0)), 60),
            (Reset::At(time(18, 59, 0, 0)), 0),
            (Reset::At(time(3, 0, 0, 0)), 8 * 3600 + 60),
            (Reset::On(date(2026, 11, 24).at(19, 0, 0, 0)), 24 * 3600 + 60),
            (Reset::On(date(2026, 11, 23).at(18, 0, 0, 0)), 0),
        ];
        for (reset, seconds) in cases {
            assert_eq!(reset.wait(now), Duration::from_secs(seconds), "{reset:?}");
        }
    }
}
