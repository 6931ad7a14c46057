"""Many people at once: nobody waits for a free slot, neither with a job nor with a click."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from comfygradio.demo import DemoOptions, DemoServer
from tests.benchmarks.presets import write_preset
from tests.benchmarks.visitor import Visitor
from tests.ui.running import run_app

pytestmark = pytest.mark.app

PEOPLE = 45
"""More than Gradio's own 40 threads, and more than get a stream."""

STREAMS = 32

SLEEP = {
    "1": {"class_type": "LabSleep", "inputs": {"seconds": 300.0, "value": 0}},
    "2": {
        "class_type": "EmptyImage",
        "inputs": {"width": 32, "height": 32, "batch_size": 1, "color": ["1", 0]},
    },
    "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "x"}},
}


async def crowd(url: str) -> None:
    """Have everybody start a job on a server that finishes none; all get a message, and clicks are
    still answered.
    """
    visitors = [Visitor(url) for _ in range(PEOPLE + 1)]
    await asyncio.gather(*(visitor.open() for visitor in visitors))
    *busy, idle = visitors
    pressed = [visitor.press([300.0]) for visitor in busy]
    first = await asyncio.gather(*(anext(messages) for messages in pressed))
    assert {message["phase"] for message in first} <= {"waiting", "running"}
    assert len({message["token"] for message in first}) == PEOPLE
    assert sum("ask" in message for message in first) == PEOPLE - STREAMS
    watching = [asyncio.ensure_future(drain(messages)) for messages in pressed]
    for _ in range(3):
        await idle.look_back()
    assert not any(task.done() for task in watching)
    for task in watching:
        task.cancel()
    await asyncio.wait(watching)
    for visitor in visitors:
        visitor.close()


async def drain(messages: AsyncIterator[dict[str, Any]]) -> None:
    """Watch a job to its end."""
    async for _ in messages:
        pass


def test_nobody_waits_for_a_free_slot(tmp_path: Path) -> None:
    write_preset(tmp_path / "presets", "sleep", SLEEP, {"seconds": {"slot": "1.seconds"}}, order=1)
    write_preset(tmp_path / "presets", "other", SLEEP, {"seconds": {"slot": "1.seconds"}}, order=2)
    with (
        DemoServer(DemoOptions(lab_nodes=True)) as server,
        run_app(server.url, tmp_path / "outputs", tmp_path / "presets", streams=STREAMS) as app,
    ):
        asyncio.run(asyncio.wait_for(crowd(app.url.rstrip("/")), 60))
