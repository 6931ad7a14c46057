"""The scheduler of a cluster: Dask's own, which listens nowhere but on the address given."""

from __future__ import annotations

import asyncio
from typing import Any

from comfygradio.cluster.address import ClusterAddress
from comfygradio.cluster.node import make_node


def make_scheduler(address: ClusterAddress) -> Any:
    """A Dask scheduler, not started."""
    from distributed import Scheduler

    security = address.make_security()
    return make_node(
        Scheduler, host=address.host, port=address.port, protocol=address.scheme, security=security
    )


async def run_scheduler(address: ClusterAddress, stop: asyncio.Event) -> None:
    """Serve until `stop` is set. Raises OSError where the address cannot be listened on."""
    scheduler = make_scheduler(address)
    try:
        await scheduler
        print(f"The Dask scheduler answers at {address}; Ctrl-C ends it.", flush=True)
        await stop.wait()
    finally:
        await scheduler.close()
