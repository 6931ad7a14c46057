"""What ComfyUI says on its WebSocket: frames → frozen dataclasses, tolerant of
everything unknown.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PREVIEW, TEXT, PREVIEW_WITH_METADATA = 1, 3, 4
MIME_TYPES = {1: "image/jpeg", 2: "image/png"}


@dataclass(frozen=True)
class Message:
    """Base of all messages; `prompt_id` is None where the server names no prompt."""

    prompt_id: str | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class Status(Message):
    """The queue changed; `sid` only in the greeting, `queue_remaining` counts running and pending
    prompts.
    """

    queue_remaining: int | None
    sid: str | None = None


@dataclass(frozen=True)
class ExecutionStart(Message):
    """A prompt left the queue and runs."""


@dataclass(frozen=True)
class ExecutionCached(Message):
    """Nodes with a cache hit, whether an output needs them or not."""

    nodes: tuple[str, ...]


@dataclass(frozen=True)
class Executing(Message):
    """A node begins; `node` None means that the prompt is over.

    No prompt_id: the catch-up of a reconnect.
    """

    node: str | None
    display_node: str | None


@dataclass(frozen=True)
class Progress(Message):
    """Step `value` of `max` of one node."""

    value: float
    max: float
    node: str | None


@dataclass(frozen=True)
class NodeProgress:
    """One node of a ProgressState; `state` is running, finished or error."""

    value: float
    max: float
    state: str
    display_node: str


@dataclass(frozen=True)
class ProgressState(Message):
    """All nodes that have begun (v0.3.45); a full snapshot each time."""

    nodes: Mapping[str, NodeProgress]


@dataclass(frozen=True)
class Executed(Message):
    """A node with results is done; `output` is its `ui` dict, empty where the server sends null."""

    node: str
    display_node: str
    output: Mapping[str, Any]


@dataclass(frozen=True)
class ExecutionSuccess(Message):
    """The prompt is done, its history not yet written (2024-07)."""


@dataclass(frozen=True)
class ExecutionError(Message):
    """A node raised. The type `ExecutionBlocked` does not end the prompt.

    `executed` are the nodes that were done before; `traceback` names files of the server.
    """

    node_id: str
    node_type: str
    exception_type: str
    exception_message: str
    executed: tuple[str, ...] = field(default=(), repr=False)
    traceback: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class ExecutionInterrupted(Message):
    """Somebody stopped the prompt; `executed` are the nodes that were done before."""

    node_id: str
    node_type: str
    executed: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class FeatureFlags(Message):
    """The server's answer to our feature flags (v0.3.45)."""

    flags: Mapping[str, Any]


@dataclass(frozen=True)
class PreviewFrame(Message):
    """An encoded picture; `node` only in frames with metadata (v0.3.45)."""

    data: bytes = field(repr=False)
    mime: str
    node: str | None = None


@dataclass(frozen=True)
class ProgressText(Message):
    """A text that a node shows while it works (v0.3.34), as the server sent it: of any length,
    with any characters.
    """

    node: str
    text: str


@dataclass(frozen=True)
class UnknownMessage(Message):
    """Anything else: custom nodes, newer servers, broken frames.

    `data` is what the server sent with it: any JSON value, or the bytes of a binary frame.
    """

    type: str
    data: Any = field(default=None, repr=False, compare=False)


def parse_text(frame: bytes | str) -> Message:
    """The message in a text frame; whatever cannot be understood becomes an UnknownMessage."""
    try:
        text = frame.decode("utf-8", "replace") if isinstance(frame, bytes) else frame
        message = json.loads(text)
    except (ValueError, RecursionError):
        return UnknownMessage("", frame)
    if not isinstance(message, dict):
        return UnknownMessage("", message)
    return parse_event(str(message.get("type")), message.get("data"))


def parse_event(type: str, sent: Any) -> Message:
    """The message of one event; `/history` keeps some of them as pairs of type and data."""
    data = sent if isinstance(sent, dict) else {}
    prompt_id = _read_id(data.get("prompt_id"))
    match type:
        case "status":
            return _parse_status(data)
        case "execution_start":
            return ExecutionStart(prompt_id=prompt_id)
        case "execution_cached":
            return ExecutionCached(_read_ids(data.get("nodes")), prompt_id=prompt_id)
        case "executing":
            node = _read_id(data.get("node"))
            return Executing(node, _read_id(data.get("display_node")) or node, prompt_id=prompt_id)
        case "progress":
            value, most = _read_number(data.get("value")), _read_number(data.get("max"))
            return Progress(value, most, _read_id(data.get("node")), prompt_id=prompt_id)
        case "progress_state":
            return ProgressState(_parse_nodes(data.get("nodes")), prompt_id=prompt_id)
        case "execution_success":
            return ExecutionSuccess(prompt_id=prompt_id)
        case "feature_flags":
            return FeatureFlags(data)
        case _:
            return _parse_result(type, data, prompt_id) or UnknownMessage(
                type, sent, prompt_id=prompt_id
            )


def parse_binary(frame: bytes) -> Message:
    """The message in a binary frame; truncated and unknown ones become an UnknownMessage."""
    try:
        kind, length = struct.unpack_from(">II", frame)
    except struct.error:
        return UnknownMessage("binary", frame)
    if kind == PREVIEW and len(frame) > 8:
        return PreviewFrame(frame[8:], MIME_TYPES.get(length) or _guess_mime(frame[8:]))
    if kind in (TEXT, PREVIEW_WITH_METADATA) and len(frame) >= 8 + length:
        head, body = frame[8 : 8 + length], frame[8 + length :]
        message = _parse_text_frame(head, body) if kind == TEXT else _parse_preview(head, body)
        return message or UnknownMessage("binary", frame)
    return UnknownMessage("binary", frame)


def _parse_result(type: str, data: Mapping[str, Any], prompt_id: str | None) -> Message | None:
    node_id, node_type = _read_id(data.get("node_id")) or "", str(data.get("node_type") or "")
    before = _read_ids(data.get("executed"))
    if type == "executed" and data.get("node") is not None:
        node, output = str(data["node"]), data.get("output")
        shown = _read_id(data.get("display_node")) or node
        return Executed(
            node, shown, output if isinstance(output, dict) else {}, prompt_id=prompt_id
        )
    if type == "execution_error":
        error = str(data.get("exception_type") or ""), str(data.get("exception_message") or "")
        lines = _read_ids(data.get("traceback"))
        return ExecutionError(node_id, node_type, *error, before, lines, prompt_id=prompt_id)
    if type == "execution_interrupted":
        return ExecutionInterrupted(node_id, node_type, before, prompt_id=prompt_id)
    return None


def _parse_status(data: Mapping[str, Any]) -> Status:
    status = data.get("status")
    info = status.get("exec_info") if isinstance(status, dict) else None
    remaining = info.get("queue_remaining") if isinstance(info, dict) else None
    return Status(remaining if isinstance(remaining, int) else None, _read_id(data.get("sid")))


def _parse_nodes(nodes: Any) -> dict[str, NodeProgress]:
    entries = nodes.items() if isinstance(nodes, dict) else ()
    return {
        str(key): NodeProgress(
            _read_number(entry.get("value")),
            _read_number(entry.get("max")),
            str(entry.get("state")),
            _read_id(entry.get("display_node_id")) or str(key),
        )
        for key, entry in entries
        if isinstance(entry, dict)
    }


def _parse_preview(head: bytes, image: bytes) -> Message | None:
    try:
        about = json.loads(head)
    except ValueError:
        about = None
    if not isinstance(about, dict) or not image:
        return None
    mime = about.get("image_type")
    return PreviewFrame(
        image,
        mime if isinstance(mime, str) and mime.startswith("image/") else _guess_mime(image),
        _read_id(about.get("display_node_id")) or _read_id(about.get("node_id")),
        prompt_id=_read_id(about.get("prompt_id")),
    )


def _parse_text_frame(head: bytes, body: bytes) -> Message:
    return ProgressText(head.decode("utf-8", "replace"), body.decode("utf-8", "replace"))


def _guess_mime(image: bytes) -> str:
    return "image/png" if image.startswith(b"\x89PNG") else "image/jpeg"


def _read_id(value: Any) -> str | None:
    return None if value is None or isinstance(value, dict | list) else str(value)


def _read_ids(values: Any) -> tuple[str, ...]:
    return tuple(str(value) for value in values) if isinstance(values, list) else ()


def _read_number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0
