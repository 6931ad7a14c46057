"""LoRA lists: rows of a name and a strength, and the chain of loader nodes that they become in the
graph.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from comfygradio.comfy.object_info import ObjectInfo, Scalar, name_entry
from comfygradio.comfy.workflow import Link
from comfygradio.forms.bypass import bypass_nodes
from comfygradio.forms.field import Choice, Field, Lora, Refused, list_choices, show
from comfygradio.forms.literals import unwrap, wrap
from comfygradio.forms.names import take_file_name
from comfygradio.forms.numerals import parse_numeral, suggest_numerals
from comfygradio.forms.rows import fill_rows, read_active

MAX_ROWS = 20

SPLIT_STRENGTH = re.compile(r":([+-]?[0-9]+),([0-9]+)(?=\s*(?:,|>|$))")
"""A strength with a comma for its point."""

MAX_SENT = 100
"""Rows that are looked at, those without a name included."""

Graph = dict[str, dict[str, Any]]


def check_loras(field: Field, value: Any) -> tuple[Lora, ...]:
    """Rows of name and strength, given as `name:0.8, other`, or as a list of names, pairs or
    objects.
    """
    rows = _split_text(value) if isinstance(value, str) else [] if value is None else value
    if isinstance(rows, Lora | Mapping) or not isinstance(rows, list | tuple):
        raise Refused("a list of LoRAs is expected, for example film-grain:0.8, soft-light.")
    if isinstance(value, str) and (split := SPLIT_STRENGTH.search(value)):
        raise Refused(f"write the strength {split[1]},{split[2]} as {split[1]}.{split[2]}.")
    filled = [row for row in rows if row not in (None, "", [], ["", None])]
    if len(filled) > MAX_SENT:
        raise Refused(f"{len(filled)} LoRAs are too many; at most {MAX_ROWS} are allowed.")
    loras = [_check_row(field, row) for row in filled]
    most = MAX_ROWS
    if field.rows is not None and not field.rows.grows:
        most = min(MAX_ROWS, len(field.rows.rows))
    if len(loras) > most:
        raise Refused(f"{len(loras)} LoRAs are too many; at most {most} are allowed.")
    return tuple(lora for lora in loras if lora is not None)


def read_loaders(graph: Mapping[str, Any], field: Field) -> list[dict[str, Any]]:
    """The rows that a graph's own loader nodes stand for: what a LoRA list starts with."""
    rows: list[dict[str, Any]] = []
    if field.rows is not None:
        active = read_active(graph[field.rows.node_id]["inputs"], field.rows)
        return [{"name": name, "strength": strength} for name, strength in active]
    for slot in field.slots.get("", ()):
        inputs = graph[slot.node_id]["inputs"]
        strengths = [
            inputs[name]
            for name in _list_strengths(inputs)
            if isinstance(inputs[name], int | float)
        ]
        name = name_entry(unwrap(inputs.get(slot.input)))
        if isinstance(name, str) and Link.parse(inputs[slot.input]) is None:
            rows.append({"name": name, "strength": strengths[0] if strengths else 1.0})
    return rows


def insert_loras(
    graph: Graph, field: Field, loras: Sequence[Lora], object_info: ObjectInfo
) -> None:
    """Put the chain for these rows into the graph, in place; without rows, its loaders are
    bypassed.
    """
    if field.rows is not None:
        files = [(lora.name, lora.strength) for lora in loras]
        fill_rows(graph[field.rows.node_id]["inputs"], field.rows, files)
    elif "" in field.slots:
        _fill_loaders(graph, field, loras, object_info)
    else:
        _insert_chain(graph, field, loras)


def name_node(field: Field, index: int) -> str:
    """The id of an added loader node; the same rows give the same ids, which keeps
    ComfyUI's cache.
    """
    return f"{field.name}-lora-{index + 1}"


def is_loader(field: Field, node_id: str) -> bool:
    """Whether a node of a filled graph is one of the loaders that a LoRA list stands for."""
    own = {slot.node_id for slot in field.slots.get("", ())}
    return field.widget == "loras" and node_id in own.union(
        name_node(field, index) for index in range(MAX_ROWS)
    )


def _split_text(text: str) -> list[str]:
    tagged = re.findall(r"<lora:([^<>]+)>", text)
    return tagged or [part.strip() for part in text.split(",") if part.strip()]


def _check_row(field: Field, row: Any) -> Lora | None:
    name, strength = _read_row(field, row)
    if name in ("", None):
        return None
    found = _find_file(field.choices or (), name)
    if found is None:
        raise Refused(f"{show(name)} is not in the list; {list_choices(field.choices or ())}")
    return Lora(str(found), _check_strength(field, 1.0 if strength in (None, "") else strength))


def _find_file(choices: tuple[Choice, ...], name: Any) -> Scalar | None:
    """The file with this name or label, or the only one that is called so without its folders and
    its ending.
    """
    found = next((choice.value for choice in choices if name in (choice.value, choice.label)), None)
    if found is not None or not isinstance(name, str):
        return found
    stems = [
        (take_file_name(str(choice.value)).rpartition(".")[0], choice.value) for choice in choices
    ]
    short = [value for stem, value in stems if stem == name.casefold()]
    return short[0] if len(short) == 1 else None


def _read_row(field: Field, row: Any) -> tuple[Any, Any]:
    if isinstance(row, Lora):
        return row.name, row.strength
    if isinstance(row, Mapping):
        return row.get("name"), row.get("strength")
    if isinstance(row, str):
        known = _find_file(field.choices or (), row) is not None
        name, colon, strength = (row, "", "") if known else row.rpartition(":")
        return (name.strip(), strength) if colon else (row, None)
    if isinstance(row, list | tuple) and len(row) == 2:
        return row[0], row[1]
    raise Refused(f"{show(row)} is no LoRA; a name and a strength are expected.")


def _check_strength(field: Field, value: Any) -> float:
    low, high = (
        field.minimum if field.minimum is not None else -100,
        field.maximum if field.maximum is not None else 100,
    )
    strength = _read_strength(value)
    if not low <= strength <= high:
        meant = suggest_numerals(value) if isinstance(value, str) else ()
        fitting = [numeral for numeral in meant if low <= float(numeral) <= high]
        advice = (
            f"write {' or '.join(fitting)}"
            if fitting
            else f"numbers from {low:g} to {high:g} are allowed"
        )
        raise Refused(f"the strength {show(value)} is not possible; {advice}.")
    return strength


def _read_strength(value: Any) -> float:
    """A number, or the text of one; NaN for anything else."""
    number = parse_numeral(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float):
        return math.nan
    try:
        return float(number)
    except OverflowError:
        return math.nan


def _list_strengths(inputs: Mapping[str, Any]) -> list[str]:
    return [
        name for name in inputs if name.startswith("strength") and Link.parse(inputs[name]) is None
    ]


def _set_row(node: dict[str, Any], name_input: str, lora: Lora, object_info: ObjectInfo) -> None:
    """Put a row into a loader; one that holds it already keeps its strengths, which may differ for
    model and CLIP.
    """
    strengths = _list_strengths(node["inputs"])
    own = unwrap(node["inputs"].get(name_input))
    if name_entry(own) == lora.name and [node["inputs"][s] for s in strengths[:1]] == [
        lora.strength
    ]:
        return
    spec = object_info.spec(node["class_type"], name_input, node["inputs"])
    if spec is None or isinstance(own, str):
        node["inputs"][name_input] = lora.name
    else:
        node["inputs"][name_input] = wrap(spec.write_choice(lora.name))
    for name in _list_strengths(node["inputs"]):
        node["inputs"][name] = lora.strength


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
    for index, lora in enumerate(loras[len(slots) :]):
        added = name_node(field, index)
        graph[added] = _copy_loader(graph, last)
        _relink(graph, last, added)
        _set_row(graph[added], slots[-1].input, lora, object_info)
        last = added
    bypass_nodes(graph, [slot.node_id for slot in slots[len(loras) :]], object_info)


def _copy_loader(graph: Graph, node_id: str) -> dict[str, Any]:
    """A copy of a loader that takes its model (and clip) from the loader itself."""
    node = copy.deepcopy(graph[node_id])
    for name, output in (("model", 0), ("clip", 1)):
        if Link.parse(node["inputs"].get(name)):
            node["inputs"][name] = [node_id, output]
    return node


def _relink(graph: Graph, old: str, new: str) -> None:
    """Whatever was fed by node `old` is fed by node `new`, except `new` itself."""
    for key, node in graph.items():
        for name, value in node["inputs"].items():
            link = Link.parse(value)
            if key != new and link and link.node_id == old:
                node["inputs"][name] = [new, link.slot]


def _insert_chain(graph: Graph, field: Field, loras: Sequence[Lora]) -> None:
    """New loaders between the source of the named inputs and these inputs."""
    with_clip = "clip" in field.slots
    sources = {
        part: graph[slots[0].node_id]["inputs"][slots[0].input]
        for part, slots in field.slots.items()
    }
    for index, lora in enumerate(loras):
        node_id = name_node(field, index)
        strengths = {"strength_model": lora.strength} | (
            {"strength_clip": lora.strength} if with_clip else {}
        )
        graph[node_id] = {
            "class_type": "LoraLoader" if with_clip else "LoraLoaderModelOnly",
            "inputs": {"lora_name": lora.name, **strengths, **sources},
            "_meta": {"title": f"{field.label}: {lora.name}"},
        }
        sources = {part: [node_id, 1 if part == "clip" else 0] for part in sources}
    for part, slots in field.slots.items():
        for slot in slots:
            graph[slot.node_id]["inputs"][slot.input] = sources[part]
