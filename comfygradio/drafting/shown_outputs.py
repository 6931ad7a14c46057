"""Outputs: the nodes whose results a drafted form shows."""

from __future__ import annotations

from comfygradio.drafting.graph import Graph


def find_shown_outputs(graph: Graph) -> tuple[str, ...]:
    """The output nodes worth showing: all but previews of what another one saves; () where that
    leaves nothing out.
    """
    saved: set[tuple[str, int]] = set()
    for node_id in graph.outputs:
        if not _is_preview(graph, node_id):
            saved |= _find_links(graph, node_id)
    kept = [node_id for node_id in graph.outputs if not _repeats(graph, node_id, saved)]
    return () if len(kept) == len(graph.outputs) else tuple(kept)


def _repeats(graph: Graph, node_id: str, saved: set[tuple[str, int]]) -> bool:
    """Whether a node is a preview of nothing but what is saved anyway."""
    if not _is_preview(graph, node_id):
        return False
    shown = _find_links(graph, node_id)
    return bool(shown) and shown <= saved


def _is_preview(graph: Graph, node_id: str) -> bool:
    class_type = graph.node(node_id).class_type.lower()
    return "preview" in class_type or "compare" in class_type


def _find_links(graph: Graph, node_id: str) -> set[tuple[str, int]]:
    """What an output node shows; none for texts, since a saved text is not shown on the page."""
    links = graph.links_of(node_id, "IMAGE", "VIDEO", "AUDIO", "MASK", "LATENT", "MESH")
    return {(link.node_id, link.slot) for link in links.values()}
