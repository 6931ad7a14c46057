"""Parts of the values of fields, and how sentences show them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comfygradio.comfy.object_info import Scalar
    from comfygradio.forms.slots import Slot

HUGE = 10**60
"""No field accepts whole numbers from here on, since Python refuses to convert much larger ones to
text.
"""


class InvalidValue(Exception):
    """Raised when a field does not accept a value; the message says what is allowed.

    It is caught inside the package and reported as ValuesRefused, BindError or AxisError.
    """


@dataclass(frozen=True)
class Choice:
    """One entry of a list: the label for people, and the value as the server spells it.

    If a choice sets several slots, its value is its label, and `sets` holds slots and values.
    """

    label: str
    value: Scalar
    sets: tuple[tuple[Slot, Scalar], ...] = ()


@dataclass(frozen=True)
class Lora:
    """One row of a LoRA list: the file as the server spells it, and its strength, usually 1."""

    name: str
    strength: float = 1.0

    def __str__(self) -> str:
        strength = f"{self.strength:g}"
        return f"{self.name}:{strength}"


def shorten(value: Any) -> str:
    """Format any value for use in a sentence, in at most 60 characters.

    Of a path only the file name is used: error messages must not reveal folders.
    """
    if isinstance(value, PurePath):
        value = value.name
    if isinstance(value, int) and abs(value) >= HUGE:
        return "this huge number"
    try:
        text = value if isinstance(value, str) else repr(value)
    except (ValueError, RecursionError):
        # A list may hold a number of more digits than Python writes, or be nested too deeply.
        return "this value"
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= 60 else f"{text[:57]}…"


def list_choices(choices: tuple[Choice, ...], limit: int = 12) -> str:
    """List the first choices in a sentence for people."""
    if not choices:
        return "the server offers nothing here."
    shown = ", ".join(choice.label for choice in choices[:limit])
    more = len(choices) - limit
    if more > 0:
        shown += f" and {more} more"
    return f"allowed: {shown}."


def is_sendable(text: str) -> bool:
    """Whether a text can be sent at all: it holds no half of a surrogate pair."""
    sent = text.encode("utf-8", "replace").decode("utf-8")
    return sent == text


def is_huge(value: object) -> bool:
    """Whether a value is a whole number of more than 60 digits, which no field accepts."""
    if not isinstance(value, int):
        return False
    return abs(value) >= HUGE
