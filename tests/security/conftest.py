"""Apps to be attacked, one of each kind for a whole module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from comfygradio.demo import DemoOptions, DemoServer
from tests.browser.conftest import context as context
from tests.browser.conftest import open_chromium
from tests.security.raw_request import run_settings
from tests.ui.running import RunningApp


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium for the tests of a module: others run event loops of their own."""
    with open_chromium() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    """A quick demo server, with the test nodes."""
    with DemoServer(DemoOptions(step_seconds=0.01, lab_nodes=True)) as server:
        yield server


@pytest.fixture(scope="module")
def app(demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app on loopback that nobody has to log in to."""
    with run_settings(demo.url, tmp_path_factory.mktemp("outputs")) as running:
        yield running


@pytest.fixture(scope="module")
def closed_app(demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app with a login for ada, whose password is engine."""
    folder = tmp_path_factory.mktemp("closed")
    users = folder / "users.txt"
    users.write_text("ada:engine\n", "utf-8")
    with run_settings(demo.url, folder / "outputs", auth=users) as running:
        yield running


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """A folder for results."""
    return tmp_path / "outputs"


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """A browser without a page; a call that hangs ends after a minute."""
    with httpx.Client(timeout=60) as opened:
        yield opened
