//! What the environment says of the terminal.

use super::Resolver;
use crate::settings::Color;

impl Resolver<'_> {
    /// What was asked for, but for <https://no-color.org>.
    pub(super) fn color(&mut self) -> Color {
        let choices = [("auto", Color::Auto), ("always", Color::Always), ("never", Color::Never)];
        let wanted = self.choice("color", &choices).unwrap_or(Color::Never);
        let unwanted = self.given.variable("NO_COLOR").is_some_and(|value| !value.is_empty());
        if wanted == Color::Auto && unwanted { Color::Never } else { wanted }
    }

    /// Of the terminals of editors it is said that they are dumb.
    pub(super) fn has_cursor(&self) -> bool {
        self.given.variable("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
    }
}
