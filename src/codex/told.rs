//! What codex's events say, for people. Pure.

use serde_json::Value;

/// One event: a word for what it is, and what it says, which can have several lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub what: String,
    pub text: String,
}

/// None of what tells nothing by itself.
pub fn told(event: &Value) -> Option<Told> {
    let item = &event["item"];
    let said = |what: &str, text: String| Some(Told { what: what.to_owned(), text });
    match (text(event, "type"), text(item, "type")) {
        ("thread.started", _) => said("thread", text(event, "thread_id").to_owned()),
        ("turn.completed", _) => said("tokens", tokens(&event["usage"])),
        ("turn.failed", _) => said("failed", text(&event["error"], "message").to_owned()),
        ("error", _) => said("error", text(event, "message").to_owned()),
        ("item.started", "command_execution") => said("command", command(text(item, "command"))),
        ("item.completed", "command_execution") => {
            let code = item["exit_code"].as_i64().map_or("ended".to_owned(), |code| format!("exit {code}"));
            Some(Told { what: code, text: text(item, "aggregated_output").trim_end().to_owned() })
        }
        ("item.started", "mcp_tool_call" | "collab_tool_call") => {
            said("tool", [text(item, "server"), text(item, "tool")].join(" ").trim().to_owned())
        }
        ("item.started" | "item.updated" | "item.completed", "todo_list") => said("plan", plan(&item["items"])),
        ("item.completed", "agent_message") => said("message", text(item, "text").to_owned()),
        ("item.completed", "reasoning") => said("thought", text(item, "text").to_owned()),
        ("item.completed", "error") => said("error", text(item, "message").to_owned()),
        ("item.completed", "file_change") => said("files", files(&item["changes"])),
        ("item.completed", "web_search") => said("search", text(item, "query").to_owned()),
        ("item.completed", kind @ ("mcp_tool_call" | "collab_tool_call")) => {
            said("tool", format!("{} {}", text(item, "tool"), some(text(item, "status"), kind)))
        }
        ("item.completed", kind) => said("item", kind.to_owned()),
        _ => None,
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn some<'t>(text: &'t str, instead: &'t str) -> &'t str {
    if text.is_empty() { instead } else { text }
}

/// Without the shell that codex wraps around each command.
fn command(line: &str) -> String {
    match shell_words::split(line).as_deref() {
        Ok([shell, flag, script]) if shell.ends_with("sh") && ["-c", "-lc"].contains(&flag.as_str()) => script.clone(),
        _ => line.to_owned(),
    }
}

fn plan(items: &Value) -> String {
    let item = |item: &Value| {
        let sign = if item["completed"].as_bool() == Some(true) { 'x' } else { ' ' };
        format!("[{sign}] {}", text(item, "text"))
    };
    items.as_array().into_iter().flatten().map(item).collect::<Vec<_>>().join("\n")
}

fn files(changes: &Value) -> String {
    let change = |change: &Value| format!("{} {}", some(text(change, "kind"), "change"), text(change, "path"));
    changes.as_array().into_iter().flatten().map(change).collect::<Vec<_>>().join("\n")
}

fn tokens(usage: &Value) -> String {
    let count = |name: &str| usage[name].as_u64().map_or("?".to_owned(), |count| count.to_string());
    format!("{} in, {} out", count("input_tokens"), count("output_tokens"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_is_told_in_a_word_and_its_text() {
        let cases = [
            (r#"{"type":"thread.started","thread_id":"t1"}"#, "thread", "t1"),
            (
                r#"{"type":"item.started","item":{"type":"command_execution","command":"/bin/bash -lc 'cargo test'"}}"#,
                "command",
                "cargo test",
            ),
            (r#"{"type":"item.started","item":{"type":"command_execution","command":"it's"}}"#, "command", "it's"),
            (
                r#"{"type":"item.completed","item":{"type":"command_execution","aggregated_output":"a\nb\n","exit_code":3}}"#,
                "exit 3",
                "a\nb",
            ),
            (r#"{"type":"item.completed","item":{"type":"command_execution","exit_code":null}}"#, "ended", ""),
            (r#"{"type":"item.completed","item":{"type":"agent_message","text":"Done."}}"#, "message", "Done."),
            (r#"{"type":"item.completed","item":{"type":"reasoning","text":"Hm"}}"#, "thought", "Hm"),
            (
                r#"{"type":"item.completed","item":{"type":"file_change","changes":[{"path":"a","kind":"add"},{"path":"b"}]}}"#,
                "files",
                "add a\nchange b",
            ),
            (
                r#"{"type":"item.updated","item":{"type":"todo_list","items":[{"text":"a","completed":true},{"text":"b"}]}}"#,
                "plan",
                "[x] a\n[ ] b",
            ),
            (r#"{"type":"item.completed","item":{"type":"mcp_tool_call","tool":"t"}}"#, "tool", "t mcp_tool_call"),
            (r#"{"type":"item.completed","item":{"type":"new_kind"}}"#, "item", "new_kind"),
            (r#"{"type":"turn.completed","usage":{"input_tokens":4}}"#, "tokens", "4 in, ? out"),
            (r#"{"type":"turn.failed","error":{"message":"no"}}"#, "failed", "no"),
            (r#"{"type":"error","message":"Reconnecting... 1/5"}"#, "error", "Reconnecting... 1/5"),
        ];
        for (event, what, text) in cases {
            let expected = Told { what: what.into(), text: text.into() };
            assert_eq!(told(&serde_json::from_str(event).unwrap()), Some(expected), "{event}");
        }
        for silent in ["{}", "3", r#"{"type":"turn.started"}"#, r#"{"type":7,"item":[]}"#, r#"{"type":"item.started"}"#]
        {
            assert_eq!(told(&serde_json::from_str(silent).unwrap()), None, "{silent}");
        }
    }
}
