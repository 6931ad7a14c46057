"""Error responses of the middleware itself, in the form of Gradio's own errors."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import orjson
from starlette.types import Message, Receive, Send

DRAIN_SECONDS = 2.0
"""How long the rest of a refused body is read."""

DRAIN_SILENCE = 0.5
"""How long to wait for the next part of it, in seconds."""

DRAIN_BYTES = 64 * 2**20
"""Most bytes of it that are read."""


async def refuse(send: Send, status: int, detail: Any, *, close: bool = False) -> None:
    """Answer with a status and a detail for people or programs.

    With `close` the connection ends, since the rest of the request is not read.
    """
    await _start(send, status, detail, close)
    await _finish(send)


async def refuse_body(receive: Receive, send: Send, status: int, detail: Any) -> None:
    """Answer, then read and drop the rest of the body: most senders look at the answer only after
    they have sent everything.
    """
    await _start(send, status, detail, True)
    with suppress(asyncio.TimeoutError):
        draining = _drain(receive)
        await asyncio.wait_for(draining, DRAIN_SECONDS)
    await _finish(send)


async def _start(send: Send, status: int, detail: Any, close: bool) -> None:
    body = orjson.dumps({"detail": detail})
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _finish(send: Send) -> None:
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _drain(receive: Receive) -> None:
    dropped = 0
    while dropped < DRAIN_BYTES:
        message: Message = await asyncio.wait_for(receive(), DRAIN_SILENCE)
        part = message.get("body", b"")
        dropped += len(part)
        if message["type"] != "http.request" or not message.get("more_body"):
            return
