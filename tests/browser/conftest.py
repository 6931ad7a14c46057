"""Debian's Chromium through playwright.

Without it these tests are skipped; with CI set that is a failure.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from comfygradio.demo import DemoOptions, DemoServer
from tests.ui.running import RunningApp, run_app

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first is Chromium without the windows around its pages: a page costs half the processor time.
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None and os.environ.get("CI"):
        pytest.fail("CI needs a browser: install Debian's package chromium-headless-shell.")
    if path is None:
        pytest.skip(
            "no Chromium on this machine: install Debian's chromium-headless-shell or chromium to "
            "run these."
        )
    expect.set_options(timeout=45_000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    """A demo server with steps slow enough to be seen."""
    with DemoServer(DemoOptions(step_seconds=0.1, lab_nodes=True)) as server:
        yield server


@pytest.fixture(scope="module")
def app(demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """The app with the presets that ship, on that demo server."""
    with run_app(demo.url, tmp_path_factory.mktemp("outputs")) as running:
        yield running


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh browser profile; a script or picture that the page's policy forbids fails the
    test.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(45_000)
    said: list[str] = []
    context.on("console", lambda message: said.append(message.text))
    yield context
    context.close()
    assert [line for line in said if "Content Security Policy" in line] == []


@pytest.fixture
def page(context: BrowserContext, app: RunningApp) -> Page:
    """The app's page, loaded; an error in its script fails the test."""
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"the page's script failed: {error}"))
    page.goto(app.url)
    page.get_by_role("button", name="Generate").wait_for()
    return page
