"""A workflow of the UI format that is being changed, as JSON.

Whatever is changed is copied first, and only that: the original stays as it is, and most of a file
of 300 kB is shared with it.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from comfygradio.conversion.ui_format import (
    LINK_KEYS,
    MAX_DEFINITION_DEPTH,
    SUBGRAPH_INPUT,
    UiLink,
    list_links,
    list_objects,
    to_id,
)

Json = dict[str, Any]

NAMESPACE = uuid.UUID("6f0b1f0e-6a0f-4a52-9a5f-3c1c5e4a9d11")
"""Ids of copied definitions are made in it: the same values give the same file."""


class FileDraft:
    """A file and the graphs in it. `data` is the changed file."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data: Json = dict(data)
        self._graphs: dict[str, GraphDraft] = {"": GraphDraft(self, self.data)}
        self._open_definitions(self.data, 0)
        self._last_node = _find_last_node(self._graphs.values())
        self._last_link = _find_last_link(self._graphs.values())

    def find_graph(self, graph_id: str) -> GraphDraft | None:
        """Find the root graph or a definition; None for a graph that the file does not hold."""
        return self._graphs.get(graph_id)

    def copy_definition(self, graph_id: str, mark: str) -> tuple[str, dict[str, str]] | None:
        """Copy the definition of a subgraph, with new ids for its nodes. `mark` says what the copy
        is for: another mark gives another id.

        Returns the id of the copy, and its nodes' old and new ids.
        """
        graph = self._graphs.get(graph_id)
        if graph is None or graph_id == "":
            return None
        copied = copy.deepcopy(graph.data)
        ids: dict[str, str] = {}
        for node in list_objects(copied.get("nodes")):
            ids[to_id(node.get("id"))] = self.take_node_id()
        _renumber(copied, ids)
        new_id = str(uuid.uuid5(NAMESPACE, f"{graph_id} {mark}"))
        copied["id"] = new_id
        # Definitions inside of it stay where they are.
        copied.pop("definitions", None)
        self.data["definitions"]["subgraphs"].append(copied)
        self._graphs[new_id] = GraphDraft(self, copied)
        return new_id, ids

    def take_node_id(self) -> str:
        """Take an id that no node of the file has."""
        self._last_node += 1
        _raise_count(self.data, "last_node_id", "lastNodeId", self._last_node)
        return str(self._last_node)

    def take_link_id(self) -> int:
        """Take an id that no link of the file has."""
        self._last_link += 1
        _raise_count(self.data, "last_link_id", "lastLinkId", self._last_link)
        return self._last_link

    def _open_definitions(self, holder: Json, depth: int) -> None:
        definitions = holder.get("definitions")
        if not isinstance(definitions, dict) or depth > MAX_DEFINITION_DEPTH:
            return
        listed = definitions.get("subgraphs")
        if not isinstance(listed, list):
            return
        copies = [dict(entry) if isinstance(entry, dict) else entry for entry in listed]
        holder["definitions"] = {**definitions, "subgraphs": copies}
        # The first definition of an id counts, and outer ones before those inside of others.
        for entry in list_objects(copies):
            graph_id = to_id(entry.get("id"))
            if graph_id and graph_id not in self._graphs:
                assert isinstance(entry, dict)
                self._graphs[graph_id] = GraphDraft(self, entry)
        for entry in list_objects(copies):
            assert isinstance(entry, dict)
            self._open_definitions(entry, depth + 1)


class GraphDraft:
    """The nodes and links of one graph of the file."""

    def __init__(self, file: FileDraft, data: Json) -> None:
        self.data = data
        self._file = file
        self._nodes: dict[str, int] | None = None
        self._own: set[str] = set()

    def edit_node(self, node_id: str) -> Json | None:
        """Return a node to be changed; None if there is none of this id."""
        position = self._find_positions().get(node_id)
        if position is None:
            return None
        nodes = self.data["nodes"]
        if node_id not in self._own:
            self._own.add(node_id)
            nodes[position] = dict(nodes[position])
        node: Json = nodes[position]
        return node

    def take_node_id(self) -> str:
        """Take an id that no node of the file has."""
        return self._file.take_node_id()

    def add_node(self, node: Json) -> None:
        """Add a node behind the others."""
        positions = self._find_positions()
        node_id = to_id(node["id"])
        positions[node_id] = len(self.data["nodes"])
        self._own.add(node_id)
        self.data["nodes"].append(node)

    def connect(
        self, origin: str, origin_slot: int, target: str, name: str, kind: str, is_widget: bool
    ) -> None:
        """Feed an input of a node from an output, or from an input of the subgraph (-10)."""
        node = self.edit_node(target)
        if node is None:
            return
        number, entry = _edit_input(node, name)
        if entry is None:
            entry = {"name": name, "type": kind, "link": None}
            if is_widget:
                entry["widget"] = {"name": name}
            number = len(node["inputs"])
            node["inputs"].append(entry)
        known = to_id(entry.get("link"))
        if known and self._find_link(known) is not None:
            self._move_link(known, origin, origin_slot)
            return
        link_id = self._file.take_link_id()
        entry["link"] = link_id
        ends = (self._to_raw(origin), origin_slot, self._to_raw(target), number)
        row: Any = [link_id, *ends, kind]
        if self._has_link_objects():
            row = dict(zip((*LINK_KEYS, "type"), row, strict=True))
        self._edit_links().append(row)
        self._add_to_origin(origin, origin_slot, link_id)

    def disconnect(self, target: str, name: str) -> None:
        """Remove the link that feeds an input of a node."""
        node = self.edit_node(target)
        if node is None:
            return
        _, entry = _edit_input(node, name)
        if entry is None:
            return
        link_id = to_id(entry.get("link"))
        entry["link"] = None
        # A broken link may have no id either.
        position = self._find_link(link_id) if link_id else None
        if position is None:
            return
        links = self._edit_links()
        link = UiLink.parse(links[position])
        del links[position]
        self._leave_reroutes(link_id)
        if link is not None:
            self._remove_from_origin(link)

    def _move_link(self, link_id: str, origin: str, origin_slot: int) -> None:
        """Let a link begin at another output."""
        position = self._find_link(link_id)
        assert position is not None
        links = self._edit_links()
        row = links[position]
        link = UiLink.parse(row)
        assert link is not None
        if isinstance(row, dict):
            row = {**row, "origin_id": self._to_raw(origin), "origin_slot": origin_slot}
            row.pop("parentId", None)
        else:
            row = [row[0], self._to_raw(origin), origin_slot, *row[3:]]
        links[position] = row
        self._leave_reroutes(link_id)
        self._remove_from_origin(link)
        raw_id = row["id"] if isinstance(row, dict) else row[0]
        self._add_to_origin(origin, origin_slot, raw_id)

    def _add_to_origin(self, origin: str, slot: int, link_id: Any) -> None:
        listed = self._edit_origin(origin, slot)
        if listed is not None:
            listed.append(link_id)

    def _remove_from_origin(self, link: UiLink) -> None:
        listed = self._edit_origin(link.origin, link.origin_slot)
        if listed is not None:
            listed[:] = [entry for entry in listed if to_id(entry) != link.id]

    def _edit_origin(self, origin: str, slot: int) -> list[Any] | None:
        """Return the list of links of an output, or of an input of the subgraph, to be changed."""
        key = "links"
        holder: Json | None = self.edit_node(origin)
        slots = "outputs"
        if origin == SUBGRAPH_INPUT:
            key = "linkIds"
            holder = self.data
            slots = "inputs"
        if holder is None or not isinstance(holder.get(slots), list):
            return None
        if not 0 <= slot < len(holder[slots]) or not isinstance(holder[slots][slot], dict):
            return None
        holder[slots] = list(holder[slots])
        entry = dict(holder[slots][slot])
        holder[slots][slot] = entry
        listed = entry.get(key)
        entry[key] = list(listed) if isinstance(listed, list) else []
        links: list[Any] = entry[key]
        return links

    def _leave_reroutes(self, link_id: str) -> None:
        """Take a link out of the reroutes that it is drawn through, which belong to its origin."""
        extra = self.data.get("extra")
        for holder in (self.data, extra):
            if not isinstance(holder, dict) or not isinstance(holder.get("reroutes"), list):
                continue
            reroutes = []
            for entry in holder["reroutes"]:
                if isinstance(entry, dict) and isinstance(entry.get("linkIds"), list):
                    kept = [known for known in entry["linkIds"] if to_id(known) != link_id]
                    entry = {**entry, "linkIds": kept}
                reroutes.append(entry)
            if holder is extra:
                self.data["extra"] = {**extra, "reroutes": reroutes}
                extra = self.data["extra"]
            else:
                holder["reroutes"] = reroutes
        if isinstance(extra, dict) and isinstance(extra.get("linkExtensions"), list):
            kept = []
            for entry in extra["linkExtensions"]:
                if not isinstance(entry, dict) or to_id(entry.get("id")) != link_id:
                    kept.append(entry)
            self.data["extra"] = {**extra, "linkExtensions": kept}

    def _find_positions(self) -> dict[str, int]:
        if self._nodes is None:
            self._nodes = {}
            self.data["nodes"] = list(self.data.get("nodes") or ())
            for position, node in enumerate(self.data["nodes"]):
                if isinstance(node, dict):
                    # As the converter reads it, the first node of an id counts.
                    self._nodes.setdefault(to_id(node.get("id")), position)
        return self._nodes

    def _edit_links(self) -> list[Any]:
        links = list(list_links(self.data))
        self.data["links"] = links
        return links

    def _find_link(self, link_id: str) -> int | None:
        found = None
        for position, row in enumerate(list_links(self.data)):
            link = UiLink.parse(row)
            if link is not None and link.id == link_id:
                # As the converter reads it, the last link of an id counts.
                found = position
        return found

    def _has_link_objects(self) -> bool:
        for row in list_links(self.data):
            return isinstance(row, dict)
        # Definitions and files of version 1 have objects.
        return "last_link_id" not in self.data

    def _to_raw(self, node_id: str) -> Any:
        """Return an id as the file writes it: most are numbers."""
        position = self._find_positions().get(node_id)
        if position is not None:
            return self.data["nodes"][position].get("id")
        return int(node_id) if node_id == SUBGRAPH_INPUT else node_id


def _edit_input(node: Json, name: str) -> tuple[int, Json | None]:
    """Return the input of this name to be changed, and its number; else the input that was renamed
    and still stands for the widget of this name.
    """
    inputs = node.get("inputs")
    node["inputs"] = list(inputs) if isinstance(inputs, list) else []
    for read in (_read_name, _read_widget):
        for number, entry in enumerate(node["inputs"]):
            if isinstance(entry, dict) and read(entry) == name:
                copied = dict(entry)
                node["inputs"][number] = copied
                return number, copied
    return len(node["inputs"]), None


def _read_name(entry: Mapping[str, Any]) -> Any:
    return entry.get("name")


def _read_widget(entry: Mapping[str, Any]) -> Any:
    widget = entry.get("widget")
    return widget.get("name") if isinstance(widget, dict) else None


def _renumber(graph: Json, ids: Mapping[str, str]) -> None:
    """Give the nodes of a copied definition new ids, also where others name them."""

    def rename(value: Any) -> Any:
        new = ids.get(to_id(value))
        if new is None:
            return value
        return new if isinstance(value, str) else int(new)

    for node in list_objects(graph.get("nodes")):
        assert isinstance(node, dict)
        node["id"] = rename(node.get("id"))
    links = graph.get("links")
    rows = list(links.values()) if isinstance(links, dict) else links
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict):
            row["origin_id"] = rename(row.get("origin_id"))
            row["target_id"] = rename(row.get("target_id"))
        elif isinstance(row, list) and len(row) >= len(LINK_KEYS):
            row[1] = rename(row[1])
            row[3] = rename(row[3])
    for widget in list_objects(graph.get("widgets")):
        assert isinstance(widget, dict)
        widget["id"] = rename(widget.get("id"))


def rename_proxies(host: Json, ids: Mapping[str, str]) -> None:
    """Let the promoted widgets of an instance name the nodes of a copied definition."""
    properties = host.get("properties")
    if not isinstance(properties, dict):
        return
    proxies = properties.get("proxyWidgets")
    if not isinstance(proxies, list):
        return
    renamed = []
    for entry in proxies:
        if isinstance(entry, list) and entry:
            new = ids.get(to_id(entry[0]))
            entry = [new if new is not None else entry[0], *entry[1:]]
        renamed.append(entry)
    host["properties"] = {**properties, "proxyWidgets": renamed}


def _find_last_node(graphs: Iterable[GraphDraft]) -> int:
    last = 0
    for graph in graphs:
        last = max(last, _read_count(graph.data, "last_node_id", "lastNodeId"))
        for node in list_objects(graph.data.get("nodes")):
            last = max(last, _to_number(node.get("id")))
    return last


def _find_last_link(graphs: Iterable[GraphDraft]) -> int:
    last = 0
    for graph in graphs:
        last = max(last, _read_count(graph.data, "last_link_id", "lastLinkId"))
        for row in list_links(graph.data):
            link = UiLink.parse(row)
            if link is not None:
                last = max(last, _to_number(link.id))
    return last


def _read_count(graph: Mapping[str, Any], key: str, state_key: str) -> int:
    count = _to_number(graph.get(key))
    state = graph.get("state")
    if isinstance(state, dict):
        count = max(count, _to_number(state.get(state_key)))
    return count


def _raise_count(graph: Json, key: str, state_key: str, count: int) -> None:
    """Note the highest id in use, where the graph notes it."""
    if key in graph:
        graph[key] = max(count, _to_number(graph[key]))
    state = graph.get("state")
    if isinstance(state, dict) and state_key in state:
        graph["state"] = {**state, state_key: max(count, _to_number(state[state_key]))}


def _to_number(value: Any) -> int:
    text = to_id(value)
    return int(text) if text.isdecimal() and len(text) < 16 else 0
