"""The route for downloads of a sweep, in the layout of its page: a contact sheet, a web page, a
table, the data, or all files.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from comfygradio.errors import ComfyGradioError
from comfygradio.jobs.naming import clean_name
from comfygradio.service.service import Service
from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.export.contact_sheet import write_sheets
from comfygradio.sweeps.export.export import build_grid
from comfygradio.sweeps.export.gallery_page import write_gallery
from comfygradio.sweeps.export.grid import Grid, Layout, parse_layout
from comfygradio.sweeps.export.table import write_csv, write_json
from comfygradio.sweeps.sweep import Sweep
from comfygradio.ui.history.zip_route import Entry, stream_zip
from comfygradio.ui.identity.page_session import PageSessions
from comfygradio.ui.identity.person import find_person
from comfygradio.ui.sweep.sweep_text import name_sweep

SHEET_PATH = "/gradio_api/comfygradio/sweep"

EMBEDDED_BYTES = 100_000_000
"""Most bytes of files that are embedded into a web page; further pictures are shown small."""

FORMATS = ("png", "webp", "html", "csv", "json", "zip")
"""The formats of downloads, which are also the suffixes of their files."""

MAX_CONCURRENT = 2
"""Most sheets drawn at the same time; each may need about 400 MB."""


def make_sheet_route(page_sessions: PageSessions, service: Service) -> Route:
    """Make the route to which a page posts its secret, the token of a sweep, a
    format and a layout; sweeps of others are refused.
    """
    free = asyncio.Semaphore(MAX_CONCURRENT)

    async def serve_sheet(request: Request) -> Response:
        async with request.form(max_files=0, max_fields=8) as form:
            asked = {name: str(value) for name, value in form.items()}
        owner = page_sessions.find_owner(asked.get("access"), find_person(request).session)
        if owner is None:
            return PlainTextResponse("This page has expired; reload it and try again.", 403)
        layout = parse_layout_query(asked.get("layout", ""))
        format = asked.get("format", "")
        try:
            sweep = await asyncio.to_thread(service.sweeps.find, asked.get("token", ""))
            if sweep is None or sweep.owner != owner or format not in FORMATS:
                return PlainTextResponse("There is no such download (any more).", 404)
            outputs = service.queue.outputs
            async with free:
                return await asyncio.to_thread(make_answer, sweep, layout, format, outputs)
        except ComfyGradioError as error:
            return PlainTextResponse(str(error), 409)
        except OSError as error:
            return PlainTextResponse(f"The file could not be made: {error.strerror or error}.", 507)

    return Route(SHEET_PATH, serve_sheet, methods=["POST"])


def make_answer(sweep: Sweep, layout: Mapping[str, Any], format: str, outputs: Path) -> Response:
    """Make the answer with the file, or with a zip of several. The files are deleted after they
    were sent.

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
        paths = _write_files(format, grid, folder / f"{name}.{format}", outputs)
        path = paths[0]
        if len(paths) > 1:
            path = folder / f"{name}.zip"
            _write_zip(path, paths)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    drop = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    return FileResponse(path, headers=_make_headers(path.name), background=drop)


def _write_files(format: str, grid: Grid, path: Path, outputs: Path) -> list[Path]:
    """Write a grid in this format; return the files, of which there may be several.

    Results are named relative to the outputs folder.
    """
    if format == "html":
        return [write_gallery(grid, path, EMBEDDED_BYTES)]
    if format == "csv":
        return [write_csv(grid, path, outputs)]
    if format == "json":
        return [write_json(grid, path, outputs)]
    return write_sheets(grid, path)


def make_laid_out_grid(sweep: Sweep, layout: Mapping[str, Any]) -> Grid:
    """Build the grid of a sweep, with the layout that a page sent."""
    grid = build_grid(sweep)
    grid = replace(grid, title=name_sweep(sweep))
    if not layout:
        return grid
    sizes = [len(axis.labels) for axis in grid.axes]
    return replace(grid, layout=parse_layout(layout, sizes))


def list_files(grid: Grid) -> Iterator[Entry]:
    """Yield an entry of a zip for each file in the layout, named by its place in the sweep."""
    for index, cell in grid.cells.items():
        if _is_hidden(grid.layout, index) or not grid.layout.is_wanted(cell):
            continue
        place = tuple(enumerate(index))
        stem = clean_name(grid.name(place), 90)
        for result in cell.results:
            if result.path:
                yield f"{stem}{result.path.suffix}", result.path, grid.created


def _is_hidden(layout: Layout, index: Index) -> bool:
    """Return whether a layout hides a position that this point has on one of the axes."""
    for axis, position in enumerate(index):
        hidden_positions = layout.hidden.get(axis, ())
        if position in hidden_positions:
            return True
    return False


def parse_layout_query(text: str) -> Mapping[str, Any]:
    """Parse a layout that was sent as JSON; anything else becomes an empty one."""
    try:
        layout = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return layout if isinstance(layout, dict) else {}


def _make_headers(name: str) -> dict[str, str]:
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    return {"content-disposition": disposition, "cache-control": "no-store"}


def _write_zip(target: Path, paths: Sequence[Path]) -> None:
    entries = [(path.name, path, path.stat().st_mtime) for path in paths]
    with target.open("wb") as file:
        file.writelines(stream_zip(entries))
