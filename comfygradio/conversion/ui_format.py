"""The JSON of the UI format: ids, lists of objects, links and definitions of subgraphs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
    """A link from the output of one node to an input of another. Slots are numbers from 0."""

    id: str
    origin: str
    origin_slot: Any
    target: str
    target_slot: Any

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
            origin_slot=origin_slot,
            target=to_id(target),
            target_slot=target_slot,
        )


def to_id(value: Any) -> str:
    """Write an id as text. Ids are numbers or texts; anything else becomes ""."""
    if isinstance(value, bool):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str | int | float):
        return str(value)
    return ""


def list_objects(value: Any) -> list[Mapping[str, Any]]:
    """List the objects among the entries of a list; [] for anything else."""
    if not isinstance(value, list):
        return []
    return [entry for entry in value if isinstance(entry, dict)]


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
