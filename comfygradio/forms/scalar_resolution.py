"""Resolves unquoted YAML values to a type, once it is known which field or input takes them.

Texts and names in lists are taken literally, numbers are parsed, and the usual words for on and off
become booleans.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfygradio.comfy.object_info import InputSpec, Scalar
from comfygradio.forms.field import Field
from comfygradio.forms.kinds.number import EXACT_LIMIT
from comfygradio.forms.plain_scalar import PlainScalar
from comfygradio.forms.preset_file import PresetFile


def resolve_value(field: Field, value: Any) -> Any:
    """Resolve a value of a file for a field, which has yet to check it. Returns anything but plain
    scalars unchanged.
    """
    if isinstance(value, list | tuple):
        return [resolve_value(field, one) for one in value]
    if isinstance(value, Mapping):
        return {key: resolve_value(field, one) for key, one in value.items()}
    if isinstance(value, PlainScalar):
        return field.kind.resolve_scalar(field, value)
    return value


def resolve_input_value(spec: InputSpec, value: Scalar | PlainScalar) -> Scalar:
    """Resolve a value of a file for an input of a node. Returns anything but a plain scalar
    unchanged.
    """
    if not isinstance(value, PlainScalar):
        return value
    if spec.choices is not None:
        found = value.find_in(spec.choices)
        return value.text if found is None else found
    if "BOOLEAN" in spec.types and value.boolean is not None:
        return value.boolean
    takes_number = bool(spec.types & {"INT", "FLOAT"})
    if takes_number and value.finite_number is not None:
        return value.finite_number if "FLOAT" in spec.types else _make_whole(value.finite_number)
    if takes_number and "STRING" not in spec.types and isinstance(value.value, bool):
        return value.value
    return value.text


def resolve_examples(file: PresetFile, fields: Mapping[str, Field]) -> PresetFile:
    """Resolve the values of a file's examples. Values of unknown fields stay as written."""
    examples: list[dict[str, Any]] = []
    for example in file.examples:
        values: dict[str, Any] = {}
        for name, value in example.items():
            field = fields.get(name)
            if field is not None:
                values[name] = resolve_value(field, value)
            elif isinstance(value, PlainScalar):
                values[name] = value.text
            else:
                values[name] = value
        examples.append(values)
    return file.model_copy(update={"examples": examples})


def to_plain_data(value: Any) -> Any:
    """Convert a value of a file that no field takes to plain data."""
    if isinstance(value, list | tuple):
        return [to_plain_data(one) for one in value]
    if isinstance(value, Mapping):
        return {key: to_plain_data(one) for key, one in value.items()}
    if isinstance(value, PlainScalar):
        return value.to_json()
    return value


def _make_whole(number: int | float) -> int | float:
    """Convert 7.0 to 7, as long as a float is exact. Returns any other number unchanged."""
    if isinstance(number, float) and number.is_integer() and abs(number) < EXACT_LIMIT:
        return int(number)
    return number
