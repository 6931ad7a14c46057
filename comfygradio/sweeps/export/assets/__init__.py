"""Style and script of the page that a sweep is exported as."""

from __future__ import annotations

from importlib.resources import files

SCRIPTS = (
    "gallery.js",
    "gallery_arrange.js",
    "gallery_media.js",
    "gallery_grid.js",
    "gallery_open.js",
)


def read_style() -> str:
    """The style of the page."""
    return _read("gallery.css")


def read_script() -> str:
    """The script of the page, in one piece."""
    scripts = [_read(name) for name in SCRIPTS]
    return "".join(['(() => {\n"use strict";\n', *scripts, "})();\n"])


def _read(name: str) -> str:
    file = files(__name__).joinpath(name)
    return file.read_text(encoding="utf-8")
