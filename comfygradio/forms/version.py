"""The installed version of comfygradio, which is stored in every picture."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def get_version() -> str:
    """The installed version, "" where comfygradio runs without having been installed."""
    try:
        return version("comfygradio")
    except PackageNotFoundError:
        return ""
