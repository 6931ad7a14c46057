"""The files of the login page, which is no page of Gradio's."""

from __future__ import annotations

from importlib.resources import files


def read_asset(name: str) -> str:
    """Read one of the files."""
    asset = files(__name__).joinpath(name)
    return asset.read_text(encoding="utf-8")
