"""Debian's Chromium through playwright.

Without it these tests are skipped; with CI set that is a failure.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from comfygradio.demo import DemoOptions, DemoServer
from tests.chromium import FLAGS, PATIENCE_MS, find_chromium
from tests.ui.running import RunningApp, run_app

QUICK_SECONDS = 0.01
SLOW_SECONDS = 4.0
"""A picture of twenty steps takes longer than a wait on a page may (`PATIENCE_MS`)."""


@contextmanager
def open_chromium(*flags: str) -> Iterator[Browser]:
    """A headless Chromium with further flags; skips the test where there is none."""
    path = find_chromium()
    if path is None and os.environ.get("CI"):
        pytest.fail("CI needs a browser: install Debian's package chromium-headless-shell.")
    if path is None:
        pytest.skip(
            "no Chromium on this machine: install Debian's chromium-headless-shell or chromium to "
            "run these."
        )
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=[*FLAGS, *flags])
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A headless Chromium for the tests of a folder.

    Not longer: where playwright runs, no other event loop can run in the same thread.
    """
    with open_chromium() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    """A quick demo server."""
    with DemoServer(DemoOptions(step_seconds=QUICK_SECONDS, lab_nodes=True)) as server:
        yield server


@pytest.fixture
def slow(demo: DemoServer) -> Iterator[DemoServer]:
    """The demo server, so slow that a picture takes until the test calls `set_step_seconds`."""
    pace = demo.options.step_seconds
    demo.set_step_seconds(SLOW_SECONDS)
    yield demo
    demo.set_step_seconds(pace)


@pytest.fixture(scope="module")
def app(demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """The app with the presets that ship, on that demo server."""
    with run_app(demo.url, tmp_path_factory.mktemp("outputs")) as running:
        yield running


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh browser profile; an error in a script of its pages fails the test, and so does a
    script or picture that a page's policy forbids.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    said: list[str] = []
    context.on("console", lambda message: said.append(message.text))
    with watch_scripts(context):
        yield context
    context.close()
    assert [line for line in said if "Content Security Policy" in line] == []


@contextmanager
def watch_scripts(context: BrowserContext) -> Iterator[None]:
    """Fail at the end if a script of a page had an error that it did not catch.

    Not at once: `pytest.fail` in a listener ends playwright's connection for all further tests.
    """
    errors: list[str] = []
    context.on("weberror", lambda failed: errors.append(f"{failed.error} ({failed.page})"))
    yield
    assert errors == []


@pytest.fixture
def tab(context: BrowserContext) -> Page:
    """An empty tab, for a test that opens an address of its own."""
    return context.new_page()


@pytest.fixture
def page(tab: Page, app: RunningApp) -> Page:
    """The app's page, loaded."""
    tab.goto(app.url)
    tab.get_by_role("button", name="Generate").wait_for()
    return tab
