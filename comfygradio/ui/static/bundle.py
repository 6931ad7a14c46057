"""Bundles modules of the page into one script.

Each module becomes a function that is called when something first imports the module, as in a
browser. What it exports is what the function returns. This understands as much of the language as
our modules use, and refuses the rest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from posixpath import dirname, join, normpath

from comfygradio.ui.static.comments import remove_comments
from comfygradio.ui.static.imports import ModuleError, list_imported, load_modules

NAMED_IMPORT = re.compile(r'^import\s+\{([^}]*)\}\s+from\s+"([^"]+)";\n', re.MULTILINE)
WHOLE_IMPORT = re.compile(r'^import\s+\*\s+as\s+(\w+)\s+from\s+"([^"]+)";\n', re.MULTILINE)
NAMED_EXPORT = re.compile(r'^export\s+\{([^}]*)\}(?:\s+from\s+"([^"]+)")?;\n', re.MULTILINE)
DECLARATION = r"(?:async )?(?:function\*?|const|class) +(\w+)"
"""What may be exported. A variable that changes later may not: its first value would be kept."""

EXPORTED = re.compile(rf"^export {DECLARATION}", re.MULTILINE)
EXPORT = re.compile(rf"^export (?={DECLARATION})", re.MULTILINE)
LEFT_OVER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
NAME = re.compile(r"\w+")

LOADER = """const definitions = {};
const loaded = {};
function define(path, definition) {
definitions[path] = definition;
}
function load(path) {
if (!(path in loaded)) loaded[path] = definitions[path]();
return loaded[path];
}
"""
"""What a script needs to define its modules and to load them, each once."""


def bundle(entry: str, modules: Mapping[str, str] | None = None) -> str:
    """Write a script that runs the module at this path, and holds all that it imports.

    It is for places where no module can be imported, as in a page that is opened from a disk.
    `modules` maps paths to texts; without it, they are those of the page. Raises ModuleError.
    """
    known = modules or load_modules()
    parts = ['(() => {\n"use strict";\n', LOADER]
    for path in list_imported(entry, modules=known):
        parts.append(_write_definition(path, known))
    parts.append(f"load({json.dumps(entry)});\n")
    parts.append("})();\n")
    return "".join(parts)


def bundle_chunks(
    chunks: Mapping[str, Sequence[str]], modules: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Write modules of which each exports `load(path)`; return their names with their texts.

    `chunks` maps the name of each to the paths of its entries. It holds these and all that they
    import, but for what one before it holds, which it imports. `modules` is as for `bundle`.
    Raises ModuleError.
    """
    known = modules or load_modules()
    written: dict[str, str] = {}
    held: list[str] = []
    start = LOADER
    for name, entries in chunks.items():
        parts = [start, "export { define, load };\n"]
        for path in list_imported(*entries, modules=known):
            if path not in held:
                held.append(path)
                parts.append(_write_definition(path, known))
        written[name] = "".join(parts)
        start = f'import {{ define, load }} from "./{name}";\n'
    return written


def _write_definition(path: str, modules: Mapping[str, str]) -> str:
    """Write the definition of a module, without its comments."""
    text = remove_comments(modules[path])
    imports = [*_write_imports(path, text, modules)]
    exports = [*_write_exports(path, text, modules)]
    for pattern in (NAMED_IMPORT, WHOLE_IMPORT, NAMED_EXPORT, EXPORT):
        text = pattern.sub("", text)
    left_over = LEFT_OVER.search(text)
    if left_over:
        raise ModuleError(f"{path} has a line that cannot be bundled: {left_over[0]}")
    code = [line for line in text.splitlines() if line]
    lines = [
        f"define({json.dumps(path)}, () => {{",
        *imports,
        *code,
        f"return {{ {', '.join(exports)} }};",
        "});",
        "",
    ]
    return "\n".join(lines)


def _write_imports(path: str, text: str, modules: Mapping[str, str]) -> Iterator[str]:
    """Write a module's imports as statements that load what it imports."""
    for listed, specifier in NAMED_IMPORT.findall(text):
        imported = _name_imported(path, specifier)
        names = _list_names(path, listed)
        _check_names(path, names, imported, modules)
        yield f"const {{ {', '.join(names)} }} = load({json.dumps(imported)});"
    for name, specifier in WHOLE_IMPORT.findall(text):
        yield f"const {name} = load({json.dumps(_name_imported(path, specifier))});"


def _write_exports(path: str, text: str, modules: Mapping[str, str]) -> Iterator[str]:
    """Write a module's exports as the properties of an object."""
    yield from EXPORTED.findall(text)
    for listed, specifier in NAMED_EXPORT.findall(text):
        names = _list_names(path, listed)
        if not specifier:
            yield from names
            continue
        imported = _name_imported(path, specifier)
        _check_names(path, names, imported, modules)
        for name in names:
            yield f"{name}: load({json.dumps(imported)}).{name}"


def _name_imported(path: str, specifier: str) -> str:
    return normpath(join(dirname(path), specifier))


def _list_names(path: str, listed: str) -> list[str]:
    """List the names between the braces of an import or export."""
    names = [name.strip() for name in listed.split(",")]
    names = [name for name in names if name]
    for name in names:
        if not NAME.fullmatch(name):
            raise ModuleError(f"{path} has a name that cannot be bundled: {name}")
    return names


def _check_names(
    path: str, names: Sequence[str], imported: str, modules: Mapping[str, str]
) -> None:
    """Check that a module imports only what is exported."""
    exported = EXPORTED.findall(modules[imported])
    for listed, _ in NAMED_EXPORT.findall(modules[imported]):
        exported += _list_names(imported, listed)
    for name in names:
        if name not in exported:
            raise ModuleError(f"{path} imports {name}, which {imported} does not export.")
