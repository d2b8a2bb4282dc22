#!/usr/bin/env python3
"""Times the program as a whole, and prints the tables of docs/performance.md: `cargo build --release`, then

    benches/whole.py [SECTION ...]      boards, loop, growth, tests, journal, flood, snapshot, watch, start; all unless told

Each figure stands beside that of something else which was measured in the same run. Codex is a shell script that does its
work at once. Plain Python and Linux; works in a temporary folder that it removes.
"""
import atexit
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

PROGRAM = Path(__file__).resolve().parents[1] / "target" / "release" / "kanban-codex-exec"

CODEX = """#!/bin/sh
for word; do [ "$before" = -o ] && out=$word; before=$word; done
echo "done $$" >work-$$.txt
echo '{"type":"turn.started"}'
echo '{"type":"turn.completed","usage":{"input_tokens":1,"cached_input_tokens":0,"output_tokens":1}}'
echo finished >"$out"
"""
FLOOD = """#!/bin/sh
for word; do [ "$before" = -o ] && out=$word; before=$word; done
echo "done $$" >work-$$.txt
yes | head -c 1G
echo finished >"$out"
"""
# What codex says of a command that printed 6 kB.
EVENT = json.dumps({"type": "item.completed", "item": {"id": "item_1", "type": "command_execution", "command": "make",
                    "aggregated_output": "lorem ipsum dolor sit amet 1234\n" * 200, "exit_code": 0, "status": "completed"}})
RULES = """statuses:
  Todo:
    prompt: Do the card.
    onPass: Done
    evidence: [changes]
"""


class World:
    """A board in a folder of its own, in a git repository."""

    def __init__(self, cards=0, codex=CODEX):
        self.folder = Path(tempfile.mkdtemp(prefix="whole-"))
        (self.folder / "home").mkdir()
        self.repo = self.folder / "repo"
        self.repo.mkdir()
        subprocess.run(["git", "init", "-q"], cwd=self.repo, check=True)
        self.write("board.md", "## Todo\n\n" + "".join(f"- [ ] Card number {n}\n" for n in range(1, cards + 1)) + "\n## Done\n\n")
        self.write("transitions.yaml", RULES)
        self.write("tests.txt", "@done #always done :: includes[changes]:done\n")
        self.write("kanban-codex-exec.yaml", "kReq: 1\n")
        self.codex = self.folder / "codex"
        self.codex.write_text(codex)
        self.codex.chmod(0o755)
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.folder / "home")}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Not yet: ext4 searches longer for each new file for minutes after others were deleted.
        atexit.register(shutil.rmtree, self.folder)

    def write(self, name, text):
        path = self.repo / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def start(self, *args):
        out, errors = open(self.folder / "stdout", "wb"), open(self.folder / "stderr", "wb")
        command = [PROGRAM, args[0], "--codex-bin", self.codex, *args[1:]]
        return subprocess.Popen(command, cwd=self.repo, env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=errors)

    def run(self, *args, expect=0):
        """Seconds by the clock, seconds of processor with all children, and the largest MiB of memory of one process."""
        began = time.monotonic()
        child = self.start(*args)
        _, status, usage = os.wait4(child.pid, 0)
        took = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != expect:
            sys.exit(f"{args} ended with {child.returncode}: {(self.folder / 'stderr').read_text()}")
        return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024

    def said(self):
        return (self.folder / "stdout").read_text()


def clock(command, **more):
    began = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **more)
    return time.monotonic() - began


def table(title, heads, rows):
    print(f"\n### {title}\n\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for row in rows:
        print("| " + " | ".join(f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in row) + " |", flush=True)


def boards():
    """10,000 cards in each form that a board of files has."""
    cards = range(1, 10_001)

    def folder(world):
        world.write("backlog/config.yml", 'project_name: "P"\nstatuses: ["Todo", "Done"]\ntask_prefix: "task"\n')
        for n in cards:
            world.write(f"backlog/tasks/task-{n} - card.md", f"---\nid: task-{n}\ntitle: Card number {n}\nstatus: Todo\n---\n\nText.\n")
        return "backlog"

    def data(world):
        tasks = [{"id": f"T-{n}", "title": f"Card number {n}", "status": "Todo"} for n in cards]
        world.write("tasks.json", json.dumps(tasks, indent=2))
        return "tasks.json"

    def yaml(world):
        world.write("tasks.yaml", "".join(f"- id: T-{n}\n  title: Card number {n}\n  status: Todo\n" for n in cards))
        return "tasks.yaml"

    def todo(world):
        world.write("TODO.md", "# Todo\n\n" + "".join(f"- [ ] Card number {n}\n" for n in cards))
        return "TODO.md"

    for name, make in [("markdown", lambda _: "board.md"), ("TODO.md", todo), ("folder of files", folder), ("JSON", data), ("YAML", yaml)]:
        with World(len(cards)) as world:
            source = make(world)
            if name == "folder of files":
                for file in ["transitions.yaml", "tests.txt", "kanban-codex-exec.yaml"]:
                    shutil.copy(world.repo / file, world.repo / "backlog" / file)
            at = ["--source", source, "--transitions", "transitions.yaml", "--tests", "tests.txt", "--config", "kanban-codex-exec.yaml"]
            for args, code in [(["board"], 0), (["print-plan"], 0), (["run", "--max-cards", "1"], 3)]:
                seconds, _, memory = world.run(*args, *at, expect=code)
                yield name, " ".join(args), seconds, memory
            _, further, memory = a_card(world, 11, *at)
            yield name, "run, processor of each further card", further / 1000, memory


def loop():
    """1,000 cards, and a shell that starts the same codex 1,000 times."""
    with World(1000) as world:
        shell = f'for n in $(seq 1000); do "{world.codex}" exec x -o "{world.folder}/message" >/dev/null; done'
        ruler = clock(["sh", "-c", shell], cwd=world.folder)
        seconds, processor, memory = world.run("run")
        if "1000 promoted" not in world.said():
            sys.exit(world.said()[-500:])
        yield "a shell's loop", ruler, "", "", 1.0
        yield "run", seconds, processor, memory, seconds / ruler


def a_card(world, many, *at):
    """Seconds of a run of one card; of one of many, ms of processor a card, less the start, and MiB. By processor: the clock of a
    long start tells nothing of a card."""
    world.run("run", "--max-cards", "1", *at, expect=3)
    seconds, start, _ = world.run("run", "--max-cards", "1", *at, expect=3)
    _, again, memory = world.run("run", "--max-cards", str(many), *at, expect=3)
    return seconds, 1000 * (again - start) / (many - 1), memory


def growth():
    """What a card costs on boards and journals of different sizes."""
    for cards, records in [(30, 0), (200, 0), (1000, 0), (10_000, 0), (200, 100_000), (200, 1_000_000)]:
        with World(cards) as world:
            if records:
                history(world, records)
            yield cards, records, *a_card(world, min(100, cards - 10))


def tests():
    """What a card costs beside so many tests, of eight words each; the card has 48."""
    chance = random.Random(1)
    words = lambda many: " ".join(f"w{chance.randrange(20_000)}" for _ in range(many))
    for many in [1000, 100_000, 1_000_000]:
        with World() as world:
            world.write("board.md", "## Todo\n\n" + "".join(f"- [ ] {words(8)}\n  {words(40)}\n" for _ in range(60)) + "\n## Done\n")
            lines = (f"@t{n} {words(8)} :: includes:x{n}\n" for n in range(many - 1))
            world.write("tests.txt", "@done #always done :: includes[changes]:done\n" + "".join(lines))
            indexing, _, _ = world.run("index-tests")
            yield many, indexing, *a_card(world, 50)


def history(world, records):
    """A journal of so many records: attempts at cards that are long gone."""
    world.run("run", "--max-cards", "1", expect=3)
    journal = world.repo / ".cache/kanban-codex-exec/journal.jsonl"
    lines = journal.read_text().splitlines()
    card = [json.loads(line) for line in lines if '"attempt' in line or '"judged' in line or '"transition' in line]
    identity = next(record["attempt"] for record in card if "attempt" in record).rsplit(".", 1)[0]
    pattern = json.dumps(card)
    began = datetime.now(timezone.utc) - timedelta(days=300)
    with journal.open("w") as out:
        out.write("\n".join(lines[:2]) + "\n")
        for n in range(records // len(card)):
            at = (began + timedelta(seconds=n)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            for record in json.loads(pattern.replace(identity, f"kb-{n:08x}")):
                out.write(json.dumps({**record, "at": at}) + "\n")


def journal():
    for records in [10_000, 100_000, 1_000_000]:
        with World(100) as world:
            history(world, records)
            size = (world.repo / ".cache/kanban-codex-exec/journal.jsonl").stat().st_size / 2**20
            ruler = clock(["python3", "-c", "import json,sys\nfor line in open(sys.argv[1]): json.loads(line)",
                           world.repo / ".cache/kanban-codex-exec/journal.jsonl"])
            for command in ["status", "print-plan"]:
                seconds, _, memory = world.run(command)
                yield records, size, command, seconds, memory, seconds / ruler
            seconds, _, memory = world.run("run", "--max-cards", "1", expect=3)
            yield records, size, "run, one card", seconds, memory, seconds / ruler
            seconds, _, memory = world.run("run", "--max-cards", "1", expect=3)
            size = (world.repo / ".cache/kanban-codex-exec/journal.jsonl").stat().st_size / 2**20
            yield records, size, "run, the next card", seconds, memory, seconds / ruler


def flood():
    """1 GB from codex at the speed of a pipe: of lines that are no events, and of events."""
    for name, yes in [("lines", "yes"), ("events", f"yes '{EVENT}'")]:
        with World(1, FLOOD.replace("yes", yes)) as world:
            ruler = clock(["sh", "-c", f"{yes} | head -c 1G | cat >/dev/null"])
            seconds, processor, memory = world.run("run")
            yield f"{name}: yes | head -c 1G | cat", ruler, "", 1.0
            yield f"{name}: run, one card", seconds, memory, seconds / ruler


def snapshot():
    """A repository of 100,000 files."""
    with World(14) as world:
        for n in range(100_000):
            if n % 100 == 0:
                (world.repo / f"src/{n // 10_000}/{n // 100}").mkdir(parents=True)
            (world.repo / f"src/{n // 10_000}/{n // 100}/{n}.txt").write_text(f"file {n}\n")
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run([*git, "add", "src"], cwd=world.repo, check=True)
        subprocess.run([*git, "commit", "-qm", "all"], cwd=world.repo, check=True)
        first = world.run("run", "--max-cards", "1", expect=3)
        subprocess.run(["git", "status", "--porcelain"], cwd=world.repo, check=True, stdout=subprocess.DEVNULL)
        ruler = min(clock(["git", "status", "--porcelain"], cwd=world.repo) for _ in range(3))
        yield "git status", ruler, "", 1.0
        yield "run, the first card: each file is read", first[0], first[2], first[0] / ruler
        later = world.run("run", "--max-cards", "1", expect=3)
        yield "run, a later card: start, tree before, tree after, patch", later[0], later[2], later[0] / ruler
        many = world.run("run", "--max-cards", "11", expect=3)
        tree = (many[0] - later[0]) / 20
        yield "a tree with what belongs to it, in a run of 11 cards", tree, many[2], tree / ruler


def watch():
    """A minute of waiting for the board."""
    with World(1000) as world:
        world.write("board.md", world.repo.joinpath("board.md").read_text().replace("## Todo", "## Later"))
        world.write("board.md", world.repo.joinpath("board.md").read_text() + "## Todo\n")
        child = world.start("run", "--watch")
        time.sleep(5)
        stat = Path(f"/proc/{child.pid}/stat")
        ticks = lambda: sum(map(int, stat.read_text().rsplit(")", 1)[1].split()[11:15])) / os.sysconf("SC_CLK_TCK")
        before = ticks()
        time.sleep(60)
        used = ticks() - before
        status = Path(f"/proc/{child.pid}/status").read_text()
        memory = int(status.split("VmRSS:")[1].split()[0]) / 1024
        child.terminate()
        child.wait()
        yield 1000 * used, memory


def start():
    """From the command to codex's first line."""
    with World(100, CODEX.replace("echo \"done", "date +%s.%N >../first; echo \"done")) as world:
        for name in ["the first run", "the next run"]:
            began = time.time()
            world.run("run", "--max-cards", "1", expect=3)
            yield name, 1000 * (float((world.folder / "first").read_text()) - began)
        ruler = min(clock([PROGRAM, "--version"]) for _ in range(5))
        yield "--version", 1000 * ruler
        yield "git --version", 1000 * min(clock(["git", "--version"]) for _ in range(5))


SECTIONS = {
    "boards": (boards, "Boards of 10,000 cards", ["board", "command", "s", "MiB"]),
    "loop": (loop, "1,000 cards with a codex that does its work at once", ["", "s", "processor s", "MiB", "ratio"]),
    "growth": (growth, "A card beside others and after others", ["cards", "records", "start and one card s", "ms of processor a card", "MiB"]),
    "tests": (tests, "A card beside many tests", ["tests", "index-tests s", "start and one card s", "ms of processor a card", "MiB"]),
    "journal": (journal, "Long journals", ["records", "MiB", "command", "s", "MiB of memory", "of reading it with Python"]),
    "flood": (flood, "1 GB of output", ["", "s", "MiB", "ratio"]),
    "snapshot": (snapshot, "A repository of 100,000 files", ["", "s", "MiB", "ratio"]),
    "watch": (watch, "Waiting for a board of 1,000 cards", ["ms of processor a minute", "MiB"]),
    "start": (start, "From the command to codex's first line", ["", "ms"]),
}

if __name__ == "__main__":
    for section in sys.argv[1:] or SECTIONS:
        measure, title, heads = SECTIONS[section]
        table(title, heads, measure())
