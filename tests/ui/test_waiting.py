"""How the page's services wait, on a clock that the test moves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.service.preset_watcher import PresetWatcher
from comfygradio.service.service import Service
from comfygradio.ui.identity.page_session import IDLE_SECONDS, PageSessions
from comfygradio.ui.identity.role import OperatorAccess
from comfygradio.ui.status.status_api import ANSWER_SECONDS, StatusApi
from tests.clocks import HANG_SECONDS, ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def test_a_secret_is_forgotten_when_nobody_used_it_for_long(clock: ManualClock) -> None:
    page_sessions = PageSessions(clock)
    access = page_sessions.open("user:ada")
    for _ in range(3):
        clock.advance(IDLE_SECONDS)
        assert page_sessions.find_owner(access) == "user:ada"
    clock.advance(IDLE_SECONDS + 1)
    assert page_sessions.find_owner(access) is None


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[DemoServer]:
    """Make a server silent about its status for an hour."""
    with DemoServer(DemoOptions(slow_on={"/system_stats": 3600.0})) as server:
        yield server


def test_a_server_that_is_slow_to_answer_is_shown_as_one_that_does_not(
    silent: DemoServer, tmp_path: Path, clock: ManualClock
) -> None:
    service = Service(ComfyClient(silent.url), [], tmp_path / "outputs", clock=clock)
    look = StatusApi(service, OperatorAccess(None)).look

    async def ask() -> list[str]:
        asking = asyncio.ensure_future(look())
        await asyncio.to_thread(clock.await_waiters)
        assert not asking.done()
        clock.advance(ANSWER_SECONDS)
        told = await asyncio.wait_for(asking, HANG_SECONDS)
        return [server["trouble"] for server in told["servers"]]

    try:
        assert asyncio.run(ask()) == ["It has not answered for 3 seconds."]
    finally:
        silent.kill()
        service.close()


def test_a_change_of_the_presets_is_told_once(tmp_path: Path, clock: ManualClock) -> None:
    told: list[int] = []
    happened = threading.Event()

    def note() -> None:
        told.append(1)
        happened.set()

    watcher = PresetWatcher([tmp_path], note, clock=clock)
    watcher.start()
    (tmp_path / "new.yaml").write_text("title: New\n", "utf-8")
    try:
        while not happened.is_set():
            clock.await_waiters()
            clock.advance(1)
        for _ in range(5):
            clock.await_waiters()
            clock.advance(1)
    finally:
        watcher.stop()
    assert told == [1]
