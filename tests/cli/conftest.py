from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from comfygradio.cli.app import run_command
from comfygradio.demo import DemoOptions, DemoServer

from .shell import Answer, Shell


@pytest.fixture(scope="session")
def demo() -> Iterator[DemoServer]:
    """A demo server that paints at once."""
    with DemoServer(DemoOptions(step_seconds=0)) as server:
        yield server


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    """The command line, inside this process, in an empty folder and with an empty environment."""
    for name in ("COMFYUI_URL", "SPACE_ID", "GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Answer:
        capsys.readouterr()
        code = run_command([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Answer(code, out, err)

    return run
