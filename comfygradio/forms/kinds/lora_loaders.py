"""The loader nodes of a LoRA list: read its rows out of a graph, and put rows into one."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from comfygradio.comfy.nested_input import unwrap_list, wrap_list
from comfygradio.comfy.object_info import ObjectInfo, name_entry
from comfygradio.comfy.workflow import Link
from comfygradio.forms.kinds.lora_stack import fill_lora_stack, list_active_loras
from comfygradio.forms.kinds.value import Lora

if TYPE_CHECKING:
    from comfygradio.forms.field import Field

Graph = dict[str, dict[str, Any]]

MAX_ROWS = 20
"""LoRAs of one list."""


def extract_loras(graph: Mapping[str, Any], field: Field) -> list[dict[str, Any]]:
    """Extract the rows from a graph's own loader nodes, which are the default of a LoRA list."""
    rows: list[dict[str, Any]] = []
    if field.lora_stack is not None:
        inputs = graph[field.lora_stack.node_id]["inputs"]
        for file, strength in list_active_loras(inputs, field.lora_stack):
            rows.append({"name": file, "strength": strength})
        return rows
    for slot in field.slots.get("", ()):
        inputs = graph[slot.node_id]["inputs"]
        value = unwrap_list(inputs.get(slot.input))
        name = name_entry(value)
        if isinstance(name, str) and Link.parse(inputs[slot.input]) is None:
            strength = _find_strength(inputs)
            rows.append({"name": name, "strength": strength})
    return rows


def _find_strength(inputs: Mapping[str, Any]) -> Any:
    """Find the first strength of a loader that is a number; 1 without one."""
    for name in _list_strengths(inputs):
        if isinstance(inputs[name], int | float):
            return inputs[name]
    return 1.0


def insert_loras(
    graph: Graph, field: Field, loras: Sequence[Lora], object_info: ObjectInfo
) -> list[str]:
    """Insert the loaders for these rows into the graph in place.

    Returns the ids of the workflow's own loaders that get no row, which are to be bypassed.
    """
    if field.lora_stack is not None:
        inputs = graph[field.lora_stack.node_id]["inputs"]
        files = [(lora.name, lora.strength) for lora in loras]
        fill_lora_stack(inputs, field.lora_stack, files)
        return []
    if "" in field.slots:
        return _fill_loaders(graph, field, loras, object_info)
    _insert_chain(graph, field, loras)
    return []


def name_loader_node(field: Field, index: int) -> str:
    """Make the id of an added loader node. The same rows give the same ids, which keeps ComfyUI's
    cache.
    """
    number = index + 1
    return f"{field.name}-lora-{number}"


def is_lora_loader(field: Field, node_id: str) -> bool:
    """Whether a node of a filled graph is a loader of this LoRA list."""
    if any(slot.node_id == node_id for slot in field.slots.get("", ())):
        return True
    return any(name_loader_node(field, index) == node_id for index in range(MAX_ROWS))


def _list_strengths(inputs: Mapping[str, Any]) -> list[str]:
    names: list[str] = []
    for name, value in inputs.items():
        if name.startswith("strength") and Link.parse(value) is None:
            names.append(name)
    return names


def _set_row(node: dict[str, Any], name_input: str, lora: Lora, object_info: ObjectInfo) -> None:
    """Put a row into a loader. A loader that has it already keeps its strengths, which may differ
    for model and CLIP.
    """
    inputs = node["inputs"]
    own = unwrap_list(inputs.get(name_input))
    strengths = [inputs[name] for name in _list_strengths(inputs)]
    has_strength = bool(strengths) and strengths[0] == lora.strength
    if has_strength and name_entry(own) == lora.name:
        return
    spec = object_info.spec(node["class_type"], name_input, inputs)
    # Where the workflow has an object instead of a name, the node gets one, too.
    if spec is None or isinstance(own, str):
        inputs[name_input] = lora.name
    else:
        inputs[name_input] = wrap_list(spec.from_choice_name(lora.name))
    for name in _list_strengths(inputs):
        inputs[name] = lora.strength


def _fill_loaders(
    graph: Graph, field: Field, loras: Sequence[Lora], object_info: ObjectInfo
) -> list[str]:
    """Fill the workflow's own loaders with the first rows, and copies behind the last loader with
    the rest. Returns the ids of the loaders that are left over.
    """
    slots = field.slots[""]
    for slot, lora in zip(slots, loras, strict=False):
        _set_row(graph[slot.node_id], slot.input, lora, object_info)
    last_slot = slots[-1]
    last = last_slot.node_id
    further = loras[len(slots) :]
    for index, lora in enumerate(further):
        added = name_loader_node(field, index)
        graph[added] = _copy_loader(graph, last)
        # What the last loader fed is now fed by the copy behind it.
        _relink(graph, last, added)
        _set_row(graph[added], last_slot.input, lora, object_info)
        last = added
    unused = slots[len(loras) :]
    return [slot.node_id for slot in unused]


def _copy_loader(graph: Graph, node_id: str) -> dict[str, Any]:
    """Copy a loader; the copy takes its model (and clip) from the original."""
    node = copy.deepcopy(graph[node_id])
    inputs = node["inputs"]
    # As of LoraLoader: the model is output 0, CLIP output 1.
    for name, output in (("model", 0), ("clip", 1)):
        if Link.parse(inputs.get(name)):
            inputs[name] = [node_id, output]
    return node


def _relink(graph: Graph, old: str, new: str) -> None:
    """Feed whatever node `old` fed from node `new`, except `new` itself."""
    for key, node in graph.items():
        if key == new:
            continue
        inputs = node["inputs"]
        for name, value in inputs.items():
            link = Link.parse(value)
            if link and link.node_id == old:
                inputs[name] = [new, link.slot]


def _insert_chain(graph: Graph, field: Field, loras: Sequence[Lora]) -> None:
    """Insert new loaders between the named inputs and their sources."""
    with_clip = "clip" in field.slots
    sources: dict[str, Any] = {}
    for part, slots in field.slots.items():
        first = slots[0]
        sources[part] = graph[first.node_id]["inputs"][first.input]
    for index, lora in enumerate(loras):
        node_id = name_loader_node(field, index)
        inputs: dict[str, Any] = {"lora_name": lora.name, "strength_model": lora.strength}
        if with_clip:
            inputs["strength_clip"] = lora.strength
        graph[node_id] = {
            "class_type": "LoraLoader" if with_clip else "LoraLoaderModelOnly",
            "inputs": {**inputs, **sources},
            "_meta": {"title": f"{field.label}: {lora.name}"},
        }
        # The next loader is fed by this one: by output 0 of LoraLoader, the model, and 1, CLIP.
        sources = {part: [node_id, 1 if part == "clip" else 0] for part in sources}
    for part, slots in field.slots.items():
        for slot in slots:
            node = graph[slot.node_id]
            node["inputs"][slot.input] = sources[part]
