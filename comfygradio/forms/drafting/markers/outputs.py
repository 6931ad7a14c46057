"""Output nodes of rivals: kept where the server has them, else replaced by ComfyUI's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from comfygradio.comfy.workflow import Link, Node
from comfygradio.forms.drafting.markers.graph import Graph
from comfygradio.forms.drafting.markers.values import read_text

SAVERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "images": ("SaveImage", {}),
    "video": ("SaveVideo", {"format": "auto", "codec": "auto"}),
    "audio": ("SaveAudio", {}),
}
"""The input that brings the results → ComfyUI's own node for them (v0.3.64), whose input has the
same name.
"""

TEXTS = ("text", "value", "file_path", "filename")


def replace_output(graph: Graph, node: Node, keep: bool = True, prefix: str = "") -> None:
    """Note a rival's output node as one that shows results; give ComfyUI's own its place unless it
    can be kept.

    Where nothing fits, the node is taken out, with a note.
    """
    if keep and node.class_type in graph.info:
        graph.outputs.append(node.id)
        return
    fed = _find_linked(node, SAVERS)
    said = _find_linked(node, TEXTS)
    if fed is not None:
        class_type, others = SAVERS[fed]
        start = prefix or read_text(node.inputs, "filename_prefix") or "comfygradio"
        inputs = {fed: node.inputs[fed], "filename_prefix": start, **others}
        graph.replace(node.id, class_type, inputs)
    elif said is not None and "PreviewAny" in graph.info:
        graph.replace(node.id, "PreviewAny", {"source": node.inputs[said]})
    else:
        graph.notes.append(
            f"{graph.call(node.id)} was taken out: ComfyUI has no node of its own for it."
        )
        graph.remove(node.id)
        return
    graph.outputs.append(node.id)


def _find_linked(node: Node, names: Iterable[str]) -> str | None:
    """The first of these inputs that another node feeds."""
    for name in names:
        if Link.parse(node.inputs.get(name)):
            return name
    return None
