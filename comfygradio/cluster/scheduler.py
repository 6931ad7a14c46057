"""The scheduler of a cluster: Dask's own, which listens nowhere but on the address given."""

from __future__ import annotations

import asyncio
from typing import Any

from comfygradio.cluster.address import ClusterAddress


def make_scheduler(address: ClusterAddress) -> Any:
    """A Dask scheduler, not started; its page about itself, which knows no login, is for this machine alone."""
    from distributed import Scheduler

    loopback = "[::1]" if ":" in address.host else "127.0.0.1"
    return Scheduler(
        host=address.host,
        port=address.port,
        protocol=address.scheme,
        security=address.make_security(),
        dashboard=False,
        dashboard_address=f"{loopback}:0",
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
