"""`comfygradio check`: every problem of every preset, or of a workflow, against the server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfygradio.binding.preset import Preset, load_presets
from comfygradio.cli.presets import SUFFIXES, find_preset
from comfygradio.cli.server import list_classes, open_object_info
from comfygradio.comfy.object_info import FetchObjectInfo
from comfygradio.errors import MetadataError, PresetError, WorkflowError
from comfygradio.forms.form import Form
from comfygradio.forms.problem import Problem
from comfygradio.settings import Settings


@dataclass(frozen=True)
class Named:
    """What is checked: presets, files of workflows, and sentences about presets that cannot be
    read.
    """

    presets: Sequence[Preset]
    files: Sequence[str] = ()
    unreadable: Sequence[str] = ()


@dataclass(frozen=True)
class Checked:
    """A preset with its form, or that of the preset that would be drafted for a workflow. `notes`
    are about that workflow.
    """

    name: str
    preset: Preset
    form: Form
    notes: tuple[str, ...] = ()


def check_presets(
    settings: Settings, names: Sequence[str], as_json: bool, object_info_file: Path | None = None
) -> int:
    """Print the problems of the named presets and workflows, or of all presets, and what was
    adjusted; return 1 if there is a problem.

    With `object_info_file` no server is asked. Raises ServerError and SettingsError.
    """
    named = _load(settings, names)
    if not as_json:
        # Before the server is asked, which may not answer.
        _print_lines(named.unreadable)
    checked, unusable = _bind(settings, named, object_info_file)
    if as_json:
        found = {one.name: _describe(one) for one in checked}
        report = {"presets": found, "unreadable": [*named.unreadable, *unusable]}
        print(json.dumps(report, ensure_ascii=False, indent=2, default=str))
    else:
        _print_lines(unusable)
        for one in checked:
            _print_checked(one)
    if named.unreadable or unusable or any(one.form.problems for one in checked):
        return 1
    return 0


def _print_checked(one: Checked) -> None:
    for problem in one.form.problems:
        print(_write_problem(one, problem))
    if not one.form.problems:
        print(f"{one.name}: ok")
    for note in [*one.notes, *one.form.describe_own_wildcards()]:
        print(f"{one.name}: note: {note}")
    for note in one.form.notes:
        print(f"{one.name}: adjusted: {note}")


def _load(settings: Settings, names: Sequence[str]) -> Named:
    if not names:
        loaded, errors = load_presets(settings.presets)
        return Named(loaded, unreadable=[str(error) for error in errors])
    presets = []
    files = []
    unreadable = []
    for name in names:
        if _is_workflow_file(name):
            files.append(name)
            continue
        try:
            presets.append(find_preset(settings, name))
        except PresetError as error:
            unreadable.append(str(error))
    return Named(presets, files, unreadable)


def _is_workflow_file(name: str) -> bool:
    """Whether a name is that of a file, and not of a preset or its YAML file."""
    path = Path(name).expanduser()
    return path.suffix not in ("", *SUFFIXES) and path.is_file()


def _bind(
    settings: Settings, named: Named, object_info_file: Path | None
) -> tuple[list[Checked], list[str]]:
    """Bind what is checked to the server. Also returns a sentence for each workflow that has no
    form there.
    """
    checked: list[Checked] = []
    unusable: list[str] = []
    if not named.presets and not named.files:
        return checked, unusable
    with open_object_info(settings, object_info_file) as fetch:
        object_info = fetch(list_classes(named.presets))
        for preset in named.presets:
            checked.append(Checked(preset.name, preset, preset.bind(object_info)))
        for name in named.files:
            try:
                checked.append(_check_workflow(name, fetch))
            except (WorkflowError, MetadataError) as error:
                unusable.append(str(error))
    return checked, unusable


def _check_workflow(name: str, fetch: FetchObjectInfo) -> Checked:
    """Check the preset that would be drafted for the workflow in a file.

    Raises WorkflowError, MetadataError and ServerError.
    """
    # Importing it takes longer than to check presets.
    from comfygradio.drafting.draft import draft_for_server
    from comfygradio.drafting.workflow_source import convert_source, load_workflow_source

    path = Path(name).expanduser()
    source = convert_source(load_workflow_source(path), fetch)
    draft, object_info = draft_for_server(source, fetch)
    preset = Preset(path.stem, path, draft.to_file(path.name), draft.workflow)
    return Checked(name, preset, preset.bind(object_info), source.workflow.notes)


def _write_problem(one: Checked, problem: Problem) -> str:
    line = f"{one.name}: {problem}"
    if problem.line:
        line += f" ({one.preset.path.name}:{problem.line})"
    return line


def _describe(one: Checked) -> dict[str, Any]:
    return {
        "problems": [problem.to_json() for problem in one.form.problems],
        "notes": [*one.notes, *one.form.describe_own_wildcards(), *one.form.notes],
    }


def _print_lines(lines: Sequence[str]) -> None:
    for line in lines:
        print(line)
