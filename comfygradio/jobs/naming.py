"""Names of results: a pattern of field values becomes the place where a job's files lie."""

from __future__ import annotations

import datetime
import hashlib
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfygradio.errors import SettingsError

DEFAULT_PATTERN = "{date}/{preset}/{time}-{random}/{name}"
"""The last part names the file, without its suffix; `name` is the name that the server gave it."""

NAME_BYTES = 120
"""Longest name from a server in UTF-8; file systems take 255 for that, a part of the pattern and "
(2)" together.
"""

PART_BYTES = 100
"""Longest part of a filled pattern in UTF-8."""

VALUE_BYTES = (60, 30, 15, 5, 0)
"""Longest field value within a part, in UTF-8: the first that lets the part fit."""

FIXED = {"date": "2026-01-31", "time": "235959", "random": "0123456789abcdef", "name": "{name}"}
"""What is never cut, as long as it gets."""

RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
PART = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Place:
    """Where the files of one job go: a folder, and a stem for their names; "" keeps the server's
    names.
    """

    folder: Path
    stem: str = ""
    mark: str = ""
    """What only this job's files have in their path."""

    def clear(self) -> None:
        """Delete what an earlier attempt to collect this job left here when the app was killed."""
        own = self.mark in self.folder.as_posix()
        found = self.folder.rglob("*") if own else self.folder.rglob(f"*{self.mark}*")
        for path in [path for path in found if path.is_file()] if self.mark else []:
            with suppress(OSError):
                path.unlink()

    def find_free(self, filename: str) -> Path:
        """The path for a file of the server, that no file has yet."""
        given = Path(clean_name(filename))
        stem = self.stem.replace("{name}", given.stem) if self.stem else given.stem
        path, count = self.folder / f"{stem}{given.suffix}", 1
        while path.exists():
            count += 1
            path = self.folder / f"{stem} ({count}){given.suffix}"
        return path


def check_pattern(pattern: str) -> str:
    """A pattern of names as it may be used. Raises SettingsError.

    It needs `{random}`: results are served to whoever knows their path, so nobody may be able to
    guess it.
    """
    parts = pattern.split("/")
    if re.search(r"[\\:\0]", pattern) or any(
        PART.sub("x", part).strip(". ") == "" for part in parts
    ):
        raise SettingsError(
            f"The pattern of names {pattern!r} has to be a path inside of the outputs folder."
        )
    if any(len(_fill_within(0, part, {}, FIXED).encode()) > PART_BYTES for part in parts):
        raise SettingsError(f"The pattern of names {pattern!r} is too long.")
    if "{random}" not in pattern:
        raise SettingsError(
            f"The pattern of names {pattern!r} needs {{random}}, so that nobody can guess a path."
        )
    if re.search(r"[{}]", PART.sub("", pattern)):
        raise SettingsError(
            f"The pattern of names {pattern!r} has a brace that belongs to no {{name}}."
        )
    return pattern


def choose_place(
    outputs: Path,
    preset: str,
    values: Mapping[str, Any] | None = None,
    pattern: str = DEFAULT_PATTERN,
    now: datetime.datetime | None = None,
    secret: str = "",
) -> Place:
    """A place for the files of one job; `random` has 64 bits, the same ones for the same `secret`.

    Makes no folder.
    """
    now = now or datetime.datetime.now()
    random = hashlib.sha256(secret.encode()).hexdigest()[:16] if secret else secrets.token_hex(8)
    fixed = {"date": f"{now:%Y-%m-%d}", "time": f"{now:%H%M%S}", "random": random, "name": "{name}"}
    words = {name: _describe(value) for name, value in {**(values or {}), "preset": preset}.items()}
    *folders, stem = [_fill(part, words, fixed) for part in pattern.split("/")]
    return Place(outputs.joinpath(*folders), "" if stem == "{name}" else stem, random)


def clean_name(text: str, limit: int = NAME_BYTES) -> str:
    """A text as the name of a file on any system, at most `limit` bytes; a short suffix survives
    the cut.
    """
    name = re.sub(r"[^\w .()+-]", "_", text).strip(". ") or "result"
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix) > 10:
        stem, dot, suffix = name, "", ""
    cut = f"{_cut(stem, limit - len(suffix.encode()) - 1).strip()}{dot}{suffix}"
    return f"_{cut}" if RESERVED.fullmatch(cut) else cut


def _fill(part: str, words: Mapping[str, str], fixed: dict[str, str]) -> str:
    """One part of the pattern with its values, which are cut until it fits; what is `fixed` stays
    whole.
    """
    names = (_fill_within(limit, part, words, fixed) for limit in VALUE_BYTES)
    name = next(name for name in names if len(name.encode()) <= PART_BYTES)
    return f"_{name}" if RESERVED.fullmatch(name) else name


def _fill_within(limit: int, part: str, words: Mapping[str, str], fixed: dict[str, str]) -> str:
    cut = {
        name: re.sub(r"[^\w .()+-]", "_", _cut(word, limit)) for name, word in words.items()
    } | fixed
    return PART.sub(lambda match: cut.get(match[1], ""), part).strip(". ") or "result"


def _describe(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(filter(None, map(_describe, value)))
    if isinstance(value, Mapping):
        return _describe(value.get("name"))
    return " ".join(str(value).split()) if value is not None else ""


def _cut(text: str, limit: int) -> str:
    return text.encode("utf-8", "ignore")[: max(limit, 0)].decode("utf-8", "ignore")
