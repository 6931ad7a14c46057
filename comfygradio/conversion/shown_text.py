"""Texts of a file as sentences show them: printable, short, and such that UTF-8 can encode them."""

from __future__ import annotations

CANNOT = "This workflow cannot be converted:"
"""Begins each sentence on a workflow that is refused. The reason follows."""

MAX_NAME = 100
"""Maximum length of a name or id that is shown, in characters."""

JOINERS = "\u200c\u200d"
"""Not printable by themselves; they join letters and emoji."""

UNKNOWN = "\ufffd"
"""Stands for a character that cannot be shown."""


def show_name(name: str) -> str:
    """Show a name or id."""
    return show_text(name, MAX_NAME)


def show_text(text: str, most: int) -> str:
    """Show at most so many characters of a text."""
    shown = "".join(_show_character(character) for character in text[:most])
    return f"{shown}…" if len(text) > most else shown


def _show_character(character: str) -> str:
    if character.isprintable() or character in JOINERS:
        return character
    # The spaces of other scripts are not printable either, by Python's notion.
    return " " if character.isspace() else UNKNOWN
