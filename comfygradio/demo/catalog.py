"""The node classes this server has, with live lists of models and input images."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from importlib import resources
from typing import Any

from comfygradio.demo.folders import Folders
from comfygradio.demo.options import DemoOptions

V3_ONLY = ("ResizeImageMaskNode", "BatchImagesNode")
EMPTY_FOLDERS = ("configs", "text_encoders", "diffusion_models", "clip_vision", "controlnet", "hypernetworks")

Schema = dict[str, Any]


class Catalog:
    """What /object_info and /models tell (shapes of ComfyUI v0.33.0, model names invented)."""

    def __init__(self, options: DemoOptions, folders: Folders) -> None:
        self._options = options
        self._folders = folders
        self._schemas = self._load()

    def object_info(self) -> dict[str, Schema]:
        """All classes, with the lists as they are now."""
        return {name: self._fill_lists(schema) for name, schema in self._schemas.items()}

    def schema(self, class_type: str) -> Schema | None:
        """One class, or None if this server does not have it."""
        schema = self._schemas.get(class_type)
        return None if schema is None else self._fill_lists(schema)

    def models(self) -> dict[str, list[str]]:
        """Model folder to sorted file names."""
        options = self._options
        filled = {
            "checkpoints": options.checkpoints,
            "loras": options.loras,
            "vae": options.vae,
            "upscale_models": options.upscale_models,
            "embeddings": tuple(f"{name}.safetensors" for name in options.embeddings),
        }
        return {name: sorted(files) for name, files in filled.items()} | {name: [] for name in EMPTY_FOLDERS}

    def _load(self) -> dict[str, Schema]:
        schemas = read_data("object_info.json")
        if self._options.lab_nodes:
            schemas |= read_data("lab_nodes.json")
        if not self._options.can("v3_schemas"):
            schemas = {k: age_schema(v) for k, v in schemas.items() if k not in V3_ONLY}
        return {k: v for k, v in schemas.items() if k not in self._options.missing_classes}

    def _fill_lists(self, schema: Schema) -> Schema:
        filled = copy.deepcopy(schema)
        for _, _, spec in input_specs(filled):
            replace_options(spec, self._live_list)
        return filled

    def _live_list(self, mark: str) -> list[str]:
        if mark == "@input":
            return self._folders.input_images()
        names = self.models()[mark[1:]]
        return [*names, "pixel_space"] if mark == "@vae" else names


def read_data(name: str) -> dict[str, Schema]:
    text = (resources.files("comfygradio.demo") / name).read_text(encoding="utf-8")
    data: dict[str, Schema] = json.loads(text)
    return data


def input_specs(schema: Schema) -> Iterator[tuple[str, str, list[Any]]]:
    """Yields (section, input name, spec) of the required and optional inputs."""
    for section in ("required", "optional"):
        for name, spec in schema["input"].get(section, {}).items():
            yield section, name, spec


def combo_options(spec: list[Any]) -> list[Any] | None:
    """The choices of a combo in either form (`[[..], {}]` or `["COMBO", {"options"}]`), else None."""
    if isinstance(spec[0], list):
        return spec[0]
    if spec[0] == "COMBO":
        options: list[Any] = spec[1].get("options", [])
        return options
    return None


def replace_options(spec: list[Any], live_list: Callable[[str], list[str]]) -> None:
    options = combo_options(spec)
    if options and str(options[0]).startswith("@"):
        options[:] = live_list(options[0])


def age_schema(schema: Schema) -> Schema:
    """The class as servers of 2025 and before describe it: V1 combos, SaveImage without an output."""
    aged = copy.deepcopy(schema)
    for _, _, spec in input_specs(aged):
        if spec[0] == "COMBO":
            spec[0] = spec[1].pop("options", [])
    for key in ("is_input_list", "has_intermediate_output", "search_aliases", "essentials_category"):
        aged.pop(key, None)
    if aged["name"] in ("SaveImage", "PreviewImage"):
        aged |= {"output": [], "output_is_list": [], "output_name": []}
    return aged
