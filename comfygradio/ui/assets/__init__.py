"""The page's own files: script, style and template."""

from __future__ import annotations

from importlib.resources import files


def read_asset(name: str) -> str:
    """The text of one of the page's files."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
