"""Hashes of the model files in a ComfyUI's folder on this machine."""

from __future__ import annotations

import hashlib
import os.path
from collections.abc import Callable, Iterable
from pathlib import Path

from comfygradio.forms.model_entry import ModelEntry
from comfygradio.forms.model_hashes import HashedFile, ModelHashes, list_folder_names
from comfygradio.model_files.download import ROOT

CHUNK_BYTES = 1 << 20


class FileHashes:
    """Computes hashes of the files below ComfyUI's own `folder`, each once.

    Calls `tell` before each file, since a file may take a minute. A file that cannot be read is
    skipped.
    """

    def __init__(self, folder: Path, tell: Callable[[Path], None]) -> None:
        self._folder = folder
        self._tell = tell
        self._digests: dict[Path, str] = {}

    def hash_candidates(self, model: ModelEntry, names: Iterable[object]) -> ModelHashes:
        """Hash the files that may be a model under another name: those of its folder that a server
        lists by these names, up to the first that is the same.
        """
        if model.hash is None or model.hash_type != "SHA256":
            return ModelHashes()
        hashed: set[HashedFile] = set()
        for name in names:
            found: set[HashedFile] = set()
            for path in self._find_files(model, str(name)):
                digest = self._hash_once(path)
                found.add(HashedFile(model.root, str(name), "SHA256", digest))
            hashed |= found
            # Only files of one name can contradict each other, so that those before do not matter.
            if ModelHashes(frozenset(found)).find_copies(model):
                break
        return ModelHashes(frozenset(hashed))

    def _find_files(self, model: ModelEntry, name: str) -> list[Path]:
        """Find the files that a server may list by this name in a model's folder, whose old name
        ComfyUI takes too.
        """
        found = []
        for root_name in list_folder_names(model.root):
            root = (self._folder / ROOT / root_name).resolve()
            path = root / name.replace("\\", "/")
            # A server may list anything. Links that lead elsewhere on purpose are followed.
            is_inside = ".." not in path.parts and path.is_relative_to(root)
            has_same_suffix = path.suffix == Path(model.name).suffix
            # Unlike that of `Path`, this raises nothing for a name that no file can have.
            if is_inside and has_same_suffix and os.path.isfile(path):
                found.append(path)
        return found

    def _hash_once(self, path: Path) -> str:
        if path not in self._digests:
            self._tell(path)
            self._digests[path] = _hash_file(path)
        return self._digests[path]


def _hash_file(path: Path) -> str:
    """Compute the SHA256 of a file; "" if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
    except OSError:
        return ""
    return digest.hexdigest()
