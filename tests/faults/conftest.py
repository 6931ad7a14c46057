"""A scenario per test, servers for all of them, and a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import context, open_chromium
from tests.faults.scenario import Scenario, open_scenario
from tests.jobs.shelf import Shelf, shelf

__all__ = ["context", "shelf"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium for the tests of a module: others run event loops of their own."""
    with open_chromium() as chromium:
        yield chromium


@pytest.fixture
def scenario(shelf: Shelf, tmp_path: Path) -> Iterator[Scenario]:
    """A demo server without faults of its own behind a line, and our queue on it."""
    with open_scenario(tmp_path / "outputs", shelf) as scenario:
        yield scenario
