"""Forms: a preset bound to what a server's object_info knows. Values in, a checked prompt out; no server I/O."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Link, Prompt, Upload, Workflow
from comfygradio.errors import PresetError, ValuesRefused
from comfygradio.forms.binding import MissingClass, bind_field
from comfygradio.forms.field import Field, Refused
from comfygradio.forms.picture import name_picture
from comfygradio.forms.preset_file import PresetFile
from comfygradio.forms.slots import Slot, find_slot


@dataclass(frozen=True)
class Form:
    """A preset bound to a server. With `problems` it stays closed: it can be shown, but not filled."""

    name: str
    title: str
    file: PresetFile
    workflow: Workflow
    fields: Mapping[str, Field]
    fixed: tuple[tuple[Slot, Any], ...]
    outputs: tuple[str, ...]
    problems: tuple[str, ...]

    def check(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Every field's value, checked and completed: defaults filled in, open seeds drawn.

        Raises ValuesRefused with a sentence for each field that cannot be taken.
        """
        problems = {name: self._describe_unknown(name) for name in values if name not in self.fields}
        checked: dict[str, Any] = {}
        for name, field in self.fields.items():
            try:
                checked[name] = field.check(values.get(name, field.default))
            except Refused as refusal:
                problems[name] = str(refusal)
        if problems:
            raise ValuesRefused(problems)
        return checked

    def fill(self, values: Mapping[str, Any]) -> Prompt:
        """The prompt for these values. Raises ValuesRefused, or PresetError where the form has problems."""
        self._refuse_if_closed()
        return self.build(self.check(values))

    def build(self, checked: Mapping[str, Any]) -> Prompt:
        """The prompt for values that `check` returned; the same values always give the same prompt."""
        self._refuse_if_closed()
        graph, uploads = self.workflow.to_json(), []
        for slot, value in self.fixed:
            graph[slot.node_id]["inputs"][slot.input] = value
        for name, field in self.fields.items():
            value = checked[name]
            if field.widget == "image":
                slots = tuple((slot.node_id, slot.input) for slot in field.slots[""])
                uploads.append(Upload(value, name_picture(value), slots))
                value = uploads[-1].name
            for slot, part in _spread(field, value):
                graph[slot.node_id]["inputs"][slot.input] = part
        info = {"comfygradio": {"preset": self.name, "values": self.describe(checked)}}
        return Prompt(graph, tuple(uploads), info, self.outputs)

    def describe(self, checked: Mapping[str, Any]) -> dict[str, Any]:
        """Checked values as JSON: sizes as "768x512", pictures as their file names."""
        return {name: _describe_value(value) for name, value in checked.items()}

    def _refuse_if_closed(self) -> None:
        if self.problems:
            raise PresetError(f"{self.title} cannot be used: {' '.join(self.problems)}")

    def _describe_unknown(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.fields, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(self.fields) or 'none'}."
        return f"{self.title} has no such field; {hint}"


def bind_form(name: str, file: PresetFile, workflow: Workflow, object_info: ObjectInfo) -> Form:
    """Bind a preset file to a server; whatever does not fit is collected in the form's `problems`, all at once."""
    problems = [*_find_missing_classes(workflow, object_info)]
    fields: dict[str, Field] = {}
    fixed: list[tuple[Slot, Any]] = []
    for key, line in file.fields.items():
        try:
            field = bind_field(key, line, workflow, object_info)
        except MissingClass:
            continue
        except PresetError as error:
            problems.append(f"Field {key}: {error}")
            continue
        if line.fixed is None:
            fields[key] = field
        else:
            fixed += _spread(field, line.fixed if field.widget == "image" else field.check(field.default))
    outputs = _find_outputs(file, workflow, problems)
    if not problems:
        problems += _find_missing_choices(workflow, object_info, {**dict(fixed), **_own_slots(fields)})
    return Form(name, file.title, file, workflow, fields, tuple(fixed), outputs, tuple(problems))


def fingerprint(form: Form) -> str:
    """A digest of everything that decides how the form looks, except the choices of its lists."""
    shape = [(f.name, f.widget, f.label, f.help, f.minimum, f.maximum, f.step) for f in form.fields.values()]
    return hashlib.sha256(json.dumps([form.title, shape, form.problems], default=str).encode()).hexdigest()


def _spread(field: Field, value: Any) -> list[tuple[Slot, Any]]:
    if field.widget == "size":
        parts = {"width": value[0], "height": value[1]}
        return [(slot, parts[part]) for part, slots in field.slots.items() for slot in slots]
    return [(slot, value) for slot in field.slots[""]]


def _describe_value(value: Any) -> Any:
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return value.name if isinstance(value, Path) else value


def _find_missing_classes(workflow: Workflow, object_info: ObjectInfo) -> list[str]:
    missing = sorted(workflow.class_types - set(object_info.nodes))
    return [
        f"This ComfyUI has no node class {name}; install the custom node that brings it, or update ComfyUI."
        for name in missing
    ]


def _find_outputs(file: PresetFile, workflow: Workflow, problems: list[str]) -> tuple[str, ...]:
    outputs = []
    for address in file.outputs:
        try:
            outputs.append(find_slot(workflow, f"{address}.output").node_id)
        except PresetError as error:
            problems.append(f"outputs: {error}")
    return tuple(outputs)


def _own_slots(fields: Mapping[str, Field]) -> dict[Slot, Any]:
    return {slot: None for field in fields.values() for slots in field.slots.values() for slot in slots}


def _find_missing_choices(workflow: Workflow, object_info: ObjectInfo, own: Mapping[Slot, Any]) -> list[str]:
    """Models and other choices that the workflow itself sets and this server does not have."""
    problems = []
    for node in workflow:
        for name, value in node.inputs.items():
            value = own.get(Slot(node.id, name), value)
            spec = object_info.spec(node.class_type, name, node.inputs)
            if spec is None or spec.choices is None or spec.media or value is None or Link.parse(value):
                continue
            if value not in spec.choices and not spec.options.get("remote"):
                problems.append(_describe_missing_choice(node.title, name, value, spec.choices))
    return problems


def _describe_missing_choice(title: str, name: str, value: Any, choices: tuple[Any, ...]) -> str:
    near = difflib.get_close_matches(str(value), [str(choice) for choice in choices], 3, 0.4)
    hint = f"it has {', '.join(near)}" if near else f"it has {len(choices)} others" if choices else "it has none at all"
    return (
        f"{title} needs {name} {value}, which this ComfyUI does not have ({hint}); "
        "add the file to its models folder, or make it a field of the preset."
    )
