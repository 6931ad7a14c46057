"""Find out which of a preset's models a server has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from comfygradio.comfy.object_info import InputSpec, ObjectInfo, Scalar
from comfygradio.comfy.workflow import Workflow
from comfygradio.forms.kinds.model_name import (
    fold_file_name,
    guess_folder,
    match_name,
    unify_slashes,
)
from comfygradio.forms.model_entry import ModelEntry
from comfygradio.forms.model_hashes import NO_HASHES, ModelHashes, normalise_folder


class ModelPresence(NamedTuple):
    """Whether a server has a model; `name` is what it is called there.

    A `state` is unknown if no list of the server tells.
    """

    model: ModelEntry
    state: Literal["there", "missing", "unknown"]
    name: str = ""
    is_copy: bool = False
    """Whether it is there under a name that only its hash proves to be the same file."""


def find_presence(
    model: ModelEntry, listed: Sequence[Scalar] | None, hashes: ModelHashes = NO_HASHES
) -> ModelPresence:
    """Find a model among the names that a server lists for its folder; None if it lists none."""
    if listed is None:
        return ModelPresence(model, "unknown")
    found = _find_name(model, listed)
    if found is not None:
        return ModelPresence(model, "there", found)
    copies = hashes.find_copies(model)
    for name in listed:
        if isinstance(name, str) and unify_slashes(name) in copies:
            return ModelPresence(model, "there", name, is_copy=True)
    return ModelPresence(model, "missing")


def find_lacking_models(
    models: Iterable[ModelEntry],
    workflow: Workflow,
    object_info: ObjectInfo,
    hashes: ModelHashes = NO_HASHES,
) -> list[ModelEntry]:
    """List the models that a server certainly lacks, by the lists of its node classes."""
    lacking = []
    for model in models:
        listed = list_choices(model, workflow, object_info)
        if find_presence(model, listed, hashes).state == "missing":
            lacking.append(model)
    return lacking


def list_choices(
    model: ModelEntry, workflow: Workflow, object_info: ObjectInfo
) -> tuple[Scalar, ...] | None:
    """List the names that the server's node classes offer for a model's folder; None if no input
    of theirs has that list.
    """
    names: dict[Scalar, None] = {}
    is_listed = False
    for spec in _find_lists(model, workflow, object_info):
        is_listed = True
        names.update(dict.fromkeys(spec.choices or ()))
    if not is_listed:
        return None
    return tuple(names)


def _find_name(model: ModelEntry, listed: Sequence[Scalar]) -> str | None:
    """Find what a server calls a model: its name, maybe in another folder or in other capitals."""
    found = match_name(model.name, listed)
    if isinstance(found, str):
        return found
    # Of several files with this name in different folders, each is there.
    wanted = fold_file_name(model.name)
    for name in listed:
        if isinstance(name, str) and fold_file_name(name) == wanted:
            return name
    return None


def _find_lists(
    model: ModelEntry, workflow: Workflow, object_info: ObjectInfo
) -> Iterator[InputSpec]:
    """Yield the inputs whose list is that of the model's folder: by their names, or, where these
    say nothing, because the workflow has the model there.
    """
    folder = normalise_folder(model.root)
    for definition in object_info:
        for spec in _keep_lists(definition.inputs.values()):
            if guess_folder(definition.class_type, spec.name) == folder:
                yield spec
    wanted = fold_file_name(model.name)
    for node in workflow:
        active = object_info.active_specs(node.class_type, node.inputs)
        for spec in _keep_lists(active):
            if guess_folder(node.class_type, spec.name):
                # The list of this folder, which was seen to above, or of another one.
                continue
            value: Any = spec.to_choice_name(node.inputs.get(spec.name))
            if isinstance(value, str) and fold_file_name(value) == wanted:
                yield spec


def _keep_lists(specs: Iterable[InputSpec]) -> Iterator[InputSpec]:
    """Yield the inputs that list files of the server, but not those that people upload."""
    for spec in specs:
        is_remote = spec.options.get("remote") or spec.options.get("remote_combo")
        if spec.choices is not None and not spec.media and not is_remote:
            yield spec
