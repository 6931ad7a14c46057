"""Nodes that exist only on ComfyUI's page: no server has them, and no prompt contains them."""

from __future__ import annotations

PRIMITIVE = "PrimitiveNode"
"""Writes its value into the widgets that it is linked to."""

GETTER = "GetNode"
SETTER = "SetNode"
"""KJNodes: a getter stands for the output that feeds the setter of the same name."""

PASS_THROUGH = ("Reroute", SETTER, "Reroute (rgthree)")
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
