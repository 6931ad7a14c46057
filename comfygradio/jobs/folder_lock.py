"""A lock on a folder, kept by the operating system: it ends with the process, however that ends."""

from __future__ import annotations

import os
from pathlib import Path

from filelock import lock_descriptor

from comfygradio.errors import JobStoreError, JobStoreLocked


class FolderLock:
    """Held from construction until `release`.

    Raises JobStoreLocked if another process holds it, JobStoreError if locking fails.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            # This mode creates a missing file, and leaves
            # the content of another process's file alone.
            self._file = path.open("a+b")
        except OSError as error:
            raise JobStoreError(f"{path} cannot be written: {error.strerror or error}.") from error
        found = os.fstat(self._file.fileno())
        self._identity = (found.st_dev, found.st_ino)
        try:
            is_locked = lock_descriptor(self._file.fileno(), blocking=False)
        except OSError as error:
            self._file.close()
            raise JobStoreError(f"{path} cannot be locked: {error.strerror or error}.") from error
        if not is_locked:
            self._file.close()
            raise JobStoreLocked(
                f"Another comfygradio uses the outputs folder {path.parent.parent}; stop that one, "
                "or start this one with another --outputs."
            )

    @property
    def is_in_place(self) -> bool:
        """Whether the file that is locked is still the one at the path, which others would lock."""
        identity = find_identity(self._path)
        return identity == self._identity

    def release(self) -> None:
        """Release the lock; may be called twice."""
        self._file.close()


def find_identity(path: Path) -> tuple[int, int] | None:
    """The device and inode of the file at a path; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
