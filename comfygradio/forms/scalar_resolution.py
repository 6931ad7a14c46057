"""Resolves unquoted YAML values to a type, once it is known which field or input takes them.

Texts and names in lists are taken literally, numbers are parsed, and the usual words for on and off
become booleans.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from comfygradio.comfy.object_info import InputSpec, Scalar
from comfygradio.forms.field import Field
from comfygradio.forms.kinds.number import EXACT_LIMIT
from comfygradio.forms.plain_scalar import REAL, PlainScalar
from comfygradio.forms.preset_file import PresetFile


def resolve_value(field: Field, value: Any) -> Any:
    """A value of a file as this field has to check it; what is no plain scalar stays as it is.

    Numbers that are written in an odd way (`1.10`) stay texts, so that they are judged like those
    that people type.
    """
    if isinstance(value, list | tuple):
        return [resolve_value(field, one) for one in value]
    if isinstance(value, Mapping):
        return {key: resolve_value(field, one) for key, one in value.items()}
    if not isinstance(value, PlainScalar):
        return value
    if field.kind.is_list:
        return _find_choice(field, value)
    may_be_nothing = field.optional or field.widget == "seed" or field.kind.is_media
    if value.is_null and may_be_nothing:
        return None
    if field.widget in ("number", "slider", "seed"):
        return resolve_number(value)
    if field.widget == "checkbox" and value.boolean is not None:
        return value.boolean
    # Digits stay a text, as if somebody had typed them.
    if (
        field.widget == "color"
        and not REAL.fullmatch(value.text)
        and value.finite_number is not None
    ):
        return value.finite_number
    return value.text


def resolve_input_value(spec: InputSpec, value: Scalar | PlainScalar) -> Scalar:
    """A value of a file as an input of a node takes it; what is no plain scalar stays as it is."""
    if not isinstance(value, PlainScalar):
        return value
    if spec.choices is not None:
        found = match_entry(spec.choices, value)
        return value.text if found is None else found
    if "BOOLEAN" in spec.types and value.boolean is not None:
        return value.boolean
    takes_number = bool(spec.types & {"INT", "FLOAT"})
    if takes_number and value.finite_number is not None:
        return value.finite_number if "FLOAT" in spec.types else _make_whole(value.finite_number)
    if takes_number and "STRING" not in spec.types and isinstance(value.value, bool):
        return value.value
    return value.text


def match_entry(entries: Iterable[Scalar], value: PlainScalar) -> Scalar | None:
    """The entry of a server's list that is written so, else the number or switch that it is."""
    listed = list(entries)
    if value.text in listed:
        return value.text
    for entry in listed:
        is_same_kind = isinstance(entry, bool) == isinstance(value.value, bool)
        if is_same_kind and not isinstance(entry, str) and entry == value.value:
            return entry
    return None


def resolve_number(value: PlainScalar) -> int | float | str:
    """A plain scalar for a number: the number where it is written as one writes it, or in a way
    that YAML alone knows (`0x1f`), else the text.
    """
    is_odd = REAL.fullmatch(value.text) and str(value.value) != value.text
    if is_odd or value.finite_number is None:
        return value.text
    return value.finite_number


def resolve_examples(file: PresetFile, fields: Mapping[str, Field]) -> PresetFile:
    """The file with the values of its examples as the fields take them; of fields that are not
    there, as they were written.
    """
    examples: list[dict[str, Any]] = []
    for example in file.examples:
        values: dict[str, Any] = {}
        for name, value in example.items():
            values[name] = _resolve_example(fields.get(name), value)
        examples.append(values)
    return file.model_copy(update={"examples": examples})


def to_plain_data(value: Any) -> Any:
    """A value of a file that no field takes, as plain data."""
    if isinstance(value, list | tuple):
        return [to_plain_data(one) for one in value]
    if isinstance(value, Mapping):
        return {key: to_plain_data(one) for key, one in value.items()}
    if isinstance(value, PlainScalar):
        return value.to_json()
    return value


def _make_whole(number: int | float) -> int | float:
    """7 for 7.0, as long as a float is exact; any other number as it is."""
    if isinstance(number, float) and number.is_integer() and abs(number) < EXACT_LIMIT:
        return int(number)
    return number


def _resolve_example(field: Field | None, value: Any) -> Any:
    if field is not None:
        return resolve_value(field, value)
    return value.text if isinstance(value, PlainScalar) else value


def _find_choice(field: Field, value: PlainScalar) -> Any:
    choices = field.choices or ()
    entry = match_entry([choice.value for choice in choices], value)
    if entry is not None:
        return entry
    is_label = value.text in [choice.label for choice in choices]
    if value.is_null and field.optional and not is_label:
        return None
    return value.text
