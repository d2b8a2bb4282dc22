//! JSON Schemas (2020-12) of what the program prints and reads. Those of what it prints are made from the types themselves,
//! that of the config file from the settings' table. Pure.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::hooks::{News, Transition};
use crate::journal::Record;
use crate::report::board::BoardPage;
use crate::report::doctor::Doctor;
use crate::report::explain::Explanation;
use crate::report::history::History;
use crate::report::init::Scaffold;
use crate::report::logs::Logs;
use crate::report::plan::Plan;
use crate::report::replay::Replay;
use crate::report::status::Status;
use crate::report::story::Story;
use crate::settings::table::{Form, Setting, TABLE};

/// A schema that there is.
#[derive(Debug)]
pub struct Schema {
    pub name: &'static str,
    /// Of what.
    pub of: &'static str,
    make: fn() -> Value,
}

const fn row(name: &'static str, of: &'static str, make: fn() -> Value) -> Schema {
    Schema { name, of, make }
}

/// Every schema, by name. What is printed as JSON has a row here.
#[rustfmt::skip]
pub const ALL: &[Schema] = &[
    row("board", "board --format json", printed::<BoardPage>),
    row("config", "kanban-codex-exec.yaml, the settings", config),
    row("doctor", "doctor --format json", printed::<Doctor>),
    row("event", "what an onEvent hook reads on stdin", printed::<News>),
    row("explain", "explain --format json", printed::<Explanation>),
    row("history", "history --format json", printed::<History>),
    row("hook", "what a hook at a transition reads on stdin", printed::<Transition>),
    row("init", "init --format json", printed::<Scaffold>),
    row("logs", "logs --format json", printed::<Logs>),
    row("plan", "print-plan --format json", printed::<Plan>),
    row("record", "a line of run and dry-run --format json, and of journal.jsonl", printed::<Record>),
    row("replay", "replay --format json", printed::<Replay>),
    row("report", "report --format json", printed::<Story>),
    row("status", "status --format json", printed::<Status>),
    row("transitions", "transitions.yaml, the rules", transitions),
];

impl Schema {
    pub fn named(name: &str) -> Option<&'static Schema> {
        ALL.iter().find(|schema| schema.name == name)
    }

    pub fn value(&self) -> Value {
        let mut value = (self.make)();
        value["title"] = Value::from(format!("kanban-codex-exec: {}", self.of));
        value
    }
}

fn printed<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>().to_value()
}

fn transitions() -> Value {
    serde_json::from_str(include_str!("schema/transitions.json")).unwrap_or_default()
}

fn config() -> Value {
    let mut properties = Map::new();
    for row in TABLE {
        match row.key.split_once('.') {
            None => drop(properties.insert(row.key.to_owned(), setting(row))),
            Some((outer, inner)) => {
                let mapping = json!({"type": "object", "additionalProperties": false, "properties": {}});
                let outer = properties.entry(outer.to_owned()).or_insert(mapping);
                outer["properties"][inner] = setting(row);
            }
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": ["object", "null"],
        "additionalProperties": false,
        "properties": properties,
    })
}

fn setting(row: &Setting) -> Value {
    let mut value = match row.form {
        Form::Switch => json!({"type": "boolean"}),
        Form::Value("N") => json!({"type": "integer", "minimum": 0}),
        Form::Value("0..1") => json!({"type": "number", "minimum": 0, "maximum": 1}),
        Form::Value("TIME") => json!({"type": "string", "examples": ["90s", "5m", "1h 30m"]}),
        Form::Value(choices) if choices.contains('|') => json!({"enum": choices.split('|').collect::<Vec<_>>()}),
        Form::Value(_) => json!({"type": "string"}),
        Form::Words(_) | Form::List(_) => json!({"type": ["array", "string"], "items": {"type": ["string", "number"]}}),
        Form::Pairs(_) => json!({
            "type": ["object", "array", "string"],
            "items": {"type": "string"},
            "additionalProperties": {"type": ["string", "number"]},
        }),
    };
    value["description"] = Value::from(format!("{}. --{}, {}", row.help, row.flag, row.env));
    if !row.default.is_empty() {
        value["default"] = serde_json::from_str(row.default).unwrap_or(Value::from(row.default));
    }
    value
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::rules::KEYS;

    #[test]
    fn every_key_of_a_rule_is_described() {
        let value = transitions();
        let rule = value["$defs"]["rule"]["properties"].as_object().unwrap();
        let described: BTreeSet<&str> = rule.keys().map(String::as_str).collect();
        assert_eq!(described, BTreeSet::from(KEYS));
        assert!(rule.values().all(|key| key["description"].is_string()), "a key without words");
    }

    #[test]
    fn every_setting_is_described() {
        let value = config();
        for row in TABLE {
            let pointer = format!("/properties/{}", row.key.replace('.', "/properties/"));
            let described = value.pointer(&pointer).and_then(|key| key["description"].as_str());
            assert!(described.is_some_and(|text| text.contains(row.help)), "{}", row.key);
        }
    }
}
