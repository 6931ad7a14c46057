"""The JSON of the UI format: ids, lists of objects, links and definitions of subgraphs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_ID = 10**300
"""Maximum number that is an id or a slot."""

SLOT = re.compile(r"[0-9]{1,9}")
"""Matches the number of an input or output where a file has it as text."""

MAX_DEFINITION_DEPTH = 20
"""Maximum nesting of subgraph definitions inside one another."""

LINK_KEYS = ("id", "origin_id", "origin_slot", "target_id", "target_slot")
"""The keys of a link that is an object, in the order of a link that is a list."""

SUBGRAPH_INPUT = "-10"
"""The id of the node that feeds a subgraph from outside."""

SUBGRAPH_OUTPUT = "-20"
"""The id of the node that takes the results of a subgraph."""


@dataclass(frozen=True)
class UiLink:
    """A link from the output of one node to an input of another. Slots are numbers from 0; -1 is
    one that cannot be read.
    """

    id: str
    origin: str
    origin_slot: int
    target: str
    target_slot: int

    @classmethod
    def parse(cls, data: Any) -> UiLink | None:
        """Parse a link of any version: `[id, origin, slot, target, slot, type]`, or an object.
        Returns None for anything else.
        """
        if isinstance(data, dict):
            data = [data.get(key) for key in LINK_KEYS]
        if not isinstance(data, list) or len(data) < len(LINK_KEYS):
            return None
        link_id, origin, origin_slot, target, target_slot, *_ = data
        return cls(
            id=to_id(link_id),
            origin=to_id(origin),
            origin_slot=to_slot(origin_slot),
            target=to_id(target),
            target_slot=to_slot(target_slot),
        )


def to_id(value: Any) -> str:
    """Write an id as text. Ids are numbers or texts; anything else becomes ""."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    # Python refuses to write numbers of thousands of digits.
    if isinstance(value, int) and abs(value) > MAX_ID:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def to_slot(value: Any) -> int:
    """Read the number of an input or output; -1 for anything else."""
    if isinstance(value, str):
        return int(value) if SLOT.fullmatch(value) else -1
    if isinstance(value, bool) or not isinstance(value, int | float):
        return -1
    if not 0 <= value <= MAX_ID or value % 1:
        return -1
    return int(value)


def list_objects(value: Any) -> list[Mapping[str, Any]]:
    """List the objects among the entries of a list; [] for anything else."""
    if not isinstance(value, list):
        return []
    return [entry for entry in value if isinstance(entry, dict)]


def map_nodes(graph: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Map the ids of a graph's nodes to these. Of several with the same id, the first counts."""
    nodes: dict[str, Mapping[str, Any]] = {}
    for entry in list_objects(graph.get("nodes")):
        nodes.setdefault(to_id(entry.get("id")), entry)
    return nodes


def map_links(graph: Mapping[str, Any]) -> dict[str, UiLink]:
    """Map the ids of a graph's links to these. Of several with the same id, the last counts."""
    links: dict[str, UiLink] = {}
    for entry in list_links(graph):
        link = UiLink.parse(entry)
        if link is not None:
            links[link.id] = link
    return links


def list_links(graph: Mapping[str, Any]) -> list[Any]:
    """List the links of a graph as they are in the file, which may have them in an object."""
    links = graph.get("links")
    if isinstance(links, dict):
        return list(links.values())
    return links if isinstance(links, list) else []


def map_definitions(data: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Map the ids of definitions of subgraphs to these. Of several with the same id, the first
    counts, and outer ones before those inside of others.
    """
    definitions: dict[str, Mapping[str, Any]] = {}
    for entry in list_definitions(data):
        graph_id = to_id(entry.get("id"))
        if graph_id:
            definitions.setdefault(graph_id, entry)
    return definitions


def list_definitions(data: Mapping[str, Any], depth: int = 0) -> list[Mapping[str, Any]]:
    """List the definitions of subgraphs, nested ones included."""
    definitions = data.get("definitions")
    if not isinstance(definitions, dict):
        return []
    listed = list_objects(definitions.get("subgraphs"))
    if depth >= MAX_DEFINITION_DEPTH:
        return listed
    found = list(listed)
    for entry in listed:
        found += list_definitions(entry, depth + 1)
    return found
