"""Programs that disconnect while their job or sweep is being started."""

from __future__ import annotations

import asyncio
import threading

import pytest

from comfygradio.ui.form.endpoint import start_cancellable


def test_what_a_program_began_and_left_is_stopped() -> None:
    asked, may_start, stopped = threading.Event(), threading.Event(), threading.Event()
    dropped: list[str] = []

    def start() -> str:
        asked.set()
        may_start.wait(10)
        return "a job"

    def stop(started: str) -> None:
        dropped.append(started)
        stopped.set()

    async def leave() -> None:
        beginning = asyncio.ensure_future(start_cancellable(start, stop))
        await asyncio.to_thread(asked.wait, 10)
        beginning.cancel()
        with pytest.raises(asyncio.CancelledError):
            await beginning
        assert dropped == []
        may_start.set()
        assert await asyncio.to_thread(stopped.wait, 10)

    asyncio.run(leave())
    assert dropped == ["a job"]


def test_what_begins_is_left_alone_while_somebody_waits() -> None:
    dropped: list[str] = []
    assert asyncio.run(start_cancellable(lambda: "a job", dropped.append)) == "a job"
    assert dropped == []
