"""What the library and the web app add to a bare script: `python -m tests.benchmarks.overhead`.

Milliseconds from the call to the picture's bytes in hand, on a demo server whose steps take no
time, and on the ComfyUI that COMFYUI_URL names. "Gradio alone" is an app whose endpoint does
nothing: what it takes no app of ours can save. Every process stands alone; the ways take turns, so
that a noisy moment hits all of them.
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.callers import Caller, WebAppHttp, open_callers
from tests.benchmarks.figures import Goal, describe_spread, format_table, percentile, write_json
from tests.benchmarks.presets import write_color_preset
from tests.benchmarks.processes import open_app, open_demo, open_minimal_app

RUNS = 60
QUICK_RUNS = 30
WARM_UP = 5
COLORS = 1 << 24
BARE = "bare script"
LIBRARY = "library"
PLAIN = "web app, plain HTTP"
RATIO_LIMIT = 1.1
APP_LIMIT_MS = 40.0
SIGNATURE = b"\x89PNG"

Times = dict[str, list[float]]


def main() -> None:
    """Measure and print; nothing is asserted."""
    options = parse_options()
    runs = options.runs or (QUICK_RUNS if options.quick else RUNS)
    with open_demo() as demo:
        reports = [measure_server("demo server", demo.url, runs, options.seconds)]
    if real := os.environ.get("COMFYUI_URL", "").rstrip("/"):
        reports.append(measure_server("ComfyUI", real, runs, options.seconds))
    write_json(options.json, {"benchmark": "overhead", "servers": reports})


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.overhead", description=__doc__
    )
    parser.add_argument(
        "--runs", type=int, help=f"rounds to measure [{RUNS}, with --quick {QUICK_RUNS}]"
    )
    parser.add_argument("--seconds", type=float, help="end after so long, even with fewer rounds")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures as JSON")
    return parser.parse_args()


def measure_server(title: str, url: str, runs: int, seconds: float | None = None) -> dict[str, Any]:
    """All ways on one server, printed and returned."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        preset = write_color_preset(folder / "presets")
        with (
            open_app(url, preset.parent, folder) as app,
            open_minimal_app() as minimal_app,
            open_callers(url, app.url, minimal_app.url, preset, folder / "downloads") as callers,
        ):
            times = take_turns(callers, runs, seconds)
            plain = callers[PLAIN]
            parts = plain.parts if isinstance(plain, WebAppHttp) else []
    return report_server(title, times, parts[WARM_UP:])


def take_turns(callers: Mapping[str, Caller], runs: int, seconds: float | None = None) -> Times:
    """Milliseconds of each caller, one after the other in every round; the first rounds only warm
    up.
    """
    colors = itertools.count(int(time.time() * 1000) % COLORS)
    names = list(callers)
    times: Times = {name: [] for name in names}
    deadline = time.monotonic() + (seconds or float("inf"))
    for turn in range(WARM_UP + runs):
        if time.monotonic() > deadline:
            break
        # Every round begins with another caller.
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            taken = time_call(callers[name], next(colors) % COLORS)
            if turn >= WARM_UP:
                times[name].append(taken)
    return times


def time_call(call: Caller, color: int) -> float:
    """Milliseconds of one call. Raises RuntimeError if what comes back is no picture."""
    started = time.perf_counter()
    content = call(color)
    taken = 1000 * (time.perf_counter() - started)
    if not content.startswith(SIGNATURE):
        raise RuntimeError(f"no PNG came back, but {content[:20]!r}")
    return taken


def report_server(title: str, times: Times, parts: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Print the figures of one server; returns them."""
    rows = [describe_way(name, values, times[BARE]) for name, values in times.items()]
    shares: dict[str, float] = {}
    if parts:
        for name in parts[0]:
            shares[name] = percentile([part[name] for part in parts], 50)
    goals = judge(rows)
    print(f"\n{title}: milliseconds from call to bytes, {len(times[BARE])} rounds taken in turns\n")
    print(format_table(rows))
    listed = [f"{name} {value:.1f}" for name, value in shares.items()]
    print(f"\nplain HTTP, medians of its parts: {', '.join(listed)}")
    print(*goals, sep="\n")
    return {
        "server": title,
        "ways": rows,
        "parts": shares,
        "goals": [vars(goal) | {"met": goal.met} for goal in goals],
    }


def describe_way(name: str, values: Sequence[float], bare: Sequence[float]) -> dict[str, Any]:
    """One row: the spread, and how it stands to the bare script."""
    spread = describe_spread(values)
    base = percentile(bare, 50)
    return {
        "way": name,
        "median": spread.median,
        "p90": spread.p90,
        "to bare": spread.median / base,
        "more": spread.median - base,
    }


def judge(rows: Sequence[Mapping[str, Any]]) -> list[Goal]:
    """The library against its ratio, every way through the web app against its milliseconds."""
    goals = []
    for row in rows:
        if row["way"] == LIBRARY:
            goals.append(Goal(LIBRARY, row["to bare"], RATIO_LIMIT, "times the bare script"))
        elif row["way"].startswith("web app"):
            goals.append(
                Goal(row["way"], row["more"], APP_LIMIT_MS, "ms more than the bare script")
            )
    return goals


if __name__ == "__main__":
    main()
