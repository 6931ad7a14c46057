"""Literals: whether a value may stand in an input, as ComfyUI's own validation (v0.33.0) decides
it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from comfygradio.comfy.object_info import InputSpec
from comfygradio.forms.field import show


def unwrap(value: Any) -> Any:
    """The list in `{"__value__": [...]}`, which is how lists are sent; any other value as it is."""
    return value["__value__"] if isinstance(value, dict) and "__value__" in value else value


def wrap(value: Any) -> Any:
    """A list as it has to be sent, since ComfyUI takes a bare one for a link; any other value as it
    is.
    """
    return {"__value__": list(value)} if isinstance(value, list | tuple) else value


CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    "INT": int,
    "FLOAT": float,
    "STRING": str,
    "BOOLEAN": bool,
}


def convert_literal(spec: InputSpec, value: Any) -> Any:
    """What ComfyUI makes of a value before it runs the node: 64 of 64.7, "3" of 3, true of
    "false"; what it refuses stays as it is.
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
    """What is wrong with a value for this input, in a sentence, or None."""
    if isinstance(value, list):
        return f"{spec.name} takes one value, not the list {show(value)}."
    if spec.choices is not None:
        return None if spec.media else _check_choice(spec, unwrap(value))
    if spec.types & {"INT", "FLOAT"} and not spec.types & {"STRING", "BOOLEAN"}:
        return _check_number(spec, unwrap(value))
    if "STRING" in spec.types and isinstance(value, dict):
        return f"{spec.name} takes a text."
    return None


def check_setting(spec: InputSpec, value: Any) -> str | None:
    """What is wrong with a preset's value for this input: stricter than ComfyUI, which makes 7 of
    7.5 and 1 of true.
    """
    if spec.choices is None and "BOOLEAN" in spec.types and not isinstance(value, bool):
        return f"{spec.name} takes true or false, not {show(value)}."
    if (
        spec.choices is None
        and spec.types & {"INT", "FLOAT"}
        and not spec.types & {"STRING", "BOOLEAN"}
    ):
        kind, takes = (
            ("a number", int | float) if "FLOAT" in spec.types else ("a whole number", int)
        )
        if isinstance(value, bool) or not isinstance(value, takes):
            return f"{spec.name} takes {kind}, not {show(value)}."
    return check_literal(spec, value)


def is_multiselect(spec: InputSpec) -> bool:
    """Whether several choices of a combo may be taken at once (`multiselect`; `multi_select` since
    v0.21).
    """
    return spec.choices is not None and bool(
        spec.options.get("multiselect") or spec.options.get("multi_select")
    )


def _check_choice(spec: InputSpec, value: Any) -> str | None:
    if spec.options.get("remote") or "remote_combo" in spec.options:
        return None
    listed = value if isinstance(value, list) and is_multiselect(spec) else [value]
    named = [spec.read_choice(item) for item in listed]
    missing = [item for item in named if item not in (spec.choices or ())]
    return f"{show(missing[0])} is not in the server's list for {spec.name}." if missing else None


def _check_number(spec: InputSpec, value: Any) -> str | None:
    try:
        number = int(value) if "INT" in spec.types and "FLOAT" not in spec.types else float(value)
    except (TypeError, ValueError, OverflowError):
        return f"{spec.name} takes a number, not {show(value)}."
    if isinstance(number, float) and math.isnan(number):
        return f"{spec.name} takes a number, not {show(value)}."
    if spec.minimum is not None and number < spec.minimum:
        return f"{spec.name} is at least {spec.minimum}, not {show(value)}."
    if spec.maximum is not None and number > spec.maximum:
        return f"{spec.name} is at most {spec.maximum}, not {show(value)}."
    return None
