"""What ComfyUI's HTTP routes answer, parsed into frozen dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from comfygradio.comfy.failures import parse_node_errors
from comfygradio.comfy.messages import Message, parse_event
from comfygradio.comfy.outputs import FileSource, Output, parse_outputs
from comfygradio.errors import NodeError

API_KEY = "api_key_comfy_org"
"""Where ComfyUI (v0.3.34) looks for an API key, in a prompt's extra_data."""

SECRETS = frozenset([API_KEY, "auth_token_comfy_org"])
"""What servers before v0.3.68 show of everybody's prompts in their queue."""


@dataclass(frozen=True)
class QueuedPrompt:
    """An accepted prompt; `node_errors` tell which outputs will not run.

    `number` is no queue position.
    """

    prompt_id: str
    number: float
    node_errors: tuple[NodeError, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> QueuedPrompt:
        """Parse the answer of POST /prompt."""
        number = data.get("number")
        return cls(
            str(data.get("prompt_id") or ""),
            number if isinstance(number, int | float) else 0,
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
        """Parse `[number, id, graph, extra_data, outputs, …]`; v0.3.68 to 0.5.1 sent
        six elements.
        """
        values = (
            [*item[:5], None, None, None, None, None][:5] if isinstance(item, list) else [None] * 5
        )
        number, prompt_id, graph, extra, outputs = values
        return cls(
            number if isinstance(number, int | float) else 0,
            str(prompt_id or ""),
            graph if isinstance(graph, dict) else {},
            _drop_secrets(extra) if isinstance(extra, dict) else {},
            tuple(str(node) for node in outputs) if isinstance(outputs, list) else (),
        )


@dataclass(frozen=True)
class Queue:
    """Everybody's prompts on a server; `pending` in the order in which they will run."""

    running: tuple[QueueItem, ...]
    pending: tuple[QueueItem, ...]

    @classmethod
    def from_json(cls, data: Any) -> Queue:
        """Parse GET /queue, whose pending list is a heap."""
        running, pending = (_parse_items(data, key) for key in ("queue_running", "queue_pending"))
        return cls(
            tuple(running), tuple(sorted(pending, key=lambda item: (item.number, item.prompt_id)))
        )

    def is_running(self, prompt_id: str) -> bool:
        """Whether that prompt is being worked on."""
        return any(item.prompt_id == prompt_id for item in self.running)

    def position(self, prompt_id: str) -> int | None:
        """How many prompts come before that one, running ones included; 0 while it runs, None if it
        is not here.
        """
        if self.is_running(prompt_id):
            return 0
        ids = [item.prompt_id for item in self.pending]
        return len(self.running) + ids.index(prompt_id) if prompt_id in ids else None


@dataclass(frozen=True)
class HistoryEntry:
    """A prompt that is over.

    `status` is success, error or empty; `messages` are its first and last events.
    """

    prompt_id: str
    status: str
    outputs: tuple[Output, ...]
    messages: tuple[Message, ...]
    graph: Mapping[str, Any] = field(repr=False)
    extra_data: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_json(cls, prompt_id: str, data: Any, source: FileSource | None = None) -> HistoryEntry:
        """Parse one value of GET /history; results of expanded nodes are given to the node in the
        graph.
        """
        entry = data if isinstance(data, dict) else {}
        status, meta = _read_dict(entry.get("status")), _read_dict(entry.get("meta"))
        outputs = [
            output
            for node, ui in _read_dict(entry.get("outputs")).items()
            for output in parse_outputs(_find_shown(meta, node), ui, source)
        ]
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


@dataclass(frozen=True)
class UploadedFile:
    """A file as the server stored it, perhaps under another name than it was sent."""

    name: str
    subfolder: str
    type: str

    @property
    def value(self) -> str:
        """What goes into the input of a LoadImage node."""
        path = f"{self.subfolder}/{self.name}" if self.subfolder else self.name
        return path if self.type in ("input", "") else f"{path} [{self.type}]"

    @classmethod
    def from_json(cls, data: Any) -> UploadedFile:
        """Parse the answer of POST /upload/image."""
        answer = _read_dict(data)
        return cls(*(str(answer.get(key) or "") for key in ("name", "subfolder", "type")))


def _parse_items(data: Any, key: str) -> list[QueueItem]:
    items = _read_dict(data).get(key)
    return [QueueItem.from_json(item) for item in items] if isinstance(items, list) else []


def _parse_events(events: Any) -> list[Message]:
    pairs = events if isinstance(events, list) else []
    return [
        parse_event(str(pair[0]), pair[1])
        for pair in pairs
        if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[1], dict)
    ]


def _find_shown(meta: Mapping[str, Any], node: str) -> str:
    return str(_read_dict(meta.get(node)).get("display_node") or node)


def _read_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _drop_secrets(extra: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in extra.items() if name not in SECRETS}
