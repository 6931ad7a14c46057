"""Filling: checked values and a workflow become the prompt that is posted."""

from __future__ import annotations

import datetime
import hashlib
import json
import random
from collections.abc import Mapping
from typing import Any

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Upload, Workflow
from comfygradio.forms.bypass import bypass_nodes
from comfygradio.forms.describe import describe_value
from comfygradio.forms.dynamic_prompt import expand_dynamic
from comfygradio.forms.field import MEDIA, Field
from comfygradio.forms.file_prefix import expand_prefixes
from comfygradio.forms.loras import insert_loras
from comfygradio.forms.media import name_upload
from comfygradio.forms.slots import Slot
from comfygradio.forms.templates import fill_template

DRAWN = "_drawn"
"""Under this name the random number of a form without a seed is kept among its values; no field can be called so."""


def fill_graph(
    workflow: Workflow,
    object_info: ObjectInfo,
    fields: Mapping[str, Field],
    fixed: tuple[tuple[Slot, Any], ...],
    values: Mapping[str, Any],
    now: datetime.datetime,
) -> tuple[dict[str, Any], tuple[Upload, ...]]:
    """The graph in API format, and the files that it needs; the same arguments always give the same.

    `values` are checked values, None for fields that stay empty or are hidden; `now` is what `%date:…%` writes.
    """
    graph = workflow.to_json()
    for slot, value in fixed:
        _put(graph, slot, value)
    words = {name: _describe_word(field, values[name]) for name, field in fields.items()}
    uploads: list[Upload] = []
    for name, field in fields.items():
        if values[name] is not None:
            uploads += _fill_field(graph, field, values[name], words)
    _expand(graph, fields, values)
    for name, field in fields.items():
        if field.widget == "loras":
            insert_loras(graph, field, values[name] or (), object_info)
    bypass_nodes(graph, list_bypassed(fields, values), object_info)
    expand_prefixes(graph, now)
    return graph, tuple(upload for upload in uploads if all(node in graph for node, _ in upload.slots))


def list_bypassed(fields: Mapping[str, Field], values: Mapping[str, Any]) -> list[str]:
    """Ids of the nodes that are bypassed because a field is empty or off."""
    return [node for name, field in fields.items() if values[name] in (None, False, ()) for node in field.bypass]


def uses_chance(fields: Mapping[str, Field], values: Mapping[str, Any]) -> bool:
    """Whether a text might be expanded at random although no field is a seed."""
    if any(field.widget == "seed" for field in fields.values()):
        return False
    return any(field.dynamic and "{" in str(values[name]) for name, field in fields.items())


def _fill_field(graph: dict[str, Any], field: Field, value: Any, words: Mapping[str, str]) -> list[Upload]:
    if field.widget in MEDIA:
        slots = tuple((slot.node_id, slot.input) for slot in field.slots[""])
        upload = Upload(value, name_upload(field, value), slots)
        value = upload.name
        _put_all(graph, field, value)
        return [upload]
    if field.template:
        _put_all(graph, field, fill_template(field.template, {**words, "value": words[field.name]}))
    elif field.widget == "size":
        for part, side in (("width", value[0]), ("height", value[1])):
            for slot in field.slots[part]:
                _put(graph, slot, side)
    elif field.widget != "loras":
        _put_all(graph, field, {"__value__": list(value)} if field.is_multiple else value)
        for slot, setting in next((c.sets for c in field.choices or () if c.value == value), ()):
            _put(graph, slot, fill_template(setting, words) if isinstance(setting, str) else setting)
    return []


def _put_all(graph: dict[str, Any], field: Field, value: Any) -> None:
    for slot in field.slots.get("", ()):
        _put(graph, slot, value)


def _put(graph: dict[str, Any], slot: Slot, value: Any) -> None:
    graph[slot.node_id]["inputs"][slot.input] = value


def _describe_word(field: Field, value: Any) -> str:
    described = describe_value(field, value)
    if isinstance(described, list):
        return ", ".join(str(item["name"] if isinstance(item, dict) else item) for item in described)
    return "" if described is None else str(described)


def _expand(graph: dict[str, Any], fields: Mapping[str, Field], values: Mapping[str, Any]) -> None:
    """Draw `{a|b}` in the texts that fields have filled, each slot with a dice of its own from the job's seed."""
    slots = dict.fromkeys(slot for field in fields.values() for slot in sorted(field.dynamic, key=str))
    seed = _find_seed(fields, values)
    for slot in slots:
        text = graph[slot.node_id]["inputs"].get(slot.input)
        if isinstance(text, str):
            _put(graph, slot, expand_dynamic(text, random.Random(f"{seed}/{slot}")))


def _find_seed(fields: Mapping[str, Field], values: Mapping[str, Any]) -> str:
    seed = next((values[name] for name, field in fields.items() if field.widget == "seed"), values.get(DRAWN))
    if seed is not None:
        return str(seed)
    described = {name: describe_value(field, values[name]) for name, field in fields.items()}
    return hashlib.sha256(json.dumps(described, sort_keys=True, default=str).encode()).hexdigest()
