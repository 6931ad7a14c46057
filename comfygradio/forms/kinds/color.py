"""Color fields."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from comfygradio.forms.kinds.axis_text import Item, split_values
from comfygradio.forms.kinds.kind import Kind, is_short
from comfygradio.forms.kinds.number import parse_number
from comfygradio.forms.kinds.value import InvalidValue, is_sendable, shorten

if TYPE_CHECKING:
    from comfygradio.comfy.object_info import InputSpec
    from comfygradio.forms.field import Field
    from comfygradio.forms.plain_scalar import PlainScalar


SHORT_COLOR = r"#?[0-9a-f]{3}"

COLOR_PATTERN = r"#?([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})(?:[0-9a-f]{2})?"

_PART = r"\s*(\d{1,3}(?:\.\d{1,20})?)\s*"

RED_GREEN_BLUE = rf"rgba?\({_PART},{_PART},{_PART}(?:,[^)]*)?\)"
"""How colors are written in CSS, in small letters."""


class ColorKind(Kind):
    """A color, as text or as a number, whichever the input takes."""

    input_types = frozenset({"COLOR", "INT", "STRING"})
    syntax = "#ff8800, #0088ff"
    names_resource = False

    def is_likely_for(self, spec: InputSpec, has_choices: bool) -> bool:
        """Whether an input takes colors; a plain number is more likely to be something else."""
        if spec.options.get("display") == "color":
            return True
        return not spec.types.isdisjoint({"STRING", "COLOR"})

    def check(self, field: Field, value: Any) -> str | int:
        """Convert to a color as the input expects it. Raises InvalidValue."""
        return check_color(field, value)

    def resolve_scalar(self, field: Field, scalar: PlainScalar) -> Any:
        """Return a number that only YAML knows (`0xff8800`), else the text, since decimal digits
        may be "rrggbb".
        """
        if not scalar.is_decimal and scalar.finite_number is not None:
            return scalar.finite_number
        return super().resolve_scalar(field, scalar)

    def make_exempt(self, field: Field, value: Any) -> Any:
        """Keep a text that is not a color, if it can be sent."""
        if isinstance(value, str) and is_sendable(value):
            return value
        return None

    def to_json(self, field: Field, value: Any) -> Any:
        """Write a number as "#rrggbb"."""
        if isinstance(value, int):
            return f"#{value:06x}"
        return value

    def split_axis(self, text: str) -> tuple[list[Item], str]:
        """Split into colors; commas inside of brackets separate nothing. Raises InvalidValue."""
        return split_values(text, in_brackets=True)


def check_color(field: Field, value: Any) -> str | int:
    """Convert a color to what the input expects: "#rrggbb", or a number from 0 to 0xffffff.

    "#f80", "rgb(…)" and "rrggbb" are understood. Raises InvalidValue.
    """
    number = None
    if not isinstance(value, str) or _is_color_number(field, value.strip()):
        number = parse_number(value)
    text = value
    # Numbers are written as #rrggbb first, so that one parser reads all spellings.
    if number is not None and 0 <= number <= 0xFFFFFF:
        text = f"#{int(number):06x}"
    red_green_blue = parse_color(text) if isinstance(text, str) else None
    if red_green_blue is None:
        raise InvalidValue(
            f"{shorten(value)} is not a color; write it as #rrggbb, for example #ff8800."
        )
    digits = "".join(f"{part:02x}" for part in red_green_blue)
    if not field.is_integer:
        return f"#{digits}"
    color = int(digits, 16)
    low = field.minimum or 0
    high = 0xFFFFFF if field.maximum is None else field.maximum
    if not low <= color <= high:
        raise InvalidValue(f"the color #{digits} is not possible; as a number, {field.allowed}.")
    return color


def _is_color_number(field: Field, text: str) -> bool:
    """Whether a text is the number of a color."""
    if not text.isdigit():
        return False
    # Six digits are "rrggbb", like "ff0080", if the input expects a text. If it expects a number,
    # they are only with a leading zero, which no number has.
    is_spelled = len(text) == 6 and (text.startswith("0") or not field.is_integer)
    return not is_spelled


def parse_color(text: str) -> tuple[int, int, int] | None:
    """Parse "#rrggbb", "#rgb" or "rgb(r, g, b)" into red, green and blue, 0 to 255 each. Alpha is
    ignored. Returns None for any other text.
    """
    if not is_short(text):
        return None
    text = text.strip().lower()
    if re.fullmatch(SHORT_COLOR, text):
        # The last three characters, since the sign # may be missing.
        text = "".join(2 * digit for digit in text[-3:])
    match = re.fullmatch(COLOR_PATTERN, text)
    if match:
        red, green, blue = (int(part, 16) for part in match.groups())
        return red, green, blue
    match = re.fullmatch(RED_GREEN_BLUE, text)
    if match:
        red, green, blue = map(_parse_part, match.groups())
        return red, green, blue
    return None


def _parse_part(text: str) -> int:
    """Parse red, green or blue out of "rgb(…)"; above 255, it is cut off."""
    number = round(float(text))
    return min(255, number)


COLOR = ColorKind()
