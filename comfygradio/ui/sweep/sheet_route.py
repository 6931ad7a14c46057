"""Downloads of a sweep as its grid is laid out: a contact sheet, a web page, a table, the data, or
all files.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse

from comfygradio.errors import ComfyGradioError
from comfygradio.jobs.naming import clean_name
from comfygradio.service.service import Service
from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.export.contact_sheet import write_sheets
from comfygradio.sweeps.export.gallery_page import write_gallery
from comfygradio.sweeps.export.grid import Grid, Layout, parse_layout
from comfygradio.sweeps.export.grid_builder import build_grid
from comfygradio.sweeps.export.table import write_csv, write_json
from comfygradio.sweeps.sweep import Sweep
from comfygradio.ui.history.zip_route import Entry, stream_zip
from comfygradio.ui.identity.page_session import PageSessions
from comfygradio.ui.identity.person import find_person
from comfygradio.ui.sweep.sweep_text import name_sweep

EMBEDDED_BYTES = 100_000_000
"""So much of the files is put into a web page; what is beyond that is shown small."""

Write = Callable[[Grid, Path, Path], list[Path]]

FORMATS: Mapping[str, Write] = {
    "png": lambda grid, path, outputs: write_sheets(grid, path),
    "webp": lambda grid, path, outputs: write_sheets(grid, path),
    "html": lambda grid, path, outputs: [write_gallery(grid, path, EMBEDDED_BYTES)],
    "csv": lambda grid, path, outputs: [write_csv(grid, path, outputs)],
    "json": lambda grid, path, outputs: [write_json(grid, path, outputs)],
}
"""Suffix → what writes such files, of which there may be several; files are named relative to the
outputs folder.
"""

MAX_CONCURRENT = 2
"""Sheets that are drawn at the same time; each may take some 400 MB meanwhile."""


def make_sheet_route(
    page_sessions: PageSessions, service: Service
) -> Callable[[Request], Awaitable[Response]]:
    """The route that a page posts its secret to, with the sweep, a format and the layout; others'
    are refused.
    """
    free = asyncio.Semaphore(MAX_CONCURRENT)

    async def send(request: Request) -> Response:
        async with request.form(max_files=0, max_fields=8) as form:
            asked = {name: str(value) for name, value in form.items()}
        owner = page_sessions.find_owner(asked.get("access"), find_person(request).session)
        if owner is None:
            return PlainTextResponse("This page has expired; reload it and try again.", 403)
        layout = parse_layout_query(asked.get("layout", ""))
        format = asked.get("format", "")
        try:
            sweep = await asyncio.to_thread(service.sweeps.find, asked.get("token", ""))
            if sweep is None or sweep.owner != owner or format not in (*FORMATS, "zip"):
                return PlainTextResponse("There is no such download (any more).", 404)
            outputs = service.queue.outputs
            async with free:
                return await asyncio.to_thread(make_answer, sweep, layout, format, outputs)
        except ComfyGradioError as error:
            return PlainTextResponse(str(error), 409)
        except OSError as error:
            return PlainTextResponse(f"The file could not be made: {error.strerror or error}.", 507)

    return send


def make_answer(sweep: Sweep, layout: Mapping[str, Any], format: str, outputs: Path) -> Response:
    """The answer with the file, several of them as a zip; they are deleted once they were sent.

    Raises OSError.
    """
    name = clean_name(name_sweep(sweep), 80)
    grid = make_laid_out_grid(sweep, layout)
    if format == "zip":
        packed = stream_zip(list_files(grid))
        headers = _make_headers(f"{name}.zip")
        return StreamingResponse(packed, media_type="application/zip", headers=headers)
    folder = Path(tempfile.mkdtemp(prefix="comfygradio-sheet-"))
    try:
        write = FORMATS[format]
        paths = write(grid, folder / f"{name}.{format}", outputs)
        packed_path = folder / f"{name}.zip"
        path = paths[0] if len(paths) == 1 else _zip(paths, packed_path)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    drop = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    return FileResponse(path, headers=_make_headers(path.name), background=drop)


def make_laid_out_grid(sweep: Sweep, layout: Mapping[str, Any]) -> Grid:
    """A sweep as it stands now, with the layout that a page sent."""
    grid = build_grid(sweep)
    grid = replace(grid, title=name_sweep(sweep))
    if not layout:
        return grid
    sizes = [len(axis.labels) for axis in grid.axes]
    return replace(grid, layout=parse_layout(layout, sizes))


def list_files(grid: Grid) -> Iterator[Entry]:
    """Name in the zip, file and time of everything that the layout shows, named after the place in
    the sweep.
    """
    for index, cell in grid.cells.items():
        if _is_hidden(grid.layout, index) or not grid.layout.is_wanted(cell):
            continue
        name = grid.name(tuple(enumerate(index)))
        stem = clean_name(name, 90)
        for result in cell.results:
            if result.path:
                yield f"{stem}{result.path.suffix}", result.path, grid.created


def _is_hidden(layout: Layout, index: Index) -> bool:
    """Whether a layout leaves out a position that this point has on one of the axes."""
    hidden = layout.hidden
    return any(position in hidden.get(axis, ()) for axis, position in enumerate(index))


def parse_layout_query(text: str) -> Mapping[str, Any]:
    """A layout as JSON; what makes no sense asks for nothing."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _make_headers(name: str) -> dict[str, str]:
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    return {"content-disposition": disposition, "cache-control": "no-store"}


def _zip(paths: list[Path], target: Path) -> Path:
    entries = ((path.name, path, path.stat().st_mtime) for path in paths)
    with target.open("wb") as file:
        file.writelines(stream_zip(entries))
    return target
