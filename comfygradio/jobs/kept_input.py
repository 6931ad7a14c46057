"""Kept inputs: copies of the files that jobs need, named by content hash, for as long as a stored
job refers to them.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.comfy.outputs import write_file
from comfygradio.comfy.workflow import Prompt
from comfygradio.errors import JobStoreError

CHUNK_BYTES = 1 << 20

UNUSED_SECONDS = 600.0
"""A file used more recently than this may belong to a job that is just being submitted, so it is
kept.
"""


def get_inputs_folder(outputs: Path) -> Path:
    """Where the files lie: `.comfygradio/inputs` within the outputs folder."""
    return outputs / ".comfygradio" / "inputs"


def keep_inputs(prompt: Prompt, outputs: Path) -> Prompt:
    """Copy the files of a prompt into the inputs folder, each content once; returns the new prompt.

    Raises JobStoreError.
    """
    folder = get_inputs_folder(outputs.resolve())
    kept = []
    for upload in prompt.uploads:
        path = _keep(upload.path, upload.name, folder)
        kept.append(replace(upload, path=path))
    return replace(prompt, uploads=tuple(kept))


def drop_inputs(
    outputs: Path,
    is_needed: Callable[[str], bool],
    older_than_seconds: float = UNUSED_SECONDS,
    clock: Clock = SYSTEM_CLOCK,
) -> int:
    """Delete kept files that no job needs, unfinished copies included; returns their number.

    `is_needed` gets a name.
    """
    folder = get_inputs_folder(outputs)
    if not folder.is_dir():
        return 0
    dropped = 0
    for path in list(folder.iterdir()):
        if is_needed(path.name):
            continue
        if drop_input(path, older_than_seconds, clock):
            dropped += 1
    return dropped


def drop_input(
    path: Path, older_than_seconds: float = UNUSED_SECONDS, clock: Clock = SYSTEM_CLOCK
) -> bool:
    """Delete one kept file unless it was used recently. False if it still exists."""
    try:
        if clock.time() - path.stat().st_mtime < older_than_seconds:
            return False
        path.unlink()
    except OSError:
        # Another process may have deleted it first.
        return not path.exists()
    return True


def _keep(path: Path, name: str, folder: Path) -> Path:
    """Copy a file into the folder, unless it is there already. Returns the copy's path.

    Raises JobStoreError, which names the file by `name`.
    """
    try:
        return _copy_once(path, folder)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise JobStoreError(f"The file {name} could not be kept for this job: {reason}.") from error


def _copy_once(path: Path, folder: Path) -> Path:
    # It is a kept file already, as when a job is repeated.
    if path.resolve().parent == folder and path.is_file():
        _mark_used(path)
        return path
    digest = _hash(path)
    suffix = _clean_suffix(path)
    target = folder / f"{digest}{suffix}"
    # A copy of another size was cut short; it is written again.
    is_whole = target.is_file() and target.stat().st_size == path.stat().st_size
    if is_whole:
        _mark_used(target)
        return target
    return write_file(target, _read(path))


def _mark_used(path: Path) -> None:
    """Set a copy's time, so that `drop_input` leaves it to the job that is just being submitted."""
    os.utime(path)


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    for chunk in _read(path):
        digest.update(chunk)
    return digest.hexdigest()


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _clean_suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if re.fullmatch(r"\.[a-z0-9]{1,10}", suffix) is None:
        return ""
    return suffix
