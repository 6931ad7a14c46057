"""A world per test, and the browser of the browser tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import browser, context
from tests.faults.world import World, open_world

__all__ = ["browser", "context"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A demo server without faults of its own behind a line, and our queue on it."""
    with open_world(tmp_path / "outputs") as world:
        yield world
