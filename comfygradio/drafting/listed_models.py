"""Collect the model files that a workflow in UI format lists, with their addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from comfygradio.comfy.workflow import Workflow
from comfygradio.drafting.naming import one_line
from comfygradio.forms.kinds.model_name import fold_file_name
from comfygradio.forms.model_entry import ModelEntry, parse_listed_model
from comfygradio.importers.ui_workflow import UiWorkflow
from comfygradio.importers.values import to_list, to_text

MAX_MODELS = 200
"""Maximum number of models of one workflow. Real ones have a dozen."""

MAX_NAME = 120
"""Maximum number of characters of a name in a note."""

MAX_NOTES = 5
"""Maximum number of models that are named in notes of one kind."""

EMBEDDING = r"embedding:(?:[^\s,:()]*[/\\])?{name}(?![\w-])"
"""Where a prompt names an embedding of this name, maybe in a folder."""


@dataclass(frozen=True)
class ListedModels:
    """The models that a workflow uses, of those that its file lists. `notes` say which others were
    left out.
    """

    models: tuple[ModelEntry, ...] = ()
    notes: tuple[str, ...] = ()


def collect_models(saved: Mapping[str, Any], workflow: Workflow) -> ListedModels:
    """Collect the models of a file in UI format (`properties.models` of its nodes, those inside of
    subgraphs included) that the same workflow in API format uses.

    Authors list alternatives and models of nodes that are switched off, too. Nobody should have to
    download these.
    """
    used = _list_used_names(workflow)
    models: dict[str, ModelEntry] = {}
    refused: dict[str, str] = {}
    unused: dict[str, None] = {}
    excess: dict[str, None] = {}
    for data in _iterate_entries(saved):
        name = one_line(to_text(data.get("name")))[:MAX_NAME]
        try:
            model = parse_listed_model(data)
        except ValueError as error:
            refused.setdefault(name, str(error))
            continue
        if not used.has(model):
            unused[name] = None
        elif model.path in models:
            models[model.path] = _merge(models[model.path], model)
        elif len(models) < MAX_MODELS:
            models[model.path] = model
        else:
            excess[name] = None
    notes = []
    for name, reason in list(refused.items())[:MAX_NOTES]:
        notes.append(f"The model {name or 'without a name'} of the file is left out: {reason}.")
    more = len(refused) - MAX_NOTES
    if more > 0:
        notes.append(f"So are {more} more models of the file, for such reasons.")
    if excess:
        names = _list_first(excess)
        notes.append(f"A preset lists at most {MAX_MODELS} models; left out: {names}.")
    if unused:
        names = _list_first(unused)
        notes.append(f"The file lists models that this workflow does not use, left out: {names}.")
    return ListedModels(tuple(models.values()), tuple(notes))


@dataclass(frozen=True)
class _UsedNames:
    """The texts of a workflow that may name model files. `files` are without folders and in lower
    case; `texts` are whole.
    """

    files: frozenset[str]
    texts: tuple[str, ...]

    def has(self, model: ModelEntry) -> bool:
        """Whether the workflow names this model."""
        name = fold_file_name(model.name)
        if name in self.files:
            return True
        if model.root != "embeddings":
            return False
        # A prompt names an embedding, mostly without its suffix: embedding:NAME.
        stem, _, _ = name.rpartition(".")
        word = EMBEDDING.format(name=re.escape(stem or name))
        return any(re.search(word, text) for text in self.texts)


def _list_used_names(workflow: Workflow) -> _UsedNames:
    files: set[str] = set()
    texts: list[str] = []
    for node in workflow:
        for text in _iterate_texts(node.inputs):
            files.add(fold_file_name(text))
            texts.append(text.casefold())
    return _UsedNames(frozenset(files), tuple(texts))


def _iterate_texts(value: Any) -> Iterator[str]:
    """Yield all texts in a value, those inside of lists and objects included."""
    # A stack of its own: a foreign file may be nested deeper than Python's calls.
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, Mapping):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _iterate_entries(saved: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the entries of all lists of models: of each node, and of the file itself."""
    for node in _iterate_nodes(saved):
        properties = node.get("properties")
        if isinstance(properties, dict):
            yield from _list_entries(properties.get("models"))
    yield from _list_entries(saved.get("models"))


def _list_entries(value: Any) -> Iterator[Mapping[str, Any]]:
    for entry in to_list(value):
        # Nodes of other kinds (a 3D scene) have lists of this name, too, without names in them.
        if isinstance(entry, dict) and "name" in entry and "url" in entry:
            yield entry


def _iterate_nodes(saved: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the nodes of a workflow and of all its definitions of subgraphs."""
    definitions = UiWorkflow(saved).definitions
    for graph in (saved, *definitions.values()):
        for node in to_list(graph.get("nodes")):
            if isinstance(node, dict):
                yield node


def _merge(first: ModelEntry, other: ModelEntry) -> ModelEntry:
    """Return the first entry of a file, or the other if only that has a hash."""
    if first.hash is None and other.hash is not None:
        return other
    return first


def _list_first(names: Iterable[str]) -> str:
    listed = list(names)
    shown = ", ".join(listed[:MAX_NOTES])
    more = len(listed) - MAX_NOTES
    if more > 0:
        return f"{shown} and {more} more"
    return shown
