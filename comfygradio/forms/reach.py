"""Reach: the nodes that a workflow's outputs are made from; ComfyUI neither checks nor runs any others."""

from __future__ import annotations

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Workflow


def find_needed(workflow: Workflow, object_info: ObjectInfo) -> frozenset[str]:
    """Ids of the output nodes and of all nodes upstream of them."""
    waiting = [node.id for node in workflow if (known := object_info.get(node.class_type)) and known.is_output]
    needed: set[str] = set()
    while waiting:
        node_id = waiting.pop()
        if node_id not in needed and node_id in workflow.nodes:
            needed.add(node_id)
            waiting += [link.node_id for link in workflow.nodes[node_id].links.values()]
    return frozenset(needed)
