"""The page's scripts, styles and templates, in folders by part.

The scripts are modules. Browsers import them from a route of ours (`static_route`), bundled into
five files (`entries`). Their address contains the version of all of them, so that no browser mixes
old ones with new ones.

**How a part of the page is made.** It is a `gr.HTML` whose `js_on_load` is what
`build_mount_script("status/status_page.js")` returns: that imports the module and calls the `mount`
that it exports. `entries` lists the modules that are imported like this. `mount` gets what
`library/part.js` describes, and keeps its state inside: the same module is mounted once for each
form. What one part offers to another is an export of a module, or an event of the window.

The import takes a moment. When `mount` is called, a value may have come already, and an event of
the window may have been sent. So what `watch` is to call is also called once at the beginning, and
what events tell can be read out of a module too (`status/operator_token.js`).

Snippets of JavaScript that are passed to Gradio (`js=`) call what `page/page.js` exports, and wait
for it: `async (name) => (await comfygradioPage).address(name)`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from comfygradio.ui.static.entries import PRELOADED, find_chunk
from comfygradio.version import VERSION

if TYPE_CHECKING:
    from importlib.abc import Traversable

STATIC_PREFIX = "gradio_api/comfygradio/static/"
"""The beginning of the addresses of the files, relative to the app's root."""

SUFFIXES = (".css", ".html", ".js")

BUNDLERS = ("bundle.py", "comments.py", "entries.py", "imports.py")
"""What decides how the files are served, besides their content."""

ROOT = "new URL(window.gradio_config?.root ?? location.pathname, location.origin).pathname"
"""An expression of a script: the path of the app's root, as in `library/address.js`."""

GIVEN = "{ element, props, trigger, watch, server, upload }"
"""What Gradio gives a part, as its `mount` gets it."""

IMPORT_TRIES = 4
"""How often a browser tries to import a file."""

PAUSE_MS = 1000
"""Milliseconds between two tries."""


def read_static(path: str) -> str:
    """Read one of the files as text; its path is relative to this folder."""
    return _load_files()[path]


def list_static() -> list[str]:
    """List the paths of all files, relative to this folder."""
    return list(_load_files())


@cache
def _load_files() -> Mapping[str, str]:
    """Load all files, once: an app serves what it began with, even while somebody edits them."""
    found = _walk(files(__name__), "")
    return {path: file.read_text(encoding="utf-8") for path, file in sorted(found)}


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        path = prefix + entry.name
        if entry.is_dir():
            yield from _walk(entry, f"{path}/")
        elif path.endswith(SUFFIXES):
            yield path, entry


@cache
def name_version() -> str:
    """Name the version of what is served: the app's, and a digest of all that decides it."""
    digest = hashlib.sha256()
    for path, content in _load_files().items():
        digest.update(f"{path}\0{content}\0".encode())
    for name in BUNDLERS:
        digest.update(files(__name__).joinpath(name).read_bytes())
    return f"{VERSION}-{digest.hexdigest()[:12]}"


def name_address(name: str) -> str:
    """Name the address of a file that `static_route` serves, relative to the app's root."""
    return f"{STATIC_PREFIX}{name_version()}/{name}"


def build_importer() -> str:
    """Build the script that gives the page `comfygradioImport(chunk, path)`.

    That imports a module out of one of our files. The address begins at the root of the
    website: browsers would take another as relative to Gradio's scripts. A file that does not come
    is asked for again: without its module, a part of the page is dead. Some browsers remember that
    a file could not be loaded, and do not ask for it again; in these only a reload helps, which the
    page offers at the end.
    """
    prefix = json.dumps(f"/{name_address('')}")
    return f"""window.comfygradioImport = async (chunk, path) => {{
  const address = ({ROOT}).replace(/\\/$/, "") + {prefix} + chunk;
  const importFile = async (tries) => {{
    try {{
      return await import(address);
    }} catch (error) {{
      if (tries === 1) throw error;
      await new Promise((next) => setTimeout(next, {PAUSE_MS}));
      return importFile(tries - 1);
    }}
  }};
  try {{
    return (await importFile({IMPORT_TRIES})).load(path);
  }} catch (error) {{
    if (!document.getElementById("cg-incomplete")) {{
      const reload = document.createElement("button");
      reload.textContent = "Reload";
      reload.onclick = () => location.reload();
      const note = document.createElement("div");
      note.id = "cg-incomplete";
      note.setAttribute("role", "alert");
      note.append("A part of this page could not be loaded. ", reload);
      document.body.prepend(note);
    }}
    throw error;
  }}
}};"""


def build_import(path: str) -> str:
    """Build the expression of a script that imports an entry; its value is a promise."""
    return f"comfygradioImport({json.dumps(find_chunk(path))}, {json.dumps(path)})"


def build_preload() -> str:
    """Build a script that tells the browser to load the first page's files, but not to run them.

    Otherwise it would ask for them only when Gradio has drawn the first part.
    """
    addresses = json.dumps([f"/{name_address(name)}" for name in PRELOADED])
    return (
        f"for (const address of {addresses}) {{\n"
        "  const link = document.createElement('link');\n"
        "  link.rel = 'modulepreload';\n"
        f"  link.href = ({ROOT}).replace(/\\/$/, '') + address;\n"
        "  document.head.append(link);\n"
        "}"
    )


def build_mount_script(path: str, events: Sequence[str] = (), page: str = "") -> str:
    """Build the `js_on_load` of a part: its module's `mount` gets what Gradio gives the part.

    `events` are the names of the events that the module triggers. Gradio knows only those that
    stand in quotes in this script. With `page`, the name of a further page in addresses, browsers
    load the module only when that page is first shown, or when the part first gets a value.
    """
    script = f"{build_import(path)}.then((part) => part.mount({GIVEN}));"
    if page:
        further = build_import("page/further_page.js")
        load = f"() => {build_import(path)}"
        call = f"further.mountWhenNeeded({json.dumps(page)}, {load}, {GIVEN})"
        script = f"{further}.then((further) => {call});"
    return script + _name_events(events)


def build_later_script(path: str, events: Sequence[str] = ()) -> str:
    """Build the `js_on_load` of the part that has the tools of `looking/tools.js`.

    Browsers load its module after the first view, or when the tools are needed.
    """
    tools = build_import("looking/tools.js")
    load = f"() => {build_import(path)}"
    script = f"{tools}.then((tools) => tools.mountLater({load}, {GIVEN}));"
    return script + _name_events(events)


def _name_events(events: Sequence[str]) -> str:
    if not events:
        return ""
    names = ", ".join(json.dumps(event) for event in events)
    return f" // It triggers {names}."
