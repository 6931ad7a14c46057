"""The route of covers: the pictures that presets name, as small as their cards show them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from comfygradio.forms.cover import Cover
from comfygradio.ui.job.thumbnails import make_thumbnail
from comfygradio.ui.sweep.thumbnail_route import CACHE_HEADERS

COVER_PATH = "/gradio_api/comfygradio/cover/{preset}/{mark}"

COVER_PIXELS = 192
"""Longest side of a cover as it is sent; a card shows it at half of that at most."""


def make_cover_url(preset: str, cover: Cover) -> str:
    """Make the address of a preset's cover, relative to the app's root."""
    return COVER_PATH.format(preset=preset, mark=cover.mark).removeprefix("/")


def make_cover_route(
    find_cover: Callable[[str], Cover | None], threads: Executor | None = None
) -> Route:
    """Make the route of COVER_PATH. The path of the file comes from the preset alone."""
    made: dict[Cover, bytes] = {}

    def encode(cover: Cover) -> bytes | None:
        known = made.get(cover)
        if known is None:
            known = make_thumbnail(cover.path, COVER_PIXELS)
        if known is not None:
            made[cover] = known
        return known

    async def serve_cover(request: Request) -> Response:
        cover = find_cover(request.path_params["preset"])
        encoded = None
        if cover is not None and cover.mark == request.path_params["mark"]:
            loop = asyncio.get_running_loop()
            try:
                encoded = await loop.run_in_executor(threads, encode, cover)
            except OSError:
                encoded = None
        if encoded is None:
            return PlainTextResponse("There is no such cover.", 404)
        return Response(encoded, media_type="image/webp", headers=CACHE_HEADERS)

    return Route(COVER_PATH, serve_cover)
