"""Check whether an input accepts a literal value, by the rules of ComfyUI's own validation
(v0.33.0).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from comfygradio.comfy.nested_input import unwrap_list
from comfygradio.comfy.object_info import InputSpec, is_whole_number
from comfygradio.forms.kinds.value import shorten

LITERAL_TYPES = frozenset(
    {"INT", "FLOAT", "STRING", "BOOLEAN", "COLOR", "COMBO", "COMFY_DYNAMICCOMBO_V3"}
)
"""Input types that a form can fill with a literal value; any other type needs a link."""


def takes_literal(spec: InputSpec) -> bool:
    """Whether a form can fill this input with a literal value instead of a link."""
    if spec.options.get("forceInput"):
        return False
    return bool(spec.types & LITERAL_TYPES)


def guess_type(value: Any) -> str | None:
    """Guess the type of an input from a literal value in it. Returns None for any other value."""
    if isinstance(value, bool):
        return "BOOLEAN"
    if isinstance(value, int):
        return "INT"
    if isinstance(value, float):
        return "FLOAT"
    if isinstance(value, str):
        return "STRING"
    return None


CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    "INT": int,
    "FLOAT": float,
    "STRING": str,
    "BOOLEAN": bool,
}


def convert_literal(spec: InputSpec, value: Any) -> Any:
    """Convert a value as ComfyUI does before it runs the node: 64.7 to 64, 3 to "3", "false" to
    true.

    A value that ComfyUI would reject is returned unchanged.
    """
    convert = CONVERSIONS.get(spec.type)
    if convert is None or value is None or isinstance(value, list | dict):
        return value
    if spec.type == "FLOAT" and type(value) is int:
        return value  # the same number: 7 is not to be posted as 7.0
    try:
        return convert(value)
    except (TypeError, ValueError, OverflowError):
        return value


def check_literal(spec: InputSpec, value: Any) -> str | None:
    """Explain in a sentence why an input rejects a value, or return None."""
    if isinstance(value, list):
        return f"{spec.name} takes one value, not the list {shorten(value)}."
    if spec.choices is not None:
        # A list of files leaves out those in subfolders, and those that are yet to be uploaded.
        return None if spec.media else _check_choice(spec, unwrap_list(value))
    if _takes_only_numbers(spec):
        return _check_number(spec, unwrap_list(value))
    if "STRING" in spec.types and isinstance(value, dict):
        return f"{spec.name} takes a text."
    return None


def check_preset_literal(spec: InputSpec, value: Any) -> str | None:
    """Explain in a sentence why a preset's value does not fit an input, or return None.

    Stricter than ComfyUI, which converts 7.5 to 7 and true to 1.
    """
    if spec.choices is not None:
        return check_literal(spec, value)
    if "BOOLEAN" in spec.types and not isinstance(value, bool):
        return f"{spec.name} takes true or false, not {shorten(value)}."
    if _takes_only_numbers(spec):
        is_whole = is_whole_number(value)
        if "FLOAT" in spec.types:
            if not is_whole and not isinstance(value, float):
                return f"{spec.name} takes a number, not {shorten(value)}."
        elif not is_whole:
            return f"{spec.name} takes a whole number, not {shorten(value)}."
    return check_literal(spec, value)


def _takes_only_numbers(spec: InputSpec) -> bool:
    if spec.types & {"STRING", "BOOLEAN"}:
        return False
    return bool(spec.types & {"INT", "FLOAT"})


def is_multiselect(spec: InputSpec) -> bool:
    """Whether several choices of a combo may be selected (`multiselect`; `multi_select` since
    v0.21).
    """
    if spec.choices is None:
        return False
    return bool(spec.options.get("multiselect") or spec.options.get("multi_select"))


def _check_choice(spec: InputSpec, value: Any) -> str | None:
    # ComfyUI's own page fetches these lists itself; what the server lists need not be all.
    if spec.options.get("remote") or "remote_combo" in spec.options:
        return None
    offered = spec.choices or ()
    listed = value if isinstance(value, list) and is_multiselect(spec) else [value]
    named = [spec.to_choice_name(item) for item in listed]
    missing = [item for item in named if item not in offered]
    if not missing:
        return None
    return f"{shorten(missing[0])} is not in the server's list for {spec.name}."


def _check_number(spec: InputSpec, value: Any) -> str | None:
    is_whole = "INT" in spec.types and "FLOAT" not in spec.types
    try:
        number = int(value) if is_whole else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    # NaN passes the limits of ComfyUI itself (v0.33.0).
    if isinstance(number, float) and math.isnan(number):
        return f"{spec.name} takes a number, not {shorten(value)}."
    if spec.minimum is not None and number < spec.minimum:
        return f"{spec.name} is at least {spec.minimum}, not {shorten(value)}."
    if spec.maximum is not None and number > spec.maximum:
        return f"{spec.name} is at most {spec.maximum}, not {shorten(value)}."
    return None
