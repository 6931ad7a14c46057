"""Files that are not served to anybody: the job store with everybody's jobs and secrets, and kept
uploads.
"""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from gradio_client import Client

from comfygradio.demo import DemoServer
from comfygradio.jobs.job_store import find_job_store
from comfygradio.jobs.kept_input import get_inputs_folder
from tests.ui.running import run_app

pytestmark = pytest.mark.app


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    return tmp_path / "outputs"


def test_results_are_served_and_the_job_store_is_not(demo: DemoServer, outputs: Path) -> None:
    with run_app(demo.url, outputs) as running:
        client = Client(running.url, verbose=False, download_files=False)
        files, _ = client.predict(prompt="x", steps=1, api_name="/text_to_image")
        client.close()
        secret = get_inputs_folder(outputs) / "upload.png"
        secret.parent.mkdir(parents=True, exist_ok=True)
        secret.write_bytes(b"somebody's picture")

        def ask(path: Path | str) -> int:
            return httpx.get(f"{running.url}gradio_api/file={path}").status_code

        saved = next(path for path in outputs.rglob("*.png") if ".comfygradio" not in path.parts)
        assert files and ask(saved) == 200
        assert find_job_store(outputs).is_file()
        for path in (
            find_job_store(outputs),
            f"{find_job_store(outputs)}-wal",
            find_job_store(outputs).parent / "lock",
            secret,
        ):
            assert ask(path) in (403, 404), path
        assert ask(f"{saved.parent}/../../../.comfygradio/ledger.sqlite") in (403, 404)
