from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.comfy.timers import PollTimings
from comfygradio.demo import DemoOptions, DemoServer
from tests.clocks import HANG_SECONDS, ManualClock

from .gate import Gate

Serve = Callable[..., DemoServer]
Connect = Callable[..., ComfyClient]

SMALL = DemoOptions(preview_size=64)
"""Frames that cost little to draw."""

QUICK_TIMINGS = PollTimings(
    silence=0.02,
    slowest_poll=0.05,
    first_poll=0.01,
    queue_refresh=0.01,
    reconnect=(0.01, 0.01, 0.02, 60.0),
    renewal=60.0,
    settle=0.1,
    listen=60.0,
)
"""Asks soon and often, and never gives up because the machine is busy."""


LISTENING = replace(QUICK_TIMINGS, silence=60.0)
"""Believes what the socket says: a history that is read first knows less of how it came about."""


def wait_until(reached: Callable[[], bool]) -> None:
    """Ask again and again; the limit only tells a hang."""
    end = time.monotonic() + 2 * HANG_SECONDS
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.001)


def read_to_end(
    run: Generator[PromptProgress, None, None],
) -> Generator[PromptProgress, None, None]:
    """The states of a run that yields without pause; the limit only tells a hang."""
    end = time.monotonic() + 2 * HANG_SECONDS
    for state in run:
        assert time.monotonic() < end
        yield state
        time.sleep(0.001)  # The threads of run and server may go first.


def join_runs(clock: ManualClock | None = None) -> None:
    """Wait for the threads of all runs; by this clock time passes until they have ended.

    A thread may come to wait for a time at any moment, so moving the clock once is not enough.
    """
    for thread in threading.enumerate():
        if thread.name == "comfy-run":
            join(thread, clock)


def join(thread: threading.Thread, clock: ManualClock | None) -> None:
    end = time.monotonic() + HANG_SECONDS
    while clock is not None and thread.is_alive() and time.monotonic() < end:
        clock.advance(60.0)
        thread.join(0.01)
    thread.join(max(end - time.monotonic(), 0.0))
    frame = sys._current_frames().get(thread.ident or 0)
    assert frame is None, "".join(traceback.format_stack(frame))


@pytest.fixture(scope="session")
def shared_gate() -> Gate:
    """Where the demo server of `comfy` waits."""
    return Gate()


@pytest.fixture
def gate(shared_gate: Gate) -> Iterator[Gate]:
    """Where all demo servers of a test wait; open at its begin and its end."""
    yield shared_gate
    shared_gate.release()


@pytest.fixture
def serve(tmp_path: Path, gate: Gate) -> Iterator[Serve]:
    """Starts demo servers with the given options; they stop at the end of the test."""
    with ExitStack() as stack:

        def start(**options: object) -> DemoServer:
            chosen = replace(SMALL, **options)  # type: ignore[arg-type]
            return stack.enter_context(DemoServer(chosen, folder=tmp_path, wait=gate.wait))

        yield start


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes clients that are closed at the end of the test."""
    with ExitStack() as stack:
        yield lambda url, **options: stack.enter_context(ComfyClient(url, **options))


@pytest.fixture(scope="session")
def comfy(tmp_path_factory: pytest.TempPathFactory, shared_gate: Gate) -> Iterator[ComfyClient]:
    """A client of the server that COMFYUI_URL names, else of a demo server."""
    url = os.environ.get("COMFYUI_URL")
    if url:
        with ComfyClient(url) as client:
            yield client
        return
    folder = tmp_path_factory.mktemp("demo")
    with (
        DemoServer(SMALL, folder=folder, wait=shared_gate.wait) as server,
        ComfyClient(server.url, patience=LISTENING) as client,
    ):
        yield client


@pytest.fixture
def asking(comfy: ComfyClient) -> Iterator[ComfyClient]:
    """A client of the same server that asks soon where it hears nothing."""
    with ComfyClient(comfy.url, patience=QUICK_TIMINGS) as client:
        yield client


@pytest.fixture(scope="session")
def checkpoint(comfy: ComfyClient) -> str:
    return comfy.models("checkpoints")[0]
