"""What goes over a WebSocket from the server, frame by frame, so that a line can lose, double,
break or add frames.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Any

TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9

Alter = Callable[[bytes], Iterable[bytes]]
"""One frame of the server → what the client gets in its place."""


class FrameReader:
    """Cuts the bytes of a server into whole frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The frames that are whole with these bytes."""
        self._rest += data
        while (size := measure_frame(self._rest)) is not None and size <= len(self._rest):
            frame, self._rest = self._rest[:size], self._rest[size:]
            yield frame


def measure_frame(data: bytes) -> int | None:
    """The size of the frame that begins there, head included; None if its head is not whole yet."""
    start = find_payload_start(data)
    if start > len(data) or start == 0:
        return None
    formats = {2: ">xB", 4: ">xxH", 10: ">xxQ"}
    (length,) = struct.unpack_from(formats[start], data)
    return start + int(length)


def find_payload_start(frame: bytes) -> int:
    """Where the payload of an unmasked frame begins; 0 if not even that can be told."""
    return {126: 4, 127: 10}.get(frame[1], 2) if len(frame) > 1 else 0


def make_frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """A whole frame as a server sends it."""
    size = len(payload)
    if size < 126:
        head = struct.pack(">BB", 0x80 | opcode, size)
    elif size < 1 << 16:
        head = struct.pack(">BBH", 0x80 | opcode, 126, size)
    else:
        head = struct.pack(">BBQ", 0x80 | opcode, 127, size)
    return head + payload


def make_message(kind: str, **data: Any) -> bytes:
    """A message of ComfyUI as a frame."""
    return make_frame(json.dumps({"type": kind, "data": data}).encode())


def parse_message(frame: bytes) -> tuple[str, dict[str, Any]]:
    """Type and data of a message; ("", {}) for a frame that is none."""
    if frame[0] & 15 != TEXT:
        return "", {}
    message = json.loads(frame[find_payload_start(frame) :])
    return str(message["type"]), dict(message.get("data") or {})
