"""Values inside of inputs: members of the object that one input of a node holds (`lora_1.strength`,
as loaders with rows of their own have it).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

LIST = "__value__"
"""The one member of an object that stands for a list, and not for several values."""


def read_input(inputs: Mapping[str, Any], name: str) -> Any:
    """The value of an input, or of a member of one; None where there is none."""
    place = _find_place(inputs, name)
    if place is None:
        return None
    holder, key = place
    return holder[key]


def has_input(inputs: Mapping[str, Any], name: str) -> bool:
    """Whether a node has this input, or this member of one."""
    return _find_place(inputs, name) is not None


def write_input(inputs: dict[str, Any], name: str, value: Any) -> None:
    """Set an input, or a member of one that is there, in place."""
    holder, key = _find_place(inputs, name) or (inputs, name)
    holder[key] = value


def list_members(inputs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The members of all objects that inputs hold, by full name, without those that are objects
    again.
    """
    for name, value in inputs.items():
        if not isinstance(value, dict) or LIST in value:
            continue
        for member, inner in list_members(value):
            yield f"{name}.{member}", inner
        for member, inner in value.items():
            if not isinstance(inner, dict):
                yield f"{name}.{member}", inner


def find_owner(inputs: Mapping[str, Any], name: str) -> str:
    """The input that holds this member; "" for an input itself and for what is not there."""
    if name in inputs or not has_input(inputs, name):
        return ""
    return next(key for key in _list_beginnings(name) if isinstance(inputs.get(key), dict))


def _find_place(inputs: Mapping[str, Any], name: str) -> tuple[Any, str] | None:
    """The object that holds a value, and the key under which it does."""
    if name in inputs:
        return inputs, name
    for key in _list_beginnings(name):
        value = inputs.get(key)
        if isinstance(value, dict) and LIST not in value:
            rest = name[len(key) + 1 :]
            return _find_place(value, rest)
    return None


def _list_beginnings(name: str) -> list[str]:
    """What a name with points in it may begin with, the shortest first."""
    last = len(name) - 1
    points = [at for at, sign in enumerate(name) if sign == "." and at < last]
    return [name[:at] for at in points]
