"""Checks of field values: converts what people enter to what the prompt needs, or rejects it with
a sentence that says what is allowed.
"""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from comfygradio.comfy.object_info import Scalar
from comfygradio.forms.exempt_value import find_exempt
from comfygradio.forms.field import HUGE, Choice, Field, InvalidValue, list_choices, shorten
from comfygradio.forms.kinds.registry import Widget
from comfygradio.forms.kinds.text import MAX_TEXT
from comfygradio.forms.loras import check_loras
from comfygradio.forms.media import check_media
from comfygradio.forms.model_name import find_respelled
from comfygradio.forms.numerals import (
    describe_thousands,
    parse_numeral,
    parse_thousands,
    suggest_numerals,
)
from comfygradio.forms.value_length import check_value_length, is_short

EXACT_LIMIT = 2**53
"""Floats from here on are no longer exact."""

SIDES = ("width", "height")
"""The parts of a size."""

MAX_SIDE = 999_999
"""Pixels of a side; no picture has more."""

SIZE = re.compile(r"([0-9]{1,6})(?:\s*[x×*,]\s*|\s+)([0-9]{1,6})", re.IGNORECASE)
"""Two sides; what stands between them is either a sign or space, so that there is one way to read
it.
"""

COMMA_SIZE = re.compile(r"[0-9]+,0[0-9]+")
"""`1,024` is a number and no size; `768,512` is one."""

SHORT_COLOR = re.compile(r"#?[0-9a-f]{3}")
COLOR = re.compile(r"#?([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})(?:[0-9a-f]{2})?")
_PART = r"\s*(\d{1,3}(?:\.\d{1,20})?)\s*"
RED_GREEN_BLUE = re.compile(rf"rgba?\({_PART},{_PART},{_PART}(?:,[^)]*)?\)")
"""How colors are written in CSS, in small letters."""

MAX_CHOSEN = 200
"""Choices of one field."""

RANDOM_SEEDS = 2**50
"""Random seeds stay below what ComfyUI's own page draws (frontend 1.58), so that a browser does not
round them.
"""


def check_value(field: Field, value: Any) -> Any:
    """The value as the prompt needs it, None where an optional field stays empty; open seeds are
    drawn.

    Raises InvalidValue.
    """
    kept = find_exempt(field, value)
    if kept is not None:
        return kept
    check_value_length(field, value)
    if is_empty(field, value):
        return None
    checked = CHECKS[field.widget](field, value)
    for one in field.computed:
        one.compute(checked)  # raises InvalidValue where the number does not fit that input
    if field.optional and checked == ():
        return None
    return checked


def is_empty(field: Field, value: Any) -> bool:
    """Whether an optional field was left empty; a text counts as empty only where that bypasses
    nodes, or leaves the inputs to other fields.
    """
    if not field.optional or field.widget == "checkbox":
        return False
    if field.kind.is_text and not field.bypass and not field.defers_when_empty:
        return False
    if isinstance(value, str):
        return not value.strip()
    return value is None or value in ([], (), {})


def check_text(field: Field, value: Any) -> str:
    """A text of at most 100,000 characters; a number is taken as text, half characters (cut emoji)
    become `?`.
    """
    if value is None:
        return ""
    is_writable = isinstance(value, str | int | float) and not isinstance(value, bool)
    if not is_writable or is_huge(value):
        raise InvalidValue("text is expected.")
    text = str(value).encode("utf-8", "replace").decode("utf-8")
    if len(text) > MAX_TEXT:
        raise InvalidValue(f"the text is too long: at most {MAX_TEXT:,} characters are allowed.")
    return text


def check_number(field: Field, value: Any) -> int | float:
    """A number within the field's limits; whole where the server wants an INT.

    Texts of digits are read exactly.
    """
    if value is None or value == "":
        raise InvalidValue(f"a number is missing; {field.allowed}.")
    number = _parse_number(value)
    if number is None or not _is_possible(field, number):
        raise InvalidValue(_describe_no_number(field, value))
    check_thousands(field, value)
    if field.is_integer and isinstance(number, float) and abs(number) >= EXACT_LIMIT:
        raise InvalidValue(
            f"{shorten(value)} is a rounded number; send one of this size as a whole number or its "
            "digits."
        )
    if not is_within(field, number):
        raise InvalidValue(_describe_no_number(field, value))
    if "" in field.grids:
        between = describe_off_step(field, number)
        if between:
            raise InvalidValue(f"{shorten(value)} is not possible: {between}")
    return int(number) if field.is_integer else number


def describe_off_step(field: Field, value: int | float | tuple[int, int]) -> str:
    """Explain why a number or size is off the field's steps, and name the nearest allowed values.

    Returns "" if the value is on a step.
    """
    sides: tuple[int | float, ...] = value if isinstance(value, tuple) else (value,)
    parts = SIDES if len(sides) == 2 else ("",)
    grids = [field.grids.get(part) for part in parts]
    pairs = list(zip(sides, grids, strict=True))
    if all(grid is None or grid.contains(side) for side, grid in pairs):
        return ""
    lower: list[int] = []
    upper: list[int] = []
    for side, grid in pairs:
        if grid is None:
            lower.append(int(side))
            upper.append(int(side))
        else:
            lower.append(grid.floor(side))
            upper.append(grid.ceil(side))
    near = []
    for found in (lower, upper):
        if all(is_within(field, side) for side in found):
            near.append("x".join(map(str, found)))
    step = max(grid.step for grid in grids if grid is not None)
    told = f"it goes in steps of {step}"
    if near:
        told += f"; write {' or '.join(near)}"
    return f"{told}."


def check_thousands(field: Field, value: Any) -> None:
    """Raises InvalidValue for a text such as `1.000`, where the field takes a thousand as well."""
    if not isinstance(value, str):
        return
    told = describe_thousands(value, field.minimum, field.maximum, field.is_integer)
    if told:
        raise InvalidValue(told)


def is_within(field: Field, number: int | float) -> bool:
    """Whether a number is within the field's limits."""
    is_large_enough = field.minimum is None or number >= field.minimum
    is_small_enough = field.maximum is None or number <= field.maximum
    return is_large_enough and is_small_enough


def suggest_numbers(field: Field, text: str) -> list[str]:
    """Spellings of the numbers that a text may mean, limited to those the field accepts."""
    return [numeral for numeral in _suggest_more(text) if _fits(field, numeral)]


def check_seed(field: Field, value: Any) -> int:
    """An exact 64-bit seed; nothing, -1 or "random" draws one."""
    if is_open_seed(value):
        return _draw_seed(field)
    return int(check_number(field, value))


def is_open_seed(value: object) -> bool:
    """Whether a seed is left to chance: nothing, -1 or "random"."""
    if isinstance(value, str):
        return value.strip().lower() in ("", "-1", "random")
    return value is None or value == -1


def check_choice(field: Field, value: Any) -> Scalar | tuple[Scalar, ...]:
    """Find the choice that a value, its text or its label names; several choices if the field
    allows them.
    """
    choices = field.choices or ()
    if not field.is_multiple:
        return _find_choice(choices, value)
    listed = value
    if value is None:
        listed = ()
    elif isinstance(value, str):
        listed = _split_choices(choices, value)
    if not isinstance(listed, list | tuple):
        raise InvalidValue(f"a list is expected; {list_choices(choices)}")
    if len(listed) > MAX_CHOSEN:
        raise InvalidValue(
            f"{len(listed):,} choices are too many; at most {MAX_CHOSEN} are allowed."
        )
    found = [_find_choice(choices, part) for part in listed]
    return tuple(dict.fromkeys(found))


def check_boolean(field: Field, value: Any) -> bool:
    """On or off; the usual words for both are understood."""
    word = ""
    if isinstance(value, bool | int | float | str) and not is_huge(value):
        word = str(value).strip().lower()
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0"):
        return False
    raise InvalidValue(f"{shorten(value)} is neither on nor off; true or false is allowed.")


def is_huge(value: object) -> bool:
    """Whether a value is a whole number of more than 60 digits, which no field takes."""
    return isinstance(value, int) and abs(value) >= HUGE


def check_size(field: Field, value: Any) -> tuple[int, int]:
    """(width, height) in pixels, given as "768x512", a pair or a mapping."""
    for choice in field.choices or ():
        if choice.label == value:
            value = choice.value
            break
    width, height = parse_size(value)
    if field.choices is not None:
        offered = [parse_size(choice.value) for choice in field.choices]
        if (width, height) not in offered:
            size = f"{shorten(width)}x{shorten(height)}"
            raise InvalidValue(f"{size} is not in the list; {list_choices(field.choices)}")
    low = field.minimum or 0
    high = MAX_SIDE if field.maximum is None else min(field.maximum, MAX_SIDE)
    for side, pixels in zip(SIDES, (width, height), strict=True):
        if not low <= pixels <= high:
            raise InvalidValue(f"the {side} {shorten(pixels)} is not possible; {field.allowed}.")
    if field.choices is None:
        between = describe_off_step(field, (width, height))
        if between:
            raise InvalidValue(f"{width}x{height} is not possible: {between}")
    return width, height


def check_color(field: Field, value: Any) -> str | int:
    """A color as the input wants it: "#rrggbb", or the number 0 to 0xffffff; "#f80", "rgb(…)" and
    "rrggbb" are understood.
    """
    number = None
    if not isinstance(value, str) or _is_color_number(field, value.strip()):
        number = _parse_number(value)
    text = value
    if number is not None and 0 <= number <= 0xFFFFFF:
        text = f"#{int(number):06x}"
    red_green_blue = parse_color(text) if isinstance(text, str) else None
    if red_green_blue is None:
        raise InvalidValue(
            f"{shorten(value)} is no color; write it as #rrggbb, for example #ff8800."
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
    """Whether a text is a color's number. Six digits are "rrggbb", as "ff0080" is, where the input
    wants a text; where it wants a number, only with a zero in front, which no number has.
    """
    if not text.isdigit():
        return False
    is_spelled = len(text) == 6 and (text.startswith("0") or not field.is_integer)
    return not is_spelled


def parse_color(text: str) -> tuple[int, int, int] | None:
    """Red, green and blue, 0 to 255 each, of "#rrggbb", "#rgb" or "rgb(r, g, b)" (with alpha
    ignored), or None.
    """
    if not is_short(text):
        return None
    text = text.strip().lower()
    if SHORT_COLOR.fullmatch(text):
        text = "".join(2 * digit for digit in text[-3:])
    match = COLOR.fullmatch(text)
    if match:
        red, green, blue = (int(part, 16) for part in match.groups())
        return red, green, blue
    match = RED_GREEN_BLUE.fullmatch(text)
    if match:
        red, green, blue = (round(float(part)) for part in match.groups())
        return min(255, red), min(255, green), min(255, blue)
    return None


CHECKS: Mapping[Widget, Callable[[Field, Any], Any]] = {
    "text": check_text,
    "textarea": check_text,
    "number": check_number,
    "slider": check_number,
    "dropdown": check_choice,
    "radio": check_choice,
    "checkbox": check_boolean,
    "seed": check_seed,
    "size": check_size,
    "color": check_color,
    "loras": check_loras,
    "image": check_media,
    "mask": check_media,
    "video": check_media,
    "audio": check_media,
    "file": check_media,
}


SIZE_SPELLINGS = (
    "write the size as width x height in pixels, for example 768x512.",
    "write the size as width x height in whole pixels, for example 768x512.",
)
"""What is wrong with a size that is none, and with one that is no whole number."""


def parse_size(value: Any) -> tuple[int, int]:
    """(width, height) of "768x512", a pair or a mapping. Raises InvalidValue."""
    if isinstance(value, Mapping):
        value = (value.get("width"), value.get("height"))
    if isinstance(value, str):
        value = _split_size(value)
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise InvalidValue(SIZE_SPELLINGS[0])
    width, height = (_parse_number(side) for side in value)
    if width is None or width != int(width):
        raise InvalidValue(SIZE_SPELLINGS[1])
    if height is None or height != int(height):
        raise InvalidValue(SIZE_SPELLINGS[1])
    return int(width), int(height)


def _split_size(text: str) -> tuple[str, ...]:
    """The two sides of "768x512", nothing where a text is no size."""
    if not is_short(text):
        return ()
    text = text.strip()
    match = SIZE.fullmatch(text)
    if match is None or COMMA_SIZE.fullmatch(text):
        return ()
    return match.groups()


def _find_choice(choices: tuple[Choice, ...], value: Any) -> Scalar:
    for choice in choices:
        # Python takes True for 1, a list does not.
        is_same_kind = isinstance(choice.value, bool) == isinstance(value, bool)
        if is_same_kind and choice.value == value:
            return choice.value
    if isinstance(value, str):
        found = _find_respelled(choices, value)
        if found is not None:
            return found
        for choice in choices:
            if _matches_text(value, choice.value):
                return choice.value
    raise InvalidValue(f"{shorten(value)} is not in the list; {list_choices(choices)}")


def _find_respelled(choices: tuple[Choice, ...], text: str) -> Scalar | None:
    """The value with this label or text, or the only one that is spelled like it."""
    texts = {choice.label: choice.value for choice in choices}
    texts |= {str(choice.value): choice.value for choice in choices}
    if text in texts:
        return texts[text]
    spelled = find_respelled(text, list(texts))
    meant = list(dict.fromkeys(texts[one] for one in spelled))
    return meant[0] if len(meant) == 1 else None


def _matches_text(text: str, value: Scalar) -> bool:
    """Whether a text is this number or this switch of a list, written in another way: `1.50`,
    `false`.
    """
    if isinstance(value, str):
        return False
    if isinstance(value, bool):
        return text.strip().lower() == str(value).lower()
    return parse_numeral(text) == value


def _parse_number(value: Any) -> int | float | None:
    if isinstance(value, str):
        return parse_numeral(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _is_possible(field: Field, number: int | float) -> bool:
    """Whether a number is one that the field could take if it were within the limits."""
    if is_huge(number):
        return False
    return not field.is_integer or number == int(number)


def _describe_no_number(field: Field, value: Any) -> str:
    advice = field.allowed
    fitting = suggest_numbers(field, value) if isinstance(value, str) else []
    if fitting:
        advice = f"write {' or '.join(fitting)}"
    return f"{shorten(value)} is not possible; {advice}."


def _suggest_more(text: str) -> tuple[str, ...]:
    """Numbers that a text may mean: `2.048` is not a whole number, so 2048 may be meant."""
    thousands = parse_thousands(text)
    if thousands is None:
        return suggest_numerals(text)
    return (str(thousands),)


def _fits(field: Field, numeral: str) -> bool:
    number = parse_numeral(numeral)
    if number is None or not _is_possible(field, number):
        return False
    return is_within(field, number)


def _split_choices(choices: tuple[Choice, ...], text: str) -> list[str]:
    """The choices in a text, separated by commas, unless the whole is one of them."""
    if any(text in (choice.value, choice.label) for choice in choices):
        return [text]
    parts = [part.strip() for part in text.split(",")]
    return [part for part in parts if part]


def allowed_seeds(field: Field) -> range:
    """The seeds that are drawn for a field: within its limits, 0 or more where these allow it.

    Empty where there is none.
    """
    high = None if field.maximum is None else math.floor(field.maximum)
    low = 0
    if high is not None and high < 0:
        low = high - RANDOM_SEEDS + 1
    if field.minimum is not None:
        low = max(low, math.ceil(field.minimum))
    span = RANDOM_SEEDS
    if high is not None:
        span = min(RANDOM_SEEDS, high - low + 1)
    return range(low, low + span)


def _draw_seed(field: Field) -> int:
    seeds = allowed_seeds(field)
    return seeds.start + secrets.randbelow(max(1, len(seeds)))
