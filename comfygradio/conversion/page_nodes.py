"""Nodes that exist only on ComfyUI's page: no server has them, and no prompt contains them."""

from __future__ import annotations

from comfygradio.conversion.ui_graph import UiGraph, UiNode

PRIMITIVE = "PrimitiveNode"
"""Writes its value into the widgets that it is linked to."""

GETTER = "GetNode"
SETTER = "SetNode"
"""KJNodes: a getter stands for the output that feeds the setter of the same name."""

REROUTE = "Reroute"

PASS_THROUGH = (REROUTE, SETTER, "Reroute (rgthree)")
"""Their output is what feeds their input of the same number."""

TEXTS = ("Note", "MarkdownNote")
"""Notes that people write for people."""

CONTROLS = (
    "Fast Groups Muter (rgthree)",
    "Fast Groups Bypasser (rgthree)",
    "Fast Muter (rgthree)",
    "Fast Bypasser (rgthree)",
    "Fast Actions Button (rgthree)",
    "Mute / Bypass Relay (rgthree)",
    "Mute / Bypass Repeater (rgthree)",
    "Random Unmuter (rgthree)",
    "Node Collector (rgthree)",
    "Bookmark (rgthree)",
    "Label (rgthree)",
)
"""Labels, bookmarks, and switches that mute or bypass other nodes."""

PAGE_ONLY = frozenset((PRIMITIVE, GETTER, *PASS_THROUGH, *TEXTS, *CONTROLS))


def is_page_only(node: UiNode, graph: UiGraph) -> bool:
    """Whether a node of a class that the server lacks may be one that only the page knows: nothing
    feeds it, and it feeds nothing.
    """
    if any(entry.link in graph.links for entry in node.inputs):
        return False
    return node.id not in graph.feeding
