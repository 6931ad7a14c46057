"""Output nodes of other front ends: kept if the server has them, else replaced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from comfygradio.comfy.workflow import Link, Node
from comfygradio.importers.values import get_text
from comfygradio.importers.workflow_editor import WorkflowEditor

SAVERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "images": ("SaveImage", {}),
    "video": ("SaveVideo", {"format": "auto", "codec": "auto"}),
    "audio": ("SaveAudio", {}),
}
"""Input with the results → ComfyUI's own node for them (v0.3.64), whose input has the same name."""

TEXTS = ("text", "value", "file_path", "filename")


def replace_output(editor: WorkflowEditor, node: Node, keep: bool = True, prefix: str = "") -> None:
    """Record another front end's output node as one whose results are shown, and replace it by
    ComfyUI's own.

    With `keep`, a node that the server has is not replaced. `prefix` is the prefix of file names.
    If none of ComfyUI's nodes fits, the node is removed and noted.
    """
    if keep and node.class_type in editor.object_info:
        editor.outputs.append(node.id)
        return
    fed = _find_linked(node, SAVERS)
    said = _find_linked(node, TEXTS)
    if fed is not None:
        class_type, others = SAVERS[fed]
        start = prefix or get_text(node.inputs, "filename_prefix") or "comfygradio"
        inputs = {fed: node.inputs[fed], "filename_prefix": start, **others}
        editor.replace(node.id, class_type, inputs)
    elif said is not None and "PreviewAny" in editor.object_info:
        editor.replace(node.id, "PreviewAny", {"source": node.inputs[said]})
    else:
        editor.notes.append(
            f"{editor.describe_node(node.id)} was taken out: ComfyUI has no node of its own for it."
        )
        editor.remove(node.id)
        return
    editor.outputs.append(node.id)


def _find_linked(node: Node, names: Iterable[str]) -> str | None:
    """Find the first of these inputs that another node feeds."""
    for name in names:
        if Link.parse(node.inputs.get(name)):
            return name
    return None
