"""A scheduler and a worker of a cluster measure nothing that nobody reads, in whatever process they
are.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import dask
import distributed

from comfygradio.cluster.address import parse_cluster
from comfygradio.cluster.nodes import make_scheduler, make_worker
from comfygradio.settings import Settings
from tests.jobs.lines import free_port

OFTEN_MS = 200
SETTING = f"{distributed.__name__}.admin.tick.interval"


def test_nodes_wake_rarely_and_leave_the_settings_of_dask_alone(tmp_path: Path) -> None:
    before = dask.config.get(SETTING)

    async def look() -> dict[str, float]:
        address = parse_cluster(f"tcp://127.0.0.1:{free_port()}", Settings(), "--engine")
        async with (
            make_scheduler(address) as scheduler,
            make_worker(address, "127.0.0.1", str(tmp_path)) as worker,
        ):
            nodes = {"scheduler": scheduler, "worker": worker}
            return {
                f"{kind} {name}": one.callback_time
                for kind, node in nodes.items()
                for name, one in node.periodic_callbacks.items()
            }

    pauses = asyncio.run(look())
    assert pauses["worker heartbeat"] and not {
        name: ms for name, ms in pauses.items() if ms < OFTEN_MS
    }
    assert dask.config.get(SETTING) == before
