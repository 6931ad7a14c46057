"""Bypass nodes of a graph as ComfyUI's own page does: outputs are fed from inputs of a matching
type.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from comfygradio.comfy.object_info import InputSpec, ObjectInfo
from comfygradio.comfy.workflow import Link
from comfygradio.forms.literals import LITERAL_TYPES

Graph = Mapping[str, Mapping[str, Any]]

ANY_TYPE = ("*", "")
AUTOGROW = "COMFY_AUTOGROW_V3"
MATCH_TYPE = "COMFY_MATCHTYPE_V3"
# As in ComfyUI (v0.33.0): no row of inputs grows longer.
MAX_AUTOGROW = 100
WIDGET_TYPES = LITERAL_TYPES | {"CURVE", "BOUNDING_BOX"}
"""Input types for which ComfyUI's page draws a widget; a form cannot fill the last two."""


class Socket(NamedTuple):
    """One input of a bypassed node, and what feeds it."""

    type: str
    link: Link | None


def bypass_nodes(
    graph: dict[str, dict[str, Any]], node_ids: Collection[str], object_info: ObjectInfo
) -> list[tuple[str, str]]:
    """Remove nodes from an API-format graph in place. Unknown ids are ignored.

    What an output fed is then fed by the node's input at the same position if the types match, else
    by its first input of exactly the requested type, else by the first that matches. An input
    counts even if nothing feeds it. Inputs left without a source (unknown class, no match, a cycle)
    are removed and returned as (node id, input).
    """
    bypassed: dict[str, dict[str, Any]] = {}
    for node_id in node_ids:
        if node_id in graph:
            bypassed[node_id] = graph.pop(node_id)
    lost: list[tuple[str, str]] = []
    for node_id, node in graph.items():
        inputs = node["inputs"]
        links = {name: Link.parse(value) for name, value in inputs.items()}
        for name, link in links.items():
            if link is None or link.node_id not in bypassed:
                continue
            wanted = _find_type(node, name, object_info)
            source = _follow(link, wanted, bypassed, object_info)
            if source and source.node_id in graph:
                inputs[name] = [source.node_id, source.slot]
            else:
                lost.append((node_id, name))
    for node_id, name in lost:
        del graph[node_id]["inputs"][name]
    return lost


def find_lost_required(
    graph: Graph, lost: Iterable[tuple[str, str]], object_info: ObjectInfo
) -> list[tuple[str, str]]:
    """Find the lost inputs without which their node cannot run. The server never fills in a
    required input.
    """
    required: list[tuple[str, str]] = []
    for node_id, name in dict.fromkeys(lost):
        if node_id not in graph:
            continue
        spec = _find_spec(graph[node_id], name, object_info)
        if spec and spec.group == "required":
            required.append((node_id, name))
    return required


def _follow(
    link: Link, wanted: str | None, bypassed: Graph, object_info: ObjectInfo
) -> Link | None:
    """Follow a link upstream to the first node that is not bypassed. Returns None if
    there is none.
    """
    seen: set[Link] = set()
    source: Link | None = link
    while source and source.node_id in bypassed:
        if source in seen:
            return None
        seen.add(source)
        socket = _choose_socket(bypassed[source.node_id], source.slot, wanted, object_info)
        if socket is None:
            return None
        source = socket.link
        # A wildcard becomes the type of the first input that it passes through.
        if wanted in ANY_TYPE:
            wanted = socket.type
    return source


def _choose_socket(
    node: Mapping[str, Any], slot: int, wanted: str | None, object_info: ObjectInfo
) -> Socket | None:
    """Choose the input that replaces an output. If no type is requested, the output's own type
    counts.
    """
    definition = object_info.get(node["class_type"])
    if definition is None or not 0 <= slot < len(definition.output_types):
        return None
    sockets = _list_sockets(node, object_info)
    # The rules and their order are those of the frontend (ExecutableNodeDTO.ts, 1.58).
    same_place = sockets[slot : slot + 1]
    given = definition.output_types[slot].replace(MATCH_TYPE, "*")
    # An unknown input asks for what the output gives.
    asked = given if wanted is None else wanted
    if asked in ANY_TYPE:
        return next(iter(same_place or sockets), None)
    fitting = [
        socket
        for socket in sockets
        if _types_match(socket.type, given) and _types_match(socket.type, asked)
    ]
    for socket in same_place:
        if socket in fitting:
            return socket
    for socket in sockets:
        if socket.type == asked:
            return socket
    return fitting[0] if fitting else None


def _list_sockets(node: Mapping[str, Any], object_info: ObjectInfo) -> list[Socket]:
    """List the inputs in the order of ComfyUI's page: first those that need a link, then those with
    a widget.
    """
    inputs = node["inputs"]
    definition = object_info.nodes[node["class_type"]]
    names: list[str] = []
    for spec in sorted(definition.inputs.values(), key=_has_widget):
        names.append(spec.name)
        # Of a row or a dynamic combo the inputs follow that this node has: images.image0.
        names.extend(name for name in inputs if name.startswith(f"{spec.name}."))
    sockets: list[Socket] = []
    for name in names:
        kind = _find_type(node, name, object_info)
        # A growing row has no socket itself, only its inputs have.
        if kind is not None and kind != AUTOGROW:
            link = Link.parse(inputs.get(name))
            sockets.append(Socket(kind, link))
    return sockets


def _has_widget(spec: InputSpec) -> bool:
    if spec.options.get("forceInput"):
        return False
    return bool(spec.types & WIDGET_TYPES)


def _find_type(node: Mapping[str, Any], name: str, object_info: ObjectInfo) -> str | None:
    """Return the type of an input, or None if the server does not know it."""
    spec = _find_spec(node, name, object_info)
    if spec is None:
        return None
    if spec.type != MATCH_TYPE:
        return spec.type
    template = _mapping(spec.options.get("template"))
    allowed = template.get("allowed_types")
    return allowed if isinstance(allowed, str) else "*"


def _find_spec(node: Mapping[str, Any], name: str, object_info: ObjectInfo) -> InputSpec | None:
    """Return the spec of an input, also inside a growing row of inputs (`images.image0`)."""
    class_type = node["class_type"]
    inputs = node["inputs"]
    spec = object_info.spec(class_type, name, inputs)
    row, _, item = name.rpartition(".")
    if spec or not row:
        return spec
    parent = object_info.spec(class_type, row, inputs)
    if parent is None or parent.type != AUTOGROW:
        return None
    return _build_autogrow_spec(parent, item)


def _build_autogrow_spec(parent: InputSpec, item: str) -> InputSpec | None:
    """Build the spec of one input of a growing row. The first `min` inputs are required if the
    row's pattern is.
    """
    name = f"{parent.name}.{item}"
    template = _mapping(parent.options.get("template"))
    patterns = _mapping(template.get("input"))
    required = _mapping(patterns.get("required"))
    if required:
        pattern = next(iter(required.values()))
        is_needed = item in _list_required_names(template)
        return InputSpec.from_json(name, "required" if is_needed else "optional", pattern)
    optional = _mapping(patterns.get("optional"))
    if not optional:
        return None
    pattern = next(iter(optional.values()))
    return InputSpec.from_json(name, "optional", pattern)


def _list_required_names(template: Mapping[str, Any]) -> list[Any]:
    least = template.get("min")
    count = min(least, MAX_AUTOGROW) if isinstance(least, int) else 0
    names = template.get("names")
    if isinstance(names, list):
        return names[:count]
    prefix = template.get("prefix")
    return [f"{prefix}{place}" for place in range(count)]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _types_match(one: str, other: str) -> bool:
    """Whether a link between these types is allowed: they are equal, one is a wildcard, or their
    unions overlap.
    """
    if one in ANY_TYPE or other in ANY_TYPE:
        return True
    mine = set(one.casefold().split(","))
    theirs = set(other.casefold().split(","))
    if "*" in mine or "*" in theirs:
        return True
    return not mine.isdisjoint(theirs)
