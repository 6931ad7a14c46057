"""The version of comfygradio, which every picture remembers."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def read_version() -> str:
    """The installed version, "" where comfygradio runs without having been installed."""
    try:
        return version("comfygradio")
    except PackageNotFoundError:
        return ""
