"""A process of a cluster: it works until Ctrl-C, and says little."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress


def run_until_stopped(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Do the work, which ends when the event is set: at Ctrl-C or SIGTERM.

    A second one ends it at once.
    """
    import distributed

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
