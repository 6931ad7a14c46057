"""The pytest plugin: delays this process, every Python that it starts, and every page."""

from __future__ import annotations

import os
from pathlib import Path

from tests.delays import browser
from tests.delays.site import sitecustomize

SITE = Path(__file__).parent / "site"


def pytest_configure() -> None:
    """Delay from now on; a Python that finds `site` on its path does so as it starts."""
    os.environ.setdefault("TEST_DELAYS", "1")
    paths = [str(SITE), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    sitecustomize.install()
    browser.install()
