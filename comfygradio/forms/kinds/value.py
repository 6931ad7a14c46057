"""Values of fields: what they are made of, and how errors speak of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comfygradio.comfy.object_info import Scalar
    from comfygradio.forms.slots import Slot

HUGE = 10**60
"""No field accepts whole numbers from here on: Python refuses to convert much larger ones to text.
"""


class InvalidValue(Exception):
    """Raised when a field does not accept a value; the message says what is allowed.

    It is caught inside the package and reported as ValuesRefused, BindError or AxisError.
    """


@dataclass(frozen=True)
class Choice:
    """One entry of a list: what people see, and the value as the server spells it.

    A choice that sets several slots has its label for a value, and in `sets` what it puts where.
    """

    label: str
    value: Scalar
    sets: tuple[tuple[Slot, Scalar], ...] = ()


@dataclass(frozen=True)
class Lora:
    """One row of a LoRA list: the file as the server spells it, and its strength (1 is its own)."""

    name: str
    strength: float = 1.0

    def __str__(self) -> str:
        return f"{self.name}:{self.strength:g}"


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
        return "this value"
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= 60 else f"{text[:57]}…"


def list_choices(choices: tuple[Choice, ...], limit: int = 12) -> str:
    """The first choices, for people."""
    if not choices:
        return "the server offers nothing here."
    shown = ", ".join(choice.label for choice in choices[:limit])
    more = len(choices) - limit
    if more > 0:
        shown += f" and {more} more"
    return f"allowed: {shown}."


def is_sendable(text: str) -> bool:
    """Whether a text can be sent at all: it holds no half of a surrogate pair."""
    return text.encode("utf-8", "replace").decode("utf-8") == text


def is_huge(value: object) -> bool:
    """Whether a value is a whole number of more than 60 digits, which no field takes."""
    return isinstance(value, int) and abs(value) >= HUGE
