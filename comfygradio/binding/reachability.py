"""Find the nodes that a workflow's outputs depend on. ComfyUI neither validates nor runs any
others.
"""

from __future__ import annotations

from collections.abc import Iterable

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Workflow


def find_needed_nodes(workflow: Workflow, object_info: ObjectInfo) -> frozenset[str]:
    """Find the output nodes and all nodes upstream of them. Returns ids.

    A node of a class that the server lacks counts as an output if it feeds no other node.
    """
    feeding: set[str] = set()
    for node in workflow:
        feeding.update(link.node_id for link in node.links.values())
    outputs = []
    for node in workflow:
        definition = object_info.get(node.class_type)
        is_output = node.id not in feeding
        if definition is not None:
            is_output = definition.is_output
        if is_output:
            outputs.append(node.id)
    return workflow.find_upstream(outputs)


def find_link_cycle(workflow: Workflow, node_ids: Iterable[str]) -> list[str]:
    """Find nodes that feed one another in a cycle. Returns ids, the first one repeated at the end;
    empty if there is none.
    """
    done: set[str] = set()
    for start in node_ids:
        # Depth first: `todo` is the way from the start to the node that is looked at.
        way: dict[str, list[str]] = {}
        todo = [start]
        while todo:
            node_id = todo[-1]
            if node_id not in way:
                links = workflow.nodes[node_id].links.values()
                way[node_id] = [link.node_id for link in links]
            following = []
            for other in way[node_id]:
                if other in workflow.nodes and other not in done:
                    following.append(other)
            for other in following:
                if other in way:
                    return [*todo[todo.index(other) :], other]
            if following:
                todo.append(following[0])
            else:
                done.add(todo.pop())
                del way[node_id]
    return []
