"""Many tabs of one browser over plain HTTP, a job in each: does anything hang while all of them run
or wait?

A browser has six connections to a host. Every tab in turn switches the preset, uploads a picture
and switches back, over and over until the last job is done. Each step is timed inside the page,
from the click to its visible effect.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page

from tests.benchmarks.figures import Goal, describe_spread, format_table
from tests.benchmarks.page import await_phase, await_picture, open_page, read_frames, start_job

FPS = 5
FRAMES, QUICK_FRAMES = 60, 20
HANG_MS = 2000.0
PATIENCE_MS = 120_000.0
PAUSE_SECONDS = 0.1


@dataclass(frozen=True)
class Step:
    """One thing done in one tab while jobs ran: milliseconds until its effect was visible, inf if
    it never was.
    """

    name: str
    tab: int
    phase: str
    ms: float


def measure_tabs(browser: Browser, url: str, count: int, quick: bool) -> list[dict[str, Any]]:
    """All tabs in front, as separate windows are; then all but one in the background.

    Printed and returned.
    """
    frames = QUICK_FRAMES if quick else FRAMES
    return [measure_browser(browser, url, count, frames, hiding) for hiding in (False, True)]


def measure_browser(
    browser: Browser, url: str, count: int, frames: int, hiding: bool
) -> dict[str, Any]:
    """One browser with a job in every tab; `hiding`: a tab is hidden unless something is being done
    in it.
    """
    context = browser.new_context()
    try:
        pages = [open_page(context, url, "frames") for _ in range(count)]
        for number, page in enumerate(pages):
            _start(page, frames + number, hiding)
        steps = use_tabs(pages, hiding)
        arrived = [_await_result(page) for page in pages]
        shown = [len(read_frames(page)) for page in pages]
    finally:
        context.close()
    return report_tabs("in the background" if hiding else "in front", steps, arrived, shown)


def use_tabs(pages: list[Page], hiding: bool) -> list[Step]:
    """Rounds through the tabs until all jobs are over; at least one round."""
    steps: list[Step] = []
    while not steps or not all(_is_over(page) for page in pages):
        for number, page in enumerate(pages):
            steps += use_tab(page, number, hiding)
            time.sleep(PAUSE_SECONDS)
        if any(step.ms == float("inf") for step in steps):
            break
    return steps


def use_tab(page: Page, number: int, hiding: bool) -> list[Step]:
    """Switch the preset, upload a picture, switch back."""
    if hiding:
        page.evaluate("bench.hide(false)")
    phase = str(page.locator(".cg-view").get_attribute("data-phase"))
    actions = {
        "switch": "bench.choose('picture')",
        "upload": "bench.upload('#cg-picture-image')",
        "switch back": "bench.choose('frames')",
    }
    taken = {name: page.evaluate(action) for name, action in actions.items()}
    if hiding:
        page.evaluate("bench.hide(true)")
    return [
        Step(name, number, phase, float("inf") if ms is None else float(ms))
        for name, ms in taken.items()
    ]


def report_tabs(
    title: str, steps: list[Step], arrived: list[bool], shown: list[int]
) -> dict[str, Any]:
    """Print the figures of one browser; returns them."""
    kinds = sorted({(step.phase, step.name) for step in steps}, reverse=True)
    rows = [_describe_steps(phase, name, steps) for phase, name in kinds]
    hangs = sum(step.ms > HANG_MS for step in steps)
    goals = [
        Goal("steps that hang", hangs, 0, ""),
        Goal("results missing", arrived.count(False), 0, ""),
    ]
    print(
        f"\n{len(arrived)} tabs {title}, a job in each; milliseconds from a click to its effect\n"
    )
    print(format_table(rows))
    print(f"results {arrived.count(True)} of {len(arrived)}, previews shown by tab {shown}")
    print(*goals, sep="\n", flush=True)
    return {"tabs": title, "steps": rows, "hangs": hangs, "arrived": arrived, "shown": shown}


def _describe_steps(phase: str, name: str, steps: list[Step]) -> dict[str, Any]:
    """The row of one kind of step in tabs whose job is in one phase."""
    taken = [step.ms for step in steps if (step.phase, step.name) == (phase, name)]
    spread, hangs = describe_spread(taken), sum(ms > HANG_MS for ms in taken)
    figures = {"median": spread.median, "p95": spread.p95, "largest": spread.largest}
    return {"job": phase, "step": name, "count": spread.count, **figures, "hangs": hangs}


def _start(page: Page, frames: int, hiding: bool) -> None:
    start_job(page, "frames", {"count": frames, "fps": FPS})
    await_phase(page, "waiting", "running")
    if hiding:
        page.evaluate("bench.hide(true)")


def _is_over(page: Page) -> bool:
    return bool(page.evaluate("bench.final > 0"))


def _await_result(page: Page) -> bool:
    try:
        await_picture(page, PATIENCE_MS)
    except Exception:  # whatever it was, the result is not there
        return False
    return True
