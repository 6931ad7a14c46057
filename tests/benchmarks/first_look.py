"""The first look of a newcomer with a slow phone: `python -m tests.benchmarks.first_look`.

How many bytes the page takes, when its Generate can be pressed, and how much of the page moves on
its way there: over a line of 1.6 Mbit/s with 150 ms to the server, on a processor that is four
times slower, in a browser that has never been there. `--checkout` measures an older commit beside
this one; the last row is a small app of Gradio's own.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, CDPSession, Page, ViewportSize

from comfygradio.settings import shipped_presets
from tests.benchmarks.figures import Goal, Row, format_table, percentile
from tests.benchmarks.page import PATIENCE_MS, open_browser
from tests.benchmarks.processes import find_port, open_app, open_demo, run_server

PHONE: ViewportSize = {"width": 390, "height": 844}
SLOWER = 4
LATENCY_MS = 150
BYTES_PER_SECOND = 1_600_000 / 8

WATCH = """
window.firstLook = { usable: 0, shift: 0 };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (!entry.hadRecentInput) firstLook.shift += entry.value;
  }
}).observe({ type: "layout-shift", buffered: true });
const look = () => {
  const isUsable = [...document.querySelectorAll("button")].some((button) => {
    if (button.textContent.trim() !== "Generate" || button.disabled) return false;
    const box = button.getBoundingClientRect();
    const middle = [box.left + box.width / 2, box.top + box.height / 2];
    return box.width > 0 && button.contains(document.elementFromPoint(...middle));
  });
  if (isUsable) firstLook.usable = performance.now();
  else requestAnimationFrame(look);
};
look();
"""
"""Generate is usable once it takes a click at its middle. What is pressed before all scripts have
come is kept (`tests/browser/test_early_press.py`).
"""


@dataclass(frozen=True)
class Look:
    """One visit: seconds until Generate can be pressed, kilobytes over the wire until the page is
    at rest, requests, and the layout shift (a share of the screen).
    """

    usable: float
    kilobytes: float
    requests: float
    shift: float


class Traffic:
    """Counts what a page receives, headers included."""

    def __init__(self, session: CDPSession) -> None:
        self.bytes = 0.0
        self.requests = 0
        session.on("Network.requestWillBeSent", self._count_request)
        session.on("Network.dataReceived", self._count_data)
        session.on("Network.responseReceived", self._count_headers)

    def _count_request(self, event: Row) -> None:
        if event["request"]["url"].startswith("http"):
            self.requests += 1

    def _count_data(self, event: Row) -> None:
        self.bytes += event["encodedDataLength"]

    def _count_headers(self, event: Row) -> None:
        self.bytes += event["response"]["encodedDataLength"]


def main() -> None:
    """Visit each app in turn, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each app is visited")
    parser.add_argument("--checkout", type=Path, help="a checkout of an older commit")
    arguments = parser.parse_args()
    looks: dict[str, list[Look]] = {}
    with open_apps(arguments.checkout) as apps, open_browser() as browser:
        for name, url in apps.items():
            visit(browser, url)  # The first visitor waits for what an app makes only once.
            looks[name] = []
        for _ in range(arguments.rounds):
            for name, url in apps.items():
                looks[name].append(visit(browser, url))
    rows: list[Row] = []
    for name, found in looks.items():
        rows.append({"app": name, **vars(take_medians(found))})
    print(format_table(rows), "\n")
    ours = take_medians(looks["this"])
    print(Goal("over the wire", ours.kilobytes, 350, "kB"))
    print(Goal("Generate usable", ours.usable, 4, "s"))
    print(Goal("layout shift", ours.shift, 0.02, "of the screen"))


@contextmanager
def open_apps(checkout: Path | None) -> Iterator[dict[str, str]]:
    """Start the apps to visit; gives their addresses by name."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        demo = stack.enter_context(open_demo())
        this = open_app(demo.url, shipped_presets(), folder / "this")
        apps = {"this": stack.enter_context(this).url}
        if checkout is not None:
            presets = checkout / "presets"
            older = open_app(demo.url, presets, folder / "older", checkout.resolve())
            apps["older"] = stack.enter_context(older).url
        gradio = run_server("-m", "tests.benchmarks.default_app", str(find_port()))
        apps["bare Gradio"] = stack.enter_context(gradio).url
        yield apps


def visit(browser: Browser, url: str) -> Look:
    """Open a page as a newcomer with a slow phone."""
    context = browser.new_context(viewport=PHONE, device_scale_factor=2, has_touch=True)
    try:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.add_init_script(WATCH)
        traffic = slow_down(page)
        page.goto(url, wait_until="commit")
        page.wait_for_function("firstLook.usable > 0")
        page.wait_for_load_state("networkidle")
        return Look(
            usable=page.evaluate("firstLook.usable") / 1000,
            kilobytes=traffic.bytes / 1000,
            requests=traffic.requests,
            shift=page.evaluate("firstLook.shift"),
        )
    finally:
        context.close()


def slow_down(page: Page) -> Traffic:
    """Give a page the line and the processor of a slow phone; counts what comes over the line."""
    session = page.context.new_cdp_session(page)
    traffic = Traffic(session)
    session.send("Network.enable")
    line = {
        "offline": False,
        "latency": LATENCY_MS,
        "downloadThroughput": BYTES_PER_SECOND,
        "uploadThroughput": BYTES_PER_SECOND,
    }
    session.send("Network.emulateNetworkConditions", line)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    return traffic


def take_medians(looks: Sequence[Look]) -> Look:
    """Take the median of each figure."""
    return Look(
        usable=percentile([look.usable for look in looks], 50),
        kilobytes=percentile([look.kilobytes for look in looks], 50),
        requests=percentile([look.requests for look in looks], 50),
        shift=percentile([look.shift for look in looks], 50),
    )


if __name__ == "__main__":
    main()
