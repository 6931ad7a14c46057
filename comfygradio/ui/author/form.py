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

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.errors import ComfyGradioError, PresetError
from comfygradio.forms.drafting.storing import check_name
from comfygradio.forms.field import MEDIA, Field
from comfygradio.forms.form import Form
from comfygradio.forms.preset import Preset
from comfygradio.forms.preset_yaml import parse_preset_file
from comfygradio.forms.problem import Problem
from comfygradio.forms.strict_yaml import PRESET
from comfygradio.ui.fields import show_value

SHOWN_CHOICES = 100
"""Entries of a list that are drawn."""

Ask = Callable[[frozenset[str]], ObjectInfo]
"""What a server says about these node classes."""

Json = dict[str, Any]


def read_text(text: str, name: str, workflow: Workflow) -> Preset:
    """The preset that this text would be as NAME.yaml, read as preset files are read.

    Raises PresetError.
    """
    check_name(name)
    if len(text) > PRESET.bytes:
        raise PresetError(f"{name}.yaml is longer than any preset needs to be; use the list again.")
    with TemporaryDirectory(prefix="comfygradio-") as scratch:
        path = Path(scratch) / f"{name}.yaml"
        path.write_text(text, encoding="utf-8", errors="replace")
        try:
            file = parse_preset_file(path)
        except PresetError as error:
            raise PresetError(str(error).replace(f"{scratch}{os.sep}", "")) from error
    if file.workflow != f"{name}.json":
        raise PresetError(
            f"{name}.yaml{_find_line(text, 'workflow')}: workflow has to be {name}.json, where "
            "the workflow is stored."
        )
    return Preset(name, Path(f"{name}.yaml"), file, workflow)


def examine_text(text: str, name: str, workflow: Workflow, ask: Ask) -> Json:
    """The form that a text gives on this server, with its problems and notes, as JSON for the page.

    `error` is there instead where the text is no preset file, so that it cannot be saved either.
    """
    try:
        preset = read_text(text, name, workflow)
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
    choices = [choice.label for choice in (field.choices or ())[:SHOWN_CHOICES]]
    value = None if field.widget in MEDIA else show_value(field, field.default)
    label = next((choice.label for choice in field.choices or () if choice.value == value), value)
    return {
        "name": field.name,
        "label": field.label,
        "help": field.help,
        "placeholder": field.placeholder,
        "group": field.group,
        "advanced": field.advanced,
        "widget": field.widget,
        "value": label,
        "choices": choices if field.choices is not None else None,
        "more": max(len(field.choices or ()) - SHOWN_CHOICES, 0),
        "low": str(field.minimum) if field.minimum is not None else "",
        "high": str(field.maximum) if field.maximum is not None else "",
        "step": str(field.step) if field.step is not None else "any",
        "optional": field.optional,
        "when": " and ".join(
            f"{labels.get(other, other)} is {' or '.join(map(_write, values))}"
            for other, values in field.show_if.items()
        ),
    }


def _write(value: Any) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _describe_problem(problem: Problem, text: str, file: str) -> Json:
    """A problem with its message alone, for its row, and with file and line."""
    where = f"{file}{_find_line(text, problem.field, inside='fields')}: " if problem.field else ""
    return {"field": problem.field, "message": problem.message, "text": f"{where}{problem}"}


def _find_line(text: str, key: str, inside: str = "") -> str:
    """ ":LINE" of a key: the first one, or the first one below another key; "" where it is not
    found.
    """
    lines = list(enumerate(text.splitlines(), 1))
    if inside:
        start = next(
            (place for place, (_, line) in enumerate(lines) if _is_key(line, inside)), len(lines)
        )
        lines = lines[start + 1 :]
    return next((f":{number}" for number, line in lines if _is_key(line, key)), "")


def _is_key(line: str, key: str) -> bool:
    return re.match(rf"""\s*["']?{re.escape(key)}["']?\s*:""", line) is not None
