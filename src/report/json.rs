//! One record a line.

use std::io::Write;

use super::{Out, Report};
use crate::journal::{Record, append};
use crate::redact::Redactor;

pub struct Json {
    pub out: Out,
    pub redactor: Redactor,
}

impl Report for Json {
    fn show(&mut self, record: &Record) {
        if let Ok(line) = append::line(record, &self.redactor) {
            writeln!(self.out, "{line}").and_then(|()| self.out.flush()).ok();
        }
    }
}
