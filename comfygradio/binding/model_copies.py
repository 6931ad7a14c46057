"""Use the same model under another name where the server has it so, and hashes prove it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Node, Workflow
from comfygradio.forms.kinds.model_name import fold_file_name
from comfygradio.forms.model_hashes import ModelHashes
from comfygradio.forms.model_presence import find_presence, list_choices
from comfygradio.forms.preset_file import FieldEntry, PresetFile

NAMED_KEYS = ("default", "fixed", "choices")
"""The keys of a field whose values may be names of models."""


def replace_by_copies(
    file: PresetFile, workflow: Workflow, object_info: ObjectInfo, hashes: ModelHashes
) -> tuple[PresetFile, Workflow, tuple[str, ...]]:
    """Replace the names of models that the server lacks by those that it has for the same files.

    Returns the preset and the workflow with these names, and a sentence for each.
    """
    names: dict[str, str] = {}
    notes = []
    for model in file.models:
        # Most presets have no hashes, and need no look at the server's lists.
        if not hashes.find_copies(model):
            continue
        listed = list_choices(model, workflow, object_info)
        found = find_presence(model, listed, hashes)
        if found.is_copy:
            names[fold_file_name(model.name)] = found.name
            notes.append(
                f"{model.name} is called {found.name} on this ComfyUI, by its {model.hash_type}."
            )
    if not names:
        return file, workflow, ()
    fields = {key: _rename_entry(entry, names) for key, entry in file.fields.items()}
    file = file.model_copy(
        update={"fields": fields, "examples": _rename(file.examples, names)},
    )
    nodes = {node.id: _rename_node(node, object_info, names) for node in workflow}
    return file, replace(workflow, nodes=nodes), tuple(notes)


def _rename_node(node: Node, object_info: ObjectInfo, names: Mapping[str, str]) -> Node:
    """Rename the models in the inputs of a node that list the other name."""
    inputs = dict(node.inputs)
    for spec in object_info.active_specs(node.class_type, node.inputs):
        value = inputs.get(spec.name)
        name = _find_name(value, names)
        if name is not None and name in (spec.choices or ()):
            inputs[spec.name] = name
    return replace(node, inputs=inputs)


def _rename_entry(entry: FieldEntry, names: Mapping[str, str]) -> FieldEntry:
    """Rename the models in the values that an author wrote for a field."""
    changed = {}
    for key in NAMED_KEYS:
        value = getattr(entry, key)
        renamed = _rename(value, names)
        if renamed != value:
            changed[key] = renamed
    return entry.model_copy(update=changed) if changed else entry


def _rename(value: Any, names: Mapping[str, str]) -> Any:
    """Rename the models in a value, in lists and behind the keys of mappings."""
    if isinstance(value, list):
        return [_rename(one, names) for one in value]
    if isinstance(value, dict):
        return {key: _rename(one, names) for key, one in value.items()}
    name = _find_name(value, names)
    return value if name is None else name


def _find_name(value: Any, names: Mapping[str, str]) -> str | None:
    if not isinstance(value, str):
        return None
    return names.get(fold_file_name(value))
