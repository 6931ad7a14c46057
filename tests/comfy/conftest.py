from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoOptions, DemoServer

Serve = Callable[..., DemoServer]
Connect = Callable[..., ComfyClient]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts demo servers with the given options; they stop at the end of the test."""
    with ExitStack() as stack:

        def start(**options: object) -> DemoServer:
            chosen = DemoOptions(**{"step_seconds": 0.01, **options})  # type: ignore[arg-type]
            return stack.enter_context(DemoServer(chosen, folder=tmp_path))

        yield start


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes clients that are closed at the end of the test."""
    with ExitStack() as stack:
        yield lambda url, **options: stack.enter_context(ComfyClient(url, **options))


@pytest.fixture(scope="session")
def comfy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComfyClient]:
    """A client of the server that COMFYUI_URL names, else of a demo server."""
    with ExitStack() as stack:
        url = os.environ.get("COMFYUI_URL")
        if not url:
            options = DemoOptions(step_seconds=0.01)
            url = stack.enter_context(
                DemoServer(options, folder=tmp_path_factory.mktemp("demo"))
            ).url
        yield stack.enter_context(ComfyClient(url))


@pytest.fixture(scope="session")
def checkpoint(comfy: ComfyClient) -> str:
    return comfy.models("checkpoints")[0]
