"""Loads preset files from strict YAML, with what they take over from others; every error names
file, line and key.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from comfygradio.errors import PresetError
from comfygradio.forms.kinds.value import shorten
from comfygradio.forms.plain_scalar import PlainScalar
from comfygradio.forms.preset_extension import extend, extend_lines, is_null
from comfygradio.forms.preset_file import PresetFile
from comfygradio.forms.preset_validation import validate_preset
from comfygradio.forms.strict_yaml import KeyLines, load_yaml

MAX_LISTED = 20
"""Maximum number of presets that a sentence lists."""

MAX_BASES = 10
"""Maximum number of presets that one extends, one through the other."""


class PresetLoop(PresetError):
    """Raised when presets extend one another in a circle, or too many one another."""


def load_preset_file(path: Path, bases: Path | None = None) -> PresetFile:
    """Load a preset file without its workflow.

    `bases` is the folder of the presets that it may extend, if not its own. Raises PresetError,
    which names file, line and key.
    """
    file, _ = load_preset_file_with_lines(path, bases)
    return file


def load_preset_file_with_lines(
    path: Path, bases: Path | None = None
) -> tuple[PresetFile, KeyLines]:
    """Load a preset file without its workflow, and the line of each of its keys.

    A key that it takes over from the preset that it extends has the line of the key `extends`.
    Raises PresetError, which names file, line and key.
    """
    data, lines = _load_keys(path, bases or path.parent, ())
    return validate_preset(path, data, lines), lines


def _load_keys(
    path: Path, bases: Path, extending: tuple[str, ...]
) -> tuple[dict[str, Any], KeyLines]:
    """Load the keys of a preset file, those that it takes over included.

    The presets `extending` extend it, the last of them directly.
    """
    data, lines = load_yaml(
        path, PresetError, "a preset is a list of keys such as title, workflow and fields."
    )
    if "extends" not in data:
        return data, lines
    where = f"{path}:{lines[('extends',)]}: extends"
    chain = (*extending, path.stem)
    base_path = _find_base(data["extends"], bases, where, chain)
    try:
        base, base_lines = _load_keys(base_path, bases, chain)
        # Its own problems have to be told with its own lines.
        validate_preset(base_path, base, base_lines)
    except PresetLoop:
        raise
    except PresetError as error:
        raise PresetError(f"{where}: {base_path.stem} cannot be used: {error}") from error
    return extend(base, data), extend_lines(base_lines, lines)


def _find_base(name: Any, folder: Path, where: str, chain: tuple[str, ...]) -> Path:
    """Find the file of a preset that the last of the chain extends. Raises PresetError."""
    files: dict[str, Path] = {}
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        files.setdefault(path.stem, path)
    if is_null(name) or not isinstance(name, str | PlainScalar):
        raise PresetError(f"{where}: write the name of one preset, for example text_to_image.")
    base = str(name)
    if base in chain:
        circle = [*chain[chain.index(base) :], base]
        raise PresetLoop(f"{where}: {' extends '.join(circle)}, in a circle; remove one of these.")
    if base not in files:
        others = sorted(files.keys() - {chain[-1]})
        raise PresetError(f"{where}: {_describe_missing_base(base, others)}")
    if len(chain) > MAX_BASES:
        raise PresetLoop(f"{where}: at most {MAX_BASES} presets extend one another.")
    return files[base]


def _describe_missing_base(base: str, others: list[str]) -> str:
    near = difflib.get_close_matches(base.removesuffix(".yaml").removesuffix(".yml"), others, 1)
    told = f"there is no preset {shorten(base)} in this folder"
    if near:
        return f"{told}; did you mean {near[0]}?"
    if not others:
        return f"{told}."
    listed = ", ".join(others[:MAX_LISTED])
    return f"{told}; there are {listed}."
