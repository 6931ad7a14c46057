"""A node of a cluster: a scheduler or worker of Dask's, which wakes rarely and listens at its host
alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

CALM = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "200ms",
    "distributed.admin.system-monitor.interval": "5s",
}
"""By itself Dask looks at its threads a hundred times a second, at its event loop fifty times, at
its memory twice.
"""

N = TypeVar("N")


def make_node(kind: Callable[..., N], *arguments: Any, host: str, **options: Any) -> N:
    """A scheduler or worker, not started; its page about itself, which knows no login, is for this
    machine alone.
    """
    import dask

    loopback = "[::1]" if ":" in host else "127.0.0.1"
    with dask.config.set(CALM):
        return kind(
            *arguments, host=host, dashboard=False, dashboard_address=f"{loopback}:0", **options
        )
