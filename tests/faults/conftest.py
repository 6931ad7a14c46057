"""A scenario per test, servers for all of them, and the browser of the browser tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import browser, context
from tests.faults.scenario import Scenario, open_scenario
from tests.jobs.shelf import Shelf, shelf

__all__ = ["browser", "context", "shelf"]


@pytest.fixture
def scenario(shelf: Shelf, tmp_path: Path) -> Iterator[Scenario]:
    """A demo server without faults of its own behind a line, and our queue on it."""
    with open_scenario(tmp_path / "outputs", shelf) as scenario:
        yield scenario
