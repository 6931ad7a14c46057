"""What a program gets if the server has only some files of its job."""

from __future__ import annotations

from pathlib import Path

import pytest
from gradio_client import Client

from comfygradio.demo import DemoOptions, DemoServer
from tests.ui.running import run_app

pytestmark = pytest.mark.app


def test_a_program_gets_what_is_there_and_a_warning(tmp_path: Path) -> None:
    options = DemoOptions(step_seconds=0.01, sequence_names=True, lose_named=("*.002.png",))
    with DemoServer(options) as server, run_app(server.url, tmp_path / "outputs") as running:
        client = Client(running.url, verbose=False, download_files=tmp_path / "downloads")
        files, info = client.predict(prompt="a cat", steps=1, pictures=3, api_name="/text_to_image")
        client.close()
    assert [Path(file).suffix for file in files] == [".png", ".png"]
    assert info["status"] == "done"
    (warning,) = info["warnings"]
    assert ".002.png was made, but could not be fetched" in warning
