"""Answers in the shapes of ComfyUI's web server (aiohttp): JSON, empty bodies, plain
error texts.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

TROUBLE = "500 Internal Server Error\n\nServer got itself in trouble"
JSON_TYPE = "application/json; charset=utf-8"
TEXT_TYPE = "text/plain; charset=utf-8"


class BodyTooLarge(Exception):
    """More bytes came than the limit, its first argument, allows."""


class JsonResponse(Response):
    """JSON as Python writes it: ASCII, NaN and Infinity bare."""

    def __init__(self, content: Any, status: int = 200) -> None:
        super().__init__(
            content=json.dumps(content),
            status_code=status,
            headers={"content-type": JSON_TYPE},
        )


def empty(status: int = 200) -> Response:
    return Response(status_code=status)


def text(content: str, status: int = 200) -> Response:
    return Response(content, status, headers={"content-type": TEXT_TYPE})


async def answer_unknown(request: Request, error: Exception) -> Response:
    """404 with an empty body for GET, 405 for other methods: the static files own every path."""
    if request.method in ("GET", "HEAD"):
        return Response(status_code=404, headers={"content-type": "application/octet-stream"})
    if isinstance(error, HTTPException) and error.status_code not in (404, 405):
        return empty(error.status_code)
    return text("405: Method Not Allowed", 405)


async def answer_trouble(request: Request, error: Exception) -> Response:
    return text(TROUBLE, 500)


async def answer_too_large(request: Request, error: Exception) -> Response:
    limit = error.args[0]
    return text(f"Maximum request body size {limit} exceeded.", 413)
