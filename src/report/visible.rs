//! Text from other people as it may be shown: what steers a terminal, breaks XML or turns the order of letters is written
//! out. Pure.

use std::borrow::Cow;

use serde_json::Value;

/// Does so in every text of a JSON value.
pub fn visible(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(shown) = shown(text) {
                *text = shown;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(visible),
        Value::Object(fields) => fields.values_mut().for_each(visible),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn shown(text: &str) -> Cow<'_, str> {
    written_out(text, hidden, char::escape_unicode)
}

/// The text with the characters that are `hidden` as their escapes.
pub fn written_out<E: Iterator<Item = char>>(
    text: &str,
    hidden: fn(char) -> bool,
    escape: fn(char) -> E,
) -> Cow<'_, str> {
    if !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        match hidden(char) {
            true => shown.extend(escape(char)),
            false => shown.push(char),
        }
    }
    Cow::Owned(shown)
}

/// What a terminal obeys: controls but tab and line feed, and what overrides or isolates a direction of writing.
pub fn is_obeyed(char: char) -> bool {
    let turns = matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (char.is_control() && !matches!(char, '\n' | '\t'))
}

/// The same, marks of a direction, and what is no character.
fn hidden(char: char) -> bool {
    let mark = matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}');
    is_obeyed(char) || mark || matches!(char, '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::visible;

    #[test]
    fn what_hides_is_written_out_and_what_people_write_stays() {
        let mut value = json!({"a": ["\u{1b}[31m\0", "x\u{202e}y\r"], "b": "שלום, 日本 👩‍👩‍👧\n\tok", "c": 1});
        visible(&mut value);
        let expected = json!({
            "a": ["\\u{1b}[31m\\u{0}", "x\\u{202e}y\\u{d}"],
            "b": "שלום, 日本 👩‍👩‍👧\n\tok",
            "c": 1,
        });
        assert_eq!(value, expected);
    }
}
