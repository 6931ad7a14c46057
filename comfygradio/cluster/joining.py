"""Joining a cluster from an app: where Dask is imported first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfygradio.cluster.address import check_installed, parse_cluster
from comfygradio.settings import Settings

if TYPE_CHECKING:
    from comfygradio.cluster.engine import DaskBackends


def connect(text: str, settings: Settings) -> DaskBackends:
    """Connect to a Dask scheduler. The pool is empty at first. Raises SettingsError."""
    check_installed()
    address = parse_cluster(text, settings, "--engine")
    from comfygradio.cluster.engine import DaskBackends

    return DaskBackends(address)
