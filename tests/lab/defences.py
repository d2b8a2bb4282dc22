#!/usr/bin/env python3
"""Switches off one defence of the gate after the other, and tells which hostile agents are promoted without it.

    defences.py [NAME ...]      all of them, or those whose names hold one of these

Works on a copy of the sources in target/defences; the sources are not touched. Ends with 1 where switching a defence off
turns no case of tests/it/hostile red. Some minutes a handful; two builds are never at work at once.
"""
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPY = ROOT / "target" / "defences"

# What it is; then the file, what stands there, and what would stand there without it, for each of its layers.
DEFENCES = [
    ("only added lines count", "src/checks/judge.rs",
     "lines.clone().find(|line| file.added.contains(line))", "lines.clone().find(|_| true)"),
    ("a line counts where all files together gained it", "src/evidence/changes.rs",
     "gained(&total) && own.get(path).is_some_and(gained)", "own.get(path).is_some_and(gained)"),
    ("binary files are no evidence", "src/evidence/changes.rs",
     ".filter(|text| !text.contains('\\0'))?", "?"),
    ("the message is no evidence for changes", "src/rules.rs",
     "self.evidence.clone().unwrap_or_else(|| vec![Source::Message, Source::Changes])",
     "vec![Source::Message, Source::Changes]"),
    ("lines of the prompt are no message", "src/checks/judge.rs",
     "said = touched.iter().all(|line| line.is_empty() || !prompt.contains(line));", "said = true;"),
    ("the prompt is the one that was sent", "src/cycle/recorded.rs",
     ".filter(|prompt| sha256(prompt.as_bytes()) == attempt.prompt_sha256)", ""),
    ("excludes proves nothing alone", "src/cycle/gate.rs",
     "if !passes.iter().any(|test| test.proves) {", "if false {"),
    ("enough tests must pass", "src/cycle/gate.rs",
     "if passes.len() < case.require {", "if false {"),
    ("a test for every card must not fail", "src/cycle/gate.rs",
     "let always = |failed: &&Tested| failed.always && !failed.outcome.passed;", "let always = |_: &&Tested| false;"),
    ("a turn that failed is no work", "src/codex/outcome.rs",
     "Exit::Code(0) if events.turn_completed && events.turn_failed.is_none()", "Exit::Code(0) if events.turn_completed"),
    ("a turn must complete", "src/codex/outcome.rs",
     "Exit::Code(0) if events.turn_completed && events.turn_failed.is_none()", "Exit::Code(0) if events.turn_failed.is_none()"),
    ("a bad end is no work", "src/cycle/gate.rs",
     "if let Ending::Work { reason } = case.ending {", "if let (true, Ending::Work { reason }) = (false, case.ending) {"),
    ("changed inputs are tampered with", "src/cycle/live/look.rs",
     "let tampered: Vec<_> = now.iter().filter(|input| !before.contains(input)).collect();",
     "let tampered: Vec<&InputHash> = Vec::new();"),
    ("inputs are judged by from memory", "src/inputs.rs",
     "if state.held_inputs.is_empty() && state.running().next().is_none() {", "if true {"),
    ("a config where there was none is a change", "src/inputs.rs",
     "        };\n        self.add(path, bytes);", "        };\n        if bytes.is_some() { self.add(path, bytes); }"),
    ("the scripts that a hook's line runs are inputs", "src/inputs.rs",
     "scripts.files.into_iter().map(at)", "scripts.files.into_iter().filter(|_| false).map(at)"),
    ("an accepted copy holds what its name says", "src/inputs.rs",
     ".ok().filter(|bytes| sha256(bytes) == accepted)", ".ok()"),
    ("requests during an attempt are dropped", "src/cycle/live/look.rs",
     "for (file, request) in requests::pending(&self.settings.cache_dir) {\n            let name",
     "for (file, request) in Vec::<(std::path::PathBuf, Request)>::new() {\n            let name"),
    ("the index of the tests is not written into", "src/cycle/live/look.rs",
     'let index = Stamp::of(&inputs::index_path(&self.settings.cache_dir));', "let index = None;"),
    ("the index of the trees is not written into", "src/cycle/live/look.rs",
     '("the index of the trees", self.trees.index_stamp())', '("the index of the trees", None)'),
    ("the journal is not written into", "src/cycle/live/look.rs", "if book.keep.mend()? {", "if false {"),
    ("a journal that was written into later is no witness", "src/commands/run.rs",
     "let disowned = journaled.written_later();", "let disowned = false;"),
    ("what is judged is judged again after a restart", "src/cycle/state.rs",
     "                attempt.phase = Phase::Ended;\n            }\n        }\n        // Between runs", "            }\n        }\n        // Between runs"),
    ("git's objects hold what their names say", "src/evidence/saved.rs",
     "match contents.iter().find(|(id, bytes)| **id != name(Kind::Blob, bytes, id.digits())) {", "match contents.iter().find(|_| false) {"),
    ("the private repository is laid out anew", "src/evidence/git.rs",
     "self.lay_out()?;\n        let mut memory", "let mut memory"),
    ("attributes of the workspace change nothing", "src/evidence/git.rs",
     "* -text -filter -ident !eol !working-tree-encoding !diff", "",
     "src/evidence/saved.rs", '("GIT_ATTR_SOURCE".into()', '("IDLE".into()'),
    ("ignore rules are those of before", "src/evidence/trees.rs",
     "texts.get(folder).map(|text| (*text).to_owned())",
     'patterns(workspace, folder)'),
    ("nested repositories are walked", "src/evidence/walk.rs",
     "None => folders.push(path),",
     'None if workspace.join(path.as_path()).join(".git").exists() => {}\n                None => folders.push(path),'),
    ("the board is no evidence", "src/commands/run.rs",
     "files.chain(board).chain([settings.cache_dir.clone()])", "files.chain([settings.cache_dir.clone()])"),
    ("guarded files may not be changed", "src/cycle/live/judge.rs",
     "tampered.extend(weakened.iter().map(|file| gate::told(file)));", ""),
    ("over all attempts of the card", "src/evidence/changes.rs",
     "existed: before.is_some(),", "existed: before.is_some() && attempts.len() < 2,"),
    ("what redirects commands is guarded", "src/rules/guard.rs", "None => shell && redirects(),", "None => shell && redirects() && false,"),
    ("a name is guarded against being made", "src/rules/guard.rs", "(existed || glob.names_a_file())", "existed"),
    ("checks that another card weakened count for none", "src/cycle/live/judge.rs",
     "still.then(|| format!", "(still && false).then(|| format!"),
    ("red before, green after", "src/cycle/gate.rs", "(true, Some(Before::Green), false) => {\n                (true, false,",
     "(true, Some(Before::Green), false) => {\n                (true, true,"),
    ("checks find no program in the workspace", "src/settings.rs",
     "folder.is_absolute() && !folder.starts_with(workspace)", "!folder.starts_with(workspace) || true"),
    ("shells read no startup file", "src/settings.rs", 'env.retain(|(name, _)| name != "BASH_ENV" && name != "ENV");', ""),
    ("the whole tree of an attempt ends", "src/process/launcher.rs",
     "rustix::process::set_child_subreaper(Some(rustix::process::getpid()))", "rustix::io::Result::Ok(())"),
    ("the runner adopts what a killed launcher leaves", "src/commands/run.rs", ".adopting()", ""),
    ("ending codex from outside is not free", "src/cycle/live/execute.rs",
     "Outcome::Interrupted => Ending::Infrastructure {", "Outcome::Interrupted if true => Ending::Interrupted,\n            Outcome::Interrupted => Ending::Infrastructure {"),
    ("a card that codex moves waits for a person", "src/cycle/state/history.rs",
     "self.arrived = Some(now.clone()).filter(|now| now != from);", "let _ = from;"),
    ("a card whose tests codex changes is held", "src/cycle/plan/ready.rs",
     "edited.other_tests && edited.text == plan.text", "edited.other_tests && false"),
]


def run(*command, **more):
    return subprocess.run(command, text=True, capture_output=True, **more)


def copy():
    COPY.mkdir(parents=True, exist_ok=True)
    files = run("git", "ls-files", cwd=ROOT).stdout.splitlines()
    for name in files:
        target = COPY / name
        target.parent.mkdir(parents=True, exist_ok=True)
        bytes_ = (ROOT / name).read_bytes()
        if not target.exists() or target.read_bytes() != bytes_:
            target.write_bytes(bytes_)
        target.chmod((ROOT / name).stat().st_mode & 0o777)


def red():
    """The cases that fail; None where it does not build."""
    env = dict(os.environ, CARGO_PROFILE_DEV_OPT_LEVEL="0", INSTA_UPDATE="no", RUSTFLAGS="-Awarnings")
    if run("cargo", "test", "--test", "it", "--no-run", cwd=COPY, env=env).returncode:
        return None
    done = run("cargo", "test", "--test", "it", "hostile::no_", cwd=COPY, env=env)
    return sorted(set(re.findall(r"^(\d{3})-[\w-]+ \(", done.stdout + done.stderr, re.M)))


def main():
    wanted = sys.argv[1:] or [""]
    copy()
    bad = 0
    for name, *layers in DEFENCES:
        if not any(word in name for word in wanted):
            continue
        layers = list(zip(layers[0::3], layers[1::3], layers[2::3]))
        texts = {file: (COPY / file).read_text() for file, _, _ in layers}
        odd = [f"{file} has its text {texts[file].count(old)} times" for file, old, _ in layers if texts[file].count(old) != 1]
        if odd:
            print(f"{name}: {'; '.join(odd)}", flush=True)
            bad += 1
            continue
        for file, old, new in layers:
            (COPY / file).write_text(texts[file].replace(old, new))
        cases = red()
        for file, text in texts.items():
            (COPY / file).write_text(text)
        bad += not cases
        told = "DOES NOT BUILD" if cases is None else ", ".join(cases) or "NONE"
        print(f"{name} | {', '.join(f'`{file}`' for file in texts)} | {told}", flush=True)
    sys.exit(1 if bad else 0)


main()
