"""A sweep of 2,000 cells in a real browser: `python -m tests.benchmarks.cells`.

How soon its grid is there, whether scrolling stays smooth, and how long rows and columns take to be
swapped.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from comfygradio.demo import DemoOptions, DemoServer
from tests.benchmarks.figures import Goal, describe_spread, format_table
from tests.benchmarks.page import open_browser, open_page
from tests.ui.running import run_app

PRESET = "text_to_image"
COUNT = 2_000
PATIENCE_MS = 900_000

OPEN = """async () => {
  const began = performance.now();
  document.querySelector(".cg-sweep-card").click();
  while (!document.querySelector(".cg-sweep-cell img"))
    await new Promise((done) => setTimeout(done, 2));
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return performance.now() - began;
}"""

SCROLL = """async () => {
  const grid = document.querySelector(".cg-sweep-grid"), frames = [];
  const end = grid.scrollHeight - grid.clientHeight;
  const began = performance.now();
  let last = began;
  await new Promise((done) => {
    const step = () => {
      const now = performance.now();
      frames.push(now - last);
      last = now;
      grid.scrollTop = Math.min(end, (now - began) * 4);
      if (now - began > 4000 || grid.scrollTop >= end) done(); else requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  });
  return frames;
}"""

SWAP = """async () => {
  const began = performance.now();
  document.querySelector(".cg-sweep-swap").click();
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return performance.now() - began;
}"""


def main() -> None:
    """Run a sweep on the demo server, then look at it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each figure is taken")
    rounds = parser.parse_args().rounds
    with (
        DemoServer(DemoOptions(step_seconds=0.0)) as server,
        tempfile.TemporaryDirectory() as folder,
        run_app(server.url, Path(folder)) as app,
        open_browser() as browser,
    ):
        page = open_page(browser, app.url.rstrip("/"), PRESET)
        run_sweep(page)
        figures = measure(page, app.url.rstrip("/"), rounds)
    rows = [{"figure": name, **vars(describe_spread(values))} for name, values in figures.items()]
    print(format_table(rows), "\n")
    goals = (("open", 500.0), ("frame", 33.4), ("swap", 100.0))
    for name, limit in goals:
        print(Goal(f"{name}, p95", describe_spread(figures[name]).p95, limit, "ms"))


def run_sweep(page: Page) -> None:
    """Every one of 20 steps with each of 100 seeds, until all are done."""
    panel = page.locator(f"#cg-panel-{PRESET}")
    panel.get_by_label("What do you want to see?").fill("a lighthouse")
    panel.get_by_role("button", name="Compare settings").click()
    for label, text in (("Steps", "1-20"), ("Seed", "1-100")):
        if not page.locator(".cg-sweep-offers:visible").count():
            page.get_by_role("button", name="+ Another field").click()
        page.locator(".cg-sweep-offers:visible").last.get_by_role(
            "button", name=label, exact=True
        ).click()
        page.get_by_label(f"Values of {label}").fill(text)
    page.locator(".cg-sweep-count", has_text=f"{COUNT:,} pictures").wait_for()
    page.get_by_role("button", name="Start").click()
    done = page.locator('.cg-sweep-progress[data-phase="done"]')
    done.wait_for(state="attached", timeout=PATIENCE_MS)


def measure(page: Page, url: str, rounds: int) -> Mapping[str, list[float]]:
    """Milliseconds from the click in the list to the painted grid, of each frame while scrolling,
    and of swapping.
    """
    figures: dict[str, list[Any]] = {"open": [], "frame": [], "swap": []}
    for _ in range(rounds):
        page.goto(f"{url}/?sweep=1")
        page.locator(".cg-sweep-card").first.wait_for()
        figures["open"].append(page.evaluate(OPEN))
        figures["frame"] += page.evaluate(SCROLL)
        figures["swap"] += [page.evaluate(SWAP), page.evaluate(SWAP)]
    return figures


if __name__ == "__main__":
    main()
