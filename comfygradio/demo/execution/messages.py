"""Messages of the WebSocket as they go over the wire (layouts: ComfyUI v0.33.0)."""

from __future__ import annotations

import json
import struct
import time
from dataclasses import dataclass
from typing import Any

PREVIEW_IMAGE = 1
TEXT = 3
PREVIEW_IMAGE_WITH_METADATA = 4
IMAGE_KINDS = {"JPEG": 1, "PNG": 2}


@dataclass(frozen=True)
class Preview:
    """An image on its way to a client: encoded bytes, `JPEG` or `PNG`, and where it comes from."""

    data: bytes
    format: str
    node_id: str
    prompt_id: str

    def to_bytes(self, with_metadata: bool) -> bytes:
        """Type 4 for clients that asked for metadata, else type 1."""
        if not with_metadata:
            head = struct.pack(">II", PREVIEW_IMAGE, IMAGE_KINDS[self.format])
            return head + self.data
        meta = json.dumps(self._metadata()).encode()
        head = struct.pack(">II", PREVIEW_IMAGE_WITH_METADATA, len(meta))
        return head + meta + self.data

    def _metadata(self) -> dict[str, Any]:
        return {
            "node_id": self.node_id,
            "prompt_id": self.prompt_id,
            "display_node_id": self.node_id,
            "parent_node_id": None,
            "real_node_id": self.node_id,
            "image_type": f"image/{self.format.lower()}",
        }


@dataclass(frozen=True)
class NodeText:
    """A text that a node sends while it runs (binary type 3)."""

    text: str
    node_id: str

    def to_bytes(self) -> bytes:
        node = self.node_id.encode()
        head = struct.pack(">II", TEXT, len(node))
        return head + node + self.text.encode()


@dataclass(frozen=True)
class Event:
    """A text message `{"type", "data"}`."""

    type: str
    data: dict[str, Any]

    def to_text(self) -> str:
        message = {"type": self.type, "data": self.data}
        return json.dumps(message)


Message = Event | Preview | NodeText


def now_ms() -> int:
    """Milliseconds since 1970, the unit of every timestamp in ComfyUI."""
    return int(time.time() * 1000)


def status_event(remaining: int, sid: str | None = None) -> Event:
    """Queue length for everybody; with `sid` it is the greeting of a new socket."""
    data: dict[str, Any] = {"status": {"exec_info": {"queue_remaining": remaining}}}
    if sid is not None:
        data["sid"] = sid
    return Event("status", data)
