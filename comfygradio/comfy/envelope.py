"""Envelopes: the JSON that services, programs and ComfyUI itself wrap around an
API-format graph.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from comfygradio.errors import WorkflowError

MAX_LEVELS = 8
"""Maximum depth of nested envelopes that are opened."""

MAX_ENTRIES = 32
"""Maximum number of entries of one envelope that are searched."""

GRAPH_KEYS = ("prompt", "output", "workflow_api", "input", "api", "workflow", "graph", "data")
"""Keys that commonly hold the graph, the most certain first. Other keys are searched after these.
"""


UI_FORMAT_PATHS = (
    ("workflow",),
    ("extra_pnginfo", "workflow"),
    ("extra_data", "extra_pnginfo", "workflow"),
)
"""Where the UI format is stored beside a graph: in files of ComfyUI's page, and in posted prompts.
"""


@dataclass(frozen=True)
class Envelope:
    """What was found inside decoded JSON.

    `content` is the graph; or, if there is none, the workflow in UI format; or else the JSON
    itself. `path` lists the keys that lead to it. `ui_workflow` is the UI format that came with the
    graph.
    """

    content: Any
    path: tuple[str, ...] = ()
    ui_workflow: Mapping[str, Any] | None = None


def open_envelope(data: Any) -> Envelope:
    """Search decoded JSON for the graph, level by level. Never raises."""
    for is_wanted in (is_graph, is_ui_format):
        opened = _open(data, is_wanted)
        if opened is not None:
            return opened
    return Envelope(data)


def find_ui_format(data: Any) -> Mapping[str, Any]:
    """Find the workflow in UI format inside decoded JSON. Raises WorkflowError."""
    if isinstance(data, dict) and is_ui_format(data):
        return data
    opened = open_envelope(data)
    if opened.ui_workflow is not None:
        return opened.ui_workflow
    if isinstance(opened.content, dict) and is_ui_format(opened.content):
        return opened.content
    if is_graph(opened.content):
        raise WorkflowError("This workflow is in API format already; there is nothing to convert.")
    raise WorkflowError("This is not a ComfyUI workflow in UI format: it has no list of nodes.")


def is_graph(data: Any) -> bool:
    """Whether this is a graph in API format, complete or not: some of its entries are nodes."""
    if not isinstance(data, dict):
        return False
    entries = [entry for entry in data.values() if isinstance(entry, dict)]
    return any("class_type" in entry for entry in entries)


def is_ui_format(data: Any) -> bool:
    """Whether this is a workflow in ComfyUI's UI format."""
    if not isinstance(data, dict):
        return False
    nodes = data.get("nodes")
    return isinstance(nodes, list)


def _open(
    data: Any, is_wanted: Callable[[Any], bool], place: tuple[str, ...] = ()
) -> Envelope | None:
    if is_wanted(data):
        return Envelope(data, place)
    # What the UI format contains, such as definitions of subgraphs, is no workflow of its own.
    if len(place) == MAX_LEVELS or is_ui_format(data):
        return None
    for key, inner in _list_entries(data):
        found = _open(inner, is_wanted, (*place, key))
        if found is None:
            continue
        # The UI format nearest to the graph belongs to it.
        if found.ui_workflow:
            return found
        return replace(found, ui_workflow=_find_saved(data))
    return None


def _list_entries(data: Any) -> Iterator[tuple[str, Any]]:
    """Yield the entries of an envelope that may hold a graph, the most likely first. JSON in
    strings is decoded.
    """
    entries: dict[str, Any] = {}
    if isinstance(data, dict):
        for key in GRAPH_KEYS:
            if key in data:
                entries[key] = data[key]
        # The keys that are there already keep their places.
        entries.update(data)
    elif isinstance(data, list):
        for index, inner in enumerate(data):
            entries[str(index)] = inner
    for key, inner in islice(entries.items(), MAX_ENTRIES):
        decoded = _decode(inner)
        if isinstance(decoded, dict | list):
            yield str(key), decoded


def _decode(value: Any) -> Any:
    """Decode a string that contains a JSON object. Returns any other value unchanged."""
    if not isinstance(value, str) or not value.lstrip().startswith("{"):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _find_saved(data: Any) -> Mapping[str, Any] | None:
    """Find the UI format beside a graph."""
    if not isinstance(data, dict):
        return None
    for keys in UI_FORMAT_PATHS:
        found = _follow(data, keys)
        if isinstance(found, dict) and is_ui_format(found):
            return found
    return None


def _follow(data: Any, keys: Iterable[str]) -> Any:
    """Return what these keys lead to, or None. JSON in strings is decoded."""
    for key in keys:
        if not isinstance(data, dict):
            return None
        data = _decode(data.get(key))
    return data
