"""A running app with files on its host that are nobody's business."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from comfygradio.demo import DemoOptions, DemoServer


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    """A quick demo server, with the test nodes."""
    with DemoServer(DemoOptions(step_seconds=0.01, lab_nodes=True)) as server:
        yield server


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """A browser without a page; a call that hangs ends after a minute."""
    with httpx.Client(timeout=60) as opened:
        yield opened
