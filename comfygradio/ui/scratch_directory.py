"""A scratch directory: an empty working directory and temp folder for the process.

Gradio serves whatever an answer names below the working directory or the temp folder, whatever else
is allowed or blocked. What lies there by chance (keys, `.git`, other programs' files) is nobody's
business, so that the app works where nothing lies.
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
    """The room of one app; `enter` and `exit` change the whole process."""

    _before: tuple[str, str | None] | None = field(default=None, init=False)

    def enter(self) -> None:
        """Work in a new empty folder from now on, with a temp folder beside it; nothing if in."""
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
        """Go back to where the app was started; nothing if not in."""
        if self._before is None:
            return
        before, tempfile.tempdir = self._before
        self._before = None
        os.chdir(before)


def resolve_folders(settings: Settings) -> Settings:
    """The settings with whole paths, which mean the same wherever the app works."""
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
    return None if path is None else path.resolve()
