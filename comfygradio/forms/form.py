"""Forms: presets bound to what a server's object_info lists.

A form checks values and builds the prompt for them, without a request to the server.
"""

from __future__ import annotations

import datetime
import difflib
import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from comfygradio.comfy.object_info import ObjectInfo, is_whole_number
from comfygradio.comfy.workflow import Layout, Prompt, Workflow
from comfygradio.errors import NodeError, PresetError, ValuesRefused
from comfygradio.forms.field import Field
from comfygradio.forms.fill import (
    FROM_FORM,
    RANDOM_SEED,
    fill_graph,
    is_expanded,
    list_preset_texts,
    list_typed_texts,
    uses_randomness,
)
from comfygradio.forms.kinds.seed import is_open_seed, offset_seed
from comfygradio.forms.kinds.value import InvalidValue, shorten
from comfygradio.forms.model_entry import ModelEntry
from comfygradio.forms.preset_file import PresetFile
from comfygradio.forms.problem import Problem
from comfygradio.forms.slots import Slot
from comfygradio.forms.text_expansion import has_alternatives
from comfygradio.forms.value_check import check_value
from comfygradio.forms.value_json import value_to_json
from comfygradio.forms.visibility import find_visible
from comfygradio.forms.wildcards import (
    NO_WILDCARDS,
    Wildcards,
    check_wildcards,
    describe_unknown,
)
from comfygradio.version import VERSION

UNWRITTEN = "please write a few words."
"""Told if somebody leaves the main prompt of a form empty."""


@dataclass(frozen=True)
class Form:
    """A preset bound to a server. A form with `problems` can be shown, but not filled.

    `workflow` is the stored one, repaired for this server; `notes` say what was repaired. `fixed`
    are values that are always set. `outputs` are ids of the nodes whose results are
    shown; empty means every output node. `lacking_models` are those of the preset's models that the
    server lacks. `layout` is the workflow as its author arranged it, if the preset has that.
    `wildcards` are those beside the preset.
    """

    name: str
    title: str
    file: PresetFile
    workflow: Workflow
    fields: Mapping[str, Field]
    fixed: tuple[tuple[Slot, Any], ...]
    outputs: tuple[str, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()
    object_info: ObjectInfo = field(default_factory=lambda: ObjectInfo({}), repr=False)
    lacking_models: tuple[ModelEntry, ...] = ()
    layout: Layout | None = field(default=None, repr=False, compare=False)
    wildcards: Wildcards = field(default_factory=lambda: NO_WILDCARDS, repr=False, compare=False)

    @property
    def seeds(self) -> tuple[str, ...]:
        """The names of the fields that are seeds."""
        seeds: list[str] = []
        for name, one in self.fields.items():
            if one.kind.is_seed:
                seeds.append(name)
        return tuple(seeds)

    def check(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Check and complete the values of all fields: missing ones become the default, random
        seeds get a number, and hidden fields are reset.

        Beside the fields, `values` may have the keys `RANDOM_SEED` and `FROM_FORM`. Raises
        ValuesRefused with a sentence for each field whose value is not accepted.
        """
        # Names that are no fields: a misspelled one must not leave its field at the default
        # unnoticed.
        problems: dict[str, str] = {}
        known = {*self.fields, RANDOM_SEED, FROM_FORM}
        for name in values:
            if name not in known:
                shown_name = shorten(name)
                problems[shown_name] = self.describe_unknown_field(shown_name)
        found, refused = self._check_each(values)
        if values.get(FROM_FORM) is True:
            for name in self._list_unwritten(found):
                refused[name] = UNWRITTEN
        shown = find_visible(self.fields, self.values_to_json(found))
        for name, is_shown in shown.items():
            if not is_shown:
                # Nobody can see or correct the value of a hidden field, so an invalid one is reset.
                refused.pop(name, None)
                found[name] = self._reset(self.fields[name])
        if problems or refused:
            raise ValuesRefused({**problems, **refused})
        checked = {name: found[name] for name in self.fields}
        self._check_wildcards(checked)
        # Stored only where it matters: jobs that mean the same then have the same values.
        if values.get(FROM_FORM) is True and self._depends_on_origin(checked):
            checked[FROM_FORM] = True
        if uses_randomness(self.fields, self.fixed, checked, self.wildcards):
            checked[RANDOM_SEED] = _take_random_seed(values)
        return checked

    def fill(self, values: Mapping[str, Any]) -> Prompt:
        """Check values and build the prompt for them.

        Raises ValuesRefused, or PresetError if the form has problems.
        """
        self.raise_for_problems()
        return self.build(self.check(values))

    def build(self, checked: Mapping[str, Any], now: datetime.datetime | None = None) -> Prompt:
        """Build the prompt for values that `check` returned. The same values at the same time give
        the same prompt.

        Raises PresetError if the form has problems.
        """
        self.raise_for_problems()
        now = now or datetime.datetime.now()
        graph, uploads = fill_graph(
            self.workflow,
            self.object_info,
            self.fields,
            self.fixed,
            checked,
            now,
            self.wildcards,
        )
        info = {
            "preset": self.name,
            "values": self.values_to_json(checked),
            "version": VERSION,
        }
        # A node that is bypassed shows nothing.
        outputs = tuple(node for node in self.outputs if node in graph)
        notes = self._describe_unknown_wildcards(checked)
        return Prompt(graph, uploads, {"comfygradio": info}, outputs, self.layout, notes)

    def values_to_json(self, checked: Mapping[str, Any]) -> dict[str, Any]:
        """Convert checked values to JSON: sizes to "768x512", files to their names, empty ones to
        null.
        """
        plain: dict[str, Any] = {}
        for name, value in checked.items():
            if name in self.fields:
                plain[name] = value_to_json(self.fields[name], value)
            else:
                plain[name] = value  # RANDOM_SEED or FROM_FORM
        return plain

    def find_visible(self, values: Mapping[str, Any]) -> dict[str, bool]:
        """Map each field's name to whether it is shown. `values` need not be checked: for one that
        is not accepted, the default counts.
        """
        checked, _ = self._check_each(values)
        plain = self.values_to_json(checked)
        return find_visible(self.fields, plain)

    def find_media_field(self, slots: Iterable[tuple[str, str]]) -> Field | None:
        """Find the field that puts a file into one of these slots (node id, input), or None."""
        for node, slot in slots:
            field = self.find_field(node, slot)
            if field is not None and field.kind.is_media:
                return field
        return None

    def find_field(self, node_id: str, input_name: str | None) -> Field | None:
        """Find the field that fills this input, or None. A server's error is shown beside it.

        If a dynamic input (`resize_type.width`) is missing, ComfyUI names only its last part.
        """
        owners = self._map_slots()
        owner = owners.get(Slot(node_id, input_name or ""))
        if owner is None:
            # Missing inputs of a dynamic combo are reported by their last part alone.
            owner = _find_dynamic_owner(owners, node_id, input_name)
        if owner is not None:
            return owner
        # Loaders that a LoRA list adds or fills are in no slot.
        for one in self.fields.values():
            if one.kind.is_own_node(one, node_id):
                return one
        return None

    def _map_slots(self) -> dict[Slot, Field]:
        """Map each slot to the first field that fills it."""
        owners: dict[Slot, Field] = {}
        for one in self.fields.values():
            for slot in one.all_slots:
                owners.setdefault(slot, one)
        return owners

    def describe_rejection(self, node_errors: Iterable[NodeError]) -> dict[str, str]:
        """Map the names of fields to what the server rejected in the inputs that they fill. Errors
        in inputs that no field fills are left out.
        """
        found: dict[str, str] = {}
        for error in node_errors:
            one = self.find_field(error.node_id, error.input_name)
            if one is None:
                continue
            told = [error.message, error.details]
            parts = [part.rstrip(".") for part in told if part]
            found.setdefault(one.name, f"ComfyUI refuses it: {': '.join(parts)}.")
        return found

    def raise_for_problems(self) -> None:
        """Raise PresetError if the form has problems."""
        if self.problems:
            told = " ".join(map(str, self.problems))
            raise PresetError(f"{self.title} cannot be used: {told}")

    def _check_each(self, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """Check the values of all fields. Also returns a sentence for each one that is not
        accepted.
        """
        checked: dict[str, Any] = {}
        refused: dict[str, str] = {}
        for name, one in self.fields.items():
            value = values.get(name, one.default)
            try:
                checked[name] = check_value(one, value)
            except InvalidValue as refusal:
                refused[name] = str(refusal)
        return checked, refused

    def _check_wildcards(self, checked: Mapping[str, Any]) -> None:
        """Raise ValuesRefused if a text has wildcards that cannot be drawn."""
        refused: dict[str, str] = {}
        for name, text in list_typed_texts(self.fields, checked):
            try:
                check_wildcards(text, self.wildcards)
            except InvalidValue as refusal:
                refused[name] = str(refusal)
        if refused:
            raise ValuesRefused(refused)

    def describe_own_wildcards(self) -> tuple[str, ...]:
        """Return what is wrong with the wildcards of the preset's own texts and defaults, each in
        a sentence.
        """
        defaults = {name: field.default for name, field in self.fields.items()}
        listed = list(list_typed_texts(self.fields, defaults))
        notes: list[str] = []
        for name, text in listed:
            try:
                check_wildcards(text, self.wildcards)
            except InvalidValue as refusal:
                notes.append(f"{name}: {refusal}")
        return (*notes, *self._describe_unknown_wildcards(defaults))

    def _describe_unknown_wildcards(self, checked: Mapping[str, Any]) -> tuple[str, ...]:
        """Return a note about the names of no wildcard that stay in the texts, if there are any."""
        listed = [
            *list_preset_texts(self.fields, self.fixed),
            *list_typed_texts(self.fields, checked),
        ]
        note = describe_unknown((text for _, text in listed), self.wildcards)
        return (note,) if note else ()

    def _list_unwritten(self, checked: Mapping[str, Any]) -> list[str]:
        """List the prompts that people have to write themselves, and left empty."""
        unwritten = []
        for name, value in checked.items():
            if self.fields[name].starts_empty and not value.strip():
                unwritten.append(name)
        return unwritten

    def _reset(self, one: Field) -> Any:
        """Return the value of a hidden field: None if it may be empty, else its default."""
        if one.optional or one.kind.is_media:
            return None
        return check_value(one, one.default)

    def _depends_on_origin(self, checked: Mapping[str, Any]) -> bool:
        """Whether a text has a `{a|b}` that is expanded only because a person typed it into the
        form.
        """
        for name, value in checked.items():
            one = self.fields[name]
            if not isinstance(value, str) or is_expanded(one, {}):
                continue
            if is_expanded(one, {FROM_FORM: True}) and has_alternatives(value):
                return True
        return False

    def describe_unknown_field(self, name: str) -> str:
        """Say that there is no field of this name, and which one may be meant."""
        near = difflib.get_close_matches(name, self.fields, 1)
        if near:
            hint = f"did you mean {near[0]}?"
        else:
            hint = f"there are {', '.join(self.fields) or 'none'}."
        return f"{self.title} has no such field; {hint}"


def _find_dynamic_owner(
    owners: Mapping[Slot, Field], node_id: str, last_part: str | None
) -> Field | None:
    """Find the field that fills a dynamic input of a node, by the last part of its name."""
    ending = f".{last_part}"
    for slot, owner in owners.items():
        if slot.node_id == node_id and slot.input.endswith(ending):
            return owner
    return None


def fingerprint(form: Form) -> str:
    """Hash everything that decides how a form is drawn, except the choices of its lists."""
    shape: list[dict[str, Any]] = []
    for one in form.fields.values():
        has_no_choices = one.choices is None
        # A default may be the first of a list, and changes with the models as well.
        shape.append({**vars(one), "choices": has_no_choices, "default": None})
    file = form.file.model_dump(mode="json")
    lacking = [model.path for model in form.lacking_models]
    parts = [form.title, file, shape, form.problems, form.notes, lacking]
    text = json.dumps(parts, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def repeat_values(form: Form, values: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
    """Build the values of `count` jobs that one click starts.

    They differ only in their seeds: a seed that was typed is counted up, and a random one stays
    random. A form without a seed makes one job, since all would be the same.
    """
    if not form.seeds:
        count = 1
    return [_offset_seeds(form, values, number) for number in range(count)]


def _offset_seeds(form: Form, values: Mapping[str, Any], number: int) -> dict[str, Any]:
    counted = dict(values)
    for name in form.seeds:
        value = counted.get(name)
        if number and not is_open_seed(value):
            counted[name] = offset_seed(form.fields[name], value, number)
    return counted


def _take_random_seed(values: Mapping[str, Any]) -> int:
    """Return the random seed that is stored with values, else a new one."""
    stored = values.get(RANDOM_SEED)
    if is_whole_number(stored) and 0 <= stored < 2**64:
        return stored
    return secrets.randbelow(2**50)
