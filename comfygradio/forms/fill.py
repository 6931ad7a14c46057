"""Filling: checked values and a workflow become the prompt that is posted."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping
from random import Random
from typing import Any

from comfygradio.comfy.inside import read_input, write_input
from comfygradio.comfy.object_info import ObjectInfo, Scalar, list_own_options
from comfygradio.comfy.workflow import Upload, Workflow
from comfygradio.forms.binding.gained import fill_gained, is_dynamic
from comfygradio.forms.bypass import bypass_nodes
from comfygradio.forms.describe import describe_value, write_word
from comfygradio.forms.dynamic_prompt import expand_dynamic, has_choices
from comfygradio.forms.field import MEDIA, TEXTS, Field
from comfygradio.forms.file_prefix import expand_prefixes
from comfygradio.forms.literals import wrap
from comfygradio.forms.loras import insert_loras
from comfygradio.forms.media import name_upload
from comfygradio.forms.slots import Slot
from comfygradio.forms.templates import (
    draw_template,
    fill_template,
    find_names,
    list_templates,
)
from comfygradio.forms.visibility import find_visible

DRAWN = "_drawn"
"""Under this name the random number of a form without a seed is kept among its values; no field can
be called so.
"""

WRITTEN = "_written"
"""Under this name the values say that a person wrote them into a form, where `{a|b}` is drawn
without the preset saying so; no field can be called so.
"""

Fixed = tuple[tuple[Slot, Any], ...]


def fill_graph(
    workflow: Workflow,
    object_info: ObjectInfo,
    fields: Mapping[str, Field],
    fixed: Fixed,
    values: Mapping[str, Any],
    now: datetime.datetime,
) -> tuple[dict[str, Any], tuple[Upload, ...]]:
    """The graph in API format, and the files that it needs; the same arguments always give the
    same.

    `values` are checked values, None for fields that stay empty or are hidden; `now` is what
    `%date:…%` writes.
    """
    filling = _Filling(workflow.to_json(), object_info, fields, values)
    for slot, value in fixed:
        filling.put("", slot, value)
    shown = find_visible(
        fields, {name: describe_value(field, values[name]) for name, field in fields.items()}
    )
    for name in order_by_filling(fields, shown):
        if values[name] is not None:
            filling.fill(fields[name], values[name])
    graph = filling.graph
    filling.complete()
    for name, field in fields.items():
        if field.widget == "loras":
            insert_loras(graph, field, values[name] or (), object_info)
    bypass_nodes(graph, list_bypassed(fields, values), object_info)
    expand_prefixes(graph, now)
    return graph, tuple(filling.list_uploads())


def order_by_filling(
    fields: Mapping[str, Field], shown: Mapping[str, bool] | None = None
) -> list[str]:
    """Field names in the order in which they fill slots: where two share one, the later wins.

    Hidden fields come first and those whose texts use other fields last, otherwise the order of the
    form holds.
    """

    def rank(name: str) -> tuple[bool, bool]:
        field = fields[name]
        uses_others = any(used != "value" for used in find_names("\n".join(list_templates(field))))
        is_shown = shown is None or shown[name]
        return is_shown, uses_others or any(choice.sets for choice in field.choices or ())

    return sorted(fields, key=rank)


def list_bypassed(fields: Mapping[str, Field], values: Mapping[str, Any]) -> list[str]:
    """Ids of the nodes that are bypassed because a field is empty or off."""
    return [
        node for name, field in fields.items() if _is_off(values[name]) for node in field.bypass
    ]


def uses_chance(fields: Mapping[str, Field], fixed: Fixed, values: Mapping[str, Any]) -> bool:
    """Whether a text might be drawn at random although no field is a seed."""
    if any(field.widget == "seed" and values[name] is not None for name, field in fields.items()):
        return False
    texts = [value for _, value in fixed if isinstance(value, str)]
    for name, field in fields.items():
        if field.dynamic:
            texts += list_templates(field)
        if is_drawn(field, values) and isinstance(values[name], str):
            texts.append(values[name])
    return any(map(has_choices, texts))


def is_drawn(field: Field, values: Mapping[str, Any]) -> bool:
    """Whether `{a|b}` is drawn in the value of a field: the preset says so, or lists that text
    itself, or a person wrote it into a form.
    """
    is_asked = field.is_dynamic or field.widget not in TEXTS or values.get(WRITTEN) is True
    return bool(field.dynamic) and is_asked


class _Filling:
    """A graph that is being filled; it remembers which inputs were."""

    def __init__(
        self,
        graph: dict[str, Any],
        object_info: ObjectInfo,
        fields: Mapping[str, Field],
        values: Mapping[str, Any],
    ) -> None:
        self.graph = graph
        self._fields = fields
        self._object_info = object_info
        self._seed = _find_seed(fields, values)
        self._words = {name: _write_whole(field, values[name]) for name, field in fields.items()}
        self._drawn = {
            name: self._draw(name, word) if is_drawn(fields[name], values) else word
            for name, word in self._words.items()
        }
        """What `_words` become in inputs whose texts are drawn."""
        self._put: list[Slot] = []
        self._uploads: list[Upload] = []

    def put(
        self, origin: str, slot: Slot, value: Any, own: Mapping[str, str] | None = None
    ) -> None:
        """Set an input; in a text the values of fields, and what `own` adds to them, stand for
        their names, and an option is drawn of each `{a|b}` that the preset itself has there.
        """
        if isinstance(value, str):
            if self._takes_drawn(origin, slot):
                words = {**self._drawn, **(own or {})}
                random = Random(f"{self._seed}/{origin}/preset")
                value = draw_template(value, words, random)
            else:
                value = fill_template(value, {**self._words, **(own or {})})
        self._set(slot, value)

    def fill(self, field: Field, value: Any) -> None:
        """Put a checked value, which is not None, where it belongs."""
        if field.widget in MEDIA:
            slots = tuple((slot.node_id, slot.input) for slot in field.slots[""])
            self._uploads.append(Upload(value, name_upload(field, value), slots))
            self._set_all(field, self._uploads[-1].name)
        elif field.template:
            for slot in field.slots[""]:
                words = self._drawn if slot in field.dynamic else self._words
                self.put(field.name, slot, field.template, {"value": words[field.name]})
        elif field.widget == "size":
            for part, side in (("width", value[0]), ("height", value[1])):
                for slot in field.slots[part]:
                    self._set(slot, side)
        elif field.widget != "loras":
            self._set_all(field, wrap(value) if field.is_multiple else value)
            for one in field.computed:
                self._set(one.slot, one.work_out(value))
            for slot, setting in next(
                (c.sets for c in field.choices or () if c.value == value), ()
            ):
                self.put(field.name, slot, setting)

    def complete(self) -> None:
        """Fill in what the choices made in dynamic combos ask for beyond what the workflow has."""
        for node_id in dict.fromkeys(slot.node_id for slot in self._put):
            node = self.graph[node_id]
            if is_dynamic(node["class_type"], self._object_info):
                fill_gained(node["class_type"], node["inputs"], self._object_info)
            if node["class_type"] == "CustomCombo":
                _follow_choice(node["inputs"])

    def list_uploads(self) -> list[Upload]:
        """The files for nodes that are still in the graph."""
        kept = []
        for upload in self._uploads:
            slots = tuple(slot for slot in upload.slots if slot[0] in self.graph)
            kept += [Upload(upload.path, upload.name, slots)] if slots else []
        return kept

    def _takes_drawn(self, origin: str, slot: Slot) -> bool:
        """Whether the preset's own `{a|b}` is drawn in this input: for the line of a field as that
        says, for a fixed one where ComfyUI's own page does it.
        """
        if origin:
            return slot in self._fields[origin].dynamic
        node = self.graph[slot.node_id]
        spec = self._object_info.spec(node["class_type"], slot.input, node["inputs"])
        return (
            spec is not None and "STRING" in spec.types and bool(spec.options.get("dynamicPrompts"))
        )

    def _draw(self, name: str, word: str) -> str:
        """A field that fills several inputs draws the same for each."""
        return expand_dynamic(word, Random(f"{self._seed}/{name}"))

    def _set_all(self, field: Field, value: Any) -> None:
        for slot in field.slots.get("", ()):
            is_text = isinstance(value, str) and slot in field.dynamic
            self._set(slot, self._drawn[field.name] if is_text else value)

    def _set(self, slot: Slot, value: Any) -> None:
        node = self.graph[slot.node_id]
        if not isinstance(read_input(node["inputs"], slot.input), Scalar):
            # The workflow has an object there, not its name alone, as this node may need it.
            spec = self._object_info.spec(node["class_type"], slot.input, node["inputs"])
            value = wrap(spec.write_choice(value)) if spec and spec.entries else value
        write_input(node["inputs"], slot.input, value)
        self._put.append(slot)


def _follow_choice(inputs: dict[str, Any]) -> None:
    """A Custom Combo gives the place of its choice as well, which ComfyUI's own page works out."""
    offered = list_own_options(inputs)
    if inputs.get("choice") in offered:
        inputs["index"] = offered.index(inputs["choice"])


def _write_whole(field: Field, value: Any) -> str:
    """A checked value as templates write it: a text is written whole, however long it is."""
    return value if isinstance(value, str) else write_word(describe_value(field, value))


def _is_off(value: Any) -> bool:
    """Whether a value is empty or off; the numbers 0 and 0.0 are neither."""
    return value is None or value is False or value == ()


def _find_seed(fields: Mapping[str, Field], values: Mapping[str, Any]) -> str:
    seeds = [
        values[name]
        for name, field in fields.items()
        if field.widget == "seed" and values[name] is not None
    ]
    seed = seeds[0] if seeds else values.get(DRAWN)
    if seed is not None:
        return str(seed)
    described = {name: describe_value(field, values[name]) for name, field in fields.items()}
    return hashlib.sha256(json.dumps(described, sort_keys=True, default=str).encode()).hexdigest()
