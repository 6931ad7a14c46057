"""Gradio is imported without its look at the stub files of its components."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.clocks import PROCESS_SECONDS

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]

COMPONENT = """
import gradio

class Rating(gradio.HTML):
    EVENTS = ["rate"]
"""

SCRIPT = """
import sys
from comfygradio.ui.gradio_import import import_gradio

finders = list(sys.meta_path)
import_gradio()
assert sys.meta_path == finders

sys.path.insert(0, sys.argv[1])
from rating import Rating

assert callable(Rating.rate)
"""


def test_no_stub_file_is_written_and_components_are_as_ever(tmp_path: Path) -> None:
    """Gradio by itself writes `rating.pyi`; a new Gradio may call what does it otherwise."""
    (tmp_path / "rating.py").write_text(COMPONENT)
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=PROCESS_SECONDS
    )
    assert ended.returncode == 0, ended.stderr
    assert not (tmp_path / "rating.pyi").exists()
