"""What the author's page says about a preset file while it is written: its problems, and the form
that it gives.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from comfygradio.binding.preset import Preset
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.drafting.preset_folder import check_preset_name
from comfygradio.errors import ComfyGradioError, PresetError
from comfygradio.forms.field import Field
from comfygradio.forms.form import Form
from comfygradio.forms.preset_yaml import load_preset_file
from comfygradio.forms.problem import Problem
from comfygradio.forms.strict_yaml import PRESET_LIMITS
from comfygradio.ui.form.field_component import to_component_value

MAX_SHOWN_CHOICES = 100
"""Entries of a list that are drawn."""

FetchObjectInfo = Callable[[frozenset[str]], ObjectInfo]
"""What a server says about these node classes."""

Json = dict[str, Any]


def parse_preset_text(text: str, name: str, workflow: Workflow) -> Preset:
    """The preset that this text would be as NAME.yaml, read as preset files are read.

    Raises PresetError.
    """
    check_preset_name(name)
    if len(text) > PRESET_LIMITS.max_bytes:
        raise PresetError(f"{name}.yaml is longer than any preset needs to be; use the list again.")
    with TemporaryDirectory(prefix="comfygradio-") as scratch:
        path = Path(scratch) / f"{name}.yaml"
        path.write_text(text, encoding="utf-8", errors="replace")
        try:
            file = load_preset_file(path)
        except PresetError as error:
            raise PresetError(str(error).replace(f"{scratch}{os.sep}", "")) from error
    if file.workflow != f"{name}.json":
        line = _find_line(text, "workflow")
        raise PresetError(
            f"{name}.yaml{line}: workflow has to be {name}.json, where the workflow is stored."
        )
    return Preset(name, Path(f"{name}.yaml"), file, workflow)


def preview_preset(text: str, name: str, workflow: Workflow, ask: FetchObjectInfo) -> Json:
    """The form that a text gives on this server, with its problems and notes, as JSON for the page.

    `error` is there instead where the text is no preset file, so that it cannot be saved either.
    """
    try:
        preset = parse_preset_text(text, name, workflow)
        form = preset.bind(ask(preset.class_types))
    except ComfyGradioError as error:
        return {"error": str(error)}
    problems = [_describe_problem(problem, text, f"{name}.yaml") for problem in form.problems]
    return {"problems": problems, "notes": list(form.notes), "form": describe_form(form)}


def describe_form(form: Form) -> Json:
    """A form as JSON, for a page that only draws it."""
    labels = {name: one.label for name, one in form.fields.items()}
    return {
        "title": f"{form.file.icon} {form.title}".strip(),
        "description": form.file.description,
        "examples": [str(example.get("title", "Example")) for example in form.file.examples],
        "fields": [_describe_field(one, labels) for one in form.fields.values()],
    }


def _describe_field(field: Field, labels: dict[str, str]) -> Json:
    choices = field.choices or ()
    labels_shown = [choice.label for choice in choices[:MAX_SHOWN_CHOICES]]
    value = None if field.kind.is_media else to_component_value(field, field.default)
    label = next((choice.label for choice in choices if choice.value == value), value)
    conditions = []
    for other, values in field.show_if.items():
        wanted = " or ".join(map(_write, values))
        conditions.append(f"{labels.get(other, other)} is {wanted}")
    return {
        "name": field.name,
        "label": field.label,
        "help": field.help,
        "placeholder": field.placeholder,
        "group": field.group,
        "advanced": field.advanced,
        "widget": field.widget,
        "value": label,
        "choices": labels_shown if field.choices is not None else None,
        "more": max(len(choices) - MAX_SHOWN_CHOICES, 0),
        "low": str(field.minimum) if field.minimum is not None else "",
        "high": str(field.maximum) if field.maximum is not None else "",
        "step": str(field.step) if field.step is not None else "any",
        "optional": field.optional,
        "when": " and ".join(conditions),
    }


def _write(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def _describe_problem(problem: Problem, text: str, file: str) -> Json:
    """A problem with its message alone, for its row, and with file and line."""
    where = ""
    if problem.field:
        line = _find_line(text, problem.field, inside="fields")
        where = f"{file}{line}: "
    return {"field": problem.field, "message": problem.message, "text": f"{where}{problem}"}


def _find_line(text: str, key: str, inside: str = "") -> str:
    """ ":LINE" of a key: the first one, or the first one below another key; "" where it is not
    found.
    """
    is_inside = not inside
    for number, line in enumerate(text.splitlines(), 1):
        if not is_inside:
            is_inside = _is_key(line, inside)
        elif _is_key(line, key):
            return f":{number}"
    return ""


def _is_key(line: str, key: str) -> bool:
    pattern = rf"""\s*["']?{re.escape(key)}["']?\s*:"""
    return re.match(pattern, line) is not None
