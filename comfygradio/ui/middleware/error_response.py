"""Refusals: short answers of the middleware itself, in the form of Gradio's own errors."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import orjson
from starlette.types import Message, Receive, Send

DRAIN_SECONDS = 2.0
"""How long the rest of a refused body is read, so that the sender sees the answer."""

DRAIN_SILENCE = 0.5
"""Seconds without a part after which no more is awaited."""

DRAIN_BYTES = 64 * 2**20
"""How much of it is read at most."""


async def refuse(send: Send, status: int, detail: Any, *, close: bool = False) -> None:
    """Answer with a status and what people or programs are told.

    With `close` the connection ends, since the rest of the request is not read.
    """
    await _start(send, status, detail, close)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def refuse_body(receive: Receive, send: Send, status: int, detail: Any) -> None:
    """Answer, then read and drop what is still under way: most senders look at an answer only when
    all of theirs is sent.
    """
    await _start(send, status, detail, True)
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(_drain(receive), DRAIN_SECONDS)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


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


async def _drain(receive: Receive) -> None:
    dropped = 0
    while dropped < DRAIN_BYTES:
        message: Message = await asyncio.wait_for(receive(), DRAIN_SILENCE)
        dropped += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body"):
            return
