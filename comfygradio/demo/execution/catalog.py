"""The node classes this server has, with live lists of models and input files."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from comfygradio.demo.execution.folders import INPUT_LISTS, Folders
from comfygradio.demo.execution.options import DemoOptions

# What servers of 2025 and before do not have: classes, keys of a class, and options of an input.
V3_ONLY = ("ResizeImageMaskNode", "BatchImagesNode", "SaveAudioAdvanced", "LabDynamic")
EMPTY_FOLDERS = ("configs", "text_encoders", "diffusion_models", "clip_vision", "hypernetworks")
NEW_KEYS = {
    "is_input_list",
    "has_intermediate_output",
    "search_aliases",
    "essentials_category",
    "output_matchtypes",
    "price_badge",
    "deprecated",
    "experimental",
    "dev_only",
    "api_node",
}
NEW_FLAGS = {"advanced", "multiselect", "multi_select"}

Schema = dict[str, Any]


class Catalog:
    """What /object_info and /models tell (shapes of ComfyUI v0.33.0, model names invented).

    OSError or ValueError if the file of `extra_classes` cannot be read.
    """

    def __init__(self, options: DemoOptions, folders: Folders) -> None:
        self._options = options
        self._folders = folders
        self._schemas = self._load()
        self._extra = load_extra_classes(options, self._schemas)

    def object_info(self) -> dict[str, Schema]:
        """All classes, with the lists as they are now; not to be changed by the caller."""
        filled: dict[str, Schema] = {}
        for name, schema in self._schemas.items():
            filled[name] = self._fill_lists(schema)
        return filled | self._extra

    def schema(self, class_type: str) -> Schema | None:
        """One class, or None if this server does not have it; not to be changed by the caller."""
        schema = self._schemas.get(class_type)
        if schema is None:
            return self._extra.get(class_type)
        return self._fill_lists(schema)

    def models(self) -> dict[str, list[str]]:
        """Model folder to sorted file names."""
        options = self._options
        embeddings = [f"{name}.safetensors" for name in options.embeddings]
        extra = name_extra_models(options.extra_models)
        models = {
            "checkpoints": sorted([*options.checkpoints, *extra]),
            "loras": sorted([*options.loras, *extra]),
            "vae": sorted(options.vae),
            "upscale_models": sorted(options.upscale_models),
            "controlnet": sorted(options.controlnet),
            "embeddings": sorted(embeddings),
        }
        for name in EMPTY_FOLDERS:
            models[name] = []
        return models

    def _load(self) -> dict[str, Schema]:
        schemas = load_schemas("object_info.json")
        if self._options.lab_nodes:
            schemas |= load_schemas("lab_nodes.json")
        if not self._options.can("v3_schemas"):
            schemas = downgrade_schemas(schemas)
        for name in self._options.missing_classes:
            schemas.pop(name, None)
        return schemas

    def _fill_lists(self, schema: Schema) -> Schema:
        live: list[tuple[str, str, list[Any]]] = []
        for section, name, spec in input_specs(schema):
            mark = list_mark(spec)
            if mark:
                filled = with_options(spec, self._live_list(mark))
                live.append((section, name, filled))
        if not live:
            return schema
        # The schema is shared by all who ask, so that its sections are copied.
        sections: dict[str, dict[str, Any]] = {}
        for section, specs in schema["input"].items():
            sections[section] = dict(specs)
        for section, name, filled in live:
            sections[section][name] = filled
        return schema | {"input": sections}

    def _live_list(self, mark: str) -> list[str]:
        if mark in INPUT_LISTS:
            return self._folders.input_files(INPUT_LISTS[mark])
        folder = mark.removeprefix("@")
        names = self.models()[folder]
        if folder == "vae":
            # VAELoader offers this one without a file.
            names.append("pixel_space")
        return names


def name_extra_models(count: int) -> list[str]:
    """So many names, a hundred in each folder."""
    names = []
    for number in range(count):
        names.append(f"folder-{number // 100:03}/model-{number:05}.safetensors")
    return names


def load_schemas(name: str) -> dict[str, Schema]:
    """The classes of a file that comes with this package."""
    file = resources.files("comfygradio.demo.execution") / name
    text = file.read_text(encoding="utf-8")
    data: dict[str, Schema] = json.loads(text)
    return data


def load_extra_classes(options: DemoOptions, own: dict[str, Schema]) -> dict[str, Schema]:
    """The classes of the file `extra_classes` that are neither the server's own nor
    taken from it.
    """
    if options.extra_classes is None:
        return {}
    text = Path(options.extra_classes).read_text(encoding="utf-8")
    found = json.loads(text)
    wrong = ValueError(f"{options.extra_classes} is not an answer of /object_info.")
    if not isinstance(found, dict):
        raise wrong
    extra: dict[str, Schema] = {}
    for name, schema in found.items():
        if not isinstance(schema, dict):
            raise wrong
        if name not in own and name not in options.missing_classes:
            extra[name] = schema
    return extra


def input_specs(schema: Schema) -> Iterator[tuple[str, str, list[Any]]]:
    """Yields (section, input name, spec) of the required and optional inputs."""
    sections = schema.get("input") or {}
    for section in ("required", "optional"):
        specs = sections.get(section) or {}
        for name, spec in specs.items():
            yield section, name, spec


def combo_options(spec: list[Any]) -> list[Any] | None:
    """The choices of a combo in either form (`[[..], {}]` or `["COMBO",
    {"options"}]`), else None.
    """
    if isinstance(spec[0], list):
        return spec[0]
    if spec[0] != "COMBO":
        return None
    if len(spec) == 1:
        return []
    options: list[Any] = spec[1].get("options", [])
    return options


def list_mark(spec: list[Any]) -> str | None:
    """`@loras` and the like if the choices of a combo are a list that changes, else None."""
    options = combo_options(spec)
    if not options:
        return None
    mark = str(options[0])
    return mark if mark.startswith("@") else None


def with_options(spec: list[Any], options: list[str]) -> list[Any]:
    """The spec of a combo, in either form, with other choices."""
    if spec[0] == "COMBO":
        flags = spec[1] | {"options": options}
        return ["COMBO", flags]
    return [options, *spec[1:]]


def downgrade_schemas(schemas: dict[str, Schema]) -> dict[str, Schema]:
    """The classes of a server before there were V3 schemas, instead of those of a newer one."""
    aged: dict[str, Schema] = {}
    for name, schema in schemas.items():
        if name not in V3_ONLY:
            aged[name] = downgrade_schema(schema)
    return aged | load_schemas("object_info_2025.json")


def downgrade_schema(schema: Schema) -> Schema:
    """The class as servers of 2025 and before describe it: V1 combos, nothing that leaves an output
    node.
    """
    aged = copy.deepcopy(schema)
    for key in NEW_KEYS:
        aged.pop(key, None)
    for _, _, spec in input_specs(aged):
        downgrade_spec(spec)
    if aged["output_node"] and aged["category"] != "lab":
        aged |= {"output": [], "output_is_list": [], "output_name": []}
    return aged


def downgrade_spec(spec: list[Any]) -> None:
    """Changes the spec of an input to what servers of 2025 and before have."""
    if spec[0] == "COMBO":
        spec[0] = spec[1].pop("options", [])
    for flags in spec[1:]:
        for key in NEW_FLAGS:
            flags.pop(key, None)
