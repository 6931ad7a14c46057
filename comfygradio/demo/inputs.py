"""The inputs of a node as its schema and a prompt spell them, dynamic (dotted) ones included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from comfygradio.demo.catalog import Schema, input_specs

CUSTOM_CHECKED: Mapping[str, tuple[str, ...]] = {"LoadImage": ("image",), "LoadImageMask": ("image",)}
"""Inputs that the class checks itself, so that neither list nor limits hold."""

InputSpec = tuple[str, list[Any], bool]


def expand_inputs(schema: Schema, inputs: Mapping[str, Any]) -> Iterator[InputSpec]:
    """Yields (name, spec, required); V3 combos and lists bring their own, named `parent.child`."""
    for section, name, spec in input_specs(schema):
        required = section == "required"
        if spec[0] == "COMFY_DYNAMICCOMBO_V3":
            yield from expand_combo(name, spec, required, inputs)
        elif spec[0] == "COMFY_AUTOGROW_V3":
            yield from expand_list(name, spec, inputs)
        else:
            yield name, spec, required


def expand_combo(name: str, spec: list[Any], required: bool, inputs: Mapping[str, Any]) -> Iterator[InputSpec]:
    yield name, ["*", {}], required
    for option in spec[1]["options"]:
        if option["key"] == inputs.get(name):
            for child, child_spec in option["inputs"].get("required", {}).items():
                yield f"{name}.{child}", child_spec, True


def expand_list(name: str, spec: list[Any], inputs: Mapping[str, Any]) -> Iterator[InputSpec]:
    template = spec[1]["template"]
    child_spec = next(iter(template["input"]["required"].values()))
    for index in range(template["max"]):
        child = f"{name}.{template['prefix']}{index}"
        if index < template["min"] or child in inputs:
            yield child, child_spec, index < template["min"]
