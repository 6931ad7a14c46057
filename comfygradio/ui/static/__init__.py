"""The page's scripts, styles and templates, in folders by part.

The scripts are modules, which browsers import from a route of ours (`static_route`). Their address
contains the version of all of them, so that no browser mixes old ones with new ones.

A part of the page is a `gr.HTML` whose `js_on_load` is what `build_mount_script` returns: it
imports the part's module and calls the `mount` that the module exports.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from comfygradio.forms.form import get_version

if TYPE_CHECKING:
    from importlib.abc import Traversable

STATIC_PREFIX = "gradio_api/comfygradio/static/"
"""The beginning of the addresses of the files, relative to the app's root."""

SUFFIXES = (".css", ".html", ".js")

ROOT = "window.gradio_config?.root ?? location.origin + location.pathname"
"""An expression of a script: the address of the app's root, which may have a path."""


def read_static(path: str) -> str:
    """Read one of the files as text; its path is relative to this folder."""
    file = files(__name__).joinpath(path)
    return file.read_text(encoding="utf-8")


@cache
def list_static() -> tuple[str, ...]:
    """List the paths of all files, relative to this folder."""
    return tuple(sorted(_walk(files(__name__), "")))


def _walk(folder: Traversable, prefix: str) -> Iterator[str]:
    for entry in folder.iterdir():
        path = prefix + entry.name
        if entry.is_dir():
            yield from _walk(entry, f"{path}/")
        elif path.endswith(SUFFIXES):
            yield path


@cache
def name_version() -> str:
    """Name the version of all files together: the app's, and a digest of their content."""
    digest = hashlib.sha256()
    for path in list_static():
        content = read_static(path)
        digest.update(f"{path}\0{content}\0".encode())
    parts = [get_version(), digest.hexdigest()[:12]]
    return "-".join(part for part in parts if part)


def name_address(path: str) -> str:
    """Name the address of a file, relative to the app's root."""
    if path not in list_static():
        raise ValueError(f"There is no file {path} in {__name__}.")
    return f"{STATIC_PREFIX}{name_version()}/{path}"


def build_import(path: str) -> str:
    """Build the expression of a script that imports a module; its value is a promise.

    The address has to be a whole one: browsers would take another as relative to Gradio's scripts.
    """
    address = json.dumps(f"/{name_address(path)}")
    return f'import(({ROOT}).replace(/\\/$/, "") + {address})'


def build_preload(paths: Sequence[str]) -> str:
    """Build a script that tells the browser to load these modules, but not to run them yet."""
    addresses = json.dumps([f"/{name_address(path)}" for path in paths])
    return (
        f"for (const address of {addresses}) {{\n"
        "  const link = document.createElement('link');\n"
        "  link.rel = 'modulepreload';\n"
        f"  link.href = ({ROOT}).replace(/\\/$/, '') + address;\n"
        "  document.head.append(link);\n"
        "}"
    )


def build_mount_script(path: str, events: Sequence[str] = ()) -> str:
    """Build the `js_on_load` of a part: its module's `mount` gets what Gradio gives the part.

    `events` are the names of the events that the module triggers. Gradio knows only those that
    stand in quotes in this script.
    """
    given = "{ element, props, trigger, watch, server, upload }"
    script = f"{build_import(path)}.then((part) => part.mount({given}));"
    if events:
        script += f" // It triggers {', '.join(json.dumps(event) for event in events)}."
    return script
