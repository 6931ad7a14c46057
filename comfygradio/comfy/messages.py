"""Messages of ComfyUI's WebSocket, parsed into frozen dataclasses. Unknown content is tolerated."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from comfygradio.comfy.object_info import is_whole_number, parse_number

PREVIEW = 1
TEXT = 3
PREVIEW_WITH_METADATA = 4
JPEG = "image/jpeg"
PNG = "image/png"
MIME_TYPES = {1: JPEG, 2: PNG}

VIDEO_MARK = b"\0\0\0\1"
"""What VideoHelperSuite puts between the head of a frame and the picture, when it previews a video:
this mark, the picture's place in the video, and in newer versions the node, in 16 bytes.
"""

VIDEO_HEADS = (8, 24)
"""How many bytes that may be."""


@dataclass(frozen=True)
class Message:
    """Base of all messages. `prompt_id` is None if the server names no prompt."""

    prompt_id: str | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class Status(Message):
    """The queue changed. `queue_remaining` counts running and pending prompts; only the greeting
    has `sid`.
    """

    queue_remaining: int | None
    sid: str | None = None


class ExecutionStart(Message):
    """A prompt left the queue and is running."""


@dataclass(frozen=True)
class ExecutionCached(Message):
    """Nodes with a cache hit, whether or not an output needs them."""

    nodes: tuple[str, ...]


@dataclass(frozen=True)
class Executing(Message):
    """A node starts. A `node` of None means that the prompt is over.

    It has no `prompt_id` when a reconnected client is told which node is running.
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
    """One node of a ProgressState. `state` is running, finished or error."""

    value: float
    max: float
    state: str
    display_node: str


@dataclass(frozen=True)
class ProgressState(Message):
    """All nodes that have started (v0.3.45), a full snapshot each time."""

    nodes: Mapping[str, NodeProgress]


@dataclass(frozen=True)
class Executed(Message):
    """A node with results is done. `output` is its `ui` dict, or empty if the server sends null."""

    node: str
    display_node: str
    output: Mapping[str, Any]


class ExecutionSuccess(Message):
    """The prompt is done, but its history is not written yet (2024-07)."""


@dataclass(frozen=True)
class ExecutionError(Message):
    """A node raised an exception. The type `ExecutionBlocked` does not end the prompt.

    `executed` are the nodes that were done before. `traceback` contains file names of the server.
    """

    node_id: str
    node_type: str
    exception_type: str
    exception_message: str
    executed: tuple[str, ...] = field(default=(), repr=False)
    traceback: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class ExecutionInterrupted(Message):
    """Somebody stopped the prompt. `executed` are the nodes that were done before."""

    node_id: str
    node_type: str
    executed: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class FeatureFlags(Message):
    """The server's reply to our feature flags (v0.3.45)."""

    flags: Mapping[str, Any]


@dataclass(frozen=True)
class PreviewFrame(Message):
    """An encoded preview picture. `node` is known only in frames with metadata (v0.3.45)."""

    data: bytes = field(repr=False)
    mime: str
    node: str | None = None


@dataclass(frozen=True)
class ProgressText(Message):
    """A text that a node shows while it works (v0.3.34), unfiltered: any length, any characters."""

    node: str
    text: str


@dataclass(frozen=True)
class UnknownMessage(Message):
    """Anything else: messages of custom nodes or newer servers, and broken frames.

    `data` is what the server sent with it: any JSON value, or the bytes of a binary frame.
    """

    type: str
    data: Any = field(default=None, repr=False, compare=False)


def parse_text(frame: bytes | str) -> Message:
    """Parse a text frame. Whatever cannot be understood becomes an UnknownMessage."""
    text = frame.decode("utf-8", "replace") if isinstance(frame, bytes) else frame
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return UnknownMessage("", frame)
    if not isinstance(message, dict):
        return UnknownMessage("", message)
    return parse_event(str(message.get("type")), message.get("data"))


def parse_event(type: str, sent: Any) -> Message:
    """Parse one event. `/history` keeps some events as pairs of type and data."""
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
            return _parse_executing(data, prompt_id)
        case "progress":
            return _parse_progress(data, prompt_id)
        case "progress_state":
            return ProgressState(_parse_nodes(data.get("nodes")), prompt_id=prompt_id)
        case "executed" if data.get("node") is not None:
            return _parse_executed(data, prompt_id)
        case "execution_success":
            return ExecutionSuccess(prompt_id=prompt_id)
        case "execution_error":
            return _parse_error(data, prompt_id)
        case "execution_interrupted":
            return _parse_interrupted(data, prompt_id)
        case "feature_flags":
            return FeatureFlags(data)
        case _:
            return UnknownMessage(type, sent, prompt_id=prompt_id)


def parse_binary(frame: bytes) -> Message:
    """Parse a binary frame. Truncated and unknown ones become an UnknownMessage."""
    try:
        # Two big-endian numbers lead: the type of the frame, and the length of its head.
        kind, length = struct.unpack_from(">II", frame)
    except struct.error:
        return UnknownMessage("binary", frame)
    if kind == PREVIEW and len(frame) > 8:
        image = _drop_video_head(frame[8:])
        # Such frames have the format where others have a length.
        mime = MIME_TYPES.get(length) or _guess_mime(image)
        return PreviewFrame(image, mime)
    message: Message | None = None
    # The head is the id of a node in frames of text, and JSON in previews.
    if len(frame) >= 8 + length:
        head = frame[8 : 8 + length]
        body = frame[8 + length :]
        if kind == TEXT:
            message = _parse_text_frame(head, body)
        elif kind == PREVIEW_WITH_METADATA:
            message = _parse_preview(head, body)
    return message or UnknownMessage("binary", frame)


def _drop_video_head(image: bytes) -> bytes:
    if image.startswith(VIDEO_MARK):
        for length in VIDEO_HEADS:
            if image.startswith(b"\xff\xd8", length):
                return image[length:]
    return image


def may_be_result(frame: PreviewFrame) -> bool:
    """Whether a frame may be a finished picture, which must not give way to a newer frame.

    ComfyUI encodes previews as JPEG and the pictures of SaveImageWebsocket as PNG, in frames of the
    same kind. Only the graph says which node sent one, so another PNG may still be a preview.
    """
    return frame.mime == PNG


def _parse_executing(data: Mapping[str, Any], prompt_id: str | None) -> Executing:
    node = _read_id(data.get("node"))
    # Servers before August 2024 expand no nodes and do not send this.
    display_node = _read_id(data.get("display_node")) or node
    return Executing(node, display_node, prompt_id=prompt_id)


def _parse_progress(data: Mapping[str, Any], prompt_id: str | None) -> Progress:
    value = _read_number(data.get("value"))
    most = _read_number(data.get("max"))
    node = _read_id(data.get("node"))
    return Progress(value, most, node, prompt_id=prompt_id)


def _parse_executed(data: Mapping[str, Any], prompt_id: str | None) -> Executed:
    node = str(data["node"])
    display_node = _read_id(data.get("display_node")) or node
    output = data.get("output")
    if not isinstance(output, dict):
        output = {}
    return Executed(node, display_node, output, prompt_id=prompt_id)


def _parse_error(data: Mapping[str, Any], prompt_id: str | None) -> ExecutionError:
    return ExecutionError(
        _read_id(data.get("node_id")) or "",
        str(data.get("node_type") or ""),
        str(data.get("exception_type") or ""),
        str(data.get("exception_message") or ""),
        _read_ids(data.get("executed")),
        _read_ids(data.get("traceback")),
        prompt_id=prompt_id,
    )


def _parse_interrupted(data: Mapping[str, Any], prompt_id: str | None) -> ExecutionInterrupted:
    return ExecutionInterrupted(
        _read_id(data.get("node_id")) or "",
        str(data.get("node_type") or ""),
        _read_ids(data.get("executed")),
        prompt_id=prompt_id,
    )


def _parse_status(data: Mapping[str, Any]) -> Status:
    status = data.get("status")
    info = status.get("exec_info") if isinstance(status, dict) else None
    remaining = info.get("queue_remaining") if isinstance(info, dict) else None
    if not is_whole_number(remaining):
        remaining = None
    return Status(remaining, _read_id(data.get("sid")))


def _parse_nodes(nodes: Any) -> dict[str, NodeProgress]:
    if not isinstance(nodes, dict):
        return {}
    parsed: dict[str, NodeProgress] = {}
    for key, entry in nodes.items():
        if isinstance(entry, dict):
            node = str(key)
            parsed[node] = _parse_node(node, entry)
    return parsed


def _parse_node(node: str, entry: Mapping[str, Any]) -> NodeProgress:
    return NodeProgress(
        _read_number(entry.get("value")),
        _read_number(entry.get("max")),
        str(entry.get("state")),
        _read_id(entry.get("display_node_id")) or node,
    )


def _parse_preview(head: bytes, image: bytes) -> Message | None:
    try:
        about = json.loads(head)
    except ValueError:
        return None
    if not isinstance(about, dict) or not image:
        return None
    mime = about.get("image_type")
    if not isinstance(mime, str) or not mime.startswith("image/"):
        mime = _guess_mime(image)
    node = _read_id(about.get("display_node_id")) or _read_id(about.get("node_id"))
    prompt_id = _read_id(about.get("prompt_id"))
    return PreviewFrame(image, mime, node, prompt_id=prompt_id)


def _parse_text_frame(head: bytes, body: bytes) -> Message:
    node = head.decode("utf-8", "replace")
    text = body.decode("utf-8", "replace")
    return ProgressText(node, text)


def _guess_mime(image: bytes) -> str:
    return PNG if image.startswith(b"\x89PNG") else JPEG


def _read_id(value: Any) -> str | None:
    if value is None or isinstance(value, dict | list):
        return None
    return str(value)


def _read_ids(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list):
        return ()
    return tuple(str(value) for value in values)


def _read_number(value: Any) -> float:
    number = parse_number(value)
    if number is None:
        return 0.0
    try:
        return float(number)
    except OverflowError:  # an integer may have hundreds of digits
        return 0.0
