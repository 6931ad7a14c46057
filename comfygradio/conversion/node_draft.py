"""The JSON of one node of a file: its values, rewritten, and a whole node that is added."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfygradio.conversion.catalogue import Catalogue
from comfygradio.conversion.node_class import DYNAMIC_COMBO
from comfygradio.conversion.placement import MAX_WIDGETS, LeftValue
from comfygradio.conversion.promotion import ON_INSTANCE
from comfygradio.conversion.ui_format import list_objects, to_id
from comfygradio.conversion.ui_graph import UiNode
from comfygradio.conversion.widget import Widget, list_widgets

Json = dict[str, Any]

NAMED = "widgets_values_named"

QUARANTINE = "proxyWidgetErrorQuarantine"

GAP = 30
"""Distance between an added node and the one that it stands beside, in pixels."""

WIDTH = 300
ROW = 26
"""Width of an added node, and height of one of its rows."""


def write_values(
    node: Json, values: Mapping[str, Any], catalogue: Catalogue
) -> tuple[LeftValue, ...]:
    """Write the values of widgets, by name, into a node that may be changed.

    Where they are a list and the widgets change with a choice, the file holds no value for one of
    them, or it has them in the order of another version of the node, the whole list is written
    anew as this server's node has it. Returns the values that no widget takes, and that are not in
    the list for this reason.
    """
    parsed = UiNode.parse(node)
    placement = catalogue.place(parsed)
    widgets = placement.widgets
    stored = node.get("widgets_values")
    if isinstance(stored, dict):
        node["widgets_values"] = {**stored, **values}
        write_named(node, values)
        return ()
    if placement.reason and not placement.is_in_order:
        _write_all(node, parsed, values, catalogue)
        return placement.left
    written = list(stored) if isinstance(stored, list) else []
    for name, value in values.items():
        placed = widgets.get(name)
        if placed is None:
            continue
        # The page replaces the index of a choice among options in the node itself.
        if placed.index is None and not placed.widget.is_saved:
            continue
        is_there = isinstance(placed.index, int) and placed.widget.kind != DYNAMIC_COMBO
        if not is_there:
            _write_all(node, parsed, values, catalogue)
            return placement.left
        assert isinstance(placed.index, int)
        written[placed.index] = value
    node["widgets_values"] = written
    write_named(node, values)
    return ()


def write_list(node: Json, values: Mapping[str, Any]) -> None:
    """Write all values of a node, in this order."""
    node["widgets_values"] = list(values.values())
    if isinstance(node.get(NAMED), dict):
        node[NAMED] = dict(values)


def write_named(node: Json, values: Mapping[str, Any]) -> None:
    """Write values into the named values of a node, where it has these names."""
    named = node.get(NAMED)
    if not isinstance(named, dict):
        return
    known = {name: value for name, value in values.items() if name in named}
    node[NAMED] = {**named, **known}


def write_place(node: Json, index: int | str | None, name: str, value: Any) -> None:
    """Write a value that stands at a known position or under a known key."""
    stored = node.get("widgets_values")
    if isinstance(stored, dict) and isinstance(index, str):
        node["widgets_values"] = {**stored, index: value}
    elif isinstance(stored, list) and isinstance(index, int) and index < len(stored):
        node["widgets_values"] = [*stored[:index], value, *stored[index + 1 :]]
    write_named(node, {name: value})
    _write_quarantined(node, name, value)


def holds_value(node: UiNode, name: str) -> bool:
    """Whether an instance has a promoted value by its name, and at no position."""
    return any(_is_of(entry, name) for entry in list_objects(node.properties.get(QUARANTINE)))


def make_node(
    node_id: str, class_type: str, title: str, values: Mapping[str, Any], catalogue: Catalogue
) -> Json:
    """Make a node without links, as ComfyUI's page would save it."""
    node_class = catalogue.find_class(class_type)
    stub: Json = {"id": int(node_id), "type": class_type, "inputs": []}
    slots = catalogue.list_inputs(UiNode.parse(stub))
    inputs = []
    names = set()
    if node_class is not None:
        names = {widget.name for widget in list_widgets(node_class)}
    for slot in slots:
        entry: Json = {"name": slot.name, "type": slot.type, "link": None}
        if slot.name in names:
            entry["widget"] = {"name": slot.name}
        inputs.append(entry)
    outputs = []
    for kind in node_class.output_types if node_class else ():
        outputs.append({"name": kind, "type": kind, "links": []})
    rows = len(inputs) + len(outputs) + 1
    node: Json = {
        **stub,
        "pos": [0, 0],
        "size": [WIDTH, ROW * rows],
        "flags": {},
        "order": 0,
        "mode": 0,
        "inputs": inputs,
        "outputs": outputs,
        "title": title,
        "properties": {"Node name for S&R": class_type},
        "widgets_values": [],
    }
    _write_all(node, UiNode.parse(node), values, catalogue)
    return node


def put_beside(node: Json, other: Mapping[str, Any], number: int) -> None:
    """Put an added node below another one; the further ones of one chain stand to the right."""
    left, top = _read_pair(other.get("pos"), (0.0, 0.0))
    _, height = _read_pair(other.get("size"), (WIDTH, 100.0))
    node["pos"] = [left + number * (WIDTH + GAP), top + height + 2 * GAP]


def _read_pair(value: Any, default: tuple[float, float]) -> tuple[float, float]:
    """Read a position or size: a list, or an object with the keys 0 and 1."""
    if isinstance(value, dict):
        value = [value.get("0"), value.get("1")]
    if not isinstance(value, list) or len(value) < 2:
        return default
    first, second = value[:2]
    if isinstance(first, int | float) and isinstance(second, int | float):
        return first, second
    return default


def _write_all(node: Json, parsed: UiNode, values: Mapping[str, Any], catalogue: Catalogue) -> None:
    """Write the whole list of a node's values, those that stay included."""
    node_class = catalogue.find_class(parsed.type)
    if node_class is None:
        return
    before = catalogue.place(parsed).widgets
    linked = frozenset(entry.name for entry in parsed.inputs if entry.link)
    # Of a pack's own types, those inputs are widgets that were placed as such.
    waiting = list(reversed(list_widgets(node_class, linked, before.keys())))
    written: list[Any] = []
    named: Json = {}
    seen: set[str] = set()
    while waiting and len(written) < MAX_WIDGETS:
        widget = waiting.pop()
        if widget.grows:
            for name in _list_grown(widget, values, before):
                known = before.get(name)
                written.append(values.get(name, known.value if known else widget.default))
                named[name] = written[-1]
            continue
        key = widget.name
        # Controls and buttons may share a name, as `placement` numbers them.
        if key in seen and not widget.is_posted:
            key = f"{key}#{len(seen)}"
        seen.add(key)
        value = widget.default
        if key in before:
            value = before[key].value
        value = values.get(widget.name, value) if widget.is_posted else value
        if not widget.is_saved:
            continue
        written.append(value)
        named[widget.name] = value
        waiting.extend(reversed(widget.list_added(value)))
    node["widgets_values"] = written
    if isinstance(node.get(NAMED), dict):
        node[NAMED] = named


def _list_grown(widget: Widget, values: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    """List the names of the widgets that a growing one stands for."""
    names: list[str] = []
    while True:
        name = f"{widget.name}{len(names) + 1}"
        if name not in values and name not in before:
            return names
        names.append(name)


def _write_quarantined(node: Json, name: str, value: Any) -> None:
    """Write a promoted value that an earlier ComfyUI could not attach: it counts before others."""
    properties = node.get("properties")
    if not isinstance(properties, dict):
        return
    entries = []
    for entry in list_objects(properties.get(QUARANTINE)):
        if _is_of(entry, name):
            entry = {**entry, "hostValue": value}
        entries.append(entry)
    if entries:
        node["properties"] = {**properties, QUARANTINE: entries}


def _is_of(entry: Mapping[str, Any], name: str) -> bool:
    """Whether an entry is that of an input of the subgraph, and not of a widget inside."""
    original = entry.get("originalEntry")
    if not isinstance(original, list) or len(original) < 2:
        return False
    return to_id(original[0]) == ON_INSTANCE and original[1] == name
