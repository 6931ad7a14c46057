"""Wildcards from text files: `wildcards/animals/birds.txt` beside the presets is the wildcard
`__animals/birds__`, with a choice in each line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from comfygradio.forms.kinds.value import InvalidValue
from comfygradio.forms.wildcards import NAME

FOLDER = "wildcards"
SUFFIX = ".txt"

MAX_BYTES = 1_000_000
MAX_CHOICES = 10_000


class WildcardFolder(Mapping[str, tuple[str, ...]]):
    """The wildcards of a folder, which need not exist: name → choices.

    The names are listed when the first one is looked up, and each file is read when its choices
    are needed; both are kept then. A name out of a prompt is only looked up in that list: it never
    becomes a path.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: dict[str, Path] | None = None
        self._choices: dict[str, tuple[str, ...]] = {}

    def __getitem__(self, name: str) -> tuple[str, ...]:
        """Return the choices of a wildcard. Raises KeyError, and InvalidValue if its file is no
        list of choices.
        """
        path = self._list_paths()[name]
        choices = self._choices.get(name)
        if choices is None:
            choices = _read_choices(path, f"{FOLDER}/{name}{SUFFIX}")
            self._choices[name] = choices
        return choices

    def __contains__(self, name: object) -> bool:
        """Whether there is a wildcard of this name; reads no file."""
        return name in self._list_paths()

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._list_paths())

    def __len__(self) -> int:
        """Return the number of wildcards."""
        return len(self._list_paths())

    def _list_paths(self) -> dict[str, Path]:
        if self._paths is None:
            self._paths = _find_files(self._folder)
        return self._paths


def _find_files(folder: Path) -> dict[str, Path]:
    """Map the name of each wildcard below a folder to its file; links that lead out of the folder
    are left out.
    """
    root = folder.resolve()
    found: dict[str, Path] = {}
    for directory, _, files in os.walk(root):
        for file in files:
            path = Path(directory, file)
            name = path.relative_to(root).with_suffix("").as_posix()
            is_named = path.suffix == SUFFIX and re.fullmatch(NAME, f"__{name}__")
            # A pipe would wait for whoever writes into it.
            if is_named and path.is_file() and path.resolve().is_relative_to(root):
                found[name] = path
    return found


def _read_choices(path: Path, shown: str) -> tuple[str, ...]:
    """Read the choices of a file. Raises InvalidValue, which calls the file `shown`."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        raise InvalidValue(f"{shown} cannot be read: {reason}.") from error
    if len(content) > MAX_BYTES:
        raise InvalidValue(f"{shown} is too large: at most {MAX_BYTES:,} bytes are read.")
    try:
        # Windows puts a mark in front.
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidValue(f"{shown} is not UTF-8 text.") from error
    # No text file has them, and they mark places while a text is drawn.
    if "\0" in text or "\1" in text:
        raise InvalidValue(f"{shown} is not a text file.")
    lines = [line.strip() for line in text.splitlines()]
    choices = tuple(line for line in lines if line and not line.startswith("#"))
    if not choices:
        raise InvalidValue(f"{shown} has no choices in it.")
    if len(choices) > MAX_CHOICES:
        raise InvalidValue(f"{shown} has too many lines: at most {MAX_CHOICES:,} are allowed.")
    return choices
