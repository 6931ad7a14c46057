"""The Chromium that browser tests and benchmarks drive: Debian's, without a window."""

from __future__ import annotations

import os
import shutil

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

PATIENCE_MS = 60_000
"""How long a page may take for anything; it only tells a hang. Playwright's own limit is 30 s."""

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first is Chromium without the windows around its pages: a page costs half the time."""


def find_chromium() -> str | None:
    """The path of the browser: $CHROMIUM, else the first one on the PATH, else None."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    for name in NAMES:
        path = shutil.which(name)
        if path:
            return path
    return None
