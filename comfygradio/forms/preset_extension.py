"""What a preset takes over from the one that it extends."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from comfygradio.forms.plain_scalar import PlainScalar
from comfygradio.forms.strict_yaml import KeyLines

Keys = dict[str, Any]

OWN_KEYS = frozenset({"title", "order", "extends"})
"""Keys that are never taken over: two forms of one title could not be told apart."""

WORKFLOW_KEYS = frozenset({"outputs", "models"})
"""Keys that speak of the workflow, and are not taken over where the workflow is another."""

SHOWN_KEYS = ("default", "show_if", "optional", "bypass", "dynamic")
"""Keys of a field that people see; a fixed one has none of them."""

REPLACED_KEYS: Mapping[str, Collection[str]] = {
    "slot": ("slots",),
    "slots": ("slot", "template"),
    "fixed": SHOWN_KEYS,
    **dict.fromkeys(SHOWN_KEYS, ("fixed",)),
}
"""Key of a field → the keys that it takes the place of, since a field cannot have both."""


def extend(base: Mapping[str, Any], own: Mapping[str, Any]) -> Keys:
    """Return the keys of a preset together with those that it takes over from `base`.

    Keys that it has itself replace those of the base; only the fields are joined, key by key. A
    field, or a key of a field, that is null here is taken away.
    """
    keys: Keys = {}
    for key, value in base.items():
        if key in OWN_KEYS or (key in WORKFLOW_KEYS and "workflow" in own):
            continue
        keys[key] = value
    keys.update(own)
    fields = own.get("fields")
    base_fields = base.get("fields")
    if isinstance(base_fields, dict) and (fields is None or isinstance(fields, dict)):
        keys["fields"] = _join_fields(base_fields, fields or {})
        _forget_fields(keys, own, base_fields.keys() - keys["fields"].keys())
    return keys


def _join_fields(base: Mapping[str, Any], own: Mapping[str, Any]) -> Keys:
    """Join the fields: those of the base in their order, then the new ones."""
    fields: Keys = {}
    for name, entry in base.items():
        if name not in own:
            fields[name] = entry
        elif not is_null(own[name]):
            fields[name] = _join_entry(entry, own[name])
    for name, entry in own.items():
        if name not in base:
            fields[name] = entry
    return fields


def _join_entry(base: Any, own: Any) -> Any:
    """Join the keys of one field."""
    if not isinstance(base, dict) or not isinstance(own, dict):
        return own
    replaced: set[str] = set()
    for key, value in own.items():
        if not is_null(value):
            replaced.update(REPLACED_KEYS.get(key, ()))
    # Choices that set slots by themselves take the place of the field's own slots.
    if _set_slots(own.get("choices")):
        replaced.update(("slot", "slots", "template"))
    elif _set_slots(base.get("choices")) and own.keys() & {"slot", "slots"}:
        replaced.add("choices")
    entry: Keys = {}
    for key, value in base.items():
        if key not in replaced:
            entry[key] = value
    for key, value in own.items():
        if key in base and is_null(value):
            entry.pop(key, None)
        else:
            entry[key] = value
    return entry


def _set_slots(choices: Any) -> bool:
    """Whether choices set slots by themselves, as in {Photo: {3.cfg: 6}}."""
    if not isinstance(choices, dict):
        return False
    return any(isinstance(setting, dict) for setting in choices.values())


def _forget_fields(keys: Keys, own: Mapping[str, Any], removed: Collection[str]) -> None:
    """Remove the values of fields that were taken away from the examples and axes taken over."""
    examples = keys.get("examples")
    if "examples" not in own and isinstance(examples, list):
        keys["examples"] = [_drop_keys(example, removed) for example in examples]
    if "sweep" not in own and "sweep" in keys:
        keys["sweep"] = _drop_keys(keys["sweep"], removed)


def _drop_keys(mapping: Any, dropped: Collection[str]) -> Any:
    if not isinstance(mapping, dict):
        return mapping
    return {key: value for key, value in mapping.items() if key not in dropped}


def is_null(value: Any) -> bool:
    """Whether a value is null, or nothing is written behind its key."""
    return value is None or (isinstance(value, PlainScalar) and value.is_null)


def extend_lines(base: KeyLines, own: KeyLines) -> KeyLines:
    """Return the line of every key. Keys that are taken over have the line of the key `extends`."""
    lines = dict(own)
    line = own[("extends",)]
    for place in base:
        # Of a list such as the examples, either all is taken over or nothing is.
        taken_over = place[0] not in OWN_KEYS and place[:1] not in own
        if place[0] == "fields":
            taken_over = place[:2] not in own or (len(place) > 2 and place[:3] not in own)
        if taken_over:
            lines.setdefault(place, line)
    return lines
