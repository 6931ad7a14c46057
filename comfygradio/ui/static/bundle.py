"""Bundles a module and all that it imports into one script, which needs no server.

A page that is opened from a disk may not import modules. So this writes them one after the other,
each behind those that it imports, without the words that only modules know. It understands as much
of the language as our modules use, and refuses the rest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from posixpath import dirname, join, normpath

from comfygradio.ui.static.comments import remove_comments
from comfygradio.ui.static.imports import ModuleError, list_imported, load_modules

NAMED_IMPORT = re.compile(r'^import\s+\{([^}]*)\}\s+from\s+"([^"]+)";\n', re.MULTILINE)
DECLARATION = r"(?:async )?(?:function\*?|const|let|class) +(\w+)"
DECLARED = re.compile(rf"^(?:export )?{DECLARATION}", re.MULTILINE)
"""A name that a line without indentation declares."""

EXPORTED = re.compile(rf"^export {DECLARATION}", re.MULTILINE)
EXPORT = re.compile(rf"^export (?={DECLARATION})", re.MULTILINE)
EMPTY_EXPORT = re.compile(r"^export \{\};\n", re.MULTILINE)
LEFT_OVER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def bundle(entry: str, modules: Mapping[str, str] | None = None) -> str:
    """Write the module at this path, and all that it imports, as one script.

    `modules` maps paths to texts; without it, they are those of the page. Raises ModuleError.
    """
    known = modules or load_modules()
    parts = ['(() => {\n"use strict";\n']
    owners: dict[str, str] = {}
    for path in list_imported(entry, modules=known):
        _check_names(path, known)
        for name in DECLARED.findall(known[path]):
            if name in owners:
                raise ModuleError(f"{path} and {owners[name]} both declare {name}.")
            owners[name] = path
        parts.append(_write_module(path, known[path]))
    parts.append("})();\n")
    return "".join(parts)


def _check_names(path: str, modules: Mapping[str, str]) -> None:
    """Check that a module imports only what is exported."""
    for listed, specifier in NAMED_IMPORT.findall(modules[path]):
        imported = normpath(join(dirname(path), specifier))
        exported = EXPORTED.findall(modules[imported])
        for name in listed.split(","):
            if name.strip() and name.strip() not in exported:
                message = f"{path} imports {name.strip()}, which {imported} does not export."
                raise ModuleError(message)


def _write_module(path: str, text: str) -> str:
    """Write a module as a part of the script, without its comments."""
    text = remove_comments(text)
    for pattern in (NAMED_IMPORT, EMPTY_EXPORT, EXPORT):
        text = pattern.sub("", text)
    left_over = LEFT_OVER.search(text)
    if left_over:
        raise ModuleError(f"{path} has a line that cannot be bundled: {left_over[0]}")
    lines = [line for line in text.splitlines() if line]
    return "\n".join([*lines, ""])
