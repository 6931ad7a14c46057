"""`comfygradio check`: every problem of every preset against the server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from comfygradio.commands.presets import find_preset
from comfygradio.commands.server import fetch_object_info, open_client
from comfygradio.errors import PresetError
from comfygradio.forms.preset import Preset, load_presets
from comfygradio.settings import Settings


def check_presets(settings: Settings, names: Sequence[str], as_json: bool) -> int:
    """Print the problems of the named presets, or of all; 1 if there is any. Raises ServerError."""
    presets, unreadable = _load(settings, names)
    if not as_json:
        _print_lines(unreadable)
    problems = _find_problems(settings, presets)
    if as_json:
        print(json.dumps({"presets": problems, "unreadable": unreadable}, ensure_ascii=False, indent=2))
    else:
        for name, found in problems.items():
            _print_lines([f"{name}: {problem}" for problem in found] or [f"{name}: ok"])
    return 1 if unreadable or any(problems.values()) else 0


def _load(settings: Settings, names: Sequence[str]) -> tuple[list[Preset], list[str]]:
    if not names:
        presets, errors = load_presets(settings.presets)
        return presets, [str(error) for error in errors]
    presets, unreadable = [], []
    for name in names:
        try:
            presets.append(find_preset(settings, name))
        except PresetError as error:
            unreadable.append(str(error))
    return presets, unreadable


def _find_problems(settings: Settings, presets: Sequence[Preset]) -> Mapping[str, list[str]]:
    if not presets:
        return {}
    with open_client(settings) as client:
        object_info = fetch_object_info(client, presets, settings)
    return {preset.name: [str(problem) for problem in preset.bind(object_info).problems] for preset in presets}


def _print_lines(lines: Sequence[str]) -> None:
    for line in lines:
        print(line)
