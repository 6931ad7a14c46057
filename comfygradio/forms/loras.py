"""LoRA lists: rows of a name and a strength, and the chain of loader nodes that they become in the
graph.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from comfygradio.comfy.object_info import ObjectInfo, Scalar, is_number, name_entry
from comfygradio.comfy.workflow import Link
from comfygradio.forms.bypass import bypass_nodes
from comfygradio.forms.field import Choice, Field, InvalidValue, Lora, list_choices, shorten
from comfygradio.forms.literals import unwrap_list, wrap_list
from comfygradio.forms.lora_stack import fill_lora_stack, list_active_loras
from comfygradio.forms.model_name import fold_file_name
from comfygradio.forms.numerals import parse_numeral, suggest_numerals

MAX_ROWS = 20

SPLIT_STRENGTH = re.compile(r":([+-]?[0-9]+),([0-9]+)(?=\s*(?:,|>|$))")
"""A strength with a comma for its point."""

MAX_ENTRIES = 100
"""Most entries that are checked, including those without a name."""

Graph = dict[str, dict[str, Any]]


def check_loras(field: Field, value: Any) -> tuple[Lora, ...]:
    """Rows of name and strength, given as `name:0.8, other`, or as a list of names, pairs or
    objects.
    """
    rows = value
    if value is None:
        rows = []
    elif isinstance(value, str):
        rows = _split_text(value)
    if not isinstance(rows, list | tuple):
        raise InvalidValue("a list of LoRAs is expected, for example film-grain:0.8, soft-light.")
    if isinstance(value, str):
        _refuse_comma(value)
    nothing: tuple[Any, ...] = (None, "", [], ["", None])
    filled = [row for row in rows if row not in nothing]
    if len(filled) > MAX_ENTRIES:
        raise InvalidValue(f"{len(filled)} LoRAs are too many; at most {MAX_ROWS} are allowed.")
    loras = [_check_row(field, row) for row in filled]
    most = MAX_ROWS
    if field.lora_stack is not None and not field.lora_stack.is_growing:
        most = min(MAX_ROWS, len(field.lora_stack.rows))
    if len(loras) > most:
        raise InvalidValue(f"{len(loras)} LoRAs are too many; at most {most} are allowed.")
    return tuple(lora for lora in loras if lora is not None)


def _refuse_comma(text: str) -> None:
    """Raises InvalidValue for a strength such as `0,8`: commas stand between two LoRAs."""
    split = SPLIT_STRENGTH.search(text)
    if split:
        whole, decimals = split.groups()
        raise InvalidValue(f"write the strength {whole},{decimals} as {whole}.{decimals}.")


def extract_loras(graph: Mapping[str, Any], field: Field) -> list[dict[str, Any]]:
    """The rows that a graph's own loader nodes stand for: what a LoRA list starts with."""
    if field.lora_stack is not None:
        active = list_active_loras(graph[field.lora_stack.node_id]["inputs"], field.lora_stack)
        return [{"name": name, "strength": strength} for name, strength in active]
    rows: list[dict[str, Any]] = []
    for slot in field.slots.get("", ()):
        inputs = graph[slot.node_id]["inputs"]
        name = name_entry(unwrap_list(inputs.get(slot.input)))
        if isinstance(name, str) and Link.parse(inputs[slot.input]) is None:
            rows.append({"name": name, "strength": _find_strength(inputs)})
    return rows


def _find_strength(inputs: Mapping[str, Any]) -> Any:
    """The first strength of a loader that is a number, 1 without one."""
    for name in _list_strengths(inputs):
        if isinstance(inputs[name], int | float):
            return inputs[name]
    return 1.0


def insert_loras(
    graph: Graph, field: Field, loras: Sequence[Lora], object_info: ObjectInfo
) -> None:
    """Put the chain for these rows into the graph, in place; without rows, its loaders are
    bypassed.
    """
    if field.lora_stack is not None:
        files = [(lora.name, lora.strength) for lora in loras]
        fill_lora_stack(graph[field.lora_stack.node_id]["inputs"], field.lora_stack, files)
    elif "" in field.slots:
        _fill_loaders(graph, field, loras, object_info)
    else:
        _insert_chain(graph, field, loras)


def name_loader_node(field: Field, index: int) -> str:
    """The id of an added loader node; the same rows give the same ids, which keeps
    ComfyUI's cache.
    """
    return f"{field.name}-lora-{index + 1}"


def is_lora_loader(field: Field, node_id: str) -> bool:
    """Whether a node of a filled graph is one of the loaders that a LoRA list stands for."""
    if field.widget != "loras":
        return False
    own = {slot.node_id for slot in field.slots.get("", ())}
    added = {name_loader_node(field, index) for index in range(MAX_ROWS)}
    return node_id in own or node_id in added


def _split_text(text: str) -> list[str]:
    tagged = re.findall(r"<lora:([^<>]+)>", text)
    if tagged:
        return tagged
    parts = [part.strip() for part in text.split(",")]
    return [part for part in parts if part]


def _check_row(field: Field, row: Any) -> Lora | None:
    name, strength = _split_row(field, row)
    if name in ("", None):
        return None
    choices = field.choices or ()
    found = _find_file(choices, name)
    if found is None:
        raise InvalidValue(f"{shorten(name)} is not in the list; {list_choices(choices)}")
    if strength in (None, ""):
        strength = 1.0
    return Lora(str(found), _check_strength(field, strength))


def _find_file(choices: tuple[Choice, ...], name: Any) -> Scalar | None:
    """The file with this name or label, or the only one that is called so without its folders and
    its ending.
    """
    for choice in choices:
        if name in (choice.value, choice.label):
            return choice.value
    if not isinstance(name, str):
        return None
    wanted = name.casefold()
    found: list[Scalar] = []
    for choice in choices:
        if _take_stem(str(choice.value)) == wanted:
            found.append(choice.value)
    return found[0] if len(found) == 1 else None


def _take_stem(name: str) -> str:
    """The name of a file without its folders and its ending, in small letters."""
    stem, _, _ = fold_file_name(name).rpartition(".")
    return stem


def _split_row(field: Field, row: Any) -> tuple[Any, Any]:
    if isinstance(row, Lora):
        return row.name, row.strength
    if isinstance(row, Mapping):
        return row.get("name"), row.get("strength")
    if isinstance(row, str):
        name, colon, strength = row.rpartition(":")
        # The name of a file may hold a colon itself.
        if not colon or _find_file(field.choices or (), row) is not None:
            return row, None
        return name.strip(), strength
    if isinstance(row, list | tuple) and len(row) == 2:
        return row[0], row[1]
    raise InvalidValue(f"{shorten(row)} is no LoRA; a name and a strength are expected.")


def _check_strength(field: Field, value: Any) -> float:
    low = -100 if field.minimum is None else field.minimum
    high = 100 if field.maximum is None else field.maximum
    strength = _parse_strength(value)
    if low <= strength <= high:
        return strength
    meant = suggest_numerals(value) if isinstance(value, str) else ()
    fitting = [numeral for numeral in meant if low <= float(numeral) <= high]
    if fitting:
        advice = f"write {' or '.join(fitting)}"
    else:
        advice = f"numbers from {low:g} to {high:g} are allowed"
    raise InvalidValue(f"the strength {shorten(value)} is not possible; {advice}.")


def _parse_strength(value: Any) -> float:
    """A number, or the text of one; NaN for anything else."""
    number = parse_numeral(value) if isinstance(value, str) else value
    if not is_number(number):
        return math.nan
    try:
        return float(number)
    except OverflowError:
        return math.nan


def _list_strengths(inputs: Mapping[str, Any]) -> list[str]:
    names: list[str] = []
    for name, value in inputs.items():
        if name.startswith("strength") and Link.parse(value) is None:
            names.append(name)
    return names


def _set_row(node: dict[str, Any], name_input: str, lora: Lora, object_info: ObjectInfo) -> None:
    """Put a row into a loader; one that holds it already keeps its strengths, which may differ for
    model and CLIP.
    """
    inputs = node["inputs"]
    own = unwrap_list(inputs.get(name_input))
    strengths = [inputs[name] for name in _list_strengths(inputs)]
    has_strength = bool(strengths) and strengths[0] == lora.strength
    if has_strength and name_entry(own) == lora.name:
        return
    spec = object_info.spec(node["class_type"], name_input, inputs)
    if spec is None or isinstance(own, str):
        inputs[name_input] = lora.name
    else:
        inputs[name_input] = wrap_list(spec.from_choice_name(lora.name))
    for name in _list_strengths(inputs):
        inputs[name] = lora.strength


def _fill_loaders(
    graph: Graph, field: Field, loras: Sequence[Lora], object_info: ObjectInfo
) -> None:
    """The first rows go into the workflow's own loaders, further ones into copies
    behind the last.
    """
    slots = field.slots[""]
    for slot, lora in zip(slots, loras, strict=False):
        _set_row(graph[slot.node_id], slot.input, lora, object_info)
    last = slots[-1].node_id
    further = loras[len(slots) :]
    for index, lora in enumerate(further):
        added = name_loader_node(field, index)
        graph[added] = _copy_loader(graph, last)
        _relink(graph, last, added)
        _set_row(graph[added], slots[-1].input, lora, object_info)
        last = added
    unused = [slot.node_id for slot in slots[len(loras) :]]
    bypass_nodes(graph, unused, object_info)


def _copy_loader(graph: Graph, node_id: str) -> dict[str, Any]:
    """A copy of a loader that takes its model (and clip) from the loader itself."""
    node = copy.deepcopy(graph[node_id])
    inputs = node["inputs"]
    for name, output in (("model", 0), ("clip", 1)):
        if Link.parse(inputs.get(name)):
            inputs[name] = [node_id, output]
    return node


def _relink(graph: Graph, old: str, new: str) -> None:
    """Whatever was fed by node `old` is fed by node `new`, except `new` itself."""
    for key, node in graph.items():
        if key == new:
            continue
        inputs = node["inputs"]
        for name, value in inputs.items():
            link = Link.parse(value)
            if link and link.node_id == old:
                inputs[name] = [new, link.slot]


def _insert_chain(graph: Graph, field: Field, loras: Sequence[Lora]) -> None:
    """New loaders between the source of the named inputs and these inputs."""
    with_clip = "clip" in field.slots
    sources: dict[str, Any] = {}
    for part, slots in field.slots.items():
        first = graph[slots[0].node_id]
        sources[part] = first["inputs"][slots[0].input]
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
        sources = {part: [node_id, 1 if part == "clip" else 0] for part in sources}
    for part, slots in field.slots.items():
        for slot in slots:
            node = graph[slot.node_id]
            node["inputs"][slot.input] = sources[part]
