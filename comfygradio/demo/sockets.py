"""The open WebSockets: who is connected under which id, and one loop that sends to them in turn."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from comfygradio.demo.execution.messages import Event, Message, NodeText, Preview, status_event
from comfygradio.demo.execution.options import DemoOptions

JUNK_TEXT = '{"type": "demo.unknown", "data": [1, null, NaN]}'
JUNK_BYTES = b"\x00\x00\x00\x63junk"


class Sockets:
    """All clients; `publish` may be called from any thread and keeps the order of its calls.

    One loop awaits each client in turn, so that a client that does not read stalls the others, and
    the table forgets an id when any socket that used it closes: both as in ComfyUI v0.33.0.
    """

    def __init__(
        self, options: DemoOptions, features: dict[str, Any], drop: Callable[[WebSocket], None]
    ) -> None:
        self.connections: Counter[str] = Counter()
        """How often a socket was opened under a client id."""
        self.open: Counter[str] = Counter()
        """How many sockets are open under a client id; the table knows only the newest."""
        self._options = options
        self._drop = drop
        self._features = features
        self._table: dict[str, WebSocket] = {}
        self._flags: dict[str, dict[str, Any]] = {}
        self._sent: dict[WebSocket, int] = {}
        self._outbox: asyncio.Queue[tuple[Message, str | None]] = asyncio.Queue()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Sends what is published until cancelled."""
        self._loop = asyncio.get_running_loop()
        while True:
            message, sid = await self._outbox.get()
            for receiver in self._receivers(sid):
                # It may have closed while the message was sent to others.
                socket = self._table.get(receiver)
                await self._send(receiver, socket, message)

    def has_client(self, sid: str) -> bool:
        """Whether there is a socket for this client."""
        return sid in self._table

    def publish(self, message: Message, sid: str | None = None) -> None:
        """Queues a message for one client, or for all if `sid` is None."""
        if self._loop is None:
            return
        with contextlib.suppress(RuntimeError):  # the loop is gone: the server was killed
            self._loop.call_soon_threadsafe(self._outbox.put_nowait, (message, sid))

    async def serve(
        self, socket: WebSocket, remaining: int, running_node: Callable[[str], str | None]
    ) -> None:
        """Serves one socket until it closes; `running_node` tells what the client's
        prompt is at.
        """
        sid = socket.query_params.get("clientId") or uuid.uuid4().hex
        await socket.accept()
        self._table[sid] = socket
        self._flags[sid] = {}
        self._sent[socket] = 0
        self.connections[sid] += 1
        self.open[sid] += 1
        try:
            await self._greet(socket, sid, remaining, running_node(sid))
            await self._listen(socket, sid)
        finally:
            self._table.pop(sid, None)
            self._flags.pop(sid, None)
            self._sent.pop(socket, None)
            self.open[sid] -= 1

    async def _greet(self, socket: WebSocket, sid: str, remaining: int, node: str | None) -> None:
        await self._send(sid, socket, status_event(remaining, sid))
        if node is not None:
            event = Event("executing", {"node": node})
            await self._send(sid, socket, event)

    async def _listen(self, socket: WebSocket, sid: str) -> None:
        # `receive_text` raises KeyError for a binary message.
        with contextlib.suppress(WebSocketDisconnect, KeyError):
            first = await socket.receive_text()
            await self._exchange_features(socket, sid, first)
            while True:
                await socket.receive_text()

    async def _exchange_features(self, socket: WebSocket, sid: str, text: str) -> None:
        with contextlib.suppress(ValueError):
            message = json.loads(text)
            if not isinstance(message, dict) or message.get("type") != "feature_flags":
                return
            if self._options.can("feature_flags") and sid in self._flags:
                self._flags[sid] = message.get("data", {})
                await self._send(sid, socket, Event("feature_flags", self._features))

    def _receivers(self, sid: str | None) -> list[str]:
        if sid is None:
            return list(self._table)
        return [sid] if sid in self._table else []

    async def _send(self, sid: str, socket: WebSocket | None, message: Message) -> None:
        if socket is None or socket not in self._sent:
            return
        kind = message.type if isinstance(message, Event) else "preview"
        if kind in self._options.lose_types:
            return
        times = 2 if kind in self._options.double_types else 1
        for _ in range(times):
            payload = self._encode(sid, message)
            await self._write(socket, payload)
        if self._options.unknown_messages:
            await self._write(socket, JUNK_TEXT)
            await self._write(socket, JUNK_BYTES)

    def _encode(self, sid: str, message: Message) -> str | bytes:
        if isinstance(message, Event):
            return message.to_text()
        if isinstance(message, NodeText):
            return message.to_bytes()
        flags = self._flags.get(sid, {})
        return encode_preview(message, flags)

    async def _write(self, socket: WebSocket, payload: str | bytes) -> None:
        count = self._sent.get(socket)
        if count is None or count == self._options.mute_socket_after:
            return
        if count == self._options.drop_socket_after:
            self._sent.pop(socket)
            self._drop(socket)
            return
        self._sent[socket] = count + 1
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            if isinstance(payload, str):
                await socket.send_text(payload)
            else:
                await socket.send_bytes(payload)


def encode_preview(preview: Preview, flags: dict[str, Any]) -> bytes:
    with_metadata = bool(flags.get("supports_preview_metadata"))
    return preview.to_bytes(with_metadata)
