"""Nested inputs: members of an object that is the value of one input (`lora_1.strength`), as in
loaders with rows of their own, and lists, which are posted inside of an object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

LIST = "__value__"
"""The only member of an object that stands for a list, and not for several values."""


def read_input(inputs: Mapping[str, Any], name: str) -> Any:
    """Return the value of an input or of a member of one, or None if it does not exist."""
    place = _find_place(inputs, name)
    if place is None:
        return None
    holder, key = place
    return holder[key]


def has_input(inputs: Mapping[str, Any], name: str) -> bool:
    """Whether a node has this input or this member of one."""
    return _find_place(inputs, name) is not None


def write_input(inputs: dict[str, Any], name: str, value: Any) -> None:
    """Set an input, or an existing member of one, in place."""
    place = _find_place(inputs, name)
    if place is None:
        inputs[name] = value
        return
    holder, key = place
    holder[key] = value


def list_members(inputs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the members of all objects in inputs by full name, except members that are objects
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


def find_containing_input(inputs: Mapping[str, Any], name: str) -> str:
    """Find the input that contains this member; "" for an input itself and for an unknown name."""
    if name in inputs or not has_input(inputs, name):
        return ""
    beginnings = _list_beginnings(name)
    # One of them is an object, since `has_input` has found the member in it.
    return next(key for key in beginnings if isinstance(inputs.get(key), dict))


def unwrap_list(value: Any) -> Any:
    """Return the list in `{"__value__": [...]}`, the form in which lists are posted. Returns any
    other value unchanged.
    """
    if isinstance(value, dict) and LIST in value:
        return value[LIST]
    return value


def wrap_list(value: Any) -> Any:
    """Wrap a list for posting, since ComfyUI takes a bare list for a link. Returns any other value
    unchanged.
    """
    if isinstance(value, list | tuple):
        return {LIST: list(value)}
    return value


def _find_place(inputs: Mapping[str, Any], name: str) -> tuple[Any, str] | None:
    """Find the object that contains a value, and the key under which it does."""
    if name in inputs:
        return inputs, name
    for key in _list_beginnings(name):
        value = inputs.get(key)
        if isinstance(value, dict) and LIST not in value:
            rest = name[len(key) + 1 :]
            return _find_place(value, rest)
    return None


def _list_beginnings(name: str) -> list[str]:
    """List what precedes each dot of a name, the shortest first."""
    beginnings: list[str] = []
    # A dot at the end separates nothing.
    end = name.find(".")
    while 0 <= end < len(name) - 1:
        beginnings.append(name[:end])
        end = name.find(".", end + 1)
    return beginnings
