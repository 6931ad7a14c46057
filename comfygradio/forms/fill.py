"""Fills a workflow with checked values, which makes the prompt that is posted."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from comfygradio.comfy.nested_input import read_input, wrap_list, write_input
from comfygradio.comfy.object_info import InputSpec, ObjectInfo, Scalar, list_own_options
from comfygradio.comfy.workflow import Upload, Workflow
from comfygradio.forms.bypass import bypass_nodes
from comfygradio.forms.field import Field
from comfygradio.forms.file_prefix import expand_prefixes
from comfygradio.forms.kinds.value import Choice
from comfygradio.forms.missing_inputs import fill_missing_inputs, has_dynamic_combo
from comfygradio.forms.slots import Slot
from comfygradio.forms.text_expansion import (
    expand_template,
    has_alternatives,
    list_templates,
    uses_other_fields,
)
from comfygradio.forms.value_json import format_word, value_to_json
from comfygradio.forms.visibility import find_visible
from comfygradio.forms.wildcards import NO_WILDCARDS, Wildcards, draw_text, names_wildcard

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
    wildcards: Wildcards,
) -> tuple[dict[str, Any], tuple[Upload, ...]]:
    """Build the graph in API format and list the files that it needs. The same arguments give the
    same result.

    `values` are checked values, None for fields that stay empty or are hidden; `now` is the time
    that `%date:…%` stands for.
    """
    filler = _GraphFiller(workflow.to_json(), object_info, fields, values, wildcards)
    for slot, value in fixed:
        filler.set_fixed(slot, value)
    shown = find_visible(fields, _values_to_json(fields, values))
    for name in order_by_filling(fields, shown):
        if values[name] is not None:
            filler.fill(fields[name], values[name])
    # The choices are all set by now: only they tell which inputs a dynamic combo adds.
    filler.complete()
    graph = filler.graph
    # Bypassing takes nodes out of the graph, in which fields fill their inputs until here.
    for name, field in fields.items():
        unused = field.kind.change_graph(graph, field, values[name], object_info)
        if unused:
            bypass_nodes(graph, unused, object_info)
    bypass_nodes(graph, list_bypassed(fields, values), object_info)
    # Last, since a prefix may take the value of any input.
    expand_prefixes(graph, now)
    return graph, tuple(filler.list_uploads())


def order_by_filling(
    fields: Mapping[str, Field], shown: Mapping[str, bool] | None = None
) -> list[str]:
    """Sort field names by when they fill their slots: of two that share one, the later wins.

    Hidden fields come first, and those that set several slots or use other fields come last;
    otherwise the order is that of the form.
    """

    def rank(name: str) -> tuple[bool, bool]:
        field = fields[name]
        is_shown = shown is None or shown[name]
        choices = field.choices or ()
        comes_late = any(choice.sets for choice in choices) or uses_other_fields(field)
        return is_shown, comes_late

    return sorted(fields, key=rank)


def list_bypassed(fields: Mapping[str, Field], values: Mapping[str, Any]) -> list[str]:
    """List the ids of the nodes that are bypassed because a field is empty or off."""
    node_ids: list[str] = []
    for name, field in fields.items():
        if _is_off(values[name]):
            node_ids.extend(field.bypass)
    return node_ids


def uses_randomness(
    fields: Mapping[str, Field], fixed: Fixed, values: Mapping[str, Any], wildcards: Wildcards
) -> bool:
    """Whether filling the form needs a random seed although no field has one."""
    if _find_seeds(fields, values):
        return False
    for _, text in [*list_preset_texts(fields, fixed), *list_typed_texts(fields, values)]:
        if names_wildcard(text, wildcards):
            return True
    texts = [value for _, value in fixed if isinstance(value, str)]
    for name, field in fields.items():
        if field.expanding_slots:
            texts.extend(list_templates(field))
        if is_expanded(field, values) and isinstance(values[name], str):
            texts.append(values[name])
    return any(has_alternatives(text) for text in texts)


def is_expanded(field: Field, values: Mapping[str, Any]) -> bool:
    """Whether `{a|b}` is expanded in a field's value.

    It is if the preset says so or lists that text itself, or if a person typed it into the form.
    """
    if not field.expanding_slots:
        return False
    if field.always_expands or not field.kind.is_text:
        return True
    return values.get(FROM_FORM) is True


def find_posted_text(field: Field, graph: Mapping[str, Any]) -> str | None:
    """Find the text that a text field filled into a graph, with everything drawn; None if it fills
    none, or its node was not posted.
    """
    if not field.kind.is_text:
        return None
    for slot in field.all_slots:
        if slot.node_id not in graph:
            continue
        text = read_input(graph[slot.node_id]["inputs"], slot.input)
        if isinstance(text, str):
            return text
    return None


def list_preset_texts(fields: Mapping[str, Field], fixed: Fixed) -> Iterator[tuple[str, str]]:
    """Yield each text of the preset's own in which wildcards are drawn, after the name of its
    field; "" for what is fixed.
    """
    for _, value in fixed:
        if isinstance(value, str):
            yield "", value
    for name, field in fields.items():
        if field.takes_wildcards:
            for text in list_templates(field):
                yield name, text


def list_typed_texts(
    fields: Mapping[str, Field], values: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Yield each value in which wildcards are drawn, after the name of its field."""
    for name, field in fields.items():
        value = values[name]
        if field.takes_wildcards and field.kind.is_text and isinstance(value, str):
            yield name, value


class _GraphFiller:
    """Fills the inputs of a graph, and remembers which ones were filled."""

    def __init__(
        self,
        graph: dict[str, Any],
        object_info: ObjectInfo,
        fields: Mapping[str, Field],
        values: Mapping[str, Any],
        wildcards: Wildcards,
    ) -> None:
        self.graph = graph
        self._object_info = object_info
        self._seed = _choose_seed(fields, values)
        self._texts: dict[str, str] = {}
        """The value of each field as a text, for templates."""
        self._expanded: dict[str, str] = {}
        """The same texts, for inputs in which `{a|b}` is expanded."""
        self._wildcards = wildcards
        typed = dict(list_typed_texts(fields, values))
        for name, field in fields.items():
            text = _write_value(field, values[name])
            own = wildcards if name in typed else NO_WILDCARDS
            key = f"{self._seed}/{name}"
            self._texts[name] = draw_text(text, own, key, is_dynamic=False)
            # The same options are chosen for all inputs that it fills.
            is_dynamic = is_expanded(field, values)
            self._expanded[name] = draw_text(text, own, key, is_dynamic=is_dynamic)
        self._filled: list[Slot] = []
        self._uploads: list[Upload] = []

    def set_fixed(self, slot: Slot, value: Any) -> None:
        """Set an input to a fixed value, in which a text is a template."""
        if isinstance(value, str):
            is_expanded_here = self._page_expands(slot)
            wildcards = self._find_wildcards(slot)
            value = self._write_template("", value, {}, is_expanded_here, wildcards)
        self._set(slot, value)

    def fill(self, field: Field, value: Any) -> None:
        """Set the inputs that a checked value fills; it may not be None."""
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
            is_dynamic = slot in field.expanding_slots
            texts = self._expanded if is_dynamic else self._texts
            own = {"value": texts[field.name]}
            wildcards = self._find_wildcards(slot, field)
            text = self._write_template(field.name, field.template, own, is_dynamic, wildcards)
            self._set(slot, text)

    def _write_template(
        self,
        origin: str,
        template: str,
        own: Mapping[str, str],
        is_dynamic: bool,
        wildcards: Wildcards,
    ) -> str:
        """Insert the texts of fields, and those in `own`, into a text of the preset's.

        The template's own wildcards are drawn, and if `is_dynamic`, its `{a|b}` too.
        """
        # Each text has a key of its own, so that a further field changes nothing for the others.
        key = f"{self._seed}/{origin}/preset"

        def expand(text: str) -> str:
            return draw_text(text, wildcards, key, is_dynamic=is_dynamic)

        texts = self._expanded if is_dynamic else self._texts
        return expand_template(template, {**texts, **own}, expand)

    def _find_wildcards(self, slot: Slot, field: Field | None = None) -> Wildcards:
        """Return the wildcards that a text of the preset's may name: none where the input takes no
        text, such as the name of a model, or the field takes none.
        """
        if field is not None and not field.takes_wildcards:
            return NO_WILDCARDS
        spec = self._find_spec(slot)
        if spec is None or "STRING" not in spec.types:
            return NO_WILDCARDS
        return self._wildcards

    def _fill_inputs(self, field: Field, value: Any) -> None:
        for slot, literal in field.kind.list_inputs(field, value):
            if isinstance(literal, str) and slot in field.expanding_slots:
                self._set(slot, self._expanded[field.name])
            elif isinstance(literal, str) and field.kind.is_text:
                self._set(slot, self._texts[field.name])
            else:
                self._set(slot, literal)
        for choice in field.choices or ():
            if choice.value == value:
                self._set_all(field, choice)
                return

    def _set_all(self, field: Field, choice: Choice) -> None:
        """Set the inputs that a choice sets."""
        for slot, setting in choice.sets:
            value: Any = setting
            if isinstance(setting, str):
                is_dynamic = slot in field.expanding_slots
                wildcards = self._find_wildcards(slot, field)
                value = self._write_template(field.name, setting, {}, is_dynamic, wildcards)
            self._set(slot, value)

    def complete(self) -> None:
        """Fill the inputs that the choices of dynamic combos add, if the workflow lacks them."""
        node_ids = [slot.node_id for slot in self._filled]
        for node_id in dict.fromkeys(node_ids):
            node = self.graph[node_id]
            class_type = node["class_type"]
            if has_dynamic_combo(class_type, self._object_info):
                fill_missing_inputs(class_type, node["inputs"], self._object_info)
            if class_type == "CustomCombo":
                _follow_choice(node["inputs"])

    def list_uploads(self) -> list[Upload]:
        """List the files for nodes that are still in the graph."""
        kept = []
        for upload in self._uploads:
            # A node that is bypassed needs no file.
            slots = tuple(slot for slot in upload.slots if slot[0] in self.graph)
            if slots:
                kept.append(Upload(upload.path, upload.name, slots))
        return kept

    def _page_expands(self, slot: Slot) -> bool:
        """Whether ComfyUI's own page expands `{a|b}` in this input."""
        spec = self._find_spec(slot)
        if spec is None or "STRING" not in spec.types:
            return False
        return bool(spec.options.get("dynamicPrompts"))

    def _find_spec(self, slot: Slot) -> InputSpec | None:
        """Find what the server says about an input."""
        node = self.graph[slot.node_id]
        return self._object_info.spec(node["class_type"], slot.input, node["inputs"])

    def _set(self, slot: Slot, value: Any) -> None:
        node = self.graph[slot.node_id]
        inputs = node["inputs"]
        own = read_input(inputs, slot.input)
        if not isinstance(own, Scalar):
            # The workflow has an object there instead of its name, which this node may need.
            spec = self._object_info.spec(node["class_type"], slot.input, inputs)
            if spec and spec.entries:
                value = wrap_list(spec.from_choice_name(value))
        write_input(inputs, slot.input, value)
        self._filled.append(slot)


def _follow_choice(inputs: dict[str, Any]) -> None:
    """Set `index` of a Custom Combo to the position of its choice, as ComfyUI's own page does."""
    offered = list_own_options(inputs)
    if inputs.get("choice") in offered:
        inputs["index"] = offered.index(inputs["choice"])


def _write_value(field: Field, value: Any) -> str:
    """Write a checked value as templates do; a text is not shortened, however long it is."""
    if isinstance(value, str):
        return value
    plain = value_to_json(field, value)
    return format_word(plain)


def _is_off(value: Any) -> bool:
    """Whether a value is empty or off; the numbers 0 and 0.0 are neither."""
    if value is None or value is False:
        return True
    # An empty list, of choices or of LoRAs.
    return bool(value == ())


def _find_seeds(fields: Mapping[str, Field], values: Mapping[str, Any]) -> list[Any]:
    """List the values of the seeds that are not empty."""
    seeds: list[Any] = []
    for name, field in fields.items():
        if field.kind.is_seed and values[name] is not None:
            seeds.append(values[name])
    return seeds


def _choose_seed(fields: Mapping[str, Field], values: Mapping[str, Any]) -> str:
    """Choose the seed for text expansion: that of the first seed field, else the stored random
    seed, else a hash of all values.
    """
    seeds = _find_seeds(fields, values)
    seed = seeds[0] if seeds else values.get(RANDOM_SEED)
    if seed is not None:
        return str(seed)
    plain = _values_to_json(fields, values)
    text = json.dumps(plain, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _values_to_json(fields: Mapping[str, Field], values: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name, field in fields.items():
        plain[name] = value_to_json(field, values[name])
    return plain
