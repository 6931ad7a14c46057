"""Finds the files that a text on an axis names, by name or by pattern."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from comfygradio.forms.kinds.axis_text import MAX_VALUES, TOO_MANY
from comfygradio.forms.kinds.choice_index import is_pattern
from comfygradio.forms.kinds.value import InvalidValue, shorten

MAX_LISTED = 100_000
"""Entries of folders that one pattern looks at."""


class AllowedFiles(NamedTuple):
    """The files that may be named: those below `root`, or any if not `is_confined`. Without a root,
    none.
    """

    root: Path | None = None
    is_confined: bool = True

    def find(self, text: str, is_literal: bool = False) -> list[Path]:
        """Find the file of this name, or those that fit a pattern such as `pictures/*.png`, page 2
        before page 10.

        Raises InvalidValue if there is none, or if it lies outside of the folder.
        """
        if self.root is None:
            raise InvalidValue("files cannot be named here; add them by hand.")
        try:
            named = Path(text)
            if self.is_confined and (named.anchor or ".." in named.parts):
                raise InvalidValue(
                    f"only files in the folder {shorten(self.root.name)} can be named here."
                )
            literal = self._admit(self.root / text)
            if is_literal or literal.is_file() or not is_pattern(text):
                return [literal]
            return self._list(self.root, text)
        except (OSError, ValueError, RuntimeError, NotImplementedError):
            # Python raises ValueError for a NUL in a path, RuntimeError for links in a circle
            # (before 3.13), and NotImplementedError for some patterns.
            raise InvalidValue(f"{shorten(text)} is not a file that can be read.") from None

    def to_text(self, path: Path) -> str:
        """Return a text that finds a file again, relative to the folder if it lies in there."""
        if self.root is not None and path.is_relative_to(self.root):
            return path.relative_to(self.root).as_posix()
        return str(path)

    def _list(self, root: Path, pattern: str) -> list[Path]:
        if "**" in pattern:
            raise InvalidValue(
                "** would search every folder; name the folder, for example pictures/*.png."
            )
        *_, last = Path(pattern).parts
        # As in a shell: a star does not stand for files whose name begins with a dot.
        takes_hidden = last.startswith(".")
        entries = _expand(root / Path(pattern).anchor, pattern)
        found = []
        for path in islice(entries, MAX_LISTED):
            if path.name.startswith(".") and not takes_hidden:
                continue
            if not path.is_file():
                continue
            found.append(self._admit(path))
            if len(found) > MAX_VALUES:
                raise InvalidValue(TOO_MANY)
        if not found:
            raise InvalidValue(f"no file fits {shorten(pattern)}.")
        return sort_naturally(found)

    def _admit(self, path: Path) -> Path:
        """Return the path itself. Raises InvalidValue if it leads out of the folder, even by a
        link.
        """
        if not self.is_confined or self.root is None:
            return path
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise InvalidValue(
                f"{shorten(path.name)} leads out of the folder {shorten(self.root.name)}."
            )
        return path


def sort_naturally(paths: Iterable[Path]) -> list[Path]:
    """Sort paths by name, with the numbers in them by size."""

    def weigh(path: Path) -> list[tuple[bool, int, str]]:
        weights = []
        for part in re.split(r"([0-9]+)", str(path)):
            is_number = part.isdecimal()
            size = int(part) if is_number else 0
            # The digits themselves decide between 1 and 01, whose size is the same.
            weights.append((is_number, size, part))
        return weights

    return sorted(paths, key=weigh)


def _expand(root: Path, pattern: str) -> Iterator[Path]:
    path = Path(pattern)
    parts = path.parts[1:] if path.anchor else path.parts
    return root.glob("/".join(parts))
