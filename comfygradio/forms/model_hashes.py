"""Tells which names stand for the same model file. Only equal hashes prove it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from comfygradio.forms.kinds.model_name import unify_slashes
from comfygradio.forms.model_entry import ModelEntry

OLD_FOLDERS: Mapping[str, str] = {"clip": "text_encoders", "unet": "diffusion_models"}
"""Folders that ComfyUI has renamed, and whose old names it still takes."""


class HashedFile(NamedTuple):
    """A model file whose hash is known, at a place below the folder `models`."""

    folder: str
    name: str
    hash_type: str
    hash: str

    @classmethod
    def from_entry(cls, model: ModelEntry) -> HashedFile | None:
        """Take what a preset says of a model, if it says its hash."""
        if model.hash is None:
            return None
        return cls(model.folder, model.name, model.hash_type, model.hash)

    @property
    def place(self) -> tuple[str, str]:
        """The folder that ComfyUI lists as one, and the name in that list, with slashes."""
        path = unify_slashes(f"{self.folder}/{self.name}")
        root, _, name = path.partition("/")
        return normalise_folder(root), name


@dataclass(frozen=True)
class ModelHashes:
    """The files whose hashes are known. A place for which two hashes of one type were told proves
    nothing.
    """

    files: frozenset[HashedFile] = field(default_factory=frozenset)

    @classmethod
    def from_entries(cls, models: Iterable[ModelEntry]) -> ModelHashes:
        """Collect what presets say of their models."""
        files: set[HashedFile] = set()
        for model in models:
            file = HashedFile.from_entry(model)
            if file is not None:
                files.add(file)
        return cls(frozenset(files))

    def add(self, files: Iterable[HashedFile]) -> ModelHashes:
        """Return these hashes together with others."""
        return ModelHashes(self.files.union(files))

    def find_copies(self, model: ModelEntry) -> tuple[str, ...]:
        """Find the other names that this model has in the list of its folder, with slashes; () if
        its hash is not known.
        """
        own = HashedFile.from_entry(model)
        if own is None:
            return ()
        own_folder, own_name = own.place
        names: set[str] = set()
        for (folder, name), digests in self._list_digests(own.hash_type).items():
            # Two hashes of one place contradict each other.
            if folder == own_folder and digests == {own.hash}:
                names.add(name)
        names.discard(own_name)
        return tuple(sorted(names))

    def _list_digests(self, hash_type: str) -> dict[tuple[str, str], set[str]]:
        """List all hashes of a type by the places that they were told for."""
        digests: dict[tuple[str, str], set[str]] = {}
        for file in self.files:
            if file.hash_type == hash_type:
                digests.setdefault(file.place, set()).add(file.hash)
        return digests


NO_HASHES = ModelHashes()


def normalise_folder(folder: str) -> str:
    """Return the name that ComfyUI has for a folder today."""
    return OLD_FOLDERS.get(folder, folder)


def list_folder_names(folder: str) -> tuple[str, ...]:
    """List the names of a folder: that of today, and those that it had before."""
    today = normalise_folder(folder)
    before = [old for old, new in OLD_FOLDERS.items() if new == today]
    return today, *before
