"""What a server tells of its model files: the folders, and the files in each."""

from __future__ import annotations

from typing import Any, NamedTuple

from comfygradio.comfy.object_info import parse_number

MAX_FILES = 200_000
"""Most files of a folder that are read."""

MAX_NAME = 1000
"""Most characters of a name; a longer one names no file."""

MAX_PATH_INDEX = 10_000

MAX_DATE = 2**53


class ModelFolder(NamedTuple):
    """A folder of models as ComfyUI names it, and the suffixes of its files."""

    name: str
    extensions: tuple[str, ...] = ()


class ModelFile(NamedTuple):
    """A file in a folder of models: its name there, in which of the folder's directories it lies,
    and when it was changed (seconds since 1970).
    """

    name: str
    path_index: int = 0
    modified: float = 0.0


def parse_model_folders(data: Any) -> list[ModelFolder]:
    """Parse the answer of /experiment/models. What is no folder is skipped."""
    found = []
    for entry in _read_entries(data):
        name = _read_name(entry)
        if not name:
            continue
        found.append(ModelFolder(name, _read_texts(entry.get("extensions"))))
    return found


def parse_model_files(data: Any) -> list[ModelFile]:
    """Parse the answer of /experiment/models/FOLDER. What is no file is skipped."""
    found = []
    for entry in _read_entries(data):
        name = _read_name(entry)
        index = _read_index(entry.get("pathIndex"))
        if not name or index is None:
            continue
        found.append(ModelFile(name, index, _read_date(entry.get("modified"))))
    return found


def _read_texts(data: Any) -> tuple[str, ...]:
    if not isinstance(data, list):
        return ()
    return tuple(text for text in data if isinstance(text, str))


def _read_entries(data: Any) -> list[dict[str, Any]]:
    if not isinstance(data, list):
        return []
    return [entry for entry in data[:MAX_FILES] if isinstance(entry, dict)]


def _read_name(entry: dict[str, Any]) -> str:
    """Read the name of an entry; "" if it has none that can be one."""
    name = entry.get("name")
    if not isinstance(name, str) or len(name) > MAX_NAME or "\0" in name:
        return ""
    # It becomes part of an address, which such a part would lead elsewhere.
    if {"..", "."} & set(name.replace("\\", "/").split("/")):
        return ""
    return name


def _read_index(value: Any) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= MAX_PATH_INDEX else None


def _read_date(value: Any) -> float:
    number = parse_number(value)
    # An integer may have hundreds of digits.
    if number is None or abs(number) > MAX_DATE:
        return 0.0
    return float(number)
