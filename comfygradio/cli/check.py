"""`comfygradio check`: every problem of every preset against the server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from comfygradio.binding.preset import Preset, load_presets
from comfygradio.cli.object_info_file import load_object_info_file
from comfygradio.cli.presets import find_preset
from comfygradio.cli.server import fetch_object_info, open_client, pick_object_info
from comfygradio.errors import PresetError
from comfygradio.forms.form import Form
from comfygradio.forms.problem import Problem
from comfygradio.settings import Settings


def check_presets(
    settings: Settings, names: Sequence[str], as_json: bool, object_info_file: Path | None = None
) -> int:
    """Print the problems of the named presets, or of all, and what was adjusted; return 1 if there
    is a problem.

    With `object_info_file` no server is asked. Raises ServerError and SettingsError.
    """
    known = None
    if object_info_file is not None:
        known = load_object_info_file(object_info_file)
    presets, unreadable = _load(settings, names)
    if not as_json:
        # Before the server is asked, which may not answer.
        _print_lines(unreadable)
    forms = _bind(settings, presets, known)
    if as_json:
        found = {form.name: _describe(form) for form in forms}
        report = {"presets": found, "unreadable": unreadable}
        print(json.dumps(report, ensure_ascii=False, indent=2, default=str))
    else:
        for preset, form in zip(presets, forms, strict=True):
            _print_form(preset, form)
    if unreadable or any(form.problems for form in forms):
        return 1
    return 0


def _print_form(preset: Preset, form: Form) -> None:
    for problem in form.problems:
        print(_write_problem(preset, problem))
    if not form.problems:
        print(f"{form.name}: ok")
    for note in form.notes:
        print(f"{form.name}: adjusted: {note}")


def _load(settings: Settings, names: Sequence[str]) -> tuple[list[Preset], list[str]]:
    if not names:
        presets, errors = load_presets(settings.presets)
        return presets, [str(error) for error in errors]
    presets = []
    unreadable = []
    for name in names:
        try:
            presets.append(find_preset(settings, name))
        except PresetError as error:
            unreadable.append(str(error))
    return presets, unreadable


def _bind(
    settings: Settings, presets: Sequence[Preset], known: Mapping[str, Any] | None
) -> list[Form]:
    """Bind the presets to the node classes that are `known`, else to those of the server."""
    if not presets:
        return []
    if known is not None:
        object_info = pick_object_info(known, presets, settings)
    else:
        with open_client(settings) as client:
            object_info = fetch_object_info(client, presets, settings)
    return [preset.bind(object_info) for preset in presets]


def _write_problem(preset: Preset, problem: Problem) -> str:
    line = f"{preset.name}: {problem}"
    if problem.line:
        line += f" ({preset.path.name}:{problem.line})"
    return line


def _describe(form: Form) -> dict[str, Any]:
    return {
        "problems": [problem.to_json() for problem in form.problems],
        "notes": list(form.notes),
    }


def _print_lines(lines: Sequence[str]) -> None:
    for line in lines:
        print(line)
