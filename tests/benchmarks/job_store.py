"""The job store with many jobs: opening, adding, changing, searching and paging, in milliseconds.

Run it: `python -m tests.benchmarks.job_store [--jobs 50000] [--graph-kb 4]`
"""

from __future__ import annotations

import argparse
import random
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from comfygradio.comfy.workflow import Prompt
from comfygradio.jobs.job import Order
from comfygradio.jobs.job_store import JobRecord, JobStore, Query
from tests.benchmarks.figures import Row, describe_spread, format_table

PEOPLE = 50
BATCH = 500
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def invent_words(chance: random.Random, count: int) -> list[str]:
    """Words of three to nine letters."""
    words: list[str] = []
    for _ in range(count):
        letters = chance.choices(LETTERS, k=chance.randint(3, 9))
        words.append("".join(letters))
    return words


def invent_record(chance: random.Random, words: list[str], number: int, graph_kb: int) -> JobRecord:
    """A finished job; every other one is of one person, the rest of fifty people."""
    values: dict[str, Any] = {
        "prompt": "photo of " + " ".join(chance.choices(words, k=60)),
        "negative_prompt": " ".join(chance.choices(words, k=20)),
        "seed": chance.getrandbits(64),
        "steps": chance.randint(10, 40),
        "cfg": chance.choice([4.5, 7.0, 8.0]),
        "checkpoint": chance.choice(["sdxl/base.safetensors", "flux/dev.safetensors"]),
        "size": chance.choice(["512x512", "768x512"]),
    }
    graph = {
        "1": {
            "class_type": "Padding",
            "inputs": {"text": "x" * 1024 * graph_kb, "seed": values["seed"]},
        }
    }
    order = Order(f"preset_{number % 10}", "Text to image", Prompt(graph), values, ("seed",))
    owner = "user:ada" if number % 2 else f"user:{chance.randrange(PEOPLE)}"
    return JobRecord(
        id=str(uuid.uuid4()),
        token=uuid.uuid4().hex,
        owner=owner,
        preset=order.preset,
        title=order.title,
        priority=0,
        order=order,
        phase="done",
        created=float(number),
        posted=float(number),
        started=float(number),
        ended=number + 5.0,
        server="http://127.0.0.1:8188",
        client_id=uuid.uuid4().hex,
        attempts=0,
        error="",
        node_seconds={str(node): chance.random() for node in range(10)},
        node_work={str(node): float(chance.choice((6, 20, 50))) for node in range(10)},
        favourite=chance.random() < 0.01,
        results=(),
    )


def measure(name: str, act: Callable[[], object], times: int = 20) -> Row:
    """How long calls take, in milliseconds."""
    taken: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        taken.append((time.perf_counter() - began) * 1000)
    return describe_times(name, taken)


def describe_times(name: str, taken: Sequence[float]) -> Row:
    """A row of the table; `taken` are milliseconds."""
    spread = describe_spread(taken)
    return {
        "what": name,
        "median ms": spread.median,
        "p95 ms": spread.p95,
        "largest ms": spread.largest,
    }


def measure_searches(store: JobStore, rare: str) -> list[Row]:
    """Every kind of search, by somebody with half of all jobs, by one with few, and by one with
    none.
    """
    queries = {
        "newest": Query(),
        "a word of every job": Query("photo"),
        "two words": Query("photo image"),
        "a rare word": Query(rare),
        "a word of no job": Query("qqqqxyzzy"),
        "two letters of no job": Query("q9"),
        "a preset": Query(preset="preset_3"),
        "a preset that is not there": Query(preset="none"),
        "a value": Query(values={"checkpoint": "flux/dev.safetensors"}),
        "two values": Query(values={"checkpoint": "flux/dev.safetensors", "steps": 20}),
        "a word and a value": Query("photo", values={"steps": 20}),
        "a value and a phase of no job": Query(values={"size": "512x512"}, phases=("failed",)),
        "favourites": Query(favourites=True),
        "a phase of no job": Query(phases=("failed",)),
    }
    owners = {"half of all": "user:ada", "few": "user:7", "none": "user:nobody"}
    rows: list[Row] = []
    for name, query in queries.items():
        for who, owner in owners.items():
            search = partial(store.search, owner, query)
            rows.append(measure(f"{name} · {who}", search))
    return rows


def measure_paging(store: JobStore) -> Row:
    """Every page of somebody's jobs, one after the other."""
    query: list[Query] = [Query(limit=100)]

    def turn() -> None:
        following = store.search("user:ada", query[0]).next
        query[0] = Query(limit=100, before=following)

    return measure("a page of 100, one after the other", turn, 200)


def measure_threads(
    store: JobStore, chance: random.Random, words: list[str], graph_kb: int
) -> list[Row]:
    """Adding and searching from eight threads at once."""
    added: list[float] = []
    searched: list[float] = []

    def work(number: int) -> None:
        for step in range(50):
            record = invent_record(chance, words, 10**6 + number * 1000 + step, graph_kb)
            began = time.perf_counter()
            store.add(record)
            between = time.perf_counter()
            store.search("user:ada", Query("photo"))
            ended = time.perf_counter()
            added.append((between - began) * 1000)
            searched.append((ended - between) * 1000)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [
        describe_times("add, 8 threads at once", added),
        describe_times("search, 8 threads at once", searched),
    ]


def main() -> None:
    """Fill a job store and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=50_000)
    parser.add_argument("--graph-kb", type=int, default=4)
    options = parser.parse_args()
    chance = random.Random(1)
    words = invent_words(chance, 5000)
    with tempfile.TemporaryDirectory() as folder:
        outputs = Path(folder)
        fill(outputs, chance, words, options.jobs, options.graph_kb)
        began = time.perf_counter()
        store = JobStore.open(outputs)
        print(f"opened in {(time.perf_counter() - began) * 1000:.0f} ms", flush=True)
        rows = measure_searches(store, f"{words[7]} {words[8]}")
        rows.append(measure_paging(store))
        rows += measure_changes(store, chance, words, options.graph_kb)
        rows += measure_threads(store, chance, words, options.graph_kb)
        rows.append(measure("delete", partial(delete_newest, store)))
        print(format_table(rows))
        store.close()


def fill(outputs: Path, chance: random.Random, words: list[str], jobs: int, graph_kb: int) -> None:
    """Write so many jobs into a new job store, many in one transaction."""
    store = JobStore.open(outputs)
    began = time.perf_counter()
    for start in range(0, jobs, BATCH):
        end = min(start + BATCH, jobs)
        records = [invent_record(chance, words, number, graph_kb) for number in range(start, end)]
        store.add(*records)
    print(f"filled with {jobs} jobs in {time.perf_counter() - began:.1f} s", flush=True)
    store.close()
    print(f"{store.path.stat().st_size / 1e6:.0f} MB", flush=True)


def measure_changes(
    store: JobStore, chance: random.Random, words: list[str], graph_kb: int
) -> list[Row]:
    """Everything but searches, by one thread."""
    records = iter([invent_record(chance, words, number, graph_kb) for number in range(100)])
    found = store.search("user:ada", Query()).records[0]
    end = partial(store.change, found.id, phase="done", ended=1.0)
    return [
        measure("add", lambda: store.add(next(records)), 100),
        measure("change a phase", end, 100),
        measure("change an error", lambda: store.change(found.id, error=str(chance.random())), 100),
        measure("find", partial(store.find, found.token), 100),
        measure("list_open", store.list_open),
        measure("read_times", partial(store.read_times, "preset_3")),
        measure("list_values of seeds", partial(store.list_values, "user:ada", "seed")),
        measure("list_values of checkpoints", partial(store.list_values, "user:ada", "checkpoint")),
    ]


def delete_newest(store: JobStore) -> None:
    """Delete the newest job of somebody with many."""
    newest = store.search("user:ada", Query(limit=1)).records[0]
    store.delete(newest.id)


if __name__ == "__main__":
    main()
