"""Make field names and labels from foreign texts: one line, without control characters."""

from __future__ import annotations

import keyword
import re
import unicodedata

MAX_LABEL = 60
"""Maximum number of characters of a label."""

RESERVED = frozenset({"title", "self"})
"""Names that examples or Python functions need themselves."""


def one_line(text: str) -> str:
    """Put a text on one line without control characters, so that it can be a YAML comment."""
    shown = "".join(_blank_control(character) for character in text)
    return " ".join(shown.split())


def _blank_control(character: str) -> str:
    category = unicodedata.category(character)
    return " " if category.startswith("C") else character


def clean_label(text: str) -> str:
    """Put a text on one line and shorten it to 60 characters."""
    line = one_line(text)
    if len(line) <= MAX_LABEL:
        return line
    kept = line[: MAX_LABEL - 1].rstrip()
    return f"{kept}…"


def make_name(text: str) -> str:
    """Make a field name (lower case letters, digits and _) from a text; "" if nothing is left."""
    # NFKD takes accents apart from their letters, so that ASCII keeps the letters.
    decomposed = unicodedata.normalize("NFKD", text)
    plain = decomposed.encode("ascii", "ignore").decode().lower()
    joined = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    short = joined[:40].strip("_")
    name = re.sub(r"^[0-9_]+", "", short)
    if keyword.iskeyword(name) or name in RESERVED:
        return f"{name}_value"
    return name


def make_label(name: str) -> str:
    """Make a label from the name of an input: `start_image` → `Start image`."""
    spaced = name.replace("_", " ").replace(".", " ")
    words = " ".join(spaced.split())
    return words[:1].upper() + words[1:]


def pick_name(wishes: list[str], taken: set[str]) -> str:
    """Pick the first wish that is not taken, else the first one with a number, and mark it as
    taken.
    """
    wishes = [wish for wish in wishes if wish] or ["value"]
    free = next((wish for wish in wishes if wish not in taken), None)
    if free is None:
        free = _number_name(wishes[0], taken)
    taken.add(free)
    return free


def _number_name(name: str, taken: set[str]) -> str:
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"
