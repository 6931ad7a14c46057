"""The page's own files: scripts, styles and templates."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files


def read_asset(name: str) -> str:
    """Read one of the page's files."""
    asset = files(__name__).joinpath(name)
    return asset.read_text(encoding="utf-8")


def join_assets(names: Iterable[str], separator: str = "") -> str:
    """Read several of the page's files as one text."""
    texts = [read_asset(name) for name in names]
    return separator.join(texts)
