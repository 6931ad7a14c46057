"""What the page's modules import of each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from posixpath import dirname, join, normpath

from comfygradio.ui.static import list_static, read_static

IMPORT = re.compile(r'^(?:import|export)\b[^;]*?\bfrom "([^"]+)";', re.MULTILINE)
"""A statement that imports, with the path of the module."""


class ModuleError(Exception):
    """Modules do not fit together, or cannot be bundled."""


def load_modules() -> dict[str, str]:
    """Load the texts of all modules of the page."""
    return {path: read_static(path) for path in list_static() if path.endswith(".js")}


def find_imports(path: str, text: str) -> Iterator[str]:
    """Find the paths of the modules that the module at this path imports itself."""
    for specifier in IMPORT.findall(text):
        yield normpath(join(dirname(path), specifier))


def list_imported(*paths: str, modules: Mapping[str, str] | None = None) -> list[str]:
    """List these modules and all that they import; each stands behind those that it imports.

    `modules` maps paths to texts; without it, they are those of the page. Raises ModuleError.
    """
    known = modules or load_modules()
    listed: list[str] = []

    def add(path: str, importers: tuple[str, ...]) -> None:
        if path in listed:
            return
        way = " → ".join((*importers, path))
        if path in importers:
            raise ModuleError(f"A module imports itself: {way}")
        if path not in known:
            raise ModuleError(f"There is no such module: {way}")
        for imported in find_imports(path, known[path]):
            add(imported, (*importers, path))
        listed.append(path)

    for path in paths:
        add(path, ())
    return listed
