#!/usr/bin/env python3
"""Makes sets for `cargo bench --bench retrieval -- FOLDER` of what git repositories say of themselves:

    benches/commits.py FOLDER REPOSITORY ...

A card is a commit's message, its tests are those that the commit adds: Python's `def test_…`, JavaScript's `it("…")` and
`test("…")`, Rust's `#[test]` functions, Go's `func Test…`. Of each repository the newest 1,500 commits that add one to ten
count. Beside each set stands the MAP of the best BM25 (k1 1.2, b .75; stop words, stemming, split identifiers, with and without
the title three times); its stemmer, snowballstemmer, comes from pip, into target/commits.
"""
import json
import math
import re
import subprocess
import sys
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / "target" / "commits"
CARDS = 1500
MOST_TESTS = 10

ADDED = {
    ".py": r"\s*(?:async )?def (test_\w+)",
    ".go": r"func (Test\w+)\(",
    ".rs": r"\s*(?:pub )?(?:async )?fn (\w+)\(\)",
    ".js": r"""\s*(?:it|test)(?:\.only)?\(\s*(?P<quote>['"`])(.+?)(?P=quote)\s*,""",
}
ADDED |= {ending: ADDED[".js"] for ending in (".mjs", ".cjs", ".jsx", ".ts", ".tsx")}
RUST_TEST = re.compile(r"\s*#\[(?:\w+::)*test")
TRAILER = re.compile(r"(?mi)^(?:signed-off-by|co-authored-by|reviewed-by):.*$")

STOP = set(
    "a about above after again against all also am an and any are as at be because been before being below between both but by "
    "can could did do does doing down during e each eg etc few for from further g had has have having he her here hers him his "
    "how i ie if in into is it its itself just may me more most must my no nor not now of off on once only or other our ours out "
    "over own same shall she should so some such than that the their theirs them then there these they this those through to too "
    "under until up very via was we were what when where which while who whom why will with would you your yours".split()
)
PIECE = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+[0-9]*|[A-Z]+[0-9]*|[0-9]+")


def tests(diff):
    """The tests whose lines are added by a diff and not taken away by it as well."""
    names, gone, ending, marked = [], set(), "", False
    for line in diff.split("\n"):
        if line.startswith("+++ "):
            ending = Path(line.strip()).suffix
        elif line.startswith(("+", "-")) and ending in ADDED:
            found = re.match(ADDED[ending], line[1:])
            if found and (ending != ".rs" or marked or line[0] == "-"):
                (names.append if line[0] == "+" else gone.add)(found.groups()[-1])
        if not line.startswith("-"):
            # What stands between an attribute and its function are other attributes.
            attribute = line[1:].lstrip().startswith("#[")
            marked = bool(RUST_TEST.match(line[1:])) or (marked and attribute)
    return [name for name in dict.fromkeys(names) if name not in gone]


def cards(repository):
    """Of each commit: its hash, title, message and tests."""
    endings = [f"*{ending}" for ending in ADDED]
    log = ["git", "-C", repository, "log", "--no-merges", "-p", "--format=%x00%H%x01%s%x01%b%x02", "--", *endings]
    text = subprocess.run(log, check=True, stdout=subprocess.PIPE).stdout.decode(errors="replace")
    found = []
    for commit in text.split("\0")[1:]:
        head, _, diff = commit.partition("\2")
        name, title, body = head.split("\1")
        of_commit = tests(diff)
        if 1 <= len(of_commit) <= MOST_TESTS and len(found) < CARDS:
            found.append((name, title, f"{title}\n{TRAILER.sub('', body)}".strip(), of_commit))
    return found


def tokens(stem, text):
    for run in re.findall(r"\w+", text, re.ASCII):
        for piece in map(str.lower, PIECE.findall(run)):
            parts = re.match(r"([a-z]+)([0-9]+)$", piece)
            for part in [piece, *(parts.groups() if parts else [])]:
                if len(part) > (2 if part.isdigit() else 1) and part not in STOP:
                    yield stem(part)


def best_bm25(stem, found, names):
    """The better MAP of two: with the title once, and three times."""
    words = [Counter(tokens(stem, name)) for name in names]
    lengths = [sum(counts.values()) for counts in words]
    mean = sum(lengths) / len(lengths)
    postings = defaultdict(list)
    for at, counts in enumerate(words):
        for word, count in counts.items():
            postings[word].append((at, count * 2.2 / (count + 1.2 * (0.25 + 0.75 * lengths[at] / mean))))

    def average_precision(title, text, relevant, times):
        query, scores = Counter(tokens(stem, text)), defaultdict(float)
        for word in tokens(stem, title):
            query[word] += times - 1
        for word, count in query.items():
            known = len(postings.get(word, []))
            idf = math.log(1 + (len(names) - known + 0.5) / (known + 0.5))
            for at, share in postings.get(word, []):
                scores[at] += count * idf * share
        hits, precision = 0, 0.0
        for rank, at in enumerate(sorted(scores, key=lambda at: (-scores[at], at)), 1):
            if names[at] in relevant:
                hits += 1
                precision += hits / rank
        return precision / len(relevant)

    means = lambda times: sum(average_precision(*card[1:3], set(card[3]), times) for card in found) / len(found)
    return max(means(1), means(3))


def main():
    folder, *repositories = sys.argv[1:]
    import snowballstemmer
    stem = cache(snowballstemmer.stemmer("english").stemWord)
    for repository in repositories:
        found = cards(repository)
        if not found:
            sys.exit(f"error: {repository}: no commit adds tests")
        names = list(dict.fromkeys(name for card in found for name in card[3]))
        to = Path(folder) / Path(repository).absolute().name
        to.mkdir(parents=True, exist_ok=True)
        rows = lambda rows: "".join(json.dumps(row) + "\n" for row in rows)
        (to / "queries.jsonl").write_text(rows({"id": card[0], "title": card[1], "text": card[2]} for card in found))
        (to / "docs.jsonl").write_text(rows({"id": str(at), "text": name} for at, name in enumerate(names)))
        places = {name: at for at, name in enumerate(names)}
        (to / "qrels.tsv").write_text("".join(f"{card[0]}\t{places[name]}\t1\n" for card in found for name in card[3]))
        (to / "bm25").write_text(f"{best_bm25(stem, found, names):.4f}\n")
        print(f"{to}: {len(found)} cards, {len(names)} tests")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    python = VENV / "bin" / "python"
    if Path(sys.prefix) != VENV:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "snowballstemmer"], check=True)
        sys.exit(subprocess.run([python, *sys.argv]).returncode)
    main()
