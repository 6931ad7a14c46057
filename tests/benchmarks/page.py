"""The page in a real browser: what it shows and when, told by a script inside it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.benchmarks.figures import Row
from tests.chromium import FLAGS, find_chromium

PATIENCE_MS = 60_000
SCRIPT = (Path(__file__).parent / "sampler.js").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Shown:
    """A frame that was on the screen: when it was first seen there (seconds since 1970), and the
    JPEG's SHA-256.
    """

    at: float
    digest: str


@contextmanager
def open_browser() -> Iterator[Browser]:
    """The installed Chromium ($CHROMIUM, else the one on the PATH), without a window."""
    path = find_chromium()
    if path is None:
        sys.exit("no Chromium on this machine: install chromium-headless-shell or chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def open_page(browser: Any, url: str, preset: str) -> Page:
    """A page of the app that shows this preset, in a browser or in a context of one; watched by our
    script.
    """
    page: Page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(SCRIPT)
    page.goto(f"{url}/?preset={preset}")
    page.locator(f"#cg-panel-{preset} .cg-generate").wait_for()
    return page


def start_job(page: Page, preset: str, values: Row) -> None:
    """Fill in fields and press the button."""
    for name, value in values.items():
        field = page.locator(f"#cg-{preset}-{name} input").first
        field.fill(str(value))
        field.blur()
    page.evaluate("bench.restart()")
    page.locator(f"#cg-panel-{preset} .cg-generate").click()


def await_phase(page: Page, *phases: str, timeout_ms: float = PATIENCE_MS) -> None:
    """Wait until the viewer says that the job is in one of these phases."""
    wanted = ", ".join(f'.cg-view[data-phase="{phase}"]' for phase in phases)
    page.locator(wanted).first.wait_for(state="attached", timeout=timeout_ms)


def await_picture(page: Page, timeout_ms: float = PATIENCE_MS) -> float:
    """Wait until the finished picture is on the screen; returns when it was first seen (seconds
    since 1970).
    """
    page.wait_for_function("bench.final > 0", timeout=timeout_ms)
    return float(page.evaluate("bench.final")) / 1000


def read_frames(page: Page) -> list[Shown]:
    """Every frame that was shown since the job started."""
    found: list[dict[str, Any]] = page.evaluate("bench.frames()")
    return [Shown(frame["at"] / 1000, frame["digest"]) for frame in found]
