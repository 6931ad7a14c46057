"""The inputs of a node as its schema and a prompt spell them, dynamic (dotted) ones included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from comfygradio.demo.execution.catalog import Schema, combo_options, input_specs

FILE_INPUTS: Mapping[str, str] = {
    "LoadImage": "image",
    "LoadImageMask": "image",
    "LoadAudio": "audio",
    "LoadVideo": "file",
    "LabFile": "file",
}
"""Classes that read a file of input/, with the input that names it."""

UPLOADS = {
    "image_upload": "image",
    "video_upload": "video",
    "audio_upload": "audio",
    "file_upload": "3D model",
}
SELF_CHECKED: Mapping[tuple[str, str], str] = {
    ("LoadLatent", "latent"): "latent",
    ("WebcamCapture", "image"): "image",
    ("CustomCombo", "choice"): "",
    ("ModelAttentionBackend", "attention"): "",
    ("SelectModelDevice", "device"): "",
    ("SelectCLIPDevice", "device"): "",
    ("SelectVAEDevice", "device"): "",
}
"""Inputs whose class checks them itself although no flag tells so: the kind of file, or "" if
anything goes.
"""

InputSpec = tuple[str, list[Any], bool]


def expand_inputs(schema: Schema, inputs: Mapping[str, Any]) -> Iterator[InputSpec]:
    """Yields (name, spec as `[type, options]`, required) of all inputs that count for these values.

    Dynamic inputs bring their own, named `parent.child`; what they do not know they do not check: a
    missing or unknown key of a dynamic combo passes here (ComfyUI v0.33.0).
    """
    for section, name, spec in input_specs(schema):
        is_required = section == "required"
        yield from expand_input(name, spec, is_required, inputs)


def expand_input(
    name: str, spec: list[Any], required: bool, inputs: Mapping[str, Any]
) -> Iterator[InputSpec]:
    if spec[0] == "COMFY_DYNAMICCOMBO_V3":
        yield from expand_combo(name, spec, required, inputs)
    elif spec[0] == "COMFY_AUTOGROW_V3":
        yield from expand_list(name, spec[1]["template"])
    else:
        yield name, with_flags(spec), required


def with_flags(spec: list[Any]) -> list[Any]:
    """Type and options of an input, whose options may have been left out."""
    if len(spec) == 1:
        return [spec[0], {}]
    return [spec[0], spec[1]]


def expand_combo(
    name: str, spec: list[Any], required: bool, inputs: Mapping[str, Any]
) -> Iterator[InputSpec]:
    """The combo and what its chosen key brings; nothing at all for a key that it does not know."""
    options = spec[1]["options"]
    if name not in inputs:
        return
    brought = find_option(options, inputs[name])
    if brought is None:
        return
    for section, child, child_spec in input_specs({"input": brought}):
        is_required = section == "required"
        yield from expand_input(f"{name}.{child}", child_spec, is_required, inputs)
    yield name, spec, required


def find_option(options: list[dict[str, Any]], key: Any) -> dict[str, Any] | None:
    """The inputs that an option of a dynamic combo brings, None if it has no such option."""
    for option in options:
        if option["key"] == key:
            brought: dict[str, Any] = option["inputs"]
            return brought
    return None


def expand_list(name: str, template: Mapping[str, Any]) -> Iterator[InputSpec]:
    """Children are named by a prefix and a number from 0, or by a list of names."""
    names = template.get("names")
    if not names:
        prefix = template["prefix"]
        names = [f"{prefix}{index}" for index in range(template["max"])]
    # The template has one input, which all children are like.
    section, _, spec = next(input_specs(dict(template)))
    for index, child in enumerate(names):
        is_required = section == "required" and index < template["min"]
        yield f"{name}.{child}", with_flags(spec), is_required


def live_inputs(schema: Schema, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs that reach a node when it runs: what its schema does not know is left out.

    TypeError, in Python's words, if a required dynamic combo is among that.
    """
    names = {name for name, _, _ in expand_inputs(schema, inputs)}
    for section, name, spec in input_specs(schema):
        is_dynamic = spec[0] == "COMFY_DYNAMICCOMBO_V3"
        if is_dynamic and section == "required" and name not in names:
            raise TypeError(
                f"{schema['name']}.execute() missing 1 required positional argument: '{name}'"
            )
    live: dict[str, Any] = {}
    for name, value in inputs.items():
        if name in names:
            live[name] = value
    return live


def self_checked(class_type: str, name: str, spec: list[Any]) -> str | None:
    """The kind of file that must exist, "" if anything goes, None if limits and lists hold as
    usual.
    """
    if (class_type, name) in SELF_CHECKED:
        return SELF_CHECKED[class_type, name]
    if combo_options(spec) is None:
        return None
    for flag, kind in UPLOADS.items():
        if spec[1].get(flag):
            return kind
    return None
