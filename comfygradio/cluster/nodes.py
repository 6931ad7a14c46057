"""The processes of a cluster: a Dask scheduler or worker that polls rarely, listens at its host
alone, and runs until Ctrl-C.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from comfygradio.cluster.address import ClusterAddress

CALM = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "200ms",
    "distributed.admin.system-monitor.interval": "5s",
}
"""By default Dask checks its threads a hundred times a second, its event loop fifty times and its
memory twice.
"""

N = TypeVar("N")


def make_scheduler(address: ClusterAddress) -> Any:
    """Make a Dask scheduler that listens at this address alone. It is not started."""
    from distributed import Scheduler

    return _make_node(
        Scheduler,
        host=address.host,
        port=address.port,
        protocol=address.scheme,
        security=address.make_security(),
    )


def make_worker(
    scheduler: ClusterAddress,
    host: str,
    folder: str,
    port: int = 0,
    plugins: Sequence[Any] = (),
) -> Any:
    """Make a Dask worker with one thread and its files in `folder`. It is not started."""
    from distributed import Worker

    return _make_node(
        Worker,
        str(scheduler),
        # Calls of apps are coroutines on the event loop; no task of Dask's needs a thread.
        nthreads=1,
        host=host,
        port=port,
        protocol=scheduler.scheme,
        security=scheduler.make_security(),
        local_directory=folder,
        # This means no limit. Near a limit, Dask would pause the worker.
        memory_limit=0,
        plugins=tuple(plugins),
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


def run_until_stopped(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run the work, and set its event at Ctrl-C or SIGTERM, which ends it.

    A second signal ends it at once.
    """
    import distributed

    # Dask logs every lost connection with a traceback.
    logging.getLogger(distributed.__name__).setLevel(logging.CRITICAL)
    asyncio.run(_run(work))


async def _run(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        stop.set()
        for kind in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(kind)

    with suppress(NotImplementedError):  # on Windows Ctrl-C cancels this task instead
        for kind in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(kind, end)
    await work(stop)


def _make_node(kind: Callable[..., N], *arguments: Any, host: str, **options: Any) -> N:
    """Make a scheduler or worker. Its dashboard, which has no login, is for this machine alone."""
    import dask

    loopback = "[::1]" if ":" in host else "127.0.0.1"
    with dask.config.set(CALM):
        return kind(
            *arguments,
            host=host,
            dashboard=False,
            dashboard_address=f"{loopback}:0",
            **options,
        )
