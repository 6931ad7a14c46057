"""Names and labels made of foreign texts: on one line, without control characters, as a field may
be called.
"""

from __future__ import annotations

import keyword
import re
import unicodedata

LONGEST = 60
"""Characters of a label."""

RESERVED = frozenset({"title", "self"})
"""Names that an example or a Python function needs for itself."""


def one_line(text: str) -> str:
    """A text on one line and without control characters, as it may stand in a comment."""
    return " ".join("".join(c if unicodedata.category(c)[0] != "C" else " " for c in text).split())


def clean(text: str) -> str:
    """A text on one line, shortened to 60 characters."""
    line = one_line(text)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1].rstrip()}…"


def make_name(text: str) -> str:
    """A field name made of a text, in small letters, digits and _; "" where nothing
    usable is left.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:40].strip("_")
    name = re.sub(r"^[0-9_]+", "", name)
    return f"{name}_value" if keyword.iskeyword(name) or name in RESERVED else name


def make_label(name: str) -> str:
    """A name of an input as a label: `start_image` → `Start image`."""
    words = " ".join(name.replace("_", " ").replace(".", " ").split())
    return words[:1].upper() + words[1:]


def pick_name(wishes: list[str], taken: set[str]) -> str:
    """The first wish that is free, else the first one with a number; it is taken from then on."""
    wishes = [wish for wish in wishes if wish] or ["value"]
    free = next((wish for wish in wishes if wish not in taken), None)
    number = 2
    while free is None:
        free = None if f"{wishes[0]}_{number}" in taken else f"{wishes[0]}_{number}"
        number += 1
    taken.add(free)
    return free
