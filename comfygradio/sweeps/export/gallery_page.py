"""Gallery pages: a sweep as one HTML file that needs no server and no network."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import mimetypes
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

from PIL import Image

from comfygradio.comfy.outputs import write_file
from comfygradio.jobs.results import Result
from comfygradio.sweeps.export.grid import Grid, GridCell
from comfygradio.sweeps.export.thumbnail import PICTURES, is_animated, load_thumbnails
from comfygradio.ui.static import read_static
from comfygradio.ui.static.bundle import bundle

THUMB_PIXELS = 320
"""Longest side of the small pictures in the page."""

QUALITY = 72

MAX_TEXT_LENGTH = 20_000
"""Characters of a text result."""

SCRIPT = "gallery/gallery.js"
"""The module that draws the page."""

STYLES = (
    "library/library.css",
    "library/dialogs.css",
    "results/results.css",
    "gallery/gallery.css",
)

EMBEDDABLE = (*PICTURES, "video", "audio")

Json = dict[str, Any]


@dataclass
class MediaEmbedder:
    """Decides how the page shows files: those beside it are linked, others embedded while there is
    room.
    """

    folder: Path | None
    room: int
    is_light: bool = False
    """Whether not everything has room, so that light copies are put in."""
    small: list[Result] = field(default_factory=list)
    whole: list[Path] = field(default_factory=list)
    left_out: int = 0

    def describe(self, result: Result) -> Json:
        """Describe a result as JSON, with short keys and without what is empty.

        `n` kind, `w` width, `h` height, `s` text, `x` problem, `b` file name, `t` number of the
        thumbnail, `a` animated, `u` address, `f` number of the embedded file, `m` its MIME type.
        """
        kind = "image" if result.kind == "preview" else result.kind
        told: Json = {
            "n": kind,
            "w": result.width,
            "h": result.height,
            "s": result.text[:MAX_TEXT_LENGTH],
        }
        told = {name: value for name, value in told.items() if value}
        if result.problem or not result.path:
            if result.problem:
                told["x"] = result.problem
            return told
        told["b"] = result.path.name
        if not result.path.is_file():
            told["x"] = "This file has gone."
            return told
        if kind in ("image", "video"):
            told["t"] = len(self.small)
            self.small.append(result)
        if kind == "image" and is_animated(result.path):
            told["a"] = True
        return told | self._place(result)

    def _place(self, result: Result) -> Json:
        if result.path and self.folder:
            address = find_address(result.path, self.folder)
            if address:
                return {"u": address}
        path = self._choose_file(result)
        if path is None or result.kind not in EMBEDDABLE:
            self.left_out += 1
            return {}
        size = path.stat().st_size
        if size > self.room:
            self.left_out += 1
            return {}
        self.room -= size
        self.whole.append(path)
        mime_type, _ = mimetypes.guess_type(path.name)
        return {
            "f": len(self.whole) - 1,
            "m": mime_type or "application/octet-stream",
        }

    def _choose_file(self, result: Result) -> Path | None:
        """Return the light copy if not everything has room, else the file itself."""
        if self.is_light and result.display and result.display.is_file():
            return result.display
        return result.path


def write_gallery(grid: Grid, path: Path, embed_bytes: int = 0) -> Path:
    """Write the page, whole or not at all. Files in its folder are linked, so that both can be
    moved together.

    Other files are embedded in the order as typed, up to `embed_bytes` together; the rest are shown
    as thumbnails only. If not all originals have room, light copies are embedded instead. Raises
    OSError.
    """
    content = build_gallery(grid, path.parent, embed_bytes)
    return write_file(path, content)


def build_gallery(grid: Grid, folder: Path | None = None, embed_bytes: int = 0) -> Iterator[bytes]:
    """Build the page piece by piece, for this folder or for any place; see `write_gallery`."""
    is_light = _count_bytes(grid) > embed_bytes
    media = MediaEmbedder(folder, embed_bytes, is_light)
    data = describe_grid(grid, media)
    style = "\n".join(read_static(path) for path in STYLES)
    script = bundle(SCRIPT)
    head = _build_head(grid.title, style, script)
    yield head.encode("utf-8", "replace")
    yield f'<script type="application/json" id="data">{encode_json(data)}</script>\n'.encode()
    asked = ((result, THUMB_PIXELS) for result in media.small)
    for number, thumbnail in enumerate(load_thumbnails(asked)):
        if thumbnail is None:
            continue
        picture = base64.b64encode(_compress(thumbnail))
        address = f"data:image/webp;base64,{picture.decode()}"
        yield f'<script type="text/plain" id="t{number}">{address}</script>\n'.encode()
    for number, path in enumerate(media.whole):
        content = base64.b64encode(path.read_bytes())
        yield b'<script type="text/plain" id="f%d">%b</script>\n' % (number, content)
    yield f"<script>{script}</script>\n</body>\n</html>\n".encode()


def find_address(path: Path, folder: Path) -> str:
    """Return the address of a file relative to the folder that holds it, else ""."""
    try:
        relative = path.resolve().relative_to(folder.resolve())
        return quote(os.fsencode(relative.as_posix()))
    except ValueError:
        return ""


def describe_grid(grid: Grid, media: MediaEmbedder) -> Json:
    """Describe everything that the page shows, with short keys, since there may be thousands of
    cells.
    """
    columns = {name: _Column() for name in grid.list_fields()}
    # First the cells, which fill the columns and tell the media what they show.
    cells = []
    for index in grid.list_points():
        cell = grid.cells.get(index)
        cells.append(_describe_cell(cell, columns, media))
    fields = []
    for name, column in columns.items():
        label = grid.fields.get(name, name)
        fields.append({"name": name, "label": label, "values": list(column.numbers)})
    identity = json.dumps([grid.definition, grid.created, grid.sizes], default=str)
    digest = hashlib.sha256(identity.encode()).hexdigest()
    return {
        "id": digest[:16],
        "title": grid.title,
        "line": grid.describe(),
        "preset": str(grid.definition.get("preset", "")),
        "axes": [axis.to_json() for axis in grid.axes],
        "layout": grid.layout.to_json(),
        "fields": fields,
        "cells": cells,
        "thumb": THUMB_PIXELS,
        "note": _describe_left_out(media.left_out),
    }


def encode_json(data: Any) -> str:
    """Encode JSON so that it can stand inside a script element, whatever its texts hold."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    # Nothing that a browser takes for the end of the script, or for markup.
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


class _Column:
    """The different values of one field as JSON, numbered."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def add(self, value: Any) -> int:
        written = json.dumps(value, ensure_ascii=False)
        unused = len(self.numbers)
        return self.numbers.setdefault(written, unused)


def _describe_cell(
    cell: GridCell | None, columns: dict[str, _Column], media: MediaEmbedder
) -> Json | None:
    """Describe a cell, with short keys and without what is empty. Returns None for a missing one.

    `p` phase, `v` numbers of the values, `r` results, `e` error, `s` seconds, `w` server, `k`
    rating.
    """
    if cell is None:
        return None
    values = []
    for name, column in columns.items():
        number = -1  # the field has no value here
        if name in cell.values:
            number = column.add(cell.values[name])
        values.append(number)
    told: Json = {
        "v": values,
        "r": [media.describe(result) for result in cell.results],
        "e": cell.error,
        "s": round(cell.seconds, 1),
        "w": cell.host,
        "k": cell.rating,
    }
    there = {name: value for name, value in told.items() if value}
    return {"p": cell.phase, **there}


def _count_bytes(grid: Grid) -> int:
    count = 0
    for cell in grid.cells.values():
        for result in cell.results:
            if result.path and result.path.is_file():
                count += result.path.stat().st_size
    return count


def _describe_left_out(count: int) -> str:
    if not count:
        return ""
    files = "file is" if count == 1 else "files are"
    return f"{count:,} {files} too large for this page, which shows them small."


def _compress(picture: Image.Image) -> bytes:
    encoded = BytesIO()
    picture.save(encoded, "WEBP", quality=QUALITY, method=2)
    return encoded.getvalue()


def _build_head(title: str, style: str, script: str) -> str:
    """Build everything before the body.

    A browser runs only the page's own script, and loads only files.
    """
    local = "'self' file: data: blob:"
    rules = [
        "default-src 'none'",
        f"img-src {local}",
        f"media-src {local}",
        # Style and script stand in the page itself, and are allowed by their hashes.
        f"style-src '{_hash(style)}'",
        f"script-src '{_hash(script)}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    policy = "; ".join(rules)
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{html.escape(title)}</title>",
        f"<style>{style}</style>",
        "</head>",
        "<body>",
        "<noscript><p>This page needs JavaScript; open it in a browser.</p></noscript>\n",
    ]
    return "\n".join(lines)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode())
    encoded = base64.b64encode(digest.digest())
    return f"sha256-{encoded.decode()}"
