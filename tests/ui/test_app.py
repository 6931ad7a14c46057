"""Starting the app: while forms change, behind a proxy to the network, and slowly."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from comfygradio.demo import DemoServer
from comfygradio.settings import Settings, shipped_presets
from comfygradio.ui.serve import build, launch
from tests.clocks import PROCESS_SECONDS

from .running import free_port, run_app

pytestmark = pytest.mark.app


@pytest.mark.parametrize("is_late", [False, True])
def test_a_form_that_changes_while_the_app_starts_is_on_the_page(
    demo: DemoServer, tmp_path: Path, is_late: bool
) -> None:
    presets = tmp_path / "presets"
    shutil.copytree(shipped_presets(), presets)
    app = build(
        Settings(
            server=demo.url, presets=(presets,), outputs=tmp_path / "outputs", port=free_port()
        )
    )
    app.watcher.stop()  # on a slow machine its own look would draw the page once more
    form = presets / "text_to_image.yaml"
    form.write_text(
        form.read_text("utf-8").replace("title: Text to image", "title: Words to image"), "utf-8"
    )
    try:
        if not is_late:
            app.service.reload()
        url = launch(app, block=False)
        if is_late:
            app.service.reload()
        shown = httpx.get(f"{url}config").text
        assert "Words to image" in shown and "Text to image" not in shown
        assert httpx.get(f"{url}gradio_api/comfygradio/revision").text == str(app.revision) == "1"
        assert f'data-revision=\\"{app.revision}\\"' in shown
    finally:
        app.close()
        app.blocks.close(verbose=False)


def test_every_change_of_the_forms_is_on_the_page_not_only_the_first(
    demo: DemoServer, tmp_path: Path
) -> None:
    presets = tmp_path / "presets"
    shutil.copytree(shipped_presets(), presets)
    form = presets / "text_to_image.yaml"
    with run_app(demo.url, tmp_path / "outputs", presets) as running:
        running.app.watcher.stop()
        for before, after in (
            ("Text to image", "Words to image"),
            ("Words to image", "Image of words"),
        ):
            form.write_text(
                form.read_text("utf-8").replace(f"title: {before}", f"title: {after}"), "utf-8"
            )
            running.app.service.reload()
            shown = httpx.get(f"{running.url}config").text
            assert after in shown and before not in shown
        assert httpx.get(f"{running.url}gradio_api/comfygradio/revision").text == "2"


def test_a_form_that_is_not_shown_loads_no_mask_editor(demo: DemoServer, tmp_path: Path) -> None:
    with run_app(demo.url, tmp_path / "outputs") as running:
        components = httpx.get(f"{running.url}config").json()["components"]
    editors = [one for one in components if one["type"] == "imageeditor"]
    assert [editor["props"]["visible"] for editor in editors] == [False]


SERVED = """
import sys
from pathlib import Path
from comfygradio.settings import Settings
from comfygradio.ui.serve import build, launch

app = build(Settings(server=sys.argv[1], outputs=Path(sys.argv[2]), port=int(sys.argv[3])))
app.service.reload()
assert app.is_stale
launch(app)
"""


@pytest.mark.process
def test_it_is_served_until_it_is_stopped_though_its_forms_change_while_it_starts(
    demo: DemoServer, tmp_path: Path
) -> None:
    """As when a worker of a cluster joins just then."""
    port = free_port()
    command = [sys.executable, "-c", SERVED, demo.url, str(tmp_path), str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout and process.stderr
            assert process.stdout.readline().startswith(
                f"comfygradio is at http://127.0.0.1:{port}/ "
            )
            assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 200
            process.terminate()
            assert process.wait(PROCESS_SECONDS) == 0 and "Traceback" not in process.stderr.read()
        finally:
            process.kill()


@pytest.mark.parametrize("spared", ["", "example.org"])
def test_an_app_starts_where_a_proxy_leads_to_the_network(
    demo: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spared: str
) -> None:
    for scheme in ("http", "https", "all"):
        monkeypatch.setenv(f"{scheme}_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("no_proxy", spared)
    with run_app(demo.url, tmp_path / "outputs") as running:
        assert httpx.get(running.url).status_code == 200
        assert set(filter(None, [spared, "127.0.0.1"])) <= set(os.environ["no_proxy"].split(","))


def test_an_app_starts_where_gradio_cannot_draw_its_page_in_time(
    demo: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "gradio.networking.url_ok", lambda url: False
    )  # its verdict where that takes more than 3 s
    with run_app(demo.url, tmp_path / "outputs") as running:
        assert httpx.get(running.url).status_code == 200


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_an_app_starts_at_an_ipv6_address(demo: DemoServer, tmp_path: Path, host: str) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    port = free_port()
    app = build(Settings(server=demo.url, host=host, outputs=tmp_path / "outputs", port=port))
    try:
        assert launch(app, block=False) == f"http://[::1]:{port}/"
        assert httpx.get(f"http://[::1]:{port}/").status_code == 200
    finally:
        app.close()
        app.blocks.close(verbose=False)
