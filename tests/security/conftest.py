"""A demo server for the apps that are attacked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from comfygradio.demo import DemoOptions, DemoServer


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    """A demo server, quick but with steps to watch."""
    with DemoServer(DemoOptions(step_seconds=0.02, lab_nodes=True)) as server:
        yield server
