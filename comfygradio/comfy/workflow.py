"""Workflows in API format, and prompts: workflows filled and ready to be posted."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from comfygradio.comfy.envelope import is_ui_format, open_envelope
from comfygradio.errors import WorkflowError

UI_FORMAT = (
    "{name} is in ComfyUI's UI format, which cannot be run directly. Convert it with comfygradio "
    "convert, or choose Workflow → Export (API) in ComfyUI, and use that file instead."
)

UI_WORKFLOW = "workflow"
"""The key of the workflow in UI format in the metadata of PNGs."""

MAX_DEPTH = 100
"""Maximum nesting of lists and objects. No real value of a node comes near it."""


@dataclass(frozen=True)
class Link:
    """An input that is fed by output `slot` (from 0) of another node."""

    node_id: str
    slot: int

    @classmethod
    def parse(cls, value: Any) -> Link | None:
        """Parse an input's JSON value as a link. Returns None for a plain value.

        ComfyUI takes every list for a link. Its own links have a string for the node and a number
        from 0 for the output.
        """
        if not isinstance(value, list) or len(value) != 2:
            return None
        node_id, slot = value
        # Python takes a bool for an int.
        if isinstance(node_id, bool) or isinstance(slot, bool):
            return None
        if not isinstance(node_id, str | int) or not isinstance(slot, int | float):
            return None
        # Other programs may write the number as 0.0.
        if slot % 1:
            return None
        return cls(str(node_id), int(slot))


@dataclass(frozen=True)
class Node:
    """One node of a workflow. `inputs` contain literal values and links as in the JSON."""

    id: str
    class_type: str
    inputs: Mapping[str, Any]
    title: str

    @property
    def links(self) -> Mapping[str, Link]:
        """The inputs that other nodes feed."""
        return _find_links(self.inputs)


@dataclass(frozen=True)
class Workflow:
    """An API-format workflow: node id → node, in the order of the file. `notes` say what was left
    out.
    """

    nodes: Mapping[str, Node]
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes.values())

    @property
    def class_types(self) -> frozenset[str]:
        """The node classes that a server needs."""
        return frozenset(node.class_type for node in self)

    def find_upstream(self, node_ids: Iterable[str]) -> frozenset[str]:
        """Find these nodes and all nodes that feed them, directly or not. Returns ids; unknown ids
        are skipped.
        """
        found: set[str] = set()
        waiting = list(node_ids)
        while waiting:
            node_id = waiting.pop()
            node = self.nodes.get(node_id)
            if node is None or node_id in found:
                continue
            found.add(node_id)
            waiting.extend(link.node_id for link in node.links.values())
        return frozenset(found)

    def to_json(self) -> dict[str, dict[str, Any]]:
        """Make a fresh copy in API format that may be modified."""
        graph: dict[str, dict[str, Any]] = {}
        for node in self:
            graph[node.id] = {
                "class_type": node.class_type,
                "inputs": copy.deepcopy(dict(node.inputs)),
                "_meta": {"title": node.title},
            }
        return graph

    @classmethod
    def from_json(cls, data: Any, name: str = "This workflow") -> Workflow:
        """Parse decoded JSON, with or without envelopes. `name` is what error texts call it.

        Raises WorkflowError.
        """
        opened = open_envelope(data)
        graph = opened.content
        if is_ui_format(graph):
            raise WorkflowError(UI_FORMAT.format(name=name))
        if not isinstance(graph, dict) or not graph:
            raise WorkflowError(f"{name} is not a ComfyUI workflow: it holds no nodes.")
        nodes: dict[str, Node] = {}
        for key, value in graph.items():
            node_id = _tidy_text(str(key))
            nodes[node_id] = _parse_node(node_id, value, name)
        notes = (*_describe_place(opened.path), *_describe_leftovers(graph))
        return cls(nodes, notes)


@dataclass(frozen=True)
class Upload:
    """A local file that a prompt needs. It is uploaded first, and its name on the server goes into
    `slots` (node id, input).
    """

    path: Path
    name: str
    slots: tuple[tuple[str, str], ...]


class WrittenLayout(NamedTuple):
    """A workflow in UI format with the values of a prompt. `notes` say where ComfyUI's page would
    post something else.
    """

    workflow: Mapping[str, Any]
    notes: tuple[str, ...] = ()


class Layout(Protocol):
    """A workflow as its author arranged it, into which the values of a prompt can be written.
    `digest` tells one from another.
    """

    @property
    def digest(self) -> str: ...

    def write(self, graph: Mapping[str, Any]) -> WrittenLayout | None:
        """Write the values of a graph; None where that is not possible. May take 50 ms."""
        ...


@dataclass(frozen=True)
class StoredLayout:
    """A layout of which only the digest is known, as the job store keeps it."""

    digest: str

    def write(self, graph: Mapping[str, Any]) -> WrittenLayout | None:
        """Nothing can be written: the workflow is not here."""
        return None


@dataclass(frozen=True)
class Prompt:
    """A filled workflow, ready to be posted: the graph in API format, the files it needs, and the
    metadata that PNGs should contain.

    `layout` is written when the prompt is posted, and into nothing that is stored: it may have
    300 kB. What is stored has its digest.
    """

    graph: Mapping[str, Any]
    uploads: tuple[Upload, ...] = ()
    extra_pnginfo: Mapping[str, Any] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    """Ids of the nodes whose results are shown; empty means every output node."""
    layout: Layout | None = field(default=None, repr=False, compare=False)
    notes: tuple[str, ...] = field(default=(), repr=False, compare=False)
    """What to tell whoever asked for it; stored with nothing."""

    def make_pnginfo(self, graph: Mapping[str, Any]) -> dict[str, Any]:
        """Make the metadata for a graph of this prompt, which may have other names of files."""
        info = dict(self.extra_pnginfo)
        if self.layout is not None:
            written = self.layout.write(graph)
            if written is not None:
                info[UI_WORKFLOW] = written.workflow
        return info


def load_workflow(path: Path) -> Workflow:
    """Read an API-format workflow file. Raises WorkflowError."""
    data = load_json(path)
    return Workflow.from_json(data, name=str(path))


def load_json(path: Path) -> Any:
    """Decode a workflow file. Raises WorkflowError."""
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise WorkflowError(
            f"The workflow {path} cannot be read: {error.strerror or error}."
        ) from error
    except UnicodeDecodeError as error:
        raise WorkflowError(
            f"The workflow {path} is not a text file. If it is a picture or video of ComfyUI, make "
            "a preset of it with comfygradio new."
        ) from error
    except ValueError as error:
        raise WorkflowError(f"The workflow {path} is not valid JSON: {error}.") from error
    except RecursionError as error:
        raise WorkflowError(f"The workflow {path} is nested too deeply.") from error


def is_deep(value: Any) -> bool:
    """Say whether JSON is nested deeper than MAX_DEPTH, so that it may not be written again."""
    # Level by level: recursion would fail at the depth that this looks for.
    level = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        level = below
    return bool(level)


def _describe_place(place: tuple[str, ...]) -> Iterator[str]:
    """Say where in the file the graph was found, unless it is the whole file."""
    if place:
        keys = _tidy_text(" → ".join(place))
        yield f"The workflow was taken out of {keys}; what stood beside it there was left out."


def _describe_leftovers(graph: Mapping[str, Any]) -> Iterator[str]:
    """Name the keys that servers add to the prompts of pictures. Posted again, `is_changed` would
    make them reuse stale results.
    """
    for key, node in graph.items():
        left = [name for name in node if _is_leftover(name)]
        if left:
            names = ", ".join(left)
            text = f"Node {key} carried {names} from an earlier run; that was left out."
            yield _tidy_text(text)


def _is_leftover(name: str) -> bool:
    return name == "is_changed" or name.startswith("_loop_")


def _parse_node(node_id: str, data: Any, name: str) -> Node:
    if not isinstance(data, dict) or not isinstance(data.get("class_type"), str):
        raise WorkflowError(_describe_classless(node_id, data, name))
    class_type = _tidy_text(data["class_type"])
    given = data.get("inputs")
    inputs: dict[str, Any] = {}
    if isinstance(given, dict):
        try:
            inputs = _tidy(given)
        except RecursionError as error:
            raise WorkflowError(f"{name} is nested too deeply, in node {node_id}.") from error
    # Other programs may write the node of a link as a number; ComfyUI needs a string.
    for key, link in _find_links(inputs).items():
        inputs[key] = [link.node_id, link.slot]
    title = _read_title(data)
    if not isinstance(title, str) or not title:
        title = class_type
    return Node(node_id, class_type, inputs, _tidy_text(title))


def _find_links(inputs: Mapping[str, Any]) -> dict[str, Link]:
    links: dict[str, Link] = {}
    for name, value in inputs.items():
        link = Link.parse(value)
        if link is not None:
            links[name] = link
    return links


def _read_title(data: Mapping[str, Any]) -> Any:
    meta = data.get("_meta")
    if not isinstance(meta, dict):
        return None
    return meta.get("title")


def _describe_classless(node_id: str, data: Any, name: str) -> str:
    """Explain why something is not a node.

    ComfyUI exports nodes whose class it lacks without the class. Their title is the class unless
    somebody changed it.
    """
    title: Any = None
    if isinstance(data, dict) and isinstance(data.get("inputs"), dict):
        title = _read_title(data)
    if not isinstance(title, str) or not title:
        return f"{name} is not an API-format workflow: node {node_id} has no class_type."
    return (
        f"{name} cannot be used: the ComfyUI that exported it lacks the node {_tidy_text(title)} "
        f"(node {node_id}). Install its custom node there, and export the workflow again."
    )


def _tidy(value: Any, depth: int = 0) -> Any:
    """Copy a JSON value without unpaired surrogates, which cannot be encoded.

    Raises RecursionError.
    """
    if depth > MAX_DEPTH:
        raise RecursionError
    if isinstance(value, dict):
        tidy: dict[str, Any] = {}
        for key, item in value.items():
            tidy[_tidy_text(str(key))] = _tidy(item, depth + 1)
        return tidy
    if isinstance(value, list):
        return [_tidy(item, depth + 1) for item in value]
    if isinstance(value, str):
        return _tidy_text(value)
    return value


def _tidy_text(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
