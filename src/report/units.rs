//! Numbers for people. Pure.

/// `12,345`
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let head = digits.len() % 3;
    let mut grouped = digits[..head].to_owned();
    for (at, digit) in digits[head..].chars().enumerate() {
        if at % 3 == 0 && !grouped.is_empty() {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 card`, `2,000 cards`
pub fn of(number: usize, thing: &str) -> String {
    let end = if number == 1 { "" } else { "s" };
    format!("{} {thing}{end}", count(number as u64))
}

/// `1 card is`, `2,000 cards are`
pub fn are(number: usize, thing: &str) -> String {
    format!("{} {}", of(number, thing), if number == 1 { "is" } else { "are" })
}

/// `4.2 s`, `3 min 5 s`, `2 h 10 min`
pub fn time(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        _ if seconds < 59.95 => format!("{:.1} s", seconds.max(0.0)),
        0..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// `12 bytes`, `3.4 KiB`
pub fn size(bytes: u64) -> String {
    let kib = bytes as f64 / 1024.0;
    match kib {
        _ if bytes < 1024 => format!("{bytes} bytes"),
        _ if kib < 1024.0 => format!("{kib:.1} KiB"),
        _ => format!("{:.1} MiB", kib / 1024.0),
    }
}

#[cfg(test)]
mod tests {
    use super::{are, count, of, size, time};

    #[test]
    fn numbers_are_short_and_grouped() {
        let counts = [0, 12, 999, 1_000, 123_456, 1_234_567].map(count);
        assert_eq!(counts, ["0", "12", "999", "1,000", "123,456", "1,234,567"]);
        assert_eq!([0, 1, 2_000].map(|number| of(number, "card")), ["0 cards", "1 card", "2,000 cards"]);
        assert_eq!([0, 1, 2_000].map(|number| are(number, "card")), ["0 cards are", "1 card is", "2,000 cards are"]);
        let times = [-1.0, 0.04, 4.25, 59.9, 59.94, 59.96, 60.0, 185.0].map(time);
        assert_eq!(times, ["0.0 s", "0.0 s", "4.2 s", "59.9 s", "59.9 s", "1 min 0 s", "1 min 0 s", "3 min 5 s"]);
        let times = [3_599.4, 3_599.9, 3_600.0, 7_800.0, 90_000.0].map(time);
        assert_eq!(times, ["59 min 59 s", "1 h 0 min", "1 h 0 min", "2 h 10 min", "25 h 0 min"]);
        assert_eq!([12, 3_500, 0x18_0000].map(size), ["12 bytes", "3.4 KiB", "1.5 MiB"]);
    }
}
