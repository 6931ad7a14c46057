"""The route of thumbnails of a sweep's pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from comfygradio.errors import ComfyGradioError
from comfygradio.sweeps.cell_store import Cell
from comfygradio.sweeps.sweep import Sweep
from comfygradio.ui.identity.person import Person, find_person
from comfygradio.ui.job.thumbnails import Thumbnails
from comfygradio.ui.sweep.sweep_text import find_index, list_sizes

THUMB_PATH = "/gradio_api/comfygradio/sweep/{token}/{place:int}/{number:int}/{mark}"

CACHE_HEADERS = {"cache-control": "private, max-age=31536000, immutable"}
"""Thumbnails may be cached for ever, since the address changes with the picture."""


def make_thumb_route(
    find_sweep: Callable[[str], Sweep | None], threads: Executor | None = None
) -> Route:
    """Make the route of THUMB_PATH, where `place` is the number of a cell, and `number` that of its
    result. Whoever knows the sweep's secret may see its pictures.
    """
    thumbs = Thumbnails()

    def find(parameters: Mapping[str, Any], person: Person) -> Path | None:
        sweep = find_sweep(parameters["token"])
        if sweep is None or not person.may_see(sweep.owner):
            return None
        index = find_index(parameters["place"], list_sizes(sweep))
        if index is None:
            return None
        cell = sweep.cells.get(index)
        if cell is None:
            return None
        return _find_picture(cell, parameters["number"])

    async def serve_thumbnail(request: Request) -> Response:
        made = None
        try:
            person = find_person(request)
            path = await asyncio.to_thread(find, request.path_params, person)
            if path:
                loop = asyncio.get_running_loop()
                made = await loop.run_in_executor(threads, thumbs.get, path)
        except (OSError, ComfyGradioError):
            path = None
        if path is None:
            return PlainTextResponse("This picture is no longer here.", 404)
        if made:
            return Response(made, media_type="image/webp", headers=CACHE_HEADERS)
        return FileResponse(path, headers=CACHE_HEADERS)

    return Route(THUMB_PATH, serve_thumbnail)


def _find_picture(cell: Cell, number: int) -> Path | None:
    if number >= len(cell.results):
        return None
    result = cell.results[number]
    if result.kind not in ("image", "preview"):
        return None
    return result.display or result.path
