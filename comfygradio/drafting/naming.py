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
    shown = [_blank_control(character) for character in text]
    words = "".join(shown).split()
    return " ".join(words)


def _blank_control(character: str) -> str:
    """Return a space in place of a control character (Unicode category C)."""
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
    return capitalise(words)


def capitalise(text: str) -> str:
    """Make the first letter a capital, and leave the others as they are."""
    return text[:1].upper() + text[1:]


def pick_name(wishes: list[str], taken: set[str]) -> str:
    """Pick the first wish that is not taken, else the first one with a number, and mark it as
    taken.
    """
    wishes = [wish for wish in wishes if wish] or ["value"]
    free = [wish for wish in wishes if wish not in taken]
    name = free[0] if free else add_number(wishes[0], taken, "_")
    taken.add(name)
    return name


def add_number(name: str, taken: set[str], separator: str) -> str:
    """Add the first number from 2 with which a name is not taken."""
    number = 2
    while f"{name}{separator}{number}" in taken:
        number += 1
    return f"{name}{separator}{number}"
