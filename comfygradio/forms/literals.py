"""Literals: whether a value may stand in an input, as ComfyUI's own validation (v0.33.0) decides it."""

from __future__ import annotations

import math
from typing import Any

from comfygradio.comfy.object_info import InputSpec
from comfygradio.forms.field import show


def unwrap(value: Any) -> Any:
    """The list in `{"__value__": [...]}`, which is how lists are sent; any other value as it is."""
    return value["__value__"] if isinstance(value, dict) and "__value__" in value else value


def check_literal(spec: InputSpec, value: Any) -> str | None:
    """What is wrong with a value for this input, in a sentence, or None."""
    if spec.choices is not None:
        return None if spec.media else _check_choice(spec, unwrap(value))
    if spec.types & {"INT", "FLOAT"} and not spec.types & {"STRING", "BOOLEAN"}:
        return _check_number(spec, value)
    if "STRING" in spec.types and isinstance(value, dict | list):
        return f"{spec.name} takes a text."
    return None


def _check_choice(spec: InputSpec, value: Any) -> str | None:
    if spec.options.get("remote") or "remote_combo" in spec.options:
        return None
    missing = [item for item in (value if isinstance(value, list) else [value]) if item not in (spec.choices or ())]
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
