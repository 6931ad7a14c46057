"""Previews of a preset file for the author's page: the form that it gives, and its problems."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from comfygradio.binding.preset import Preset
from comfygradio.comfy.object_info import FetchObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.drafting.preset_folder import check_preset_name
from comfygradio.errors import ComfyGradioError, PresetError
from comfygradio.forms.field import Field
from comfygradio.forms.form import Form
from comfygradio.forms.kinds.value import Choice
from comfygradio.forms.preset_yaml import load_preset_file
from comfygradio.forms.problem import Problem
from comfygradio.forms.strict_yaml import PRESET_LIMITS
from comfygradio.ui.form.field_component import choose_placeholder, to_component_value

MAX_SHOWN_CHOICES = 100
"""Most entries of a list that are drawn."""

Json = dict[str, Any]


def parse_preset_text(
    text: str, name: str, workflow: Workflow, bases: Path | None = None
) -> Preset:
    """Parse a text as the preset file NAME.yaml. Raises PresetError.

    `bases` is the folder of the presets that it may extend.
    """
    check_preset_name(name)
    if len(text) > PRESET_LIMITS.max_bytes:
        raise PresetError(f"{name}.yaml is longer than any preset needs to be; use the list again.")
    # Presets are loaded from files, so the text is written into one.
    with TemporaryDirectory(prefix="comfygradio-") as folder:
        path = Path(folder) / f"{name}.yaml"
        path.write_text(text, encoding="utf-8", errors="replace")
        try:
            file = load_preset_file(path, bases)
        except PresetError as error:
            problem = str(error).replace(f"{folder}{os.sep}", "")
            if bases:
                problem = problem.replace(f"{bases}{os.sep}", "")
            raise PresetError(problem) from error
    if file.workflow != f"{name}.json":
        line = _find_line(text, "workflow")
        raise PresetError(
            f"{name}.yaml{line}: workflow has to be {name}.json, where the workflow is stored."
        )
    return Preset(name, Path(f"{name}.yaml"), file, workflow)


def preview_preset(
    text: str,
    name: str,
    workflow: Workflow,
    fetch: FetchObjectInfo,
    bases: Path | None = None,
) -> Json:
    """Describe the form that a text gives on this server, with its problems and notes, as JSON.
    `bases` is the folder of the presets that it may extend.

    If the text is not a preset file, which cannot be saved either, there is only an `error`.
    """
    try:
        preset = parse_preset_text(text, name, workflow, bases)
        object_info = fetch(preset.class_types)
        form = preset.bind(object_info)
    except ComfyGradioError as error:
        return {"error": str(error)}
    problems = []
    for problem in form.problems:
        problems.append(_describe_problem(problem, text, f"{name}.yaml"))
    return {
        "problems": problems,
        "notes": list(form.notes),
        "form": describe_form(form),
    }


def describe_form(form: Form) -> Json:
    """Describe a form as JSON, for a page that only draws it."""
    labels = {name: field.label for name, field in form.fields.items()}
    fields = [_describe_field(field, labels) for field in form.fields.values()]
    titles = [str(example.get("title", "Example")) for example in form.file.examples]
    return {
        "title": f"{form.file.icon} {form.title}".strip(),
        "description": form.file.description,
        "examples": titles,
        "fields": fields,
    }


def _describe_field(field: Field, labels: dict[str, str]) -> Json:
    """Describe a field as JSON; `labels` are those of all fields, by their names."""
    choices = field.choices or ()
    shown_choices = [choice.label for choice in choices[:MAX_SHOWN_CHOICES]]
    is_empty = field.kind.is_media or field.starts_empty
    value = None if is_empty else to_component_value(field, field.default)
    conditions = []
    for other, values in field.show_if.items():
        texts = [_write(one) for one in values]
        conditions.append(f"{labels.get(other, other)} is {' or '.join(texts)}")
    return {
        "name": field.name,
        "label": field.label,
        "help": field.help,
        "placeholder": choose_placeholder(field),
        "group": field.group,
        "advanced": field.advanced,
        "widget": field.widget,
        "value": _find_label(choices, value),
        "choices": shown_choices if field.choices is not None else None,
        "more": max(len(choices) - MAX_SHOWN_CHOICES, 0),
        "low": str(field.minimum) if field.minimum is not None else "",
        "high": str(field.maximum) if field.maximum is not None else "",
        "step": str(field.step) if field.step is not None else "any",
        "optional": field.optional,
        "when": " and ".join(conditions),
    }


def _find_label(choices: Sequence[Choice], value: Any) -> Any:
    """Find the label of the choice with this value; any other value is returned as it is."""
    for choice in choices:
        if choice.value == value:
            return choice.label
    return value


def _write(value: Any) -> str:
    """Write a value of a condition."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def _describe_problem(problem: Problem, text: str, file: str) -> Json:
    """Describe a problem: its message alone, for the row of its field, and its text with file and
    line.
    """
    where = ""
    if problem.field:
        line = _find_line(text, problem.field, inside="fields")
        where = f"{file}{line}: "
    return {"field": problem.field, "message": problem.message, "text": f"{where}{problem}"}


def _find_line(text: str, key: str, inside: str = "") -> str:
    """Find a key, or the first such key below the key `inside`; return ":LINE", or "" if there is
    none.
    """
    is_inside = not inside
    for number, line in enumerate(text.splitlines(), 1):
        if not is_inside:
            is_inside = _is_key(line, inside)
        elif _is_key(line, key):
            return f":{number}"
    return ""


def _is_key(line: str, key: str) -> bool:
    """Return whether a line of YAML begins with this key."""
    pattern = rf"""\s*["']?{re.escape(key)}["']?\s*:"""
    match = re.match(pattern, line)
    return match is not None
