"""Fields: the lines of a form, and the check of what people put into them."""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfygradio.comfy.object_info import Scalar
from comfygradio.forms.picture import check_picture
from comfygradio.forms.preset_file import Widget
from comfygradio.forms.slots import Slot

MAX_TEXT = 100_000
"""Characters of one text field."""

RANDOM_SEEDS = 2**50
"""Random seeds stay below what ComfyUI's own page draws (frontend 1.58), so that a browser does not round them."""

LISTED_CHOICES = 12


class Refused(Exception):
    """A value that a field does not take; the text says what is allowed. Never leaves this package's forms."""


@dataclass(frozen=True)
class Choice:
    """One entry of a list: what people see, and the value as the server spells it."""

    label: str
    value: Scalar


@dataclass(frozen=True)
class Field:
    """One line of a form, bound to a server: what it fills, what it allows and what it starts with.

    `slots` maps the part of a value ("" for a plain one; "width" and "height" of a size) to the inputs it fills.
    `minimum` and `maximum` are the narrower of preset and server.
    """

    name: str
    widget: Widget
    label: str
    slots: Mapping[str, tuple[Slot, ...]]
    help: str = ""
    placeholder: str = ""
    advanced: bool = False
    default: Any = None
    choices: tuple[Choice, ...] | None = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    step: int | float | None = None
    is_integer: bool = False
    max_mb: float = 50.0

    def check(self, value: Any) -> Any:
        """The value as the prompt needs it; a seed left open is drawn. Raises Refused."""
        return CHECKS[self.widget](self, value)

    @property
    def allowed(self) -> str:
        """What a number may be, for people."""
        unit = "whole numbers " if self.is_integer else "numbers "
        if self.minimum is not None and self.maximum is not None:
            return f"{unit}from {self.minimum} to {self.maximum} are allowed"
        if self.minimum is not None:
            return f"{unit}from {self.minimum} are allowed"
        return f"{unit}up to {self.maximum} are allowed" if self.maximum is not None else f"{unit}are allowed"


def check_text(field: Field, value: Any) -> str:
    """A text of at most 100,000 characters; a number is taken as text."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Refused("text is expected.")
    if len(str(value)) > MAX_TEXT:
        raise Refused(f"the text is too long: at most {MAX_TEXT:,} characters are allowed.")
    return str(value)


def check_number(field: Field, value: Any) -> int | float:
    """A number within the field's limits; whole where the server wants an INT. Texts of digits are read exactly."""
    if value is None or value == "":
        raise Refused(f"a number is missing; {field.allowed}.")
    number = _parse_number(value)
    if number is None or (field.is_integer and number != int(number)):
        raise Refused(f"{_show(value)} is not possible; {field.allowed}.")
    if (field.minimum is not None and number < field.minimum) or (field.maximum is not None and number > field.maximum):
        raise Refused(f"{_show(value)} is not possible; {field.allowed}.")
    return int(number) if field.is_integer else number


def check_seed(field: Field, value: Any) -> int:
    """An exact 64-bit seed; nothing, -1 or "random" draws one."""
    if value is None or value == -1 or (isinstance(value, str) and value.strip().lower() in ("", "-1", "random")):
        return _draw_seed(field)
    number = _parse_number(value)
    if isinstance(number, float) and abs(number) >= 2**53:
        raise Refused(f"{_show(value)} is a rounded number; send a seed of this size as a whole number or its digits.")
    return int(check_number(field, value))


def check_choice(field: Field, value: Any) -> Scalar:
    """A value of the list, given as the value itself, its text or its label."""
    choices = field.choices or ()
    same_type = (c.value for c in choices if c.value == value and isinstance(c.value, bool) == isinstance(value, bool))
    found = next(same_type, None)
    if found is None and isinstance(value, str):
        found = next((c.value for c in choices if value in (c.label, str(c.value))), None)
    if found is None:
        raise Refused(f"{_show(value)} is not in the list; {list_choices(choices)}")
    return found


def check_switch(field: Field, value: Any) -> bool:
    """On or off; the usual words for both are understood."""
    word = str(value).strip().lower()
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0"):
        return False
    raise Refused(f"{_show(value)} is neither on nor off; true or false is allowed.")


def check_size(field: Field, value: Any) -> tuple[int, int]:
    """(width, height) in pixels, given as "768x512", a pair or a mapping."""
    named = next((choice.value for choice in field.choices or () if choice.label == value), value)
    width, height = parse_size(named)
    if field.choices is not None and f"{width}x{height}" not in (choice.value for choice in field.choices):
        raise Refused(f"{width}x{height} is not in the list; {list_choices(field.choices)}")
    for side, pixels in (("width", width), ("height", height)):
        if (field.minimum is not None and pixels < field.minimum) or (
            field.maximum is not None and pixels > field.maximum
        ):
            raise Refused(f"the {side} {_show(pixels)} is not possible; {field.allowed}.")
    return width, height


def check_image(field: Field, value: Any) -> Path:
    """The path of a readable picture within the limits of size."""
    if value is None or value == "":
        raise Refused("please add a picture.")
    if not isinstance(value, str | Path):
        raise Refused("a picture file is expected.")
    if problem := check_picture(Path(value), field.max_mb):
        raise Refused(problem)
    return Path(value)


def list_choices(choices: tuple[Choice, ...]) -> str:
    """The first choices, for people."""
    if not choices:
        return "the server offers nothing here."
    shown = ", ".join(choice.label for choice in choices[:LISTED_CHOICES])
    more = len(choices) - LISTED_CHOICES
    return f"allowed: {shown}{f' and {more} more' if more > 0 else ''}."


CHECKS: Mapping[Widget, Callable[[Field, Any], Any]] = {
    "text": check_text,
    "textarea": check_text,
    "number": check_number,
    "slider": check_number,
    "dropdown": check_choice,
    "radio": check_choice,
    "checkbox": check_switch,
    "seed": check_seed,
    "size": check_size,
    "image": check_image,
}


def _parse_number(value: Any) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str):
        text = value.strip()
        try:
            value = int(text) if re.fullmatch(r"[+-]?[0-9]{1,40}", text) else float(text)
        except ValueError:
            return None
    return value if isinstance(value, int) or math.isfinite(value) else None


def parse_size(value: Any) -> tuple[int, int]:
    """(width, height) of "768x512", a pair or a mapping. Raises Refused."""
    if isinstance(value, Mapping):
        value = (value.get("width"), value.get("height"))
    if isinstance(value, str):
        match = re.fullmatch(r"\s*([0-9]{1,6})\s*[x×*, ]\s*([0-9]{1,6})\s*", value, re.IGNORECASE)
        value = match.groups() if match else ()
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise Refused("write the size as width x height in pixels, for example 768x512.")
    sides = [_parse_number(side) for side in value]
    if any(side is None or side != int(side) for side in sides):
        raise Refused("write the size as width x height in whole pixels, for example 768x512.")
    return int(sides[0] or 0), int(sides[1] or 0)


def _draw_seed(field: Field) -> int:
    low = max(int(field.minimum or 0), 0)
    high = low + RANDOM_SEEDS - 1 if field.maximum is None else max(int(field.maximum), low)
    return low + secrets.randbelow(min(RANDOM_SEEDS, high - low + 1))


def _show(value: Any) -> str:
    if isinstance(value, int) and abs(value) >= 10**60:
        return "this huge number"
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
