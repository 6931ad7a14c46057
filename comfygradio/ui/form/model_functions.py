"""What the scripts of a model's field ask: for names that fit words, for the content of a folder,
and for the names of models that the browser remembers.

The page itself holds no list: each answer has a page of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from comfygradio.forms.kinds.value import Choice
from comfygradio.forms.model_search import ListedFolder, ListedModel, ModelIndex

Choices = Callable[[], Sequence[Choice]]
"""Returns the newest choices of a field: lists are read again while a page stays open."""

MAX_TEXT = 1000
"""Most characters of a query or a folder."""

MAX_RECALLED = 100
"""Most models that are recalled at once."""

Json = dict[str, Any]


class ModelFunctions:
    """The functions of one field. Its names are prepared when first needed, and again when the
    list has changed.
    """

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self._indexed: Sequence[Choice] | None = None
        self._index = ModelIndex(())

    async def search_models(self, data: Any) -> Json:
        """Answer [query, start] with a page of the models that fit."""
        query, start = _read_place(data)
        index = await self._prepare()
        found = await asyncio.to_thread(index.search, query, start)
        return _describe_page((), found.models, found.total)

    async def list_models(self, data: Any) -> Json:
        """Answer [folder, start] with a page of the folder's content."""
        path, start = _read_place(data)
        index = await self._prepare()
        page = index.list_folder(path, start)
        return _describe_page(page.folders, page.models, page.total)

    async def recall_models(self, data: Any) -> Json:
        """Answer [values] with those models that are offered."""
        values = data[0] if isinstance(data, list) and data else None
        if not isinstance(values, list):
            values = []
        index = await self._prepare()
        found = index.find(values[:MAX_RECALLED])
        return _describe_page((), found, len(found))

    async def _prepare(self) -> ModelIndex:
        choices = self._choices()
        if choices is not self._indexed:
            self._index = await asyncio.to_thread(ModelIndex, choices)
            self._indexed = choices
        return self._index


def make_model_functions(choices: Choices) -> list[Callable[[Any], Any]]:
    """Make the functions of one field, as Gradio wants them: it writes into each that it is one,
    which no method takes.
    """
    functions = ModelFunctions(choices)

    async def search_models(data: Any) -> Json:
        return await functions.search_models(data)

    async def list_models(data: Any) -> Json:
        return await functions.list_models(data)

    async def recall_models(data: Any) -> Json:
        return await functions.recall_models(data)

    return [search_models, list_models, recall_models]


def describe_model(model: ListedModel) -> list[Any]:
    """Describe a model as scripts read it."""
    return [model.value, model.name, model.folder]


def _describe_page(
    folders: Sequence[ListedFolder], models: Sequence[ListedModel], total: int
) -> Json:
    return {
        "folders": [[folder.path, folder.name, folder.total] for folder in folders],
        "models": [describe_model(model) for model in models],
        "total": total,
    }


def _read_place(data: Any) -> tuple[str, int]:
    """Read a text and a number out of what a script sent; anybody may send anything."""
    if not isinstance(data, list) or len(data) != 2:
        return "", 0
    text, start = data
    if not isinstance(text, str):
        text = ""
    is_number = isinstance(start, int) and not isinstance(start, bool)
    if not is_number or start < 0:
        start = 0
    return text[:MAX_TEXT], start
