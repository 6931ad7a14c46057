"""Choices: the lists of a form, from the preset and the server."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping

from comfygradio.comfy.object_info import InputSpec, ObjectInfo, Scalar
from comfygradio.comfy.workflow import Workflow
from comfygradio.forms.checks import parse_size
from comfygradio.forms.field import Choice, Refused
from comfygradio.forms.literals import check_literal
from comfygradio.forms.names import match_name
from comfygradio.forms.preset_file import FieldFile
from comfygradio.forms.problem import Misfit
from comfygradio.forms.slots import Slot, find_slot
from comfygradio.forms.specs import find_spec
from comfygradio.forms.templates import find_names


def bind_choices(line: FieldFile, spec: InputSpec) -> tuple[Choice, ...] | None:
    """What a list offers: the server's choices, filtered, labelled or replaced by the preset; None without any.

    Raises Misfit where nothing is left.
    """
    offered = None if spec.choices is None or spec.media else spec.choices
    if isinstance(line.choices, str):
        kept = [value for value in offered or () if fnmatch.fnmatch(str(value).replace("\\", "/"), line.choices)]
        if not kept:
            raise Misfit("missing_choice", f"none of the server's {len(offered or ())} choices fits {line.choices}.")
        return tuple(Choice(str(value), value) for value in kept)
    if line.choices is not None:
        return _keep_offered(line.choices, offered)
    return None if offered is None else tuple(Choice(str(value), value) for value in offered)


def bind_sizes(choices: list[Scalar] | dict[str, Scalar | dict[str, Scalar]] | str | None) -> tuple[Choice, ...] | None:
    """The sizes that a list offers, as "WIDTHxHEIGHT". Raises Misfit."""
    if choices is None:
        return None
    if isinstance(choices, str):
        raise Misfit("preset", "a size takes a list of choices, for example [512x512, 768x512].")
    labels: Iterable[str | None] = choices if isinstance(choices, dict) else [None] * len(choices)
    values = choices.values() if isinstance(choices, dict) else choices
    try:
        sizes = [(label, parse_size(value)) for label, value in zip(labels, values, strict=True)]
    except Refused as refusal:
        raise Misfit("preset", f"a choice is no size: {refusal}") from refusal
    return tuple(Choice(label or f"{width} × {height}", f"{width}x{height}") for label, (width, height) in sizes)


def narrow_sizes(
    choices: tuple[Choice, ...] | None, low: int | float | None, high: int | float | None
) -> tuple[Choice, ...] | None:
    """The sizes within the limits of both sides. Raises Misfit where none is left."""
    if choices is None:
        return None
    inside = [c for c in choices if all((low or 1) <= int(side) <= (high or 2**31) for side in str(c.value).split("x"))]
    return tuple(inside) or refuse_all()


def bind_settings(line: FieldFile, workflow: Workflow, object_info: ObjectInfo) -> tuple[Choice, ...]:
    """Choices that set several slots each. Raises Misfit with the first value that does not fit its input."""
    found = []
    for label, settings in (line.choices or {}).items() if isinstance(line.choices, dict) else ():
        if isinstance(settings, dict):
            sets = tuple(_bind_setting(label, name, v, workflow, object_info) for name, v in settings.items())
            found.append(Choice(label, label, sets))
    return tuple(found)


def refuse_all() -> tuple[Choice, ...]:
    """Raises the Misfit that none of the preset's choices is there."""
    raise Misfit("missing_choice", "the server has none of the choices that the preset lists.")


def _keep_offered(
    choices: list[Scalar] | dict[str, Scalar | dict[str, Scalar]], offered: tuple[Scalar, ...] | None
) -> tuple[Choice, ...]:
    """The preset's choices that the server has, under the server's own spelling."""
    pairs: Mapping[str, object] = choices if isinstance(choices, dict) else {str(value): value for value in choices}
    kept = []
    for label, value in pairs.items():
        if offered is None and isinstance(value, Scalar):
            kept.append(Choice(label, value))
        elif offered is not None and isinstance(value, Scalar):
            found = value if value in offered else match_name(value, offered)
            kept += [] if found is None else [Choice(label if isinstance(choices, dict) else str(found), found)]
    return tuple(kept) or refuse_all()


def _bind_setting(
    label: str, address: str, value: Scalar, workflow: Workflow, object_info: ObjectInfo
) -> tuple[Slot, Scalar]:
    slot = find_slot(workflow, address)
    spec = find_spec(slot, workflow, object_info)
    if isinstance(value, str) and spec.choices:
        value = match_name(value, spec.choices) or value
    is_text = isinstance(value, str) and bool(find_names(value)) and "STRING" in spec.types
    problem = None if is_text else check_literal(spec, value)
    if problem:
        raise Misfit("value", f"the choice {label} sets {address}, but {problem}", slot.node_id, slot.input)
    return slot, value
