"""A world per test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.world import World, open_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A demo server without faults of its own behind a line, and our queue on it."""
    with open_world(tmp_path / "outputs") as world:
        yield world
