"""Many people at once: `python -m tests.benchmarks.load`.

200 open pages, 50 of which generate with previews at five a second, each on a server of its own;
app, servers and pages are processes by themselves. Then 50 people on a Gradio app with Gradio's own
limits.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfygradio.jobs.limits import DEFAULT_JOB_STREAMS
from tests.benchmarks.figures import Goal, describe_spread, format_table
from tests.benchmarks.presets import write_lab_presets
from tests.benchmarks.processes import COMMAND, Server, find_port, run_server
from tests.benchmarks.visitor import Page, Seen, Visitor

FPS = 5
PROCESSES = 2
OPENED_AT_ONCE = 10
CLICK_SECONDS = 0.25
START_SECONDS = 2.0
"""The people press the button within this time, at moments that are the same in every run."""

WAYS = {"streams": DEFAULT_JOB_STREAMS, "asking": 0}
"""How many pages get a stream; further ones ask once a second."""

Figures = dict[str, list[float]]


@dataclass(frozen=True)
class Crowd:
    """How many pages are open, how many of them generate, for how many seconds each, and how many
    get a stream.
    """

    pages: int
    generating: int
    seconds: int
    streams: int


def main() -> None:
    """Print the figures and what is asked of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--generating", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=20, help="how long each job runs")
    parser.add_argument(
        "--ways",
        nargs="+",
        choices=list(WAYS),
        default=list(WAYS),
        help="how pages are told of their jobs",
    )
    asked = parser.parse_args()
    theirs = asyncio.run(measure_default(asked.generating))
    for way in asked.ways:
        with tempfile.TemporaryDirectory() as folder:
            crowd = Crowd(asked.pages, asked.generating, asked.seconds, WAYS[way])
            ours = asyncio.run(measure_ours(Path(folder), crowd))
        print(f"\n{way}\n")
        report(ours, theirs)


async def measure_ours(folder: Path, crowd: Crowd) -> dict[str, Any]:
    """All figures of our app."""
    pages, generating, seconds = crowd.pages, crowd.generating, crowd.seconds
    write_lab_presets(folder / "presets")
    with ExitStack() as stack:
        servers = [
            url for count in split(generating, PROCESSES) for url in start_servers(stack, count)
        ]
        app = start_app(stack, servers, folder, crowd.streams)
        before = read_memory(app)
        visitors = [Visitor(app.url) for _ in range(pages)]
        opened = await open_pages(visitors)
        staying = [asyncio.create_task(one.stay()) for one in visitors]
        idle_memory, idle = read_memory(app), await measure_idle(app)
        cpu, began = app.cpu_seconds(), time.perf_counter()
        clicks = list[float]()
        clicking = asyncio.create_task(click_on(visitors[generating:], clicks))
        moments = random.Random(1)
        begins = [moments.uniform(0, START_SECONDS) for _ in range(generating)]
        seen = await asyncio.gather(*map(generate, visitors, begins, [seconds] * generating))
        took = time.perf_counter() - began
        clicking.cancel()
        figures: dict[str, Any] = {
            "memory": (idle_memory - before) / pages,
            "busy memory": read_memory(app) / 1e6,
            "idle": idle,
        }
        figures |= {
            "cpu": (app.cpu_seconds() - cpu) / took,
            "took": took,
            "seen": seen,
            "opened": opened,
            "clicks": clicks,
        }
        for task in staying:
            task.cancel()
        for one in visitors:
            one.close()
    return figures


async def open_pages(visitors: Sequence[Visitor]) -> list[float]:
    """Open pages, ten at a time; returns how many seconds each took."""
    gate, took = asyncio.Semaphore(OPENED_AT_ONCE), list[float]()

    async def open_one(visitor: Visitor) -> None:
        async with gate:
            began = time.perf_counter()
            await visitor.open()
            took.append(time.perf_counter() - began)

    await asyncio.gather(*map(open_one, visitors))
    return took


async def measure_idle(app: Server, seconds: float = 8.0) -> float:
    """The part of a core that the app takes while all pages only stand open."""
    cpu = app.cpu_seconds()
    await asyncio.sleep(seconds)
    return (app.cpu_seconds() - cpu) / seconds


async def generate(visitor: Visitor, begins: float, seconds: int) -> Seen:
    """One person's job, begun so many seconds from now."""
    await asyncio.sleep(begins)
    return await visitor.generate([seconds * FPS, FPS])


async def click_on(visitors: Sequence[Visitor], clicks: list[float]) -> None:
    """One after the other opens the history."""
    while True:
        for visitor in visitors:
            await asyncio.sleep(CLICK_SECONDS)
            clicks.append(await visitor.look_back())


async def measure_default(people: int) -> Figures:
    """How long people wait on an app with Gradio's own limits: for the first frame, and for a
    click.
    """
    with run_server("-m", "tests.benchmarks.default_app", str(find_port())) as server:
        pages = [Page(server.url) for _ in range(people + 1)]
        for page in pages:
            await page.load()
        running = asyncio.gather(*(page.await_first("generate") for page in pages[1:]))
        await asyncio.sleep(1.0)
        ping = await pages[0].await_first("ping")
        first = await running
        for page in pages:
            page.close()
    return {"first": first, "ping": [ping]}


def start_servers(stack: ExitStack, count: int) -> list[str]:
    """The addresses of so many demo servers in one process."""
    server = stack.enter_context(run_server("-m", "tests.benchmarks.load_server", str(count)))
    return list(server.addresses)


def start_app(stack: ExitStack, servers: Sequence[str], folder: Path, streams: int) -> Server:
    """Our app on these servers, where so many pages get a stream."""
    flags = [flag for url in servers for flag in ("--server", url)]
    places = [
        "--presets",
        str(folder / "presets"),
        "--outputs",
        str(folder / "outputs"),
        "--port",
        str(find_port()),
        "--streams",
        str(streams),
    ]
    return stack.enter_context(
        run_server("-c", COMMAND, "serve", *flags, *places, uploads=folder / "gradio")
    )


def split(total: int, parts: int) -> list[int]:
    """A number as a sum of nearly equal ones."""
    return [(total + part) // parts for part in range(parts)]


def read_memory(server: Server) -> float:
    """Bytes that a process holds; NaN where the system does not tell (only Linux does)."""
    status = Path(f"/proc/{server.process.pid}/status")
    found = re.search(r"VmRSS:\s*(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) * 1024 if found else float("nan")


def report(ours: dict[str, Any], theirs: Figures) -> None:
    """Print all figures and the goals."""
    seen: list[Seen] = ours["seen"]
    delays = [delay for one in seen for delay in one.delays]
    figures = {
        "preview, sent to received": delays,
        "click to first word": [one.first for one in seen],
        "open the history": ours["clicks"],
        "open the page": ours["opened"],
        "Gradio's limits: to first frame": theirs["first"],
        "Gradio's limits: a click": theirs["ping"],
    }
    rows = [
        {"figure": name, **vars(describe_spread([1000 * value for value in values]))}
        for name, values in figures.items()
    ]
    print("Milliseconds\n\n" + format_table(rows) + "\n")
    done = sum(one.phase == "done" for one in seen)
    print(
        f"{done} of {len(seen)} jobs done in {ours['took']:.1f} s; {len(delays)} previews, "
        f"{sum(one.messages for one in seen)} messages, {sum(one.asked for one in seen)} of them "
        f"by asking; the app took {ours['cpu']:.2f} of a core, "
        f"{ours['idle']:.2f} while all pages stood idle, and {ours['busy memory']:.0f} MB"
    )
    for name, value, limit, unit in (
        ("preview, p95", 1000 * describe_spread(delays).p95, 100, "ms"),
        ("unrelated click, p95", 1000 * describe_spread(ours["clicks"]).p95, 100, "ms"),
        ("first word, largest", max(one.first for one in seen), 1, "s"),
        ("the app's processor time", ours["cpu"], 1, "of a core"),
        ("memory for each open page", ours["memory"] / 1e3, 1000, "kB"),
    ):
        print(Goal(name, value, limit, unit))


if __name__ == "__main__":
    main()
