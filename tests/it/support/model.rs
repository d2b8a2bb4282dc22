//! The real codex, with a loopback stand-in for the model behind it.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::{World, program, program_of, wait_until};

/// Codex asks one host alone with this: plug-ins and metrics would contact others.
const CONFIG: &str = r#"
model_provider = "local"
check_for_update_on_startup = false
features = { plugins = false, apps = false }
analytics = { enabled = false }
otel = { exporter = "none", trace_exporter = "none", metrics_exporter = "none" }
[model_providers.local]
name = "stand-in"
base_url = "http://127.0.0.1:PORT/v1"
wire_api = "responses"
supports_websockets = false
"#;

/// A world with the real codex; None after saying that it is skipped.
pub fn world(cards: &str) -> Option<World> {
    let codex = program_of("CODEX_BIN", "codex")?;
    program("python3")?;
    Some(World::new(cards).env("CODEX_BIN", codex.to_str().unwrap()))
}

/// The stand-in for the model, until it is dropped.
pub struct Model {
    server: Child,
    log: PathBuf,
}

impl Model {
    /// Answers by `script` (see `tests/lab/responses.py`), and codex is told to ask it.
    pub fn start(world: &World, script: &Value) -> Model {
        let [rules, log, ready] = ["script.json", "requests.jsonl", "port"].map(|name| world.path(name));
        fs::write(&rules, script.to_string()).unwrap();
        // Outside of the world's environment: it is none of the processes that a run may leave.
        let server = Command::new("python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/responses.py"))
            .args([&rules, &log, &ready])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let model = Model { server, log };
        wait_until("the model's port", || ready.exists());
        configure(world, &fs::read_to_string(&ready).unwrap(), "");
        model
    }

    /// What codex asked, in order.
    pub fn requests(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

/// Codex asks the model at this port, with `more` in its provider's table.
pub fn configure(world: &World, port: &str, more: &str) {
    let config = format!("{}{more}", CONFIG.replace("PORT", port.trim()));
    fs::write(world.path("codex-home/config.toml"), config).unwrap();
}
