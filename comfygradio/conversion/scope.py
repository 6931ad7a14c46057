"""Scopes: the root graph, and one for each instance of a subgraph, nested ones included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from comfygradio.conversion.budget import TEXT_PART, Budget
from comfygradio.conversion.shown_text import CANNOT, show_name
from comfygradio.conversion.ui_graph import UiGraph, UiNode
from comfygradio.errors import WorkflowError

MAX_NODES = 20_000
"""Maximum number of nodes of all scopes. Subgraphs in subgraphs multiply: a small file could fill
the memory.
"""

MAX_DEPTH = 50
"""Maximum nesting of subgraph instances."""


@dataclass(eq=False)
class Scope:
    """One use of a graph. `path` is the beginning of its nodes' ids in the prompt: "", "57:" or
    "57:8:".

    `host` is the instance, a node of `outer`. `inner` are the scopes of the instances in this one,
    by node id.
    """

    path: str
    graph: UiGraph
    outer: Scope | None = None
    host: UiNode | None = None
    inner: dict[str, Scope] = field(default_factory=dict)

    @property
    def is_left_out(self) -> bool:
        """Whether it is inside of an instance at the top level that is muted or bypassed.

        ComfyUI's page leaves out only these; nodes inside of a nested instance that is off are
        posted, although nothing uses them.
        """
        top = self
        while top.outer is not None and top.outer.outer is not None:
            top = top.outer
        return top.host is not None and top.host.is_off

    def name_node(self, node: UiNode) -> str:
        """Return a node's id in the prompt."""
        return f"{self.path}{node.id}"

    def list_host_links(self) -> list[str]:
        """List the links that feed the inputs of the instance, "" for those without, in the order
        of the subgraph's inputs. Files leave out inputs without links.
        """
        if self.host is None:
            return []
        given: dict[str, list[str]] = {}
        for entry in self.host.inputs:
            given.setdefault(entry.name, []).append(entry.link)
        waiting = {name: iter(links) for name, links in given.items()}
        links = []
        for slot in self.graph.inputs:
            links.append(next(waiting[slot.name], "") if slot.name in waiting else "")
        return links


def open_scopes(root: UiGraph, definitions: Mapping[str, UiGraph], budget: Budget) -> list[Scope]:
    """Open the root graph and all instances of subgraphs; the outer ones come first.

    Raises WorkflowError.
    """
    scopes = [Scope("", root)]
    count = len(root.nodes)
    _check_count(count)
    # The list grows while it is walked.
    for scope in scopes:
        for node in scope.graph.nodes.values():
            graph = definitions.get(node.type)
            if graph is None:
                continue
            outer_ids = [outer.graph.id for outer in list_outer(scope)]
            if graph.id in outer_ids:
                place = show_name(scope.name_node(node))
                raise WorkflowError(
                    f"{CANNOT} the subgraph {show_name(graph.id)} contains itself (node {place})."
                )
            if len(outer_ids) > MAX_DEPTH:
                raise WorkflowError(
                    f"{CANNOT} its subgraphs are nested more than {MAX_DEPTH} deep."
                )
            count += len(graph.nodes)
            _check_count(count)
            path = f"{scope.path}{node.id}:"
            # Each of its nodes has the path in its id.
            budget.spend(graph.size + len(graph.nodes) * (len(path) // TEXT_PART))
            inner = Scope(path, graph, outer=scope, host=node)
            scope.inner[node.id] = inner
            scopes.append(inner)
    return scopes


def _check_count(count: int) -> None:
    if count > MAX_NODES:
        raise WorkflowError(
            f"{CANNOT} it has more than {MAX_NODES:,} nodes. Those in a subgraph count once for "
            "each of its instances."
        )


def list_outer(scope: Scope | None) -> Iterator[Scope]:
    """Yield a scope and those that contain it, the innermost first."""
    while scope is not None:
        yield scope
        scope = scope.outer
