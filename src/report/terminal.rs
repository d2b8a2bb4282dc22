//! Where the report is read: at a terminal, how wide it is, in colour or not.

use std::io::{IsTerminal, stderr, stdout};

use anstyle::{AnsiColor, Style};
use rustix::termios::tcgetwinsize;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::settings::{Color, Settings};

/// To the line's beginning, and nothing on it.
pub const CLEAR: &str = "\r\x1b[2K";
/// Where a terminal does not say how wide it is.
const ORDINARY: usize = 80;

pub const GOOD: Style = AnsiColor::Green.on_default().bold();
pub const ATTENTION: Style = AnsiColor::Yellow.on_default();
pub const BAD: Style = AnsiColor::Red.on_default();
pub const ASIDE: Style = Style::new().dimmed();
pub const PLAIN: Style = Style::new();

#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Somebody sits at it: there is a line that is written anew, and a table at the end.
    pub live: bool,
    pub color: bool,
}

impl Terminal {
    pub const NONE: Terminal = Terminal { live: false, color: false };

    /// Of stdout.
    pub fn of(settings: &Settings) -> Terminal {
        let terminal = stdout().is_terminal();
        Terminal {
            live: terminal && settings.cursor,
            color: match settings.color {
                Color::Auto => terminal && settings.cursor,
                Color::Always => true,
                Color::Never => false,
            },
        }
    }

    /// A warning takes the live line's place.
    pub fn before_warnings(self) -> &'static str {
        if self.live && stderr().is_terminal() { CLEAR } else { "" }
    }

    /// Now: people make windows wider.
    pub fn width(self) -> usize {
        let size = tcgetwinsize(stdout()).map_or(0, |size| usize::from(size.ws_col));
        if size == 0 { ORDINARY } else { size }
    }

    pub fn paint(self, style: Style, text: &str) -> String {
        if self.color && !style.is_plain() { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// As much of a text as so many cells take, `…` in place of the rest.
pub fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut taken = 0;
    let fits = |char: &char| {
        taken += char.width().unwrap_or(0);
        taken < width
    };
    text.chars().take_while(fits).collect::<String>() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_where_its_cells_end() {
        let cases = [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("日本語", 6, "日本語"),
            ("日本語", 5, "日本…"),
            ("日本語", 4, "日…"),
        ];
        for (text, width, shown) in cases {
            assert_eq!(fit(text, width), shown, "{text} in {width}");
            assert!(fit(text, width).width() <= width);
        }
    }
}
