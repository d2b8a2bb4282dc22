#!/usr/bin/env python3
"""Measures the index beside other search libraries, on the same tests and cards, and prints tables for docs/performance.md:

    benches/peers.py [--sets FOLDER] [TESTS ...]      10000, 100000 and 1000000 unless told

`cargo bench --bench index` makes the texts and gives our row; each peer builds in one process and asks in another. Peers come
from pip, into target/peers. Text peers get the whole card as an OR of its words and give ten results; ours gives its selection.
Vector peers have random unit vectors of 384 dimensions and no model: a card's own embedding would come on top. A process is
timed with all that it imports, the other columns without.
"""
import importlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "target" / "peers"
PACKAGES = ["numpy", "scikit-learn", "tantivy", "bm25s", "faiss-cpu", "hnswlib", "usearch"]
DIMENSIONS = 384
SLOW_TO_BUILD = ["faiss HNSW", "hnswlib", "usearch"]  # Minutes with 1,000,000 tests.
SECONDS = 20  # No more cards are asked then.


def lines(folder):
    return (folder / "tests.txt").read_text().split("\n")


def cards(folder):
    rows = [json.loads(line) for line in (folder / "cards.jsonl").read_text().splitlines()]
    return [f"{row['title']} {row['text']}" for row in rows]


def words(card):
    return sorted(set(re.findall(r"\w+", card.lower())))


# Each peer: build(folder, store) -> None, and load(store) -> a function that asks one card.

def fts5_build(folder, store):
    import sqlite3
    db = sqlite3.connect(store / "db")
    db.execute("create virtual table tests using fts5(text, content='')")
    db.executemany("insert into tests(rowid, text) values (?, ?)", enumerate(lines(folder)))
    db.commit()


def fts5_load(store):
    import sqlite3
    db = sqlite3.connect(store / "db")
    query = "select rowid from tests where tests match ? order by rank limit 10"
    return lambda card: db.execute(query, (" OR ".join(f'"{word}"' for word in words(card)),)).fetchall()


def tantivy_build(folder, store):
    import tantivy
    schema = tantivy.SchemaBuilder().add_text_field("text", stored=False).add_integer_field("id", fast=True).build()
    writer = tantivy.Index(schema, path=str(store)).writer(num_threads=1)
    for at, text in enumerate(lines(folder)):
        writer.add_document(tantivy.Document(text=text, id=at))
    writer.commit()
    writer.wait_merging_threads()


def tantivy_load(store):
    import tantivy
    index = tantivy.Index.open(str(store))
    searcher = index.searcher()
    return lambda card: searcher.search(index.parse_query(" ".join(words(card)), ["text"]), 10).hits


def bm25s_build(folder, store):
    import bm25s
    index = bm25s.BM25()
    index.index(bm25s.tokenize(lines(folder), stopwords="en", show_progress=False), show_progress=False)
    index.save(store)


def bm25s_load(store):
    import bm25s
    index = bm25s.BM25.load(store)
    ask = lambda tokens: index.retrieve(tokens, k=10, show_progress=False)
    return lambda card: ask(bm25s.tokenize([card], stopwords="en", return_ids=False, show_progress=False))


def sklearn(vectorizer):
    def build(folder, store):
        import joblib
        model = vectorizer()
        # Inverted: a row for each word.
        joblib.dump((model, model.fit_transform(lines(folder)).T.tocsr()), store / "model")

    def load(store):
        import joblib
        import numpy
        model, inverted = joblib.load(store / "model")

        def ask(card):
            scores = (model.transform([card]) @ inverted).tocoo()
            best = numpy.argsort(-scores.data)[:10]
            return scores.col[best]
        return ask
    return build, load


def hashing():
    from sklearn.feature_extraction.text import HashingVectorizer
    return HashingVectorizer(n_features=1 << 18, stop_words="english", alternate_sign=False)


def tfidf():
    from sklearn.feature_extraction.text import TfidfVectorizer
    return TfidfVectorizer(stop_words="english", sublinear_tf=True)


def vectors(count, seed):
    import numpy
    made = numpy.random.default_rng(seed).standard_normal((count, DIMENSIONS), dtype=numpy.float32)
    return made / numpy.linalg.norm(made, axis=1, keepdims=True)


def vector_peer(make, add, save, read, ask):
    """Making the vectors isn't timed: see `child`."""
    def build(folder, store):
        tests = vectors(len(lines(folder)), 1)
        start = time.perf_counter()
        index = make(len(tests))
        add(index, tests)
        save(index, str(store / "index"))
        return time.perf_counter() - start

    def load(store):
        index = read(str(store / "index"))
        some = iter(vectors(1000, 2))
        return lambda card: ask(index, next(some)[None])
    return build, load


def faiss(text):
    def make(count):
        import faiss
        return faiss.index_factory(DIMENSIONS, text, faiss.METRIC_INNER_PRODUCT)

    def save(index, path):
        import faiss
        faiss.write_index(index, path)

    def read(path):
        import faiss
        return faiss.read_index(path)
    return vector_peer(make, lambda index, tests: index.add(tests), save, read, lambda index, card: index.search(card, 10))


def hnswlib_peer():
    def make(count):
        import hnswlib
        index = hnswlib.Index("ip", DIMENSIONS)
        index.init_index(count, M=16, ef_construction=100)
        return index

    def read(path):
        import hnswlib
        index = hnswlib.Index("ip", DIMENSIONS)
        index.load_index(path)
        return index
    return vector_peer(make, lambda index, tests: index.add_items(tests, num_threads=1), lambda index, path: index.save_index(path), read,
                       lambda index, card: index.knn_query(card, 10))


def usearch_peer():
    def make(count):
        from usearch.index import Index
        return Index(ndim=DIMENSIONS, metric="ip", dtype="f16")

    def read(path):
        from usearch.index import Index
        return Index.restore(path)
    return vector_peer(make, lambda index, tests: index.add(range(len(tests)), tests, threads=1), lambda index, path: index.save(path), read,
                       lambda index, card: index.search(card[0], 10))


SKLEARN = ["joblib", "numpy", "sklearn.feature_extraction.text"]
# What it imports, how it builds, how it loads.
PEERS = {
    "tantivy": (["tantivy"], tantivy_build, tantivy_load),
    "bm25s": (["bm25s"], bm25s_build, bm25s_load),
    "scikit-learn TF-IDF": (SKLEARN, *sklearn(tfidf)),
    "scikit-learn HashingVectorizer": (SKLEARN, *sklearn(hashing)),
    "SQLite FTS5": (["sqlite3"], fts5_build, fts5_load),
    "faiss flat": (["faiss"], *faiss("Flat")),
    "faiss HNSW": (["faiss"], *faiss("HNSW16")),
    "hnswlib": (["hnswlib"], *hnswlib_peer()),
    "usearch": (["usearch.index"], *usearch_peer()),
}


def milliseconds(work):
    start = time.perf_counter()
    result = work()
    return 1000 * (time.perf_counter() - start), result


def child(name, act, folder):
    modules, build, load = PEERS[name]
    for module in modules:
        importlib.import_module(module)
    store = folder / re.sub(r"\W+", "-", name)
    if act == "build":
        store.mkdir()
        took, told = milliseconds(lambda: build(folder, store))
        size = sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
        return {"build": told or took / 1000, "MiB": size / 2**20}
    asked = cards(folder)
    took, ask = milliseconds(lambda: load(store))
    first = milliseconds(lambda: ask(asked[0]))[0]
    warm, end = [], time.perf_counter() + SECONDS
    for card in (asked[:1] if act == "cold" else asked * 2):
        warm.append(milliseconds(lambda: ask(card))[0])
        if time.perf_counter() > end:
            break
    warm = sorted(warm[len(asked):] or warm)
    return {"load": took, "first": first, "median": warm[len(warm) // 2], "p95": warm[len(warm) * 95 // 100]}


def peer(python, name, folder):
    if name in SLOW_TO_BUILD and len(lines(folder)) >= 1_000_000:
        return "left out: takes minutes to build"
    row = {}
    for act in ["build", "ask"]:
        done = subprocess.run([python, __file__, "--child", name, act, folder], capture_output=True, text=True)
        if done.returncode:
            return "failed: " + done.stderr.strip().splitlines()[-1]
        row |= json.loads(done.stdout.splitlines()[-1])
    row["process"] = milliseconds(lambda: subprocess.run([python, __file__, "--child", name, "cold", folder], capture_output=True))[0]
    subprocess.run(["rm", "-r", folder / re.sub(r"\W+", "-", name)])
    return row


def ours(bench, tests, sets, folder):
    told = subprocess.run([bench, str(tests), "--write", folder, *sets], capture_output=True, text=True, check=True).stdout
    cells = told.splitlines()[-1].strip("|").split("|")
    build, size, texts, median, p95 = (float(cells[at]) for at in [1, 4, 5, 8, 9])
    runs = [milliseconds(lambda: subprocess.run([bench, "--ask", folder], capture_output=True, text=True)) for _ in range(9)]
    load, first = [sorted(float(re.findall(r"[\d.]+", run.stdout)[at]) for _, run in runs)[4] for at in [0, 1]]
    process = sorted(took for took, _ in runs)[4]
    row = {"build": build, "MiB": size - texts, "load": load, "first": first, "median": median, "p95": p95, "process": process}
    return row, texts


def rounded(number, digits=3):
    return f"{float(f'{number:.{digits}g}'):,g}"


def shown(row, base):
    # A peer keeps no texts, and ours are not counted.
    return " | ".join(rounded(row[key]) + (f" ({rounded(row[key] / base[key], 2)})" if row is not base else "") for key in base)


def main(told):
    sets = [told.pop(at) for at in [told.index("--sets")] * 2] if "--sets" in told else []
    FOLDER.mkdir(parents=True, exist_ok=True)
    python = FOLDER / "venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", FOLDER / "venv"], check=True)
    for package in PACKAGES:
        if subprocess.run([python, "-m", "pip", "install", "-q", package], capture_output=True).returncode:
            print(f"{package} doesn't install here: its row fails\n")
    made = subprocess.run(["cargo", "bench", "--bench", "index", "--no-run", "--message-format=json"], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    messages = [json.loads(line) for line in made.stdout.splitlines()]
    bench = next(message["executable"] for message in messages if message.get("executable") and message["target"]["name"] == "index")
    for tests in map(int, told or [10_000, 100_000, 1_000_000]):
        folder = FOLDER / "corpus"
        subprocess.run(["rm", "-rf", folder])
        folder.mkdir()
        base, texts = ours(bench, tests, sets, folder)
        print(f"{tests:,} tests, {texts:.1f} MiB of texts; in brackets how many times ours\n")
        print("| | build s | MiB without texts | load ms | first query ms | warm median ms | warm p95 ms | process ms |")
        print(f"|---|---|---|---|---|---|---|---|\n| ours | {shown(base, base)} |", flush=True)
        for name in PEERS:
            row = peer(python, name, folder)
            print(f"| {name} | {row + ' |' * 6 if isinstance(row, str) else shown(row, base)} |", flush=True)
        print()


# One thread, as ours, which only builds on two.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(child(sys.argv[2], sys.argv[3], Path(sys.argv[4]))))
    else:
        main(sys.argv[1:])
