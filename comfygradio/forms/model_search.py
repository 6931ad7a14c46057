"""Finds models among tens of thousands of names: by what people type, or folder by folder."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from comfygradio.forms.kinds.model_name import SUFFIXES, unify_slashes
from comfygradio.forms.kinds.value import Choice

PAGE = 60
"""Most entries of an answer."""

MAX_WORDS = 12
"""Most words of a query that count."""

BETWEEN_WORDS = "[\\W_]+|(?<=[a-z])(?=[A-Z])"
"""What divides the words of a name: signs, and a capital letter after a small one."""


class ListedModel(NamedTuple):
    """A model as people read it: its name without folders and suffix, and its folder."""

    value: Any
    name: str
    folder: str = ""


class ListedFolder(NamedTuple):
    """A folder, and how many models lie in it and in the folders below it."""

    path: str
    name: str
    total: int


class FoundModels(NamedTuple):
    """A page of models, and how many fit in all."""

    models: tuple[ListedModel, ...]
    total: int


class FolderPage(NamedTuple):
    """A page of a folder's content, and how many entries the folder has in all; folders come
    first.
    """

    folders: tuple[ListedFolder, ...]
    models: tuple[ListedModel, ...]
    total: int


class _Entry(NamedTuple):
    """A model with the texts that a query is compared with, `text` and `name` in small letters."""

    listed: ListedModel
    label: str
    text: str
    name: str


class _Folder:
    """A folder of the tree."""

    def __init__(self) -> None:
        self.folders: set[str] = set()
        self.models: list[ListedModel] = []
        self.total = 0


class ModelIndex:
    """The models that a field offers, prepared once so that each question is answered quickly."""

    def __init__(self, choices: Sequence[Choice]) -> None:
        self._entries: list[_Entry] = []
        self._by_value: dict[Any, ListedModel] = {}
        self._folders: defaultdict[str, _Folder] = defaultdict(_Folder)
        for choice, listed in zip(choices, _describe_all(choices), strict=True):
            self._entries.append(_prepare(listed, choice.label))
            self._by_value.setdefault(choice.value, listed)
            self._put(listed)

    def search(self, query: str, start: int = 0) -> FoundModels:
        """Find the models that have every word of the query, ignoring case.

        A word at the beginning of the file's name counts most, then one at the beginning of a word,
        then any other. Among equals the order is that of the list.
        """
        words = query.casefold().split()[:MAX_WORDS]
        ranked: dict[int, list[ListedModel]] = {}
        for entry in self._entries:
            rank = _rank(entry, words)
            if rank is not None:
                ranked.setdefault(rank, []).append(entry.listed)
        found: list[ListedModel] = []
        for rank in sorted(ranked):
            found += ranked[rank]
        return FoundModels(tuple(found[start : start + PAGE]), len(found))

    def list_folder(self, path: str, start: int = 0) -> FolderPage:
        """List what lies in a folder; nothing if there is no such folder."""
        folder = self._folders.get(path)
        if folder is None:
            return FolderPage((), (), 0)
        paths = sorted(folder.folders, key=str.casefold)
        shown = [self._describe_folder(one) for one in paths[start : start + PAGE]]
        begin = max(0, start - len(paths))
        room = PAGE - len(shown)
        models = folder.models[begin : begin + room]
        return FolderPage(tuple(shown), tuple(models), len(paths) + len(folder.models))

    def find(self, values: Iterable[object]) -> list[ListedModel]:
        """Find the models with these values, in their order; a value that is not offered is left
        out.
        """
        found = []
        for value in values:
            listed = self._by_value.get(value) if isinstance(value, str) else None
            if listed is not None:
                found.append(listed)
        return found

    def _describe_folder(self, path: str) -> ListedFolder:
        _, _, name = path.rpartition("/")
        return ListedFolder(path, name, self._folders[path].total)

    def _put(self, listed: ListedModel) -> None:
        """Put a model into its folder, and count it in those above."""
        path = listed.folder
        folder = self._folders[path]
        folder.models.append(listed)
        folder.total += 1
        while path:
            above, _, _ = path.rpartition("/")
            holder = self._folders[above]
            holder.folders.add(path)
            holder.total += 1
            path = above


def _strip_suffix(file_name: str) -> str:
    stem, dot, suffix = file_name.rpartition(".")
    if stem and f"{dot}{suffix.lower()}" in SUFFIXES:
        return stem
    return file_name


def _split(value: str) -> tuple[str, str]:
    """Split a name into its folder and that of its file."""
    folder, _, file_name = unify_slashes(value).rpartition("/")
    # A name like "/a" or "a//b" has folders without a name, which nobody could open.
    parts = [part for part in folder.split("/") if part]
    return "/".join(parts), file_name


def _is_plain(choice: Choice) -> bool:
    """Whether a choice is called as its file: an author may have given it another name."""
    return isinstance(choice.value, str) and choice.label == choice.value


def _describe_all(choices: Sequence[Choice]) -> list[ListedModel]:
    """Describe all models of a list. Those that differ only in the suffix keep it."""
    listed = []
    counts: Counter[tuple[str, str]] = Counter()
    for choice in choices:
        model = _describe(choice)
        listed.append(model)
        counts[(model.folder, model.name)] += 1
    if len(counts) == len(listed):
        return listed
    for place, model in enumerate(listed):
        is_double = counts[(model.folder, model.name)] > 1
        if is_double and _is_plain(choices[place]):
            _, file_name = _split(choices[place].label)
            listed[place] = model._replace(name=file_name)
    return listed


def _describe(choice: Choice) -> ListedModel:
    if not _is_plain(choice):
        return ListedModel(choice.value, choice.label)
    folder, file_name = _split(choice.label)
    return ListedModel(choice.value, _strip_suffix(file_name), folder)


def _prepare(listed: ListedModel, label: str) -> _Entry:
    if listed.folder:
        label = unify_slashes(label)
    return _Entry(listed, label, label.casefold(), listed.name.casefold())


def _rank(entry: _Entry, words: Sequence[str]) -> int | None:
    """Rank a model by how well it fits, the best first; None if it lacks a word."""
    rank = 0
    for word in words:
        if word not in entry.text:
            return None
        if not entry.name.startswith(word):
            rank += 1 if _begins_word(entry.label, word) else 2
    return rank


def _begins_word(label: str, text: str) -> bool:
    """Whether a text stands at the beginning of a word of a label."""
    wanted = _divide(text).strip()
    return wanted != "" and f" {wanted}" in f" {_divide(label)}"


def _divide(text: str) -> str:
    """Write the words of a text in small letters, with spaces between them."""
    return re.sub(BETWEEN_WORDS, " ", text).casefold()
