"""Names of results: a pattern with field values gives the folder and file names of a job."""

from __future__ import annotations

import datetime
import hashlib
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from comfygradio.errors import SettingsError

DEFAULT_PATTERN = "{date}/{preset}/{time}-{random}/{name}"
"""The last part names the file, without its suffix; `name` is the name that the server gave it."""

MAX_NAME_BYTES = 120
"""Longest name from a server in UTF-8; file systems take 255 for that, a part of the pattern and "
(2)" together.
"""

MAX_SUFFIX = 10
"""Characters of the longest ending of a name that counts as its suffix."""

MAX_PART_BYTES = 100
"""Longest part of a filled pattern in UTF-8."""

MAX_VALUE_BYTES = (60, 30, 15, 5, 0)
"""Longest field value within a part, in UTF-8: the first that lets the part fit."""

EXAMPLE_PARTS = {
    "date": "2026-01-31",
    "time": "235959",
    "random": "0123456789abcdef",
    "name": "{name}",
}
"""The longest values of the parts that are never shortened."""

RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
PART = r"\{(\w+)\}"
UNSAFE_CHARACTERS = r"[^\w .()+-]"
"""Characters that some file system does not allow in a name."""


class ResultPlace(NamedTuple):
    """Where the files of one job go: a folder, and a stem for their names; "" keeps the server's
    names.
    """

    folder: Path
    stem: str = ""
    mark: str = ""
    """A string that only the paths of this job's files contain."""

    def clear(self) -> None:
        """Delete what an earlier attempt to collect this job left here when the app was killed."""
        if not self.mark:
            return
        is_own_folder = self.mark in self.folder.as_posix()
        pattern = "*" if is_own_folder else f"*{self.mark}*"
        # Listed before anything is deleted: a folder that changes while it is walked may skip some.
        files = [path for path in self.folder.rglob(pattern) if path.is_file()]
        for path in files:
            with suppress(OSError):
                path.unlink()

    def find_free(self, filename: str) -> Path:
        """An unused path for a file of the server."""
        given = Path(clean_name(filename))
        stem = self.stem.replace("{name}", given.stem) if self.stem else given.stem
        path = self.folder / f"{stem}{given.suffix}"
        count = 1
        while path.exists():
            count += 1
            path = self.folder / f"{stem} ({count}){given.suffix}"
        return path


def check_pattern(pattern: str) -> str:
    """A pattern of names as it may be used. Raises SettingsError."""
    parts = pattern.split("/")
    has_odd_characters = re.search(r"[\\:\0]", pattern)
    if has_odd_characters or any(_leads_elsewhere(part) for part in parts):
        raise SettingsError(
            f"The pattern of names {pattern!r} has to be a path inside of the outputs folder."
        )
    for part in parts:
        shortest = _fill_within(0, part, {}, EXAMPLE_PARTS)
        if len(shortest.encode()) > MAX_PART_BYTES:
            raise SettingsError(f"The pattern of names {pattern!r} is too long.")
    # Results are served to whoever knows their path.
    if "{random}" not in pattern:
        raise SettingsError(
            f"The pattern of names {pattern!r} needs {{random}}, so that nobody can guess a path."
        )
    if re.search(r"[{}]", re.sub(PART, "", pattern)):
        raise SettingsError(
            f"The pattern of names {pattern!r} has a brace that belongs to no {{name}}."
        )
    return pattern


def _leads_elsewhere(part: str) -> bool:
    """Whether a part of a pattern is empty, `.` or `..`, whatever the values are."""
    example = re.sub(PART, "x", part)
    return example.strip(". ") == ""


def choose_result_place(
    outputs: Path,
    preset: str,
    values: Mapping[str, Any] | None = None,
    pattern: str = DEFAULT_PATTERN,
    now: datetime.datetime | None = None,
    secret: str = "",
) -> ResultPlace:
    """A place for the files of one job; `random` has 64 bits, the same ones for the same `secret`.

    Makes no folder.
    """
    now = now or datetime.datetime.now()
    random = _make_random(secret)
    fixed = {
        "date": f"{now:%Y-%m-%d}",
        "time": f"{now:%H%M%S}",
        "random": random,
        "name": "{name}",
    }
    # `{name}` stays as it is here; `find_free` fills it in for each file.
    words: dict[str, str] = {}
    if values is not None:
        words = {name: _describe(value) for name, value in values.items()}
    words["preset"] = _describe(preset)  # not a field of that name
    *folders, stem = [_fill(part, words, fixed) for part in pattern.split("/")]
    if stem == "{name}":
        stem = ""
    folder = outputs.joinpath(*folders)
    return ResultPlace(folder, stem, random)


def clean_name(text: str, limit: int = MAX_NAME_BYTES) -> str:
    """A text as the name of a file on any system, at most `limit` bytes; a short suffix survives
    the cut.
    """
    name = re.sub(UNSAFE_CHARACTERS, "_", text).strip(". ") or "result"
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix) > MAX_SUFFIX:
        stem = name
        dot = ""
        suffix = ""
    room = limit - len(suffix.encode()) - 1
    stem = _cut(stem, room)
    return _avoid_reserved(f"{stem.strip()}{dot}{suffix}")


def _make_random(secret: str) -> str:
    """16 hexadecimal digits: the same ones for the same secret, new ones without one."""
    if not secret:
        return secrets.token_hex(8)
    digest = hashlib.sha256(secret.encode()).hexdigest()
    return digest[:16]


def _fill(part: str, words: Mapping[str, str], fixed: dict[str, str]) -> str:
    """One part of the pattern with its values, which are cut until it fits; what is `fixed` stays
    whole.
    """
    for limit in MAX_VALUE_BYTES:
        name = _fill_within(limit, part, words, fixed)
        if len(name.encode()) <= MAX_PART_BYTES:
            return _avoid_reserved(name)
    raise ValueError(f"{part!r} is too long, which check_pattern would have said.")


def _fill_within(limit: int, part: str, words: Mapping[str, str], fixed: dict[str, str]) -> str:
    known = {}
    for name, word in words.items():
        cut = _cut(word, limit)
        known[name] = re.sub(UNSAFE_CHARACTERS, "_", cut)
    known.update(fixed)
    filled = re.sub(PART, lambda match: known.get(match[1], ""), part)
    return filled.strip(". ") or "result"


def _avoid_reserved(name: str) -> str:
    """The name; with a sign before it where Windows has a device of that name."""
    if RESERVED.fullmatch(name):
        return f"_{name}"
    return name


def _describe(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        described = [_describe(item) for item in value]
        return ",".join(text for text in described if text)
    if isinstance(value, Mapping):
        return _describe(value.get("name"))
    return " ".join(str(value).split())


def _cut(text: str, limit: int) -> str:
    """The start of a text that has at most `limit` bytes in UTF-8; no character is cut in two."""
    encoded = text.encode("utf-8", "ignore")
    kept = encoded[: max(limit, 0)]
    return kept.decode("utf-8", "ignore")
