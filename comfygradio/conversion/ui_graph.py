"""A graph of the UI format: the root graph, or the definition of a subgraph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from comfygradio.conversion.budget import measure
from comfygradio.conversion.ui_format import (
    SUBGRAPH_INPUT,
    SUBGRAPH_OUTPUT,
    UiLink,
    list_objects,
    map_links,
    map_nodes,
    to_id,
)

MUTED = 2
BYPASSED = 4

MAX_TYPE = 2000
"""Maximum length of a type, which may be a union of many. A longer one counts as any type."""


@dataclass(frozen=True)
class UiInput:
    """An input of a node. `link` is the id of the link that feeds it, and `widget` the name of the
    widget that it stands for; both may be "".
    """

    name: str
    type: str
    link: str = ""
    widget: str = ""

    @property
    def is_widget(self) -> bool:
        """Whether the input stands for a widget."""
        return self.widget != ""


@dataclass(frozen=True)
class GroupSource:
    """The group node whose values a node inside of it has: its graph, its id, and the positions
    there, -1 for a value that only the definition has.
    """

    graph: str
    node: str
    positions: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class UiNode:
    """A node as the file has it. `values` are its `widgets_values`, a list or an object. `source`
    says where these stand if it is not the node itself.
    """

    id: str
    type: str
    mode: int
    title: str
    inputs: tuple[UiInput, ...]
    output_types: tuple[str, ...]
    values: list[Any] | dict[str, Any] | None
    named_values: Mapping[str, Any]
    properties: Mapping[str, Any] = field(repr=False)
    source: GroupSource | None = None

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> UiNode:
        """Parse a node tolerantly: what has the wrong type counts as missing."""
        inputs = []
        for entry in list_objects(data.get("inputs")):
            inputs.append(_parse_input(entry))
        output_types = []
        for entry in list_objects(data.get("outputs")):
            output_types.append(_to_type(entry.get("type")))
        values = data.get("widgets_values")
        if not isinstance(values, list | dict):
            values = None
        title = data.get("title")
        mode = data.get("mode")
        return cls(
            id=to_id(data.get("id")),
            type=to_id(data.get("type")),
            mode=mode if isinstance(mode, int) else 0,
            title=title if isinstance(title, str) else "",
            inputs=tuple(inputs),
            output_types=tuple(output_types),
            values=values,
            named_values=_to_object(data.get("widgets_values_named")),
            properties=_to_object(data.get("properties")),
        )

    @cached_property
    def linked_inputs(self) -> Mapping[str, UiInput]:
        """The inputs that links feed, by the id of the link."""
        return {entry.link: entry for entry in self.inputs if entry.link}

    def list_values(self) -> dict[int | str, Any]:
        """List its values by position or key."""
        listed: dict[int | str, Any] = {}
        if isinstance(self.values, dict):
            listed.update(self.values)
        else:
            listed.update(enumerate(self.values or ()))
        return listed

    @property
    def is_off(self) -> bool:
        """Whether the node is muted or bypassed."""
        return self.mode in (MUTED, BYPASSED)


@dataclass(frozen=True)
class UiSlot:
    """An input or output of a subgraph. `links` are the ids of its links inside."""

    name: str
    type: str
    links: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class UiGraph:
    """The nodes and links of a graph by id. `id` is "" for the root graph. `size` is how much each
    instance of it takes off the budget.
    """

    id: str
    nodes: Mapping[str, UiNode]
    links: Mapping[str, UiLink]
    inputs: tuple[UiSlot, ...] = ()
    outputs: tuple[UiSlot, ...] = ()
    size: int = 0

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The numbers of the inputs by name. Of two with the same name, the first one counts."""
        numbers: dict[str, int] = {}
        for number, slot in enumerate(self.inputs):
            numbers.setdefault(slot.name, number)
        return numbers

    @cached_property
    def feeding(self) -> frozenset[str]:
        """The ids of the nodes that feed others."""
        return frozenset(link.origin for link in self.links.values())

    @classmethod
    def parse(cls, data: Mapping[str, Any], graph_id: str) -> UiGraph:
        """Parse the graph of a workflow or of a subgraph's definition."""
        links = map_links(data)
        return cls(
            id=graph_id,
            nodes={node_id: UiNode.parse(entry) for node_id, entry in map_nodes(data).items()},
            links=links,
            inputs=_parse_slots(data.get("inputs"), links, is_input=True),
            outputs=_parse_slots(data.get("outputs"), links, is_input=False),
            size=measure(data),
        )


def _parse_input(entry: Mapping[str, Any]) -> UiInput:
    name = entry.get("name")
    if not isinstance(name, str):
        name = ""
    widget: Any = entry.get("widget")
    if isinstance(widget, dict):
        widget = widget.get("name", name)
    return UiInput(
        name=name,
        type=_to_type(entry.get("type")),
        link=to_id(entry.get("link")),
        widget=widget if isinstance(widget, str) else "",
    )


def _parse_slots(
    entries: Any, links: Mapping[str, UiLink], *, is_input: bool
) -> tuple[UiSlot, ...]:
    """Parse the inputs or outputs of a subgraph. Each lists its links; where it does not, the
    links themselves say it.
    """
    ids_by_number = _group_links(links, is_input=is_input)
    slots = []
    for number, entry in enumerate(list_objects(entries)):
        listed = entry.get("linkIds")
        if isinstance(listed, list):
            ids = [to_id(link_id) for link_id in listed]
        else:
            ids = ids_by_number.get(number, [])
        name = entry.get("name")
        slot = UiSlot(
            name=name if isinstance(name, str) else "",
            type=_to_type(entry.get("type")),
            links=tuple(link_id for link_id in ids if link_id in links),
        )
        slots.append(slot)
    return tuple(slots)


def _group_links(links: Mapping[str, UiLink], *, is_input: bool) -> dict[int, list[str]]:
    """Group the links of a subgraph's inputs or outputs by the number of these."""
    groups: dict[int, list[str]] = {}
    for link in links.values():
        node_id = link.origin if is_input else link.target
        number = link.origin_slot if is_input else link.target_slot
        is_found = node_id == (SUBGRAPH_INPUT if is_input else SUBGRAPH_OUTPUT)
        if is_found:
            groups.setdefault(number, []).append(link.id)
    return groups


def _to_type(value: Any) -> str:
    """Write the type of an input or output as text. Combos of old files have their list there."""
    if isinstance(value, list):
        return "COMBO"
    if isinstance(value, str) and len(value) <= MAX_TYPE:
        return value
    # Old files have 0 and -1 for any type.
    return "*"


def _to_object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
