"""The servers, clocks and stores of the tests of jobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from comfygradio.jobs.job_store import JobStore
from tests.clocks import ManualClock
from tests.jobs.shelf import shelf

__all__ = ["shelf"]


@pytest.fixture
def clock() -> ManualClock:
    """A clock that goes on only when a test says so."""
    return ManualClock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    """An empty store."""
    store = JobStore.open(tmp_path)
    yield store
    store.close()
