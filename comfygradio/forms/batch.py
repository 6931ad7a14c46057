"""Builds the values for a batch of jobs started by one click, which differ only in their seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfygradio.forms.field import Field, InvalidValue
from comfygradio.forms.form import Form
from comfygradio.forms.value_check import check_seed, is_open_seed

Values = dict[str, Any]


def repeat_values(form: Form, values: Mapping[str, Any], count: int) -> list[Values]:
    """The values of so many jobs: a seed that is left to chance stays so, one that was typed is
    counted up. A form without a seed makes one job, since all would be the same.
    """
    if not form.seeds:
        count = 1
    return [_offset_seeds(form, values, number) for number in range(count)]


def _offset_seeds(form: Form, values: Mapping[str, Any], number: int) -> Values:
    counted = dict(values)
    for name in form.seeds:
        value = counted.get(name)
        if number and not is_open_seed(value):
            counted[name] = _offset_seed(form.fields[name], value, number)
    return counted


def _offset_seed(field: Field, value: Any, number: int) -> Any:
    """The seed that comes so many after this one; after the largest one the smallest follows. What
    is no seed stays as it is: the check of the first job tells.
    """
    try:
        seed = check_seed(field, value)
    except InvalidValue:
        return value
    low = int(field.minimum or 0)
    high = 2**64 - 1 if field.maximum is None else int(field.maximum)
    count = high - low + 1
    following = low + (seed - low + number) % count
    return str(following)
