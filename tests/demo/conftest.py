from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from comfygradio.demo import DemoOptions, DemoServer

Serve = Callable[..., DemoServer]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts demo servers with the given options; they stop at the end of the test."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(start(tmp_path, options))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    with start(tmp_path_factory.mktemp("demo"), {}) as demo:
        yield demo


def start(folder: Path, options: dict[str, Any]) -> DemoServer:
    return DemoServer(DemoOptions(**{"step_seconds": 0.0, **options}), folder=folder)
