"""A whole running app on a demo server, in this process, for the tests that need one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from comfygradio.demo import DemoOptions, DemoServer
from tests.ui.running import RunningApp, run_app


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    """Start a demo server, quick but with visible steps, with the test nodes."""
    with DemoServer(DemoOptions(step_seconds=0.02, lab_nodes=True)) as server:
        yield server


@pytest.fixture(scope="module")
def apps_server() -> Iterator[DemoServer]:
    """Start the demo server of `app`."""
    with DemoServer(DemoOptions(step_seconds=0.02, lab_nodes=True)) as server:
        yield server


@pytest.fixture(scope="module")
def app(apps_server: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """Start the app with the shipped presets, for the tests of a module that need no other."""
    with run_app(apps_server.url, tmp_path_factory.mktemp("outputs")) as running:
        yield running


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """Make a folder for results."""
    return tmp_path / "outputs"
