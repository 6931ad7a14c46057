"""Missing inputs: required inputs that a workflow's node lacks because the server's version of the
node is newer, or because another choice of a dynamic combo needs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfygradio.comfy.nested_input import wrap_list
from comfygradio.comfy.object_info import InputSpec, ObjectInfo
from comfygradio.forms.kinds.model_name import guess_folder, is_model_name
from comfygradio.forms.literals import check_literal, takes_literal

DYNAMIC_COMBO = "COMFY_DYNAMICCOMBO_V3"


def fill_missing_inputs(
    class_type: str, inputs: dict[str, Any], object_info: ObjectInfo
) -> dict[str, Any]:
    """Fill each missing required input with the server's default, else its first choice, in place.

    An input for a file never gets the first choice, which would only be right by chance. Inputs
    that a dynamic combo adds are filled too. Returns the filled values by input name.
    """
    filled: dict[str, Any] = {}
    # One at a time, since the choice that is filled in may add inputs that are missing as well.
    while gained := _find_fillable(class_type, inputs, object_info):
        spec, value = gained
        inputs[spec.name] = wrap_list(spec.from_choice_name(value))
        filled[spec.name] = wrap_list(value)
    return filled


def find_missing_inputs(
    class_type: str, inputs: Mapping[str, Any], object_info: ObjectInfo
) -> list[InputSpec]:
    """List the required inputs that are missing. Growing rows of inputs (V3) are not checked."""
    missing = []
    for spec in object_info.active_specs(class_type, inputs):
        if spec.group != "required" or spec.name in inputs:
            continue
        is_growing = spec.type != DYNAMIC_COMBO and spec.type.startswith("COMFY_")
        if not is_growing:
            missing.append(spec)
    return missing


def has_dynamic_combo(class_type: str, object_info: ObjectInfo) -> bool:
    """Whether a class has a choice that adds inputs."""
    known = object_info.get(class_type)
    if known is None:
        return False
    return any(spec.type == DYNAMIC_COMBO for spec in known.inputs.values())


def _is_file(class_type: str, input_name: str, value: Any) -> bool:
    if is_model_name(value):
        return True
    return guess_folder(class_type, input_name) != ""


def _find_fillable(
    class_type: str, inputs: dict[str, Any], object_info: ObjectInfo
) -> tuple[InputSpec, Any] | None:
    for spec in find_missing_inputs(class_type, inputs, object_info):
        if not takes_literal(spec) or spec.media:
            continue
        value = spec.default
        if value is None:
            value = _find_first(class_type, spec)
        if value is not None and check_literal(spec, wrap_list(value)) is None:
            return spec, value
    return None


def _find_first(class_type: str, spec: InputSpec) -> Any:
    """Return the first choice of an input; None if it has none, or if the choices are files."""
    if not spec.choices:
        return None
    first = spec.choices[0]
    return None if _is_file(class_type, spec.name, first) else first
