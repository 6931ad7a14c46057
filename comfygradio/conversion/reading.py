"""A file as it was read: its prompt, and the graphs and classes that this was made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from comfygradio.comfy.nested_input import unwrap_list
from comfygradio.conversion.catalogue import Catalogue
from comfygradio.conversion.convert import open_workflow
from comfygradio.conversion.promotion import Promotions
from comfygradio.conversion.prompt_builder import PromptBuilder
from comfygradio.conversion.result import Conversion, Place
from comfygradio.conversion.scope import Scope, list_outer
from comfygradio.conversion.trace import Output, Tracer
from comfygradio.conversion.ui_graph import UiNode

Prompt = Mapping[str, Mapping[str, Any]]


@dataclass
class Reading:
    """A converted file. `owners` tells for each id of a prompt which node of which scope it is."""

    conversion: Conversion
    scopes: list[Scope]
    catalogue: Catalogue
    owners: dict[str, tuple[Scope, UiNode]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.promotions = Promotions(self.catalogue)
        self.tracer = Tracer(self.catalogue, self.promotions)
        self._origins: dict[Scope, dict[tuple[str, int], tuple[str, int]]] = {}
        for scope in self.scopes:
            for node in scope.graph.nodes.values():
                if node.id not in scope.inner:
                    self.owners[scope.name_node(node)] = (scope, node)

    @classmethod
    def read(cls, data: Mapping[str, Any], object_info: Mapping[str, Any]) -> Reading:
        """Convert a file in UI format. Raises WorkflowError."""
        catalogue = Catalogue(object_info)
        scopes = open_workflow(data, catalogue)
        conversion = PromptBuilder(scopes, catalogue).build()
        return cls(conversion, scopes, catalogue)

    def find_places(self, node_id: str, name: str) -> list[tuple[Scope, Place]]:
        """List the places of a value and the scopes they are in, the one that counts first."""
        place = self.conversion.places.get((node_id, name))
        if place is None or node_id not in self.owners:
            return []
        scope: Scope | None = None
        chain = [*place.hosts, place]
        for outer in list_outer(self.owners[node_id][0]):
            if outer.graph.id == chain[0].graph:
                scope = outer
        found: list[tuple[Scope, Place]] = []
        for entry in chain:
            if scope is None or scope.graph.id != entry.graph:
                break
            found.append((scope, entry))
            scope = scope.inner.get(entry.node)
        return found

    def find_origin(self, scope: Scope, source: str, slot: int) -> tuple[str, int] | None:
        """Find the output inside of a scope that gives what an output of the prompt makes."""
        owner = self.owners.get(source)
        if owner is not None and owner[0] is scope:
            return owner[1].id, slot
        known = self._origins.get(scope)
        if known is None:
            known = {}
            for link in scope.graph.links.values():
                found = self.tracer.find_source(scope, link.id, "*")
                if isinstance(found, Output):
                    known.setdefault((found.node_id, found.slot), (link.origin, link.origin_slot))
            self._origins[scope] = known
        return known.get((source, slot))


@dataclass(frozen=True)
class Difference:
    """An input of a node whose value or link in a file is not the one that was posted.

    `input` is "" where the node itself is only in one of them.
    """

    node: str
    input: str = ""

    def __str__(self) -> str:
        if self.input:
            return f"node {self.node}, {self.input}"
        return f"node {self.node}"


def list_differences(found: Prompt, wanted: Prompt) -> list[Difference]:
    """List where two prompts differ in more than titles."""
    differences: list[Difference] = []
    for node_id in dict.fromkeys((*wanted, *found)):
        if node_id not in found or node_id not in wanted:
            differences.append(Difference(node_id))
            continue
        mine = found[node_id]
        theirs = wanted[node_id]
        if mine["class_type"] != theirs["class_type"]:
            differences.append(Difference(node_id))
            continue
        for name in dict.fromkeys((*theirs["inputs"], *mine["inputs"])):
            is_in_both = name in mine["inputs"] and name in theirs["inputs"]
            if not is_in_both or not is_same(mine["inputs"][name], theirs["inputs"][name]):
                differences.append(Difference(node_id, name))
    return differences


def is_same(first: Any, second: Any) -> bool:
    """Whether two values are the same in JSON. 20.0 is 20, but true is not 1."""
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if isinstance(first, dict) and isinstance(second, dict):
        if first.keys() != second.keys():
            return False
        return all(is_same(value, second[key]) for key, value in first.items())
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        if len(first) != len(second):
            return False
        return all(is_same(one, other) for one, other in zip(first, second, strict=True))
    return bool(first == second)


def is_link(value: Any) -> bool:
    """Whether an input of a prompt is fed by another node. Plain lists are wrapped there."""
    return isinstance(value, list)


def read_plain(value: Any) -> Any:
    """Return a plain value of a prompt as the file has it."""
    return unwrap_list(value)
