//! What `doctor` found, and what to do about it.

use schemars::JsonSchema;
use serde::Serialize;

use super::page::Page;
use super::units;

/// `doctor --format json`.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Doctor {
    pub version: u32,
    pub findings: Vec<Finding>,
    pub warnings: usize,
    pub errors: usize,
}

#[derive(Debug, JsonSchema, Serialize)]
pub struct Finding {
    pub level: Level,
    /// What was looked at.
    pub check: &'static str,
    pub text: String,
    pub hint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Ok,
    Warning,
    Error,
}

/// Collected in the order in which things are looked at.
#[derive(Debug, Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    pub fn ok(&mut self, check: &'static str, text: impl Into<String>) {
        self.add(Level::Ok, check, text, None);
    }

    pub fn warning(&mut self, check: &'static str, text: impl Into<String>, hint: impl Into<String>) {
        self.add(Level::Warning, check, text, Some(hint.into()));
    }

    pub fn error(&mut self, check: &'static str, text: impl Into<String>, hint: impl Into<String>) {
        self.add(Level::Error, check, text, Some(hint.into()));
    }

    pub fn add(&mut self, level: Level, check: &'static str, text: impl Into<String>, hint: Option<String>) {
        let hint = hint.filter(|hint| !hint.is_empty());
        self.0.push(Finding { level, check, text: text.into(), hint });
    }

    pub fn into_page(self) -> Doctor {
        let count = |level| self.0.iter().filter(|finding| finding.level == level).count();
        let (warnings, errors) = (count(Level::Warning), count(Level::Error));
        Doctor { version: 1, findings: self.0, warnings, errors }
    }
}

pub fn human(doctor: &Doctor) -> String {
    let mut page = Page::default();
    for Finding { level, check, text, hint } in &doctor.findings {
        let level = match level {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Error => "ERROR",
        };
        page.line(level, &format!("{check}: {text}"));
        if let Some(hint) = hint {
            page.line("", &format!("hint: {hint}"));
        }
    }
    let good = doctor.findings.len() - doctor.warnings - doctor.errors;
    let (warnings, errors) = (units::of(doctor.warnings, "warning"), units::of(doctor.errors, "error"));
    page.line("summary", &format!("{good} ok, {warnings}, {errors}"));
    page.into_text()
}
