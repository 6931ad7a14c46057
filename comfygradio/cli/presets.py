"""`comfygradio presets`: the presets that are there, without any server; and the one that a name
means.
"""

from __future__ import annotations

import difflib
import json
import sys
from pathlib import Path

from comfygradio.binding.preset import Preset, load_preset, load_presets, share_hashes
from comfygradio.errors import SettingsError
from comfygradio.settings import Settings

SUFFIXES = (".yaml", ".yml")


def list_presets(settings: Settings, as_json: bool) -> int:
    """Print name, title and fields of every preset; return 1 if some cannot be read, which is said
    on stderr.
    """
    presets, errors = load_presets(settings.presets)
    if as_json:
        described = [_describe(preset) for preset in presets]
        print(json.dumps(described, ensure_ascii=False, indent=2))
    else:
        _print_table(presets)
    for error in errors:
        print(error, file=sys.stderr)
    return 1 if errors else 0


def find_preset(settings: Settings, name: str) -> Preset:
    """Find the preset of this name, or of the YAML file with this path.

    Raises SettingsError and PresetError.
    """
    if name.endswith(SUFFIXES) or "/" in name or "\\" in name:
        preset = load_preset(Path(name).expanduser())
        return _add_hashes(preset, settings)
    # Of two files with one name the first counts.
    files = {path.stem: path for path in reversed(_list_files(settings))}
    if name in files:
        preset = load_preset(files[name])
        return _add_hashes(preset, settings)
    near = difflib.get_close_matches(name, files, 1)
    if near:
        raise SettingsError(f"There is no preset {name}; did you mean {near[0]}?")
    names = ", ".join(sorted(files))
    if not names:
        names = "none"
    raise SettingsError(f"There is no preset {name}; there are {names}.")


def _add_hashes(preset: Preset, settings: Settings) -> Preset:
    """Let a preset know the hashes of models that the others tell, if it has such hashes itself."""
    if all(model.hash is None for model in preset.file.models):
        return preset
    others, _ = load_presets(settings.presets)
    first, *_ = share_hashes([preset, *others])
    return first


def list_fields(preset: Preset) -> list[str]:
    """List the names of the fields that can be set."""
    names = []
    for name, line in preset.file.fields.items():
        if line.fixed is None:
            names.append(name)
    return names


def _list_files(settings: Settings) -> list[Path]:
    files: list[Path] = []
    for folder in settings.presets:
        for path in sorted(folder.iterdir()):
            if path.suffix in SUFFIXES:
                files.append(path)
    return files


def _describe(preset: Preset) -> dict[str, object]:
    return {
        "name": preset.name,
        "title": preset.title,
        "fields": list_fields(preset),
        "path": str(preset.path),
    }


def _print_table(presets: list[Preset]) -> None:
    name_width = 0
    title_width = 0
    for preset in presets:
        name_width = max(name_width, len(preset.name))
        title_width = max(title_width, len(preset.title))
    for preset in presets:
        fields = ", ".join(list_fields(preset))
        print(f"{preset.name:{name_width}}  {preset.title:{title_width}}  {fields}")
