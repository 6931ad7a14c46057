"""Bundles a module and all that it imports into one script, which needs no server.

A page that is opened from a disk may not import modules. So this writes them one after the other,
each behind those that it imports, without the words that only modules know. It understands as much
of the language as our modules use, and refuses the rest.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from comfygradio.ui.static import list_static, read_static

IMPORT = re.compile(r'^import\s+\{([^}]*)\}\s+from\s+"([^"]+)";\n', re.MULTILINE)
DECLARATION = r"(?:async )?(?:function\*?|const|let|class) +(\w+)"
DECLARED = re.compile(rf"^(?:export )?{DECLARATION}", re.MULTILINE)
"""A name that a line without indentation declares."""

EXPORTED = re.compile(rf"^export {DECLARATION}", re.MULTILINE)
EXPORT = re.compile(rf"^export (?={DECLARATION})", re.MULTILINE)
EMPTY_EXPORT = re.compile(r"^export \{\};\n", re.MULTILINE)
LEFT_OVER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
COMMENT = re.compile(r"^ *(?://.*|/\*\*(?:[^*]|\*(?!/))*\*/)\n", re.MULTILINE)
"""A comment that has lines of its own."""


class BundleError(Exception):
    """These modules cannot be bundled."""


def bundle(entry: str, modules: Mapping[str, str] | None = None) -> str:
    """Write the module at this path, and all that it imports, as one script.

    `modules` maps paths to texts; without it, they are those of the page.
    """
    known = modules or load_modules()
    parts = ['(() => {\n"use strict";\n']
    owners: dict[str, str] = {}
    for path in list_modules(entry, known):
        for name in DECLARED.findall(known[path]):
            if name in owners:
                raise BundleError(f"{path} and {owners[name]} both declare {name}.")
            owners[name] = path
        parts.append(_write_module(path, known[path]))
    parts.append("})();\n")
    return "".join(parts)


def load_modules() -> dict[str, str]:
    """Load the texts of all modules of the page."""
    return {path: read_static(path) for path in list_static() if path.endswith(".js")}


def list_modules(entry: str, modules: Mapping[str, str]) -> tuple[str, ...]:
    """List the paths of a module and of all that it imports; each stands behind those that it
    imports.
    """
    found: dict[str, None] = {}
    _visit(entry, modules, found, ())
    return tuple(found)


def _visit(
    path: str, modules: Mapping[str, str], found: dict[str, None], importers: tuple[str, ...]
) -> None:
    if path in found:
        return
    way = " → ".join((*importers, path))
    if path in importers:
        raise BundleError(f"A module imports itself: {way}")
    if path not in modules:
        raise BundleError(f"There is no such module: {way}")
    for imported, names in _list_imports(path, modules[path]):
        _visit(imported, modules, found, (*importers, path))
        exported = EXPORTED.findall(modules[imported])
        for name in names:
            if name not in exported:
                raise BundleError(f"{path} imports {name}, which {imported} does not export.")
    found[path] = None


def _list_imports(path: str, text: str) -> Iterator[tuple[str, list[str]]]:
    """List the modules that a module imports, and the names that it takes of each."""
    for listed, specifier in IMPORT.findall(text):
        imported = posixpath.normpath(posixpath.join(posixpath.dirname(path), specifier))
        names = [name.strip() for name in listed.split(",")]
        yield imported, [name for name in names if name]


def _write_module(path: str, text: str) -> str:
    """Write a module as a part of the script, without its comments."""
    for pattern in (COMMENT, IMPORT, EMPTY_EXPORT, EXPORT):
        text = pattern.sub("", text)
    left_over = LEFT_OVER.search(text)
    if left_over:
        raise BundleError(f"{path} has a line that cannot be bundled: {left_over[0]}")
    lines = [line for line in text.splitlines() if line]
    return "\n".join([*lines, ""])
