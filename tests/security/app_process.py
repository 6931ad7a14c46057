"""The app as a process of its own, by each of the commands that start it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from comfygradio.demo import DemoServer
from tests.clocks import PROCESS_SECONDS
from tests.security.raw_request import get
from tests.ui.running import free_port

ROOT = Path(__file__).parent.parent.parent

COMMANDS = {
    "python app.py": [sys.executable, str(ROOT / "app.py")],
    "gradio app.py": [sys.executable, "-c", "from gradio.cli import cli; cli()", "app.py"],
    "comfygradio serve": [sys.executable, "-m", "comfygradio", "serve"],
    "a Space": [sys.executable, str(ROOT / "app.py")],
}


@contextmanager
def start_app(name: str, demo: DemoServer, folder: Path, **more: str) -> Iterator[str]:
    """The app as a process of its own, until it answers; its address."""
    port = free_port()
    environ = {
        **os.environ,
        "COMFYGRADIO_SERVER": demo.url,
        "COMFYGRADIO_OUTPUTS": str(folder / "outputs"),
        "COMFYGRADIO_PORT": str(port),
        "PYTHONPATH": str(ROOT),
        **more,
    }
    if name == "a Space":
        environ |= {"SYSTEM": "spaces", "SPACE_ID": "ada/forms"}
    with subprocess.Popen(
        COMMANDS[name],
        cwd=folder,
        env=environ,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}/"
            await_answer(url, process)
            yield url
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)  # the command `gradio` leaves its child behind


def await_answer(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until the app answers."""
    late = time.monotonic() + PROCESS_SECONDS
    while time.monotonic() < late:
        assert process.poll() is None, "the app ended"
        try:
            if get(url).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("the app did not answer")
