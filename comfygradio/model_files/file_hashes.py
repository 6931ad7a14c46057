"""Hashes of the model files in a ComfyUI's folder on this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from comfygradio.forms.model_entry import ModelEntry
from comfygradio.forms.model_hashes import HashedFile, ModelHashes
from comfygradio.model_files.download import ROOT

CHUNK_BYTES = 1 << 20


def hash_candidates(
    folder: Path, model: ModelEntry, names: Iterable[object], tell: Callable[[Path], None]
) -> ModelHashes:
    """Hash the files that may be a model under another name: those of its folder that a server
    lists by these names, up to the first that is the same. `folder` is ComfyUI's own.

    Calls `tell` before each file, since a file may take a minute. A file that cannot be read is
    skipped.
    """
    if model.hash is None or model.hash_type != "SHA256":
        return ModelHashes()
    found: set[HashedFile] = set()
    root = (folder / ROOT / model.root).resolve()
    suffix = Path(model.name).suffix
    for name in names:
        path = root / str(name).replace("\\", "/")
        # A server may list anything. Links that lead elsewhere on purpose are followed.
        is_inside = ".." not in path.parts and path.is_relative_to(root)
        if not is_inside or path.suffix != suffix or not path.is_file():
            continue
        tell(path)
        digest = _hash_file(path)
        found.add(HashedFile(model.root, str(name), "SHA256", digest))
        if digest == model.hash:
            break
    return ModelHashes(frozenset(found))


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
