"""Binding of whole forms: every line of a preset file, and what they say about one another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.forms.binding import bind_field, find_claimed
from comfygradio.forms.checks import check_value
from comfygradio.forms.describe import describe_value
from comfygradio.forms.field import MEDIA, Field, Refused
from comfygradio.forms.form import Form
from comfygradio.forms.healing import heal_workflow
from comfygradio.forms.preset_file import FieldFile, PresetFile
from comfygradio.forms.problem import Misfit, Problem
from comfygradio.forms.slots import Slot, find_node
from comfygradio.forms.soundness import find_bypass_problems, find_graph_problems, find_missing_classes
from comfygradio.forms.specs import MissingClass
from comfygradio.forms.templates import find_names
from comfygradio.forms.visibility import find_circle

Fixed = tuple[tuple[Slot, Any], ...]


def bind_form(
    name: str, file: PresetFile, workflow: Workflow, object_info: ObjectInfo, embeddings: Sequence[str] = ()
) -> Form:
    """Bind a preset file to a server; whatever does not fit is collected in the form's `problems`, all at once."""
    healed, notes = heal_workflow(workflow, object_info)
    binder = _Binder(healed, object_info, tuple(embeddings))
    for key, line in file.fields.items():
        binder.add(key, line)
    fields = binder.connect(file)
    outputs = binder.find_outputs(file)
    problems = [*find_missing_classes(healed, object_info), *binder.problems]
    own = {**dict.fromkeys(binder.claimed), **dict(binder.fixed), **_own_slots(fields)}
    problems += find_graph_problems(healed, object_info, own)
    if not problems:
        problems += _find_bypass_problems(fields, healed, object_info)
    notes = (*notes, *binder.notes)
    fixed = tuple(binder.fixed)
    return Form(name, file.title, file, healed, fields, fixed, outputs, tuple(problems), notes, object_info)


class _Binder:
    """Collects fields, problems and notes while the lines of a file are bound one after the other."""

    def __init__(self, workflow: Workflow, object_info: ObjectInfo, embeddings: tuple[str, ...]) -> None:
        self._workflow = workflow
        self._object_info = object_info
        self._embeddings = embeddings
        self.fields: dict[str, Field] = {}
        self.fixed: list[tuple[Slot, Any]] = []
        self.claimed: set[Slot] = set()
        self.problems: list[Problem] = []
        self.notes: list[str] = []

    def add(self, key: str, line: FieldFile) -> None:
        """Bind one line; a fixed one becomes values instead of a field."""
        self.claimed |= find_claimed(line, self._workflow)
        try:
            bound = bind_field(key, line, self._workflow, self._object_info, self._embeddings)
        except MissingClass:
            return
        except Misfit as misfit:
            self.problems.append(misfit.to_problem(key))
            return
        self.notes += bound.notes
        if line.fixed is None:
            self.fields[key] = bound.field
        else:
            self.fixed += _spread(bound.field, line.fixed)

    def connect(self, file: PresetFile) -> dict[str, Field]:
        """The fields with what they say about other fields: `show_if` and templates."""
        connected = {}
        for key, field in self.fields.items():
            try:
                show_if = dict(self._bind_conditions(file.fields[key]))
            except Misfit as misfit:
                self.problems.append(misfit.to_problem(key))
                show_if = {}
            connected[key] = replace(field, show_if=show_if)
            self._check_names(field)
        if circle := find_circle(connected):
            text = f"show_if goes round in a circle: {' → '.join([*circle, circle[0]])}."
            self.problems.append(Problem("preset", text, circle[0]))
            connected = {key: replace(field, show_if={}) for key, field in connected.items()}
        return connected

    def find_outputs(self, file: PresetFile) -> tuple[str, ...]:
        """Ids of the nodes whose results are shown."""
        outputs = []
        for address in file.outputs:
            try:
                node = find_node(self._workflow, address)
            except Misfit as misfit:
                self.problems.append(Problem(misfit.kind, f"outputs: {misfit}"))
                continue
            outputs.append(node.id)
            known = self._object_info.get(node.class_type)
            if known and not known.is_output:
                self.problems.append(Problem("preset", f"outputs: {node.title} is no output node.", node=node.id))
        return tuple(outputs)

    def _bind_conditions(self, line: FieldFile) -> Iterator[tuple[str, tuple[Any, ...]]]:
        for other, wanted in (line.show_if or {}).items():
            field = self.fields.get(other)
            if field is None or field.widget in (*MEDIA, "loras"):
                there = ", ".join(key for key, one in self.fields.items() if one.widget not in (*MEDIA, "loras"))
                raise Misfit("preset", f"show_if: there is no field {other} to look at; there are {there or 'none'}.")
            values = wanted if isinstance(wanted, list) else [wanted]
            yield other, tuple(_check_condition(field, value) for value in values)

    def _check_names(self, field: Field) -> None:
        settings = [text for choice in field.choices or () for _, text in choice.sets if isinstance(text, str)]
        for name in find_names("".join([field.template, *settings])):
            if name not in self.fields and not (name == "value" and field.template):
                there = f"there are {', '.join(self.fields)}"
                text = f"the text uses {{{name}}}, and there is no field of that name; {there}."
                self.problems.append(Problem("preset", text, field.name))


def _check_condition(field: Field, value: Any) -> Any:
    """The value as the other field describes it, so that both compare equal."""
    try:
        described = describe_value(field, check_value(replace(field, optional=False), value))
    except Refused as refusal:
        raise Misfit("preset", f"show_if: {field.name} is never {value!r}: {refusal}") from refusal
    return described[0] if field.is_multiple and described else described


def _spread(field: Field, fixed: Any) -> list[tuple[Slot, Any]]:
    """Slot and value of a fixed line; a file is named as the server has it."""
    value = fixed if field.widget in MEDIA else check_value(field, field.default)
    if field.widget == "size":
        parts = {"width": value[0], "height": value[1]}
        return [(slot, parts[part]) for part, slots in field.slots.items() for slot in slots]
    sets = next((choice.sets for choice in field.choices or () if choice.value == value), ())
    sent = {"__value__": list(value)} if field.is_multiple else value
    return [*((slot, sent) for slot in field.slots.get("", ())), *sets]


def _own_slots(fields: Mapping[str, Field]) -> dict[Slot, Any]:
    return {slot: None for field in fields.values() for slot in field.all_slots}


def _find_bypass_problems(fields: Mapping[str, Field], workflow: Workflow, object_info: ObjectInfo) -> list[Problem]:
    found: list[Problem] = []
    for name, field in fields.items():
        loaders = [slot.node_id for slot in field.slots.get("", ())] if field.widget == "loras" else []
        if field.bypass or loaders:
            found += find_bypass_problems(workflow, object_info, name, [*field.bypass, *loaders])
    return found
