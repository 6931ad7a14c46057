"""A scratch directory: an empty working directory and temp folder for the process.

Gradio serves any file below the working directory or the temp folder that an answer names,
whatever else is allowed or blocked. Keys, `.git` or other programs' files may be there, so the app
works in a folder where nothing is.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from comfygradio.settings import Settings


@dataclass
class ScratchDirectory:
    """The scratch directory of one app; `enter` and `exit` change the whole process."""

    _before: tuple[str, str | None] | None = field(default=None, init=False)

    def enter(self) -> None:
        """Change to a new empty folder, with a temp folder beside it; do nothing if already in."""
        if self._before is not None:
            return
        folder = Path(tempfile.mkdtemp(prefix="comfygradio-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        for name in ("empty", "temp"):
            (folder / name).mkdir()
        self._before = (os.getcwd(), tempfile.tempdir)
        tempfile.tempdir = str(folder / "temp")
        os.chdir(folder / "empty")

    def exit(self) -> None:
        """Change back to the folders from before `enter`; do nothing if not in."""
        if self._before is None:
            return
        working_directory, temp_folder = self._before
        self._before = None
        tempfile.tempdir = temp_folder
        os.chdir(working_directory)


def resolve_folders(settings: Settings) -> Settings:
    """Make the paths in the settings absolute, so that they stay right in another folder."""
    return replace(
        settings,
        presets=tuple(folder.resolve() for folder in settings.presets),
        outputs=settings.outputs.resolve(),
        auth=_resolve(settings.auth),
        tls_ca=_resolve(settings.tls_ca),
        tls_cert=_resolve(settings.tls_cert),
        tls_key=_resolve(settings.tls_key),
    )


def _resolve(path: Path | None) -> Path | None:
    if path is None:
        return None
    return path.resolve()
