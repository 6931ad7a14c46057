"""How tests call the command line: inside this process, or as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests.clocks import PROCESS_SECONDS

ROOT = Path(__file__).parent.parent.parent
COMMAND = (sys.executable, "-m", "comfygradio")


class Answer(NamedTuple):
    """What a command said."""

    code: int
    out: str
    err: str


Shell = Callable[..., Answer]


def start(*arguments: object, cwd: Path, **options: Any) -> subprocess.Popen[str]:
    """A `comfygradio` process in a folder, with its output piped."""
    clean = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("COMFY", "GRADIO", "SPACE"))
    }
    environ = {**clean, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    pipes = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "preexec_fn": _heed_interrupts,
        **options,
    }
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)], cwd=cwd, env=environ, text=True, **pipes
    )


def _heed_interrupts() -> None:
    """Undo what a test run started in the background hands down: its processes ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def finish(process: subprocess.Popen[str], seconds: float = PROCESS_SECONDS) -> Answer:
    """Wait for its end."""
    out, err = process.communicate(timeout=seconds)
    return Answer(process.returncode, out, err)
