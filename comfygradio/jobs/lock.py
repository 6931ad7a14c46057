"""A lock on a folder, kept by the operating system: it ends with the process, however that ends."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO

from comfygradio.errors import LedgerError, LedgerLocked

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class FolderLock:
    """Held from its making until `release`.

    Raises LedgerLocked if somebody has it, LedgerError if it cannot be had.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("a+b")
        except OSError as error:
            raise LedgerError(f"{path} cannot be written: {error.strerror or error}.") from error
        try:
            _lock(self._file)
        except (BlockingIOError, PermissionError) as error:
            self._file.close()
            raise LedgerLocked(
                f"Another comfygradio uses the outputs folder {path.parent.parent}; stop that "
                "one, or start this one "
                "with another --outputs."
            ) from error
        except OSError as error:
            self._file.close()
            raise LedgerError(f"{path} cannot be locked: {error.strerror or error}.") from error

    def release(self) -> None:
        """Let others have it; callable twice."""
        self._file.close()


def _lock(file: IO[bytes]) -> None:
    """Closing the file unlocks it, on Windows too."""
    if sys.platform == "win32":
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
