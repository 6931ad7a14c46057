"""HTTP/1.1 as a browser speaks it, with next to no work of its own: kept connections, answers,
streams of events.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

LIMIT = 2**24


class HttpConnection:
    """One kept connection to a server; one request at a time."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._lock = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> bytes:
        """The body of an answer."""
        return await self._ask("GET", path, b"")

    async def post(self, path: str, data: Any) -> Any:
        """The JSON of an answer to JSON."""
        return json.loads(await self._ask("POST", path, json.dumps(data).encode()) or b"null")

    async def events(self, path: str) -> AsyncIterator[Any]:
        """The JSON of every event of a stream, until the server ends it."""
        async with self._lock:
            reader, _, _ = await self._send("GET", path, b"")
            rest = b""
            async for piece in _read_chunks(reader):
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    if line.startswith(b"data:"):
                        yield json.loads(line[5:])

    def close(self) -> None:
        """Let go of the connection."""
        if self._streams:
            self._streams[1].close()
            self._streams = None

    async def _ask(self, method: str, path: str, body: bytes) -> bytes:
        async with self._lock:
            reader, status, headers = await self._send(method, path, body)
            if status == 204:
                return b""
            if "content-length" in headers:
                content = await reader.readexactly(int(headers["content-length"]))
            else:
                content = b"".join([piece async for piece in _read_chunks(reader)])
            if status != 200:
                raise RuntimeError(f"{method} {path}: {status} {content[:200]!r}")
            return content

    async def _send(
        self, method: str, path: str, body: bytes
    ) -> tuple[asyncio.StreamReader, int, dict[str, str]]:
        """Send a request, on a new connection where the server has closed the old one; reads the
        answer's head.
        """
        head = (
            f"{method} {path} HTTP/1.1\r\nhost: {self._host}:{self._port}\r\ncontent-length: "
            f"{len(body)}\r\n"
        )
        request = head.encode() + b"content-type: application/json\r\n\r\n" + body
        while True:
            is_new = self._streams is None or self._streams[0].at_eof()
            if is_new or self._streams is None:
                self._streams = await asyncio.open_connection(self._host, self._port, limit=LIMIT)
            reader, writer = self._streams
            try:
                writer.write(request)
                await writer.drain()
                return reader, *await _read_head(reader)
            except (asyncio.IncompleteReadError, ConnectionError):
                self.close()
                if is_new:
                    raise


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
    headers = (line.partition(":") for line in lines)
    return int(first.split()[1]), {
        name.strip().lower(): value.strip() for name, _, value in headers
    }


async def _read_chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)
