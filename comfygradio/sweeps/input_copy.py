"""Copies of the input files of sweeps, kept until the last point has run.

Files keep their names, and each sweep has a folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from comfygradio.errors import JobStoreError
from comfygradio.sweeps.axes.axis import Axis
from comfygradio.sweeps.space import Space


def find_folder(outputs: Path, sweep: str = "") -> Path:
    """Return the folder of all sweeps' files, or that of the sweep with this id."""
    own = outputs / ".comfygradio"
    return own / "sweeps" / sweep


def copy_files(space: Space, folder: Path) -> Space:
    """Copy the files of a space into `folder`, and return the space with the copies. Raises
    JobStoreError.
    """
    paths = [value for value in space.base.values() if isinstance(value, Path)]
    for axis in space.axes:
        paths += _list_paths(axis)
    kept: dict[Path, Path] = {}
    for number, path in enumerate(dict.fromkeys(paths)):
        # Files of different folders may have one name, so that each has a folder of its own.
        kept[path] = _copy(path, folder / str(number))
    if not kept:
        return space
    base = dict(space.base)
    for name, value in space.base.items():
        if isinstance(value, Path):
            base[name] = kept[value]
    axes = [_replace_paths(axis, kept.get) for axis in space.axes]
    return replace(space, base=base, axes=tuple(axes))


def delete_folders(outputs: Path, needed: Collection[str]) -> None:
    """Delete the folders of sweeps that are not among these ids."""
    folder = find_folder(outputs)
    if not folder.is_dir():
        return
    for path in list(folder.iterdir()):
        if path.name not in needed:
            shutil.rmtree(path, ignore_errors=True)


def _list_paths(axis: Axis) -> list[Path]:
    paths = []
    for step in axis.steps:
        for change in step.changes:
            if isinstance(change.value, Path):
                paths.append(change.value)
    return paths


def _copy(path: Path, folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        copy = folder / path.name
        return Path(shutil.copyfile(path, copy))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise JobStoreError(
            f"The file {path.name} could not be kept for this comparison: {reason}."
        ) from error


def _replace_paths(axis: Axis, find: Callable[[Path], Path | None]) -> Axis:
    """Return the axis with other paths for its files."""
    steps = []
    for step in axis.steps:
        changes = []
        for change in step.changes:
            if isinstance(change.value, Path):
                change = replace(change, value=find(change.value))
            changes.append(change)
        steps.append(replace(step, changes=tuple(changes)))
    return replace(axis, steps=tuple(steps))
