"""Previews on the real page in Chromium, and ten tabs of one browser at once: `python -m
tests.benchmarks.preview`.

How it is measured: a demo server (its lab node sends JPEGs of 512 pixels at an exact rate), the app
and Chromium are processes of one machine and share its clock. The demo server logs time and SHA-256
of every frame just before it is handed to the WebSocket. A script in the page looks at every
animation frame which picture the preview shows, complete and visible, and hashes its bytes
afterwards. Latency is from that log entry to that animation frame; the paint follows within it, up
to 16 ms later. The slow line is a proxy between browser and app, slow from when the page is loaded.
"""

from __future__ import annotations

import argparse
import math
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Request

from tests.benchmarks.figures import Goal, Row, describe_spread, format_table, write_json
from tests.benchmarks.lab_server import DEFAULT_GRAIN, SentFrame, read_log
from tests.benchmarks.page import (
    Shown,
    await_picture,
    open_browser,
    open_page,
    read_frames,
    start_job,
)
from tests.benchmarks.presets import write_lab_presets
from tests.benchmarks.processes import Server, count_files, open_app, open_lab
from tests.benchmarks.proxy import ThrottledProxy
from tests.benchmarks.tabs import measure_tabs

SECONDS = 15.0
QUICK_SECONDS = 5.0
IDLE_SECONDS = 3.0
RATES = (10, 30)
SLOW_BITS = 2e6
FREE_P50_MS = 30.0
SLOW_P95_MS = 500.0
SLOW_FINAL_MS = 500.0


@dataclass(frozen=True)
class Setup:
    """What is being measured: lab server, its log, app, the app's folder and a browser."""

    lab: Server
    log: Path
    app: Server
    folder: Path
    browser: Browser


def main() -> None:
    """Measure and print; nothing is asserted."""
    options = parse_options()
    seconds = options.seconds or (QUICK_SECONDS if options.quick else SECONDS)
    report: dict[str, Any] = {"benchmark": "preview"}
    with open_setup(options.grain) as setup:
        if "lines" in options.only:
            rows: list[dict[str, Any]] = []
            for bits_per_second in (0.0, SLOW_BITS):
                for fps in RATES:
                    rows.append(measure_line(setup, fps, bits_per_second, seconds))
            report["lines"] = report_lines(rows)
        if "tabs" in options.only:
            report["tabs"] = measure_tabs(setup.browser, setup.app.url, options.tabs, options.quick)
    write_json(options.json, report)


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.preview",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument(
        "--seconds", type=float, help=f"of frames for each line and rate [{SECONDS:g}]"
    )
    parser.add_argument("--quick", action="store_true", help="less of everything")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=["lines", "tabs"],
        default=["lines", "tabs"],
        help="a part of it",
    )
    parser.add_argument("--tabs", type=int, default=10, help="how many tabs [10]")
    parser.add_argument(
        "--grain",
        type=float,
        default=DEFAULT_GRAIN,
        help=f"makes frames heavier [{DEFAULT_GRAIN:g}]",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures as JSON")
    return parser.parse_args()


@contextmanager
def open_setup(grain: float) -> Iterator[Setup]:
    """Everything started, in a temporary folder."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        write_lab_presets(folder / "presets")
        lab = stack.enter_context(open_lab(folder / "log", grain))
        app = stack.enter_context(open_app(lab.url, folder / "presets", folder / "app"))
        yield Setup(lab, folder / "log", app, folder / "app", stack.enter_context(open_browser()))


def measure_line(setup: Setup, fps: int, bits_per_second: float, seconds: float) -> dict[str, Any]:
    """One job watched by one page; over a proxy if the line is slow."""
    with ThrottledProxy(setup.app.url) as line:
        page = open_page(setup.browser, line.url if bits_per_second else setup.app.url, "frames")
        line.set_speed(bits_per_second)
        calls = count_calls(page)
        idle = measure_idle(setup.app)
        before = setup.log.stat().st_size if setup.log.exists() else 0
        files = count_files(setup.folder / "gradio")
        start_job(page, "frames", {"count": round(seconds * fps), "fps": fps})
        while not (sent := read_log(setup.log, before)):
            time.sleep(0.02)
        cpu = setup.app.cpu_seconds()
        began = time.monotonic()
        final = await_picture(page, timeout_ms=1000 * (3 * seconds + 60))
        cpu = setup.app.cpu_seconds() - cpu - idle * (time.monotonic() - began)
        sent = read_log(setup.log, before)
        shown = read_frames(page)
        page.close()
    left = count_files(setup.folder / "gradio") - files
    name = f"{bits_per_second / 1e6:g} Mbit/s" if bits_per_second else "free"
    return {
        "line": name,
        "fps": fps,
        **describe_frames(sent, shown, final),
        **describe_cost(sent, cpu, left),
        "painted": calls["stream"],
        "asked": calls["job"],
    }


def count_calls(page: Page) -> Counter[str]:
    """Counts from now on how often a page says that it has painted what its stream brought
    (`stream`), and how often it asks (`job`).
    """
    calls: Counter[str] = Counter()

    def note(request: Request) -> None:
        found = re.search("/gradio_api/comfygradio/(stream|job)/", request.url)
        if found:
            calls[found[1]] += 1

    page.on("request", note)
    return calls


def measure_idle(app: Server) -> float:
    """The part of a processor that the app takes with one page open and no job."""
    before = app.cpu_seconds()
    time.sleep(IDLE_SECONDS)
    return (app.cpu_seconds() - before) / IDLE_SECONDS


def describe_frames(
    sent: Sequence[SentFrame], shown: Sequence[Shown], final: float
) -> dict[str, Any]:
    """Frames sent and shown, their latency, and how late the finished picture was; milliseconds."""
    sent_at = {frame.digest: frame.at for frame in sent}
    seen = [frame for frame in shown if frame.digest in sent_at]
    spread = describe_spread([1000 * (frame.at - sent_at[frame.digest]) for frame in seen])
    length = seen[-1].at - seen[0].at if len(seen) > 1 else math.nan
    return {
        "sent": len(sent),
        "shown": len(seen),
        "unknown": len(shown) - len(seen),
        "shown fps": (len(seen) - 1) / length,
        "p50 ms": spread.median,
        "p95 ms": spread.p95,
        "final ms": 1000 * (final - sent[-1].at),
    }


def describe_cost(sent: Sequence[SentFrame], cpu_seconds: float, files: int) -> dict[str, Any]:
    """What the frames cost the app: processor time beyond its idling, temporary files; per frame
    that was sent.
    """
    weight = sum(frame.bytes for frame in sent) / len(sent) / 1000
    return {
        "cpu ms/frame": 1000 * cpu_seconds / len(sent),
        "files/frame": files / len(sent),
        "kB/frame": weight,
    }


def report_lines(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Print the figures of all lines; returns them."""
    goals: list[Goal] = []
    for row in rows:
        goals += judge(row)
    print("\nPreviews: from the server's frame to the screen\n")
    print(format_table(rows))
    print("painted: messages that the stream brought; asked: messages that the page asked for")
    print("final: the finished picture is on the screen so long after the last frame was sent")
    print(*goals, sep="\n", flush=True)
    return {"rows": rows, "goals": [vars(goal) | {"met": goal.met} for goal in goals]}


def judge(row: Row) -> list[Goal]:
    """What is asked of a free or of a slow line."""
    name = f"{row['line']}, {row['fps']} fps"
    files = Goal(f"{name}, temporary files", row["files/frame"], 0.0, "per frame")
    asked = Goal(f"{name}, by asking", row["asked"], 0.0, "messages")
    if row["line"] == "free":
        return [Goal(f"{name}, p50", row["p50 ms"], FREE_P50_MS, "ms"), files, asked]
    late = Goal(f"{name}, final picture", row["final ms"], SLOW_FINAL_MS, "ms late")
    return [Goal(f"{name}, p95", row["p95 ms"], SLOW_P95_MS, "ms"), late, files, asked]


if __name__ == "__main__":
    main()
