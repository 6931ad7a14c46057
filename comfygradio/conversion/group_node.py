"""Group nodes, which ComfyUI had before subgraphs: each is read as an instance of a subgraph.

`extra.groupNodes` has their definitions. A group node shows the free inputs of its inner nodes one
after another, and so it stores the values of their widgets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from comfygradio.conversion.budget import measure
from comfygradio.conversion.catalogue import Catalogue
from comfygradio.conversion.page_nodes import PRIMITIVE
from comfygradio.conversion.placement import PlacedValue
from comfygradio.conversion.scope import MAX_DEPTH
from comfygradio.conversion.shown_text import CANNOT, show_name
from comfygradio.conversion.ui_format import (
    SUBGRAPH_INPUT,
    SUBGRAPH_OUTPUT,
    UiLink,
    list_objects,
    to_id,
    to_slot,
)
from comfygradio.conversion.ui_graph import GroupSource, UiGraph, UiInput, UiNode, UiSlot
from comfygradio.conversion.widget import CONTROL_WORDS
from comfygradio.errors import WorkflowError

PREFIXES = ("workflow>", "workflow/")
"""What precedes the name of a group node's definition in its type."""


def open_group_nodes(
    data: Mapping[str, Any],
    root: UiGraph,
    definitions: Mapping[str, UiGraph],
    catalogue: Catalogue,
) -> tuple[UiGraph, dict[str, UiGraph]]:
    """Read all group nodes as instances of subgraphs. Returns the root graph and the definitions.

    Raises WorkflowError.
    """
    groups = find_groups(data)
    if not groups:
        return root, dict(definitions)
    opened: dict[str, UiGraph] = {}
    waiting: list[tuple[str, UiGraph, tuple[str, ...]]] = [("", root, ())]
    waiting += [(key, graph, ()) for key, graph in definitions.items()]
    sizes: dict[str, int] = {}
    count = 0
    # The list grows while it is walked: group nodes may contain others.
    for key, graph, outer in waiting:
        nodes = dict(graph.nodes)
        for node in graph.nodes.values():
            name = name_group(node.type)
            if name not in groups:
                continue
            if name in outer:
                raise WorkflowError(f"{CANNOT} the group node {show_name(name)} contains itself.")
            if len(outer) >= MAX_DEPTH:
                raise WorkflowError(
                    f"{CANNOT} its group nodes are nested more than {MAX_DEPTH} deep."
                )
            if name not in sizes:
                sizes[name] = measure(groups[name])
            # Each group node is read by itself, because its values stand in the inner nodes.
            catalogue.budget.spend(sizes[name])
            count += 1
            inner_key = f"{PREFIXES[0]}#{count}"
            group = _Group(groups[name], node, graph.id, inner_key, catalogue)
            inner = group.open()
            if group.has_hidden and group.lacks_values:
                # Some files have no values of hidden widgets.
                group = _Group(
                    groups[name], node, graph.id, inner_key, catalogue, takes_hidden=False
                )
                inner = group.open()
            nodes[node.id] = replace(node, type=inner_key, values=group.list_left())
            waiting.append((inner_key, inner, (*outer, name)))
        opened[key] = replace(graph, nodes=nodes)
    return opened.pop(""), opened


def find_groups(data: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """Find the definitions of group nodes by name."""
    extra = data.get("extra")
    groups = extra.get("groupNodes") if isinstance(extra, dict) else None
    if not isinstance(groups, dict):
        return {}
    return {name: group for name, group in groups.items() if isinstance(group, dict)}


def name_group(type: str) -> str:
    """Name the definition of a group node by its type; "" for other nodes."""
    for prefix in PREFIXES:
        if type.startswith(prefix):
            return type[len(prefix) :]
    return ""


@dataclass
class _Inner:
    """A node of a group while it is read. `values` are its own, `positions` those of the group
    node's values that count instead.
    """

    index: str
    node: UiNode
    config: Mapping[str, Any]
    values: list[Any]
    positions: dict[int, int] = field(default_factory=dict)
    links: dict[int, str] = field(default_factory=dict)


class _Group:
    """Reads one group node. Its values are those of the widgets of all inner nodes, hidden ones
    included if `takes_hidden` is set.
    """

    def __init__(
        self,
        group: Mapping[str, Any],
        host: UiNode,
        graph_id: str,
        key: str,
        catalogue: Catalogue,
        takes_hidden: bool = True,
    ) -> None:
        self._group = group
        self._host = host
        self._graph_id = graph_id
        self._key = key
        self._catalogue = catalogue
        self._takes_hidden = takes_hidden
        self.has_hidden = False
        self.lacks_values = False
        self._links: dict[str, UiLink] = {}
        self._inputs: list[UiSlot] = []
        self._outputs: list[UiSlot] = []
        self._seen_names: dict[str, int] = {}
        self._position = 0

    def open(self) -> UiGraph:
        """Read the definition with the values of this group node."""
        inner = self._list_inner()
        linked_outputs = self._add_inner_links(inner)
        external = _list_pairs(self._group.get("external"))
        for entry in inner.values():
            self._add_inputs(entry)
        for entry in inner.values():
            self._add_outputs(entry, linked_outputs - external)
        nodes = {index: self._finish(entry) for index, entry in inner.items()}
        return UiGraph(
            id=self._key,
            nodes=nodes,
            links=self._links,
            inputs=tuple(self._inputs),
            outputs=tuple(self._outputs),
        )

    def list_left(self) -> list[Any] | dict[str, Any] | None:
        """List the values of the group node that no inner node took, at their positions. Inner
        nodes take none that have keys.
        """
        values = self._host.values
        if not isinstance(values, list):
            return values
        return [None] * self._position + values[self._position :]

    def _list_inner(self) -> dict[str, _Inner]:
        inner: dict[str, _Inner] = {}
        configs = self._group.get("config")
        for number, data in enumerate(list_objects(self._group.get("nodes"))):
            index = to_id(data.get("index", number))
            config = configs.get(index) if isinstance(configs, dict) else None
            node = UiNode.parse({**data, "id": index})
            node = replace(node, inputs=self._list_inputs(node))
            values = list(node.values) if isinstance(node.values, list) else []
            inner[index] = _Inner(index, node, config if isinstance(config, dict) else {}, values)
        return inner

    def _list_inputs(self, node: UiNode) -> tuple[UiInput, ...]:
        """List the inputs of an inner node without their links. The links of the group go by the
        inputs in the file; those that only the class has follow.
        """
        inputs = [replace(entry, link="") for entry in node.inputs]
        known = {entry.name for entry in inputs}
        if self._catalogue.find_class(node.type) is not None:
            widgets = self._catalogue.place(replace(node, inputs=tuple(inputs))).widgets
            for slot in self._catalogue.list_inputs(node):
                if slot.name not in known and slot.name not in widgets:
                    inputs.append(UiInput(slot.name, slot.type))
        return tuple(inputs)

    def _add_inner_links(self, inner: Mapping[str, _Inner]) -> set[tuple[str, int]]:
        """Add the links between inner nodes. Returns the outputs that they come from."""
        outputs: set[tuple[str, int]] = set()
        entries = self._group.get("links")
        for entry in entries if isinstance(entries, list) else ():
            if not isinstance(entry, list) or len(entry) < 4:
                continue
            origin, target = to_id(entry[0]), to_id(entry[2])
            origin_slot, target_slot = to_slot(entry[1]), to_slot(entry[3])
            if origin not in inner or target not in inner or min(origin_slot, target_slot) < 0:
                continue
            link = self._add_link(origin, origin_slot, target, target_slot)
            inner[target].links[target_slot] = link.id
            outputs.add((origin, origin_slot))
        return outputs

    def _add_inputs(self, entry: _Inner) -> None:
        """Add the free inputs of an inner node, and give its widgets their values."""
        node = entry.node
        hidden = _list_hidden(entry.config.get("input"))
        in_file = {slot.name for slot in node.inputs if slot.is_widget}
        if node.type == PRIMITIVE:
            self._take_primitive(entry)
        else:
            for name, placed in self._catalogue.place(node).widgets.items():
                # Widgets that had been made inputs of their node are no widgets of the group node.
                if placed.widget.is_saved and name not in in_file:
                    self._add_widget(entry, name, placed, is_hidden=name in hidden)
        for is_widget in (False, True):
            for number, slot in enumerate(node.inputs):
                if slot.is_widget != is_widget or number in entry.links or slot.name in hidden:
                    continue
                name = self._name_input(entry, slot.name)
                link = self._add_link(SUBGRAPH_INPUT, len(self._inputs), entry.index, number)
                entry.links[number] = link.id
                self._inputs.append(UiSlot(name, slot.type, (link.id,)))

    def _add_widget(
        self, entry: _Inner, name: str, placed: PlacedValue, *, is_hidden: bool
    ) -> None:
        """Add a widget of an inner node to those of the group node."""
        widget = placed.widget
        if widget.kind == "PAGE":
            # Of what only the page uses, the button for uploads has a value, always the same.
            is_next = widget.name == "upload" and self._read_next() == widget.default
            if is_next and isinstance(placed.index, int):
                self._take_value(entry, placed.index)
            return
        if is_hidden:
            self.has_hidden = True
            if not self._takes_hidden:
                return
        if isinstance(placed.index, int):
            self._take_value(entry, placed.index)
        if widget.kind != "CONTROL":
            self._name_input(entry, name)

    def _take_primitive(self, entry: _Inner) -> None:
        """Give a primitive node its value, and that of its control if it has one."""
        self._take_value(entry, 0)
        if self._read_next() in CONTROL_WORDS and len(entry.values) > 1:
            self._take_value(entry, 1)

    def _read_next(self) -> Any:
        values = self._host.values
        if not isinstance(values, list) or self._position >= len(values):
            return None
        return values[self._position]

    def _take_value(self, entry: _Inner, index: int) -> None:
        """Give a widget the next value of the group node."""
        values = self._host.values
        if not isinstance(values, list) or self._position >= len(values):
            self.lacks_values = True
            return
        while len(entry.values) <= index:
            entry.values.append(None)
        entry.values[index] = values[self._position]
        entry.positions[index] = self._position
        self._position += 1

    def _name_input(self, entry: _Inner, name: str) -> str:
        """Name an input of the group node: names that occur twice get the node's title."""
        node = entry.node
        own = entry.config.get("input")
        custom = own.get(name) if isinstance(own, dict) else None
        shown = custom.get("name") if isinstance(custom, dict) else None
        if not isinstance(shown, str) or not shown:
            shown = name
        key = shown
        if shown in self._seen_names or (node.type == PRIMITIVE and node.title):
            prefix = f"{node.title or node.type} "
            key = shown = f"{prefix}{name}"
            if shown in self._seen_names:
                shown = f"{prefix}{self._seen_names[shown]} {name}"
        self._seen_names[key] = self._seen_names.get(key, 1) + 1
        return shown

    def _add_outputs(self, entry: _Inner, taken: set[tuple[str, int]]) -> None:
        """Add the outputs of an inner node, except those that only other inner nodes use."""
        hidden = _list_hidden(entry.config.get("output"))
        for number, kind in enumerate(self._catalogue.list_output_types(entry.node)):
            if (entry.index, number) in taken or str(number) in hidden:
                continue
            link = self._add_link(entry.index, number, SUBGRAPH_OUTPUT, len(self._outputs))
            self._outputs.append(UiSlot(kind, kind, (link.id,)))

    def _add_link(self, origin: str, origin_slot: int, target: str, target_slot: int) -> UiLink:
        link = UiLink(str(len(self._links) + 1), origin, origin_slot, target, target_slot)
        self._links[link.id] = link
        return link

    def _finish(self, entry: _Inner) -> UiNode:
        """Make an inner node with its links and values."""
        inputs = []
        for number, slot in enumerate(entry.node.inputs):
            inputs.append(replace(slot, link=entry.links.get(number, "")))
        positions = [entry.positions.get(index, -1) for index in range(len(entry.values))]
        source = GroupSource(self._graph_id, self._host.id, tuple(positions))
        if self._host.source is not None:
            source = _go_outside(self._host.source, source)
        return replace(entry.node, inputs=tuple(inputs), values=entry.values, source=source)


def _go_outside(outer: GroupSource, inner: GroupSource) -> GroupSource:
    """Find where the values of a group node inside of another one stand."""
    positions = []
    for position in inner.positions:
        is_known = 0 <= position < len(outer.positions)
        positions.append(outer.positions[position] if is_known else -1)
    return GroupSource(outer.graph, outer.node, tuple(positions))


def _list_pairs(entries: Any) -> set[tuple[str, int]]:
    """Read pairs of a node's index and a slot."""
    pairs: set[tuple[str, int]] = set()
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, list) and len(entry) >= 2 and isinstance(entry[1], int):
            pairs.add((to_id(entry[0]), entry[1]))
    return pairs


def _list_hidden(config: Any) -> set[str]:
    """List the inputs or outputs that the author of a group node has hidden."""
    if not isinstance(config, dict):
        return set()
    hidden = set()
    for name, entry in config.items():
        if isinstance(entry, dict) and entry.get("visible") is False:
            hidden.add(name)
    return hidden
