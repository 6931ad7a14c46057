"""No value out of a payload or of event data reaches a component that takes paths: every function
of the page is called with paths in every place, and no file of the host is copied or served.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio.utils import get_upload_folder
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from comfygradio.demo import DemoServer
from comfygradio.jobs.job_store import find_job_store
from comfygradio.settings import shipped_presets
from comfygradio.ui.file_leak_guard import FileGuardedBlocks, is_json_writable
from tests.browser.widgets import write_presets
from tests.jobs.lines import await_that
from tests.security.callable_endpoint import AppClient, Endpoint, make_file
from tests.ui.running import free_port, run_app

pytestmark = pytest.mark.app

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Host:
    """An app, and the files of its host that it must not show."""

    app_client: AppClient
    files: tuple[Path, ...]
    presets: dict[str, list[str]]
    """Preset → the names of its fields."""

    def find_leaks(self) -> list[str]:
        """The secret files that lie, copied, among what Gradio serves to everybody."""
        kept = {path.read_bytes(): path.name for path in self.files}
        served = (path for path in Path(get_upload_folder()).rglob("*") if path.is_file())
        return [kept[content] for path in served if (content := path.read_bytes()) in kept]


@pytest.fixture(scope="module")
def host(
    demo: DemoServer, client: httpx.Client, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("host")
    presets, outputs = folder / "presets", folder / "outputs"
    shutil.copytree(shipped_presets(), presets)
    write_presets(presets)
    secret = secrets.token_hex(16)
    users, key = folder / "users.txt", Path(tempfile.gettempdir()) / f"key-{secret}.png"
    users.write_text(f"anna:{secret}")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text(f"[remote]{secret}")
    Image.effect_noise((16, 16), 40).save(key)
    with run_app(demo.url, outputs, presets, author=True) as running:
        others = outputs / "2026-01-01" / "others.png"
        others.parent.mkdir(parents=True)
        Image.effect_noise((24, 24), 60).save(others)
        files = (users, folder / ".git" / "config", key, others, Path("/etc/passwd"))
        forms = running.app.service.forms
        names = {name: list(form.fields) for name, form in forms.items() if not form.problems}
        app_client = AppClient(running.url, client)
        yield Host(app_client, (*files, find_job_store(outputs)), names)
    key.unlink()


def list_shapes(path: str) -> Iterator[Any]:
    """Everything that Gradio, or a function of ours, might take for a file."""
    marked = make_file(path)
    yield path
    yield {"path": path}
    yield marked
    yield make_file(path, url=f"file://{path}", orig_name="x.png", is_stream=True)
    yield [path]
    yield [marked]
    yield {"background": marked, "layers": [marked], "composite": marked}
    yield {"background": path, "layers": [path], "composite": path}
    yield {"video": marked, "subtitles": None}
    yield {"value": path, "__type__": "update"}
    yield {"value": marked, "__type__": "update", "label": path}
    yield {"compose": {"preset": "upscale", "values": {"image": marked}}}
    yield os.path.relpath(path)


def make_event(host: Host, shape: Any, preset: str) -> dict[str, Any]:
    """Event data that has the shape under every key that functions ask for."""
    asked = ("value", "number", "token", "access", "secret", "person", "index", "field", "cell")
    values = dict.fromkeys(host.presets[preset], shape)
    event: dict[str, Any] = dict.fromkeys(asked, shape)
    return {**event, "preset": preset, "values": values, "fields": [shape], "overwrite": True}


def list_calls(host: Host, endpoint: Endpoint) -> Iterator[tuple[Any, Any]]:
    """Data and event data: a file in all places at once in every shape, and in one place after the
    other as a text and as a file.
    """
    presets = list(host.presets)
    for turn, file in enumerate(host.files):
        shapes = list(list_shapes(str(file)))
        for number, shape in enumerate(shapes if file in host.files[2:4] else shapes[:3]):
            preset = presets[(turn + number) % len(presets)]
            if endpoint.component >= 0:
                yield [shape, shape], None
                yield shape, None
            else:
                yield [shape] * endpoint.inputs, make_event(host, shape, preset)
                yield [None] * endpoint.inputs, make_event(host, shape, preset)
    for file in host.files[2:3]:
        for shape in (str(file), make_file(str(file))):
            for place in range(endpoint.inputs):
                data = [shape if place == one else None for one in range(endpoint.inputs)]
                yield data, make_event(host, shape, presets[place % len(presets)])


@pytest.mark.app
def test_no_function_shows_a_file_of_the_host(host: Host) -> None:
    endpoints = host.app_client.list_endpoints()
    assert {"take", "fill", "compose", "generate", "upscale", "study"} <= {
        one.name for one in endpoints
    }
    for endpoint in endpoints:
        for data, event in list_calls(host, endpoint):
            answer = host.app_client.call(endpoint, data, event)
            assert "Traceback" not in answer.text
            assert "root:x:0" not in answer.text
        assert not host.find_leaks(), f"{endpoint.name} let a file out"


@pytest.mark.app
def test_settings_in_a_picture_name_no_file_either(host: Host) -> None:
    """What `look` reads out of somebody's picture, and what `take` then puts into the form."""
    endpoint, take = host.app_client.find_event("look"), host.app_client.find_event("take")
    taken = 0
    for file in host.files[:3]:
        for shape in list_shapes(str(file)):
            for preset, names in host.presets.items():
                values = dict.fromkeys(names, shape)
                for more in ({}, {"sweep": {"preset": preset, "values": values, "axes": []}}):
                    info = PngInfo()
                    own = {"preset": preset, "values": values, "version": "0", **more}
                    info.add_text("comfygradio", json.dumps(own))
                    path = Path(tempfile.mkdtemp()) / "made.png"
                    Image.new("RGB", (8, 8)).save(path, pnginfo=info)
                    uploaded = host.app_client.upload("made.png", path.read_bytes())
                    data = [make_file(uploaded), *[None] * (endpoint.inputs - 1)]
                    answer = host.app_client.call(endpoint, data)
                    report = answer.json().get("data", [{}])[0]
                    if isinstance(report, dict) and "secret" in report:
                        taken += 1
                        sent = {"secret": report["secret"], "fields": names}
                        host.app_client.call(take, [None] * take.inputs, sent)
            assert not host.find_leaks()
    assert taken > 20


@pytest.mark.app
def test_what_was_found_is_put_into_the_form_by_its_secret_alone(host: Host) -> None:
    look, take = host.app_client.find_event("look"), host.app_client.find_event("take")
    values = {"prompt": "a boat", "seed": 2**63, "size": "128x64", "loras": []}
    info = PngInfo()
    info.add_text("comfygradio", json.dumps({"preset": "everything", "values": values}))
    path = Path(tempfile.mkdtemp()) / "boat.png"
    Image.new("RGB", (8, 8)).save(path, pnginfo=info)
    uploaded = host.app_client.upload("boat.png", path.read_bytes())
    answer = host.app_client.call(look, [make_file(uploaded), *[None] * (look.inputs - 1)])
    assert answer.status_code == 200, answer.text
    report = answer.json()["data"][0]
    assert "value" not in report["rows"][0]
    sent = {"secret": report["secret"], "fields": ["prompt", "seed", {"no": "name"}, "gone"]}
    filled = host.app_client.call(take, [None] * take.inputs, {**sent, "values": {"prompt": "no"}})
    assert filled.json()["data"][0] == "everything"
    told = [one for one in filled.json()["data"][3:] if isinstance(one, str)]
    assert told == ["a boat", str(2**63)]
    for wrong in ("", None, "x" * 32, {"a": 1}, report["secret"][:-1]):
        answer = host.app_client.call(take, [None] * take.inputs, {**sent, "secret": wrong})
        assert "no longer here" in answer.json()["error"]


def open_door(kind: type[gr.Blocks]) -> gr.Blocks:
    """A page with a function that shows whatever it is told to, in a picture and in a text."""
    blocks: gr.Blocks
    with kind() as blocks:
        picture, page, button = gr.Image(), gr.HTML(), gr.Button()
        own = gr.HTML()

        def show(event: gr.EventData) -> list[Any]:
            value = getattr(event, "value", None)
            return [value if isinstance(value, str) else None, value]

        button.click(show, None, [picture, page], api_visibility="private", queue=False)
        button.click(lambda value: value, page, own, api_visibility="private", queue=False)
    return blocks


@pytest.mark.app
@pytest.mark.parametrize("kind", [gr.Blocks, FileGuardedBlocks])
def test_a_door_that_was_left_open_is_shut_by_the_seal(
    kind: type[gr.Blocks], host: Host, client: httpx.Client
) -> None:
    """With Gradio's own Blocks the same calls do let files out, so that the tests above can see."""
    blocks = open_door(kind)
    _, url, _ = blocks.launch(
        server_port=free_port(),
        prevent_thread_lock=True,
        quiet=True,
        show_error=False,
        _frontend=False,  # otherwise Gradio gives up if drawing the page takes more than 3 s
    )
    app_client = AppClient(str(url), client)
    before = {path for path in Path(get_upload_folder()).rglob("*") if path.is_file()}
    try:
        key = str(host.files[2])
        for shape in list_shapes(key):
            app_client.call(app_client.list_endpoints()[0], [], {"value": shape})
        seen = {path for path in Path(get_upload_folder()).rglob("*") if path.is_file()} - before
        assert bool(seen) == (kind is gr.Blocks)
        update = app_client.call(
            app_client.list_endpoints()[1], [{"__type__": "update", "elem_id": "mine"}]
        )
        assert ("mine" in update.text) == (kind is gr.Blocks)
        fine = app_client.call(
            app_client.list_endpoints()[1], [{"text": "a", "path": "/etc/passwd"}]
        )
        assert fine.json()["data"] == [{"text": "a", "path": "/etc/passwd"}]
    finally:
        blocks.close(verbose=False)
        for path in {one for one in Path(get_upload_folder()).rglob("*") if one.is_file()} - before:
            path.unlink()


def test_what_cannot_be_written_as_json_is_told_from_what_can() -> None:
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    for wrong in (deep, {"a": deep}, "\ud800", {"\udfff": 1}, [2**64], -(2**63) - 1):
        assert not is_json_writable(wrong)
    for right in (None, "雪 \0", {"a": [1.5, True, 2**64 - 1]}, -(2**63), float("nan"), Path("a")):
        assert is_json_writable(right)


@pytest.mark.process
@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="reads /proc")
@pytest.mark.parametrize("command", [["app.py"], ["-m", "comfygradio", "serve", "--demo"]])
def test_the_app_works_in_an_empty_folder_and_relative_settings_mean_what_they_meant(
    command: list[str], tmp_path: Path
) -> None:
    shutil.copytree(shipped_presets(), tmp_path / "mine")
    shutil.copyfile(ROOT / "app.py", tmp_path / "app.py")
    (tmp_path / "key.txt").write_text("secret")
    port = free_port()
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "COMFYGRADIO_DEMO": "1",
        "COMFYGRADIO_PRESETS": "mine",
        "COMFYGRADIO_OUTPUTS": "made",
        "COMFYGRADIO_PORT": str(port),
    }
    with subprocess.Popen(
        [sys.executable, *command], cwd=tmp_path, env=environ, stdout=subprocess.PIPE, text=True
    ) as app:
        try:
            assert app.stdout is not None and "comfygradio is at" in app.stdout.readline()
            folder = Path(os.readlink(f"/proc/{app.pid}/cwd"))
            assert folder != tmp_path and not list(folder.iterdir())
            assert (tmp_path / "made").is_dir()
            config = f"http://127.0.0.1:{port}/config"
            assert "Text to image" in httpx.get(config, timeout=60).text
            preset = tmp_path / "mine" / "text_to_image.yaml"
            written = preset.read_text(encoding="utf-8")
            preset.write_text(written.replace("Text to image", "Words to image"), encoding="utf-8")
            await_that(lambda: "Words to image" in httpx.get(config, timeout=60).text, 300)
        finally:
            app.terminate()
