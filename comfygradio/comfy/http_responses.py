"""Responses of ComfyUI's HTTP routes, parsed into frozen dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from comfygradio.comfy.failures import parse_node_errors
from comfygradio.comfy.messages import Message, parse_event
from comfygradio.comfy.object_info import parse_number
from comfygradio.comfy.outputs import FileSource, Output, parse_outputs
from comfygradio.errors import NodeError

API_KEY = "api_key_comfy_org"
"""Key in a prompt's extra_data under which ComfyUI (v0.3.34) looks for an API key."""

SECRET_KEYS = frozenset([API_KEY, "auth_token_comfy_org"])
"""Keys of extra_data that servers before v0.3.68 reveal for everybody's prompts in their queue."""


class QueuedPrompt(NamedTuple):
    """An accepted prompt. `node_errors` tell which outputs will not run; `number` is no queue
    position.
    """

    prompt_id: str
    number: float
    node_errors: tuple[NodeError, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> QueuedPrompt:
        """Parse the response of POST /prompt."""
        return cls(
            str(data.get("prompt_id") or ""),
            _read_number(data.get("number")),
            parse_node_errors(data.get("node_errors")),
        )


@dataclass(frozen=True)
class QueueItem:
    """One prompt in the queue, with the graph as it was posted."""

    number: float
    prompt_id: str
    graph: Mapping[str, Any] = field(repr=False)
    extra_data: Mapping[str, Any] = field(repr=False)
    outputs: tuple[str, ...]

    @classmethod
    def from_json(cls, item: Any) -> QueueItem:
        """Parse `[number, id, graph, extra_data, outputs, …]`. Versions 0.3.68 to 0.5.1 sent six
        elements.
        """
        given = _read_list(item)[:5]
        missing = [None] * (5 - len(given))
        number, prompt_id, graph, extra, outputs = given + missing
        extra_data = _read_dict(extra)
        return cls(
            _read_number(number),
            str(prompt_id or ""),
            _read_dict(graph),
            _drop_secrets(extra_data),
            tuple(str(node) for node in _read_list(outputs)),
        )


class Queue(NamedTuple):
    """Everybody's prompts on a server. `pending` is in the order in which they will run."""

    running: tuple[QueueItem, ...]
    pending: tuple[QueueItem, ...]

    @classmethod
    def from_json(cls, data: Any) -> Queue:
        """Parse the response of GET /queue, whose pending list is a heap."""
        running = _parse_items(data, "queue_running")
        pending = _parse_items(data, "queue_pending")
        # ComfyUI compares its queue items in this order, smaller numbers first.
        pending.sort(key=lambda item: (item.number, item.prompt_id))
        return cls(tuple(running), tuple(pending))

    def is_running(self, prompt_id: str) -> bool:
        """Whether this prompt is running."""
        return any(item.prompt_id == prompt_id for item in self.running)

    def position(self, prompt_id: str) -> int | None:
        """Count the prompts before this one, running ones included. Returns 0 while it runs, and
        None if it is not in the queue.
        """
        if self.is_running(prompt_id):
            return 0
        for place, item in enumerate(self.pending, start=len(self.running)):
            if item.prompt_id == prompt_id:
                return place
        return None


@dataclass(frozen=True)
class HistoryEntry:
    """A prompt that is over.

    `status` is "success", "error" or empty; `messages` are its first and last events.
    """

    prompt_id: str
    status: str
    outputs: tuple[Output, ...]
    messages: tuple[Message, ...]
    graph: Mapping[str, Any] = field(repr=False)
    extra_data: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_json(cls, prompt_id: str, data: Any, source: FileSource | None = None) -> HistoryEntry:
        """Parse one value of GET /history. Results of expanded nodes are assigned to their node in
        the graph.
        """
        entry = _read_dict(data)
        status = _read_dict(entry.get("status"))
        meta = _read_dict(entry.get("meta"))
        outputs: list[Output] = []
        made = _read_dict(entry.get("outputs"))
        for node, ui in made.items():
            shown = _find_shown(meta, node)
            outputs.extend(parse_outputs(shown, ui, source))
        # The history keeps a prompt in the form that it had in the queue.
        item = QueueItem.from_json(entry.get("prompt"))
        messages = tuple(_parse_events(status.get("messages")))
        return cls(
            prompt_id,
            str(status.get("status_str") or ""),
            tuple(outputs),
            messages,
            item.graph,
            item.extra_data,
        )


class UploadedFile(NamedTuple):
    """A file as the server stored it, possibly under another name than it was sent with."""

    name: str
    subfolder: str
    type: str

    @property
    def value(self) -> str:
        """The value for the input of a LoadImage node."""
        path = self.name
        if self.subfolder:
            path = f"{self.subfolder}/{path}"
        if self.type in ("input", ""):
            return path
        return f"{path} [{self.type}]"

    @classmethod
    def from_json(cls, data: Any) -> UploadedFile:
        """Parse the response of POST /upload/image."""
        answer = _read_dict(data)
        return cls(
            str(answer.get("name") or ""),
            str(answer.get("subfolder") or ""),
            str(answer.get("type") or ""),
        )


def _parse_items(data: Any, key: str) -> list[QueueItem]:
    answer = _read_dict(data)
    items = _read_list(answer.get(key))
    return [QueueItem.from_json(item) for item in items]


def _parse_events(events: Any) -> list[Message]:
    messages: list[Message] = []
    for pair in _read_list(events):
        if not isinstance(pair, list) or len(pair) != 2:
            continue
        type, data = pair
        if isinstance(data, dict):
            messages.append(parse_event(str(type), data))
    return messages


def _find_shown(meta: Mapping[str, Any], node: str) -> str:
    # Servers before August 2024 send no `meta`; they do not expand nodes either.
    about = _read_dict(meta.get(node))
    return str(about.get("display_node") or node)


def _read_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _read_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _read_number(value: Any) -> float:
    number = parse_number(value)
    return 0 if number is None else number


def _drop_secrets(extra: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in extra.items():
        if name not in SECRET_KEYS:
            kept[name] = value
    return kept
