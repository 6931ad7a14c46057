"""Filling: checked values and a workflow become the prompt that is posted."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping
from random import Random
from typing import Any

from comfygradio.comfy.nested_input import read_input, wrap_list, write_input
from comfygradio.comfy.object_info import ObjectInfo, Scalar, list_own_options
from comfygradio.comfy.workflow import Upload, Workflow
from comfygradio.forms.bypass import bypass_nodes
from comfygradio.forms.field import Field
from comfygradio.forms.file_prefix import expand_prefixes
from comfygradio.forms.missing_inputs import fill_missing_inputs, has_dynamic_combo
from comfygradio.forms.slots import Slot
from comfygradio.forms.text_expansion import (
    expand_dynamic,
    expand_template,
    fill_template,
    has_alternatives,
    list_templates,
    uses_other_fields,
)
from comfygradio.forms.value_json import format_word, value_to_json
from comfygradio.forms.visibility import find_visible

RANDOM_SEED = "_drawn"
"""Key of the random seed that is stored with the values of a form without a seed field. No field
can have this name.
"""

FROM_FORM = "_written"
"""Key that marks values a person typed into the form: there `{a|b}` is expanded even if the preset
does not ask for it. No field can have this name.
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
    shown = find_visible(fields, _describe_values(fields, values))
    for name in order_by_filling(fields, shown):
        if values[name] is not None:
            filling.fill(fields[name], values[name])
    filling.complete()
    graph = filling.graph
    for name, field in fields.items():
        unused = field.kind.change_graph(graph, field, values[name], object_info)
        if unused:
            bypass_nodes(graph, unused, object_info)
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
        is_shown = shown is None or shown[name]
        sets_slots = any(choice.sets for choice in field.choices or ())
        return is_shown, sets_slots or uses_other_fields(field)

    return sorted(fields, key=rank)


def list_bypassed(fields: Mapping[str, Field], values: Mapping[str, Any]) -> list[str]:
    """Ids of the nodes that are bypassed because a field is empty or off."""
    node_ids: list[str] = []
    for name, field in fields.items():
        if _is_off(values[name]):
            node_ids.extend(field.bypass)
    return node_ids


def uses_randomness(fields: Mapping[str, Field], fixed: Fixed, values: Mapping[str, Any]) -> bool:
    """Whether filling the form needs a random seed although no field has one."""
    if _find_seeds(fields, values):
        return False
    texts = [value for _, value in fixed if isinstance(value, str)]
    for name, field in fields.items():
        if field.dynamic:
            texts.extend(list_templates(field))
        if is_expanded(field, values) and isinstance(values[name], str):
            texts.append(values[name])
    return any(has_alternatives(text) for text in texts)


def is_expanded(field: Field, values: Mapping[str, Any]) -> bool:
    """Whether `{a|b}` is expanded in a field's value.

    It is if the preset says so or lists that text itself, or if a person typed it into the form.
    """
    if not field.dynamic:
        return False
    return field.is_dynamic or not field.kind.is_text or values.get(FROM_FORM) is True


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
        self._seed = _choose_seed(fields, values)
        self._words: dict[str, str] = {}
        self._expanded: dict[str, str] = {}
        """What `_words` become in inputs whose texts are drawn."""
        for name, field in fields.items():
            word = _write_whole(field, values[name])
            self._words[name] = word
            if is_expanded(field, values):
                word = self._expand(name, word)
            self._expanded[name] = word
        self._put: list[Slot] = []
        self._uploads: list[Upload] = []

    def put(
        self, origin: str, slot: Slot, value: Any, own: Mapping[str, str] | None = None
    ) -> None:
        """Set an input; in a text the values of fields, and what `own` adds to them, stand for
        their names, and an option is drawn of each `{a|b}` that the preset itself has there.
        """
        if isinstance(value, str):
            value = self._write_template(origin, slot, value, own or {})
        self._set(slot, value)

    def _write_template(
        self, origin: str, slot: Slot, template: str, own: Mapping[str, str]
    ) -> str:
        if self._takes_expanded(origin, slot):
            words = {**self._expanded, **own}
            random = Random(f"{self._seed}/{origin}/preset")
            return expand_template(template, words, random)
        words = {**self._words, **own}
        return fill_template(template, words)

    def fill(self, field: Field, value: Any) -> None:
        """Put a checked value, which is not None, where it belongs."""
        upload = field.kind.build_upload(field, value)
        if upload is not None:
            self._uploads.append(upload)
            value = upload.name
        if field.template:
            self._fill_template(field)
        else:
            self._fill_inputs(field, value)

    def _fill_template(self, field: Field) -> None:
        for slot in field.slots[""]:
            words = self._expanded if slot in field.dynamic else self._words
            own = {"value": words[field.name]}
            self.put(field.name, slot, field.template, own)

    def _fill_inputs(self, field: Field, value: Any) -> None:
        for slot, literal in field.kind.list_inputs(field, value):
            if isinstance(literal, str) and slot in field.dynamic:
                self._set(slot, self._expanded[field.name])
            else:
                self._set(slot, literal)
        for choice in field.choices or ():
            if choice.value == value:
                for slot, setting in choice.sets:
                    self.put(field.name, slot, setting)
                break

    def complete(self) -> None:
        """Fill in what the choices made in dynamic combos ask for beyond what the workflow has."""
        for node_id in dict.fromkeys(slot.node_id for slot in self._put):
            node = self.graph[node_id]
            class_type = node["class_type"]
            if has_dynamic_combo(class_type, self._object_info):
                fill_missing_inputs(class_type, node["inputs"], self._object_info)
            if class_type == "CustomCombo":
                _follow_choice(node["inputs"])

    def list_uploads(self) -> list[Upload]:
        """The files for nodes that are still in the graph."""
        kept = []
        for upload in self._uploads:
            slots = tuple(slot for slot in upload.slots if slot[0] in self.graph)
            if slots:
                kept.append(Upload(upload.path, upload.name, slots))
        return kept

    def _takes_expanded(self, origin: str, slot: Slot) -> bool:
        """Whether the preset's own `{a|b}` is drawn in this input: for the line of a field as that
        says, for a fixed one where ComfyUI's own page does it.
        """
        if origin:
            return slot in self._fields[origin].dynamic
        node = self.graph[slot.node_id]
        spec = self._object_info.spec(node["class_type"], slot.input, node["inputs"])
        if spec is None or "STRING" not in spec.types:
            return False
        return bool(spec.options.get("dynamicPrompts"))

    def _expand(self, name: str, word: str) -> str:
        """A field that fills several inputs draws the same for each."""
        random = Random(f"{self._seed}/{name}")
        return expand_dynamic(word, random)

    def _set(self, slot: Slot, value: Any) -> None:
        node = self.graph[slot.node_id]
        inputs = node["inputs"]
        if not isinstance(read_input(inputs, slot.input), Scalar):
            # The workflow has an object there, not its name alone, as this node may need it.
            spec = self._object_info.spec(node["class_type"], slot.input, inputs)
            if spec and spec.entries:
                value = wrap_list(spec.from_choice_name(value))
        write_input(inputs, slot.input, value)
        self._put.append(slot)


def _follow_choice(inputs: dict[str, Any]) -> None:
    """Set `index` of a Custom Combo to the position of its choice, as ComfyUI's own page does."""
    offered = list_own_options(inputs)
    if inputs.get("choice") in offered:
        inputs["index"] = offered.index(inputs["choice"])


def _write_whole(field: Field, value: Any) -> str:
    """A checked value as templates write it: a text is written whole, however long it is."""
    if isinstance(value, str):
        return value
    described = value_to_json(field, value)
    return format_word(described)


def _is_off(value: Any) -> bool:
    """Whether a value is empty or off; the numbers 0 and 0.0 are neither."""
    return value is None or value is False or value == ()


def _find_seeds(fields: Mapping[str, Field], values: Mapping[str, Any]) -> list[Any]:
    """The values of the seeds that are not empty."""
    seeds: list[Any] = []
    for name, field in fields.items():
        if field.kind.is_seed and values[name] is not None:
            seeds.append(values[name])
    return seeds


def _choose_seed(fields: Mapping[str, Field], values: Mapping[str, Any]) -> str:
    """Seed for text expansion: the first seed field, else the stored random seed, else a hash of
    all values.
    """
    seeds = _find_seeds(fields, values)
    seed = seeds[0] if seeds else values.get(RANDOM_SEED)
    if seed is not None:
        return str(seed)
    described = _describe_values(fields, values)
    text = json.dumps(described, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _describe_values(fields: Mapping[str, Field], values: Mapping[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {}
    for name, field in fields.items():
        described[name] = value_to_json(field, values[name])
    return described
