"""Our layer lies around Gradio's app however the app is started, and stays when its page is drawn
anew or its file is read again.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from comfygradio.demo import DemoServer
from comfygradio.ui.middleware.guarded_app import GuardedApp
from tests.security.app_process import COMMANDS, ROOT, start_app
from tests.security.raw_request import TIMEOUT_SECONDS, fetch_config, get
from tests.ui.running import RunningApp

pytestmark = pytest.mark.app


def is_guarded(url: str) -> bool:
    """Whether answers of Gradio and of nobody carry the layer's headers."""
    answers = [get(f"{url}{path}") for path in ("", "config", "no-such-page")]
    return all(answer.headers.get("x-content-type-options") == "nosniff" for answer in answers)


@pytest.mark.app
def test_the_layer_lies_around_a_launched_app(app: RunningApp) -> None:
    assert is_guarded(app.url)


@pytest.mark.app
def test_the_layer_stays_when_the_page_is_drawn_anew(app: RunningApp) -> None:
    before = app.app.revision
    app.app.rebuild()
    assert app.app.revision == before + 1
    assert isinstance(app.app.blocks.app, GuardedApp)
    assert is_guarded(app.url)


@pytest.mark.process
@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "gradio app.py"])
def test_the_layer_lies_around_the_app_of_each_command(
    name: str, demo: DemoServer, tmp_path: Path
) -> None:
    with start_app(name, demo, tmp_path) as url:
        assert is_guarded(url)


@pytest.mark.process
def test_the_layer_stays_when_gradio_reads_the_file_again(demo: DemoServer, tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_bytes((ROOT / "app.py").read_bytes())
    users = tmp_path / "users.txt"
    users.write_text("ada:engine\n", "utf-8")
    with start_app("gradio app.py", demo, tmp_path, COMFYGRADIO_AUTH=str(users)) as url:
        assert is_guarded(url)
        first, config = read_app_id(url), fetch_config(url)
        late = time.monotonic() + TIMEOUT_SECONDS
        while read_app_id(url) == first and time.monotonic() < late:
            os.utime(file)  # again and again: Gradio looks only some time after it answers
            time.sleep(0.5)
        assert read_app_id(url) != first
        assert is_guarded(url)
        assert get(url).status_code == 200 and get(f"{url}config").status_code == 401
        assert fetch_config(url) == config


def read_app_id(url: str) -> int:
    """Which Blocks are served."""
    return int(get(f"{url}gradio_api/app_id").json()["app_id"])
