"""HTTP/1.1 as a browser speaks it, with next to no work of its own: kept connections, answers,
streams of events.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlsplit

LIMIT = 2**24


class HttpConnection:
    """One kept connection to a server; one request at a time."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or 80
        self._lock = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> bytes:
        """The body of an answer."""
        return await self._ask("GET", path, b"")

    async def post(self, path: str, data: Any) -> Any:
        """The JSON of an answer to JSON, None for an empty answer."""
        body = json.dumps(data).encode()
        content = await self._ask("POST", path, body)
        return json.loads(content) if content else None

    async def events(self, path: str) -> AsyncIterator[Any]:
        """The JSON of every event of a stream, until the server ends it."""
        async with self._lock:
            reader, _, _ = await self._send("GET", path, b"")
            received = b""
            async for chunk in _read_chunks(reader):
                received += chunk
                *lines, received = received.split(b"\n")
                for line in lines:
                    if line.startswith(b"data:"):
                        yield json.loads(line.removeprefix(b"data:"))

    def close(self) -> None:
        """Close the connection."""
        if self._streams:
            _, writer = self._streams
            writer.close()
            self._streams = None

    async def _ask(self, method: str, path: str, body: bytes) -> bytes:
        async with self._lock:
            reader, status, headers = await self._send(method, path, body)
            if status == 204:
                return b""
            content = await _read_body(reader, headers)
            if status != 200:
                raise RuntimeError(f"{method} {path}: {status} {content[:200]!r}")
            return content

    async def _send(
        self, method: str, path: str, body: bytes
    ) -> tuple[asyncio.StreamReader, int, dict[str, str]]:
        """Send a request, on a new connection where the server has closed the old one; reads the
        answer's head.
        """
        lines = (
            f"{method} {path} HTTP/1.1",
            f"host: {self._host}:{self._port}",
            f"content-length: {len(body)}",
            "content-type: application/json",
        )
        head = "\r\n".join(lines).encode()
        request = head + b"\r\n\r\n" + body
        while True:
            is_new = self._streams is None or self._streams[0].at_eof()
            if is_new or self._streams is None:
                self._streams = await asyncio.open_connection(self._host, self._port, limit=LIMIT)
            reader, writer = self._streams
            try:
                writer.write(request)
                await writer.drain()
                status, headers = await _read_head(reader)
            except (asyncio.IncompleteReadError, ConnectionError):
                self.close()
                if is_new:
                    raise
                continue
            return reader, status, headers


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    _, status, *_ = first.split()
    return int(status), headers


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if "content-length" in headers:
        size = int(headers["content-length"])
        return await reader.readexactly(size)
    chunks = [chunk async for chunk in _read_chunks(reader)]
    return b"".join(chunks)


async def _read_chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while True:
        line = await reader.readuntil(b"\r\n")
        number, _, _ = line.partition(b";")
        size = int(number, 16)
        chunk = await reader.readexactly(size)
        await reader.readexactly(2)
        if not size:
            return
        yield chunk
