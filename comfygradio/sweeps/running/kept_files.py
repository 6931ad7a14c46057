"""Files that a sweep needs until its last point is run, kept under their own names, each sweep's in
a folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from comfygradio.errors import LedgerError
from comfygradio.sweeps.axes.axis import Axis, Step
from comfygradio.sweeps.planning.space import Space


def find_folder(outputs: Path, sweep: str = "") -> Path:
    """Where the files of sweeps lie, or those of the one with this id."""
    return outputs / ".comfygradio" / "sweeps" / sweep


def keep_files(space: Space, folder: Path) -> Space:
    """The same space with copies of its files, which are made in `folder`. Raises LedgerError."""
    paths = [value for value in space.base.values() if isinstance(value, Path)]
    changes = [change for axis in space.axes for step in axis.steps for change in step.changes]
    paths += [change.value for change in changes if isinstance(change.value, Path)]
    kept = {
        path: _keep(path, folder / str(number)) for number, path in enumerate(dict.fromkeys(paths))
    }
    if not kept:
        return space
    base = {
        name: kept[value] if isinstance(value, Path) else value
        for name, value in space.base.items()
    }
    return replace(space, base=base, axes=tuple(_move(axis, kept.get) for axis in space.axes))


def drop_folders(outputs: Path, needed: Collection[str]) -> None:
    """Delete the folders of sweeps that are not among these ids."""
    folder = find_folder(outputs)
    for path in list(folder.iterdir()) if folder.is_dir() else ():
        if path.name not in needed:
            shutil.rmtree(path, ignore_errors=True)


def _keep(path: Path, folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copyfile(path, folder / path.name))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise LedgerError(
            f"The file {path.name} could not be kept for this sweep: {reason}."
        ) from error


def _move(axis: Axis, find: Callable[[Path], Path | None]) -> Axis:
    """The axis with other paths for its files."""

    def move(step: Step) -> Step:
        changes = [
            replace(change, value=find(change.value)) if isinstance(change.value, Path) else change
            for change in step.changes
        ]
        return replace(step, changes=tuple(changes))

    return replace(axis, steps=tuple(map(move, axis.steps)))
