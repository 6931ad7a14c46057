"""The page's scripts and styles: their format, lints, types and unit tests, where Node is there.

The commands are in `.scripts/package.json`. Nothing is downloaded here. Without Node or the tools
these tests are skipped; with CI set that is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clocks import PROCESS_SECONDS

pytestmark = pytest.mark.process

TOOLS = Path(__file__).parents[2] / ".scripts"

INSTALL = "npm ci --prefix .scripts"


@pytest.fixture(scope="module")
def npm() -> str:
    """The program that runs the commands; skips the tests where it has nothing to run."""
    found = shutil.which("npm")
    lack = ""
    if found is None or shutil.which("node") is None:
        lack = f"Node is missing; install Node 18 or newer with npm, then run: {INSTALL}"
    elif not (TOOLS / "node_modules").is_dir():
        lack = f"The tools for the page's scripts are not installed; run: {INSTALL}"
    if lack and os.environ.get("CI"):
        pytest.fail(lack)
    if lack or found is None:
        pytest.skip(lack)
    return found


@pytest.mark.parametrize("command", ["lint", "types", "test"])
def test_the_pages_scripts_pass(npm: str, command: str) -> None:
    ended = subprocess.run(
        [npm, "run", "--silent", command],
        cwd=TOOLS,
        env={**os.environ, "NO_COLOR": "1", "npm_config_update_notifier": "false"},
        capture_output=True,
        text=True,
        timeout=PROCESS_SECONDS,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
