//! YAML as a [`Node`]. Pure.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::tree::{DEEPEST, Entry, Kind, Node, Style, Wrong, unique};

/// `@name` without quotes where Backlog.md reads it, although YAML keeps the sign for itself.
static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?m)^((?:assignee|reporter):[ \t]+)@").ok());

/// Reads the one document in `range` of the text; None where there is nothing in it.
pub(super) fn parse(text: &str, range: Range<usize>) -> Result<Option<Node>, Wrong> {
    let inside = &text[range.clone()];
    let bytes = inside.char_indices().map(|(at, _)| range.start + at).chain([range.end]).collect();
    let read = NAME.as_ref().map_or(Cow::Borrowed(inside), |name| name.replace_all(inside, "${1}a"));
    let mut reader = Reader { text, bytes, end: range.start, events: Parser::new_from_str(&read) };
    let mut root = None;
    while let Some((event, span)) = reader.next()? {
        match event {
            Event::DocumentStart(_) if root.is_some() => {
                return Err(Wrong::new(span.start, "a second document begins here, and only one is read"));
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {}
            event => root = Some(reader.node(event, span, 0)?),
        }
    }
    Ok(root)
}

struct Reader<'t> {
    /// The text as it is written, of the same length as what is parsed.
    text: &'t str,
    /// The parser counts characters: the byte of each.
    bytes: Vec<usize>,
    /// Where what was read ends: the parser's own end of a value is often that of the comment or the line break behind it.
    end: usize,
    events: Parser<'t, saphyr_parser::StrInput<'t>>,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<Option<(Event<'t>, Range<usize>)>, Wrong> {
        match self.events.next() {
            None => Ok(None),
            Some(Ok((event, span))) => Ok(Some((event, self.span(span)))),
            Some(Err(error)) => {
                Err(Wrong::new(self.byte(error.marker().index()), format!("not valid YAML: {}", error.info())))
            }
        }
    }

    fn byte(&self, char: usize) -> usize {
        self.bytes.get(char).or(self.bytes.last()).copied().unwrap_or_default()
    }

    fn span(&self, span: Span) -> Range<usize> {
        self.byte(span.start.index())..self.byte(span.end.index())
    }

    fn node(&mut self, event: Event<'t>, span: Range<usize>, depth: usize) -> Result<Node, Wrong> {
        if depth > DEEPEST {
            return Err(Wrong::new(span.start, "nested too deep"));
        }
        match event {
            Event::Scalar(text, style, _, _) => Ok(self.scalar(text.into_owned(), style, span)),
            Event::SequenceStart(..) => {
                let (mut items, flow) = (Vec::new(), self.opened(&span, '['));
                loop {
                    match self.inside(&span)? {
                        (Event::SequenceEnd, _) => {
                            self.end = if flow { self.behind(']') } else { self.end };
                            return Ok(Node { span: span.start..self.end, kind: Kind::List(items) });
                        }
                        (event, span) => {
                            self.end = if flow { self.end } else { self.behind('-') };
                            items.push(self.node(event, span, depth + 1)?);
                        }
                    }
                }
            }
            Event::MappingStart(..) => {
                let (mut entries, flow) = (Vec::new(), self.opened(&span, '{'));
                loop {
                    let (event, key_span) = match self.inside(&span)? {
                        (Event::MappingEnd, _) => {
                            unique(&entries)?;
                            self.end = if flow { self.behind('}') } else { self.end };
                            return Ok(Node { span: span.start..self.end, kind: Kind::Map { flow, entries } });
                        }
                        key => key,
                    };
                    let Event::Scalar(key, ..) = event else {
                        return Err(Wrong::new(key_span.start, "a key that is no text stands here"));
                    };
                    let (event, at) = self.inside(&span)?;
                    self.end = key_span.end;
                    self.end = self.behind(':');
                    let value = self.node(event, at, depth + 1)?;
                    entries.push(Entry { key: key.into_owned(), key_span, value });
                }
            }
            Event::Alias(_) => {
                Err(Wrong::new(span.start, "an alias stands here, which is not followed: write its value out"))
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => Err(Wrong::new(span.start, "a value is expected here")),
        }
    }

    fn inside(&mut self, open: &Range<usize>) -> Result<(Event<'t>, Range<usize>), Wrong> {
        self.next()?.ok_or_else(|| Wrong::new(open.start, "what begins here has no end"))
    }

    /// Whether a list or a map begins with a bracket.
    fn opened(&mut self, span: &Range<usize>, bracket: char) -> bool {
        let flow = self.text[span.clone()].starts_with(bracket);
        self.end = span.start + if flow { bracket.len_utf8() } else { 0 };
        flow
    }

    /// Behind the sign that comes next, if it does: white space, commas and comments may stand before it.
    fn behind(&self, sign: char) -> usize {
        let mut rest = &self.text[self.end..];
        loop {
            rest = rest.trim_start_matches([' ', '\t', '\r', '\n', ',']);
            match rest.strip_prefix('#') {
                Some(comment) => rest = comment.trim_start_matches(|char| !matches!(char, '\r' | '\n')),
                None => return rest.strip_prefix(sign).map_or(self.end, |rest| self.text.len() - rest.len()),
            }
        }
    }

    fn scalar(&mut self, text: String, style: ScalarStyle, span: Range<usize>) -> Node {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::Single,
            ScalarStyle::DoubleQuoted => Style::Double,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        let quoted = |quote: char| {
            let from = span.start + self.text[span.start..].find(quote).unwrap_or(0);
            from..from + quoted(&self.text[from..], quote)
        };
        let span = match style {
            Style::Single => quoted('\''),
            Style::Double => quoted('"'),
            Style::Plain if text.is_empty() => self.end..self.end,
            Style::Plain => span,
            // With what it begins with, and without the line break that ends it.
            Style::Block => {
                let written = self.text.get(self.end..span.end).unwrap_or_default();
                let start = written.find(['|', '>']).unwrap_or(0);
                self.end + start..self.end + written.trim_end_matches([' ', '\t', '\r', '\n']).len()
            }
        };
        self.end = span.end;
        let plain = style == Style::Plain && span.len() == text.len();
        let text = if plain { self.text[span.clone()].to_owned() } else { text };
        Node { span, kind: Kind::Scalar { text, style } }
    }
}

/// The length of the quoted text at the beginning of `text`, its quotes included.
fn quoted(text: &str, quote: char) -> usize {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, char)) = chars.next() {
        let doubled = quote == '\'' && char == quote && chars.peek().is_some_and(|(_, next)| *next == quote);
        match char {
            _ if doubled => drop(chars.next()),
            '\\' if quote == '"' => drop(chars.next()),
            _ if char == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_knows_its_bytes() {
        let text = "id: TASK-1 # c\nüber: 'it''s' # d\r\nstatus: \"x \\\" y\" # e\nflow: {a: b, c: [1, 2]}\nlist:\n  - a: 1\n    b:   two words  \n  - c\nlast: {k: v}";
        let root = parse(text, 0..text.len()).unwrap().unwrap();
        let slice = |key: &str| &text[root.get(key).unwrap().value.span.clone()];
        for (key, written) in [
            ("id", "TASK-1"),
            ("über", "'it''s'"),
            ("status", "\"x \\\" y\""),
            ("flow", "{a: b, c: [1, 2]}"),
            ("last", "{k: v}"),
        ] {
            assert_eq!(slice(key), written, "{key}");
        }
        let list = &root.get("list").unwrap().value;
        assert_eq!(&text[list.items().unwrap()[0].get("b").unwrap().value.span.clone()], "two words");
        let value = serde_json::json!({"id": "TASK-1", "über": "it's", "status": "x \" y", "flow": {"a": "b", "c": [1, 2]},
            "list": [{"a": 1, "b": "two words"}, "c"], "last": {"k": "v"}});
        assert_eq!(root.value(), value);
    }

    #[test]
    fn what_is_written_on_lines_ends_with_its_last_value() {
        let list = "- a\n  - b: [c] # x\n    d:\n      - >-\n        e\n      -";
        let text = format!(
            "list:\n  {list}\n\n# x\nsame:\n- a\n- f: |+  # x\n    g\n\n\nflow: {{ a: [b, ], c: , }} # }}\nnothing:   # x\nfolded: >\n  h\n\n  i\nend:\n  j: k # x\n"
        );
        for text in [text.clone(), text.replace('\n', "\r\n")] {
            let root = parse(&text, 0..text.len()).unwrap().unwrap();
            let written = |key: &str| text[root.get(key).unwrap().value.span.clone()].replace("\r\n", "\n");
            assert_eq!(written("list"), list);
            assert!(written("same").ends_with("a\n- f: |+  # x\n    g"), "{:?}", written("same"));
            assert_eq!(written("flow"), "{ a: [b, ], c: , }");
            assert_eq!(written("folded"), ">\n  h\n\n  i");
            assert_eq!(written("end"), "j: k");
            let nothing = root.get("nothing").unwrap();
            assert_eq!(nothing.value.span, nothing.key_span.end + 1..nothing.key_span.end + 1);
        }
    }

    #[test]
    fn depth_is_bounded() {
        let text = "[".repeat(150);
        assert_eq!(parse(&text, 0..text.len()).unwrap_err().text, "nested too deep");
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        for (text, at, reason) in [
            ("title: a: b\n", 8, "mapping values are not allowed"),
            ("a: 1\nb: 2\na: 3\n", 10, "the key `a` stands twice"),
            ("a: &x 1\nb: *x\n", 11, "an alias stands here"),
            ("[a]: b\n", 0, "a key that is no text"),
            ("a: 1\n---\nb: 2\n", 5, "a second document"),
        ] {
            let wrong = parse(text, 0..text.len()).unwrap_err();
            assert!(wrong.at == at && wrong.text.contains(reason), "{text:?}: {wrong:?}");
        }
        let names = "assignee: @me\nreporter: @you # x\n";
        let value = parse(names, 0..names.len()).unwrap().unwrap().value();
        assert_eq!(value, serde_json::json!({"assignee": "@me", "reporter": "@you"}));
        assert!(parse("# nothing\n", 0..10).unwrap().is_none());
    }
}
