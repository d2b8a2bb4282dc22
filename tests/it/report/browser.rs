//! The page in a real browser, where there is one.

use std::process::Command;

use super::{HOSTILE, data, worked};
use crate::support::skipped;

/// Its own parser agrees with ours, nothing was loaded or run, and whoever follows a link finds what it leads to open.
#[test]
fn a_browser_shows_every_card_and_runs_nothing() {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let names = ["chromium", "google-chrome"];
    let mut browsers = folders.iter().flat_map(|folder| names.map(|name| folder.join(name)));
    let Some(browser) = browsers.find(|browser| browser.is_file()) else {
        return skipped("there is no chromium or google-chrome on PATH");
    };
    let world = worked(HOSTILE);
    let page = world.path("report.html");
    world.run(&["report", "--output", page.to_str().unwrap()]).exits(0);
    let mut command = Command::new(browser);
    command.env_clear().env("PATH", path).env("HOME", world.path("home"));
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
    ]);
    command.args(["--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr"]);
    command.arg(format!("--user-data-dir={}", world.path("browser").display()));
    let story = data(&world);
    let cards = story["cards"].as_array().unwrap();
    let passed = cards.iter().position(|card| card["id"] == "KB-1").unwrap();
    command.args(["--dump-dom", &format!("file://{}#c{passed}", page.display())]);
    let output = command.output().unwrap();
    let (dom, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!log.contains(":CONSOLE"), "{log}");
    for card in cards {
        let name = card["title"].as_str().unwrap().split(' ').next().unwrap();
        assert!(dom.contains(&format!("<h3><bdi>{name} ")), "{name}: {dom}");
    }
    assert!(!dom.contains("<script") && !dom.contains("<img"), "{dom}");
    let opened = "<details class=\"card\" open=\"\"><summary><h3><bdi>KB-1 ";
    assert!(dom.contains(opened), "what a link leads to is not open: {dom}");
}
