"""Bad input and servers that misbehave: there is one clear sentence, and everything else works."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.settings import shipped_presets
from comfygradio.ui.form.maintainer_notes import MaintainerNotes
from tests.ui.running import RunningApp, free_port, run_app

pytestmark = pytest.mark.app


def read_page(app: RunningApp) -> str:
    """Read everything that the page shows at first, as text."""
    config = httpx.get(f"{app.url}config").json()
    return "\n".join(str(component["props"].get("value", "")) for component in config["components"])


def assert_harmless(text: str) -> None:
    """Assert that a text contains no traceback and no secret."""
    assert "Traceback" not in text and "hunter2" not in text


@pytest.mark.parametrize(
    ("options", "path", "sentence"),
    [
        (DemoOptions(html_on=("/object_info/KSampler",)), "", "web page"),
        (DemoOptions(token="hunter2"), "", "401"),
        (DemoOptions(fail_on={"/object_info/KSampler": 507}), "", "507"),
        (DemoOptions(), "/elsewhere", "404"),
    ],
)
def test_a_server_that_answers_wrongly_is_named_with_what_to_do(
    options: DemoOptions, path: str, sentence: str, tmp_path: Path
) -> None:
    with DemoServer(options) as server, run_app(server.url + path, tmp_path) as app:
        page = read_page(app)
        assert (
            "ComfyUI cannot be used right now." in page and sentence in page and server.url in page
        )
        assert_harmless(page)


def test_a_broken_node_class_closes_only_the_presets_that_need_it(tmp_path: Path) -> None:
    options = DemoOptions(
        step_seconds=0, fail_on={"/object_info/KSampler": 500, "/object_info": 500}
    )
    with DemoServer(options) as server, run_app(server.url, tmp_path) as app:
        page = read_page(app)
        assert "ComfyUI cannot be used right now." not in page
        assert "The node class KSampler is broken on this ComfyUI" in page
        open_forms = {name for name, form in app.app.service.forms.items() if not form.problems}
        assert open_forms == {"upscale"}
        Image.new("RGB", (40, 30), "teal").save(tmp_path / "small.png")
        client = Client(app.url, verbose=False, download_files=False)
        image = handle_file(str(tmp_path / "small.png"))
        assert client.predict(image=image, api_name="/upscale")[1]["status"] == "done"
        client.close()


def test_a_server_that_is_down_is_named_and_used_when_it_comes_back(tmp_path: Path) -> None:
    port = free_port()
    with run_app(f"http://127.0.0.1:{port}", tmp_path) as app:
        page = read_page(app)
        assert f"http://127.0.0.1:{port}" in page and "does not answer" in page
        with DemoServer(DemoOptions(step_seconds=0), port=port):
            app.app.service.reconnect()
            assert "Describe a picture in words" in read_page(app)
            client = Client(app.url, verbose=False, download_files=False)
            assert (
                client.predict(prompt="x", steps=1, api_name="/text_to_image")[1]["status"]
                == "done"
            )
            client.close()


def test_a_preset_opens_on_refresh_when_its_problem_is_gone(tmp_path: Path) -> None:
    lacking = DemoOptions(missing_classes=("UpscaleModelLoader",))
    with DemoServer(lacking, port=free_port()) as server, run_app(server.url, tmp_path) as app:
        assert "Enlarge cannot be used yet." in read_page(app) and not app.app.service.refresh()
        server.stop()
        with DemoServer(DemoOptions(), port=server.port):
            assert app.app.service.refresh()
            assert "Enlarge cannot be used yet." not in read_page(app)


def test_a_server_killed_in_mid_run_gets_the_job_again(tmp_path: Path) -> None:
    with DemoServer(DemoOptions(step_seconds=0.5)) as server, run_app(server.url, tmp_path) as app:
        client = Client(app.url, verbose=False, download_files=False)
        job = client.submit(prompt="x", steps=60, api_name="/text_to_image")
        for _, info in job:
            if info["progress"] > 0:
                server.kill()
                server.set_step_seconds(0)
                server.start()
                break
        files, info = job.result(timeout=60)
        assert info["status"] == "done" and len(files) == 1
        assert client.predict(prompt="y", steps=1, api_name="/text_to_image")[1]["status"] == "done"
        client.close()


@pytest.fixture(scope="module")
def mixed(demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder of presets with one good preset and one of each bad kind."""
    folder = tmp_path_factory.mktemp("presets")
    for name in ("text_to_image.yaml", "text_to_image.json"):
        shutil.copy(shipped_presets() / name, folder)
    graph = json.loads((folder / "text_to_image.json").read_text())
    graph["4"]["inputs"]["ckpt_name"] = "absent.safetensors"
    (folder / "absent.json").write_text(json.dumps(graph))
    graph["8"]["class_type"] = "MagicDecode"
    (folder / "magic.json").write_text(json.dumps(graph))
    (folder / "drawn.json").write_text(json.dumps({"nodes": [], "links": []}))
    files = {
        "bad_slot": "title: Bad slot\nworkflow: text_to_image.json\nfields:\n  x: {slot: "
        "66.text}\n",
        "bad_model": "title: Bad model\nworkflow: absent.json\nfields:\n  prompt: {slot: 6.text}\n",
        "bad_class": "title: Bad class\nworkflow: magic.json\nfields:\n  prompt: {slot: 6.text}\n",
        "bad_yaml": "title: [Bad yaml\nworkflow: x.json\n",
        "bad_key": "title: Bad key\nworkflow: text_to_image.json\nfeilds: {}\n",
        "drawn": "title: Drawn\nworkflow: drawn.json\n",
    }
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def read_notes(app: RunningApp) -> str:
    """What the page tells operators and authors alone, as HTML."""
    for function in app.app.blocks.fns.values():
        notes = getattr(function.fn, "__self__", None)
        if isinstance(notes, MaintainerNotes):
            return "\n".join(notes.notes)
    return ""


def test_bad_presets_are_explained_and_good_ones_go_on(
    demo: DemoServer, mixed: Path, tmp_path: Path
) -> None:
    with run_app(demo.url, tmp_path, mixed) as app:
        page = read_page(app)
        assert "slot 66.text: the workflow has no node 66" in page
        assert "needs ckpt_name absent.safetensors, which this ComfyUI does not have" in page
        assert "no node class MagicDecode" in page
        notes = read_notes(app)
        assert "bad_yaml.yaml:2: no valid YAML" in notes or "bad_yaml.yaml:3: no valid" in notes
        assert "bad_key.yaml:3: unknown key feilds; did you mean fields?" in notes
        assert "UI format" in notes and "Export (API)" in notes
        assert "feilds" not in page and str(mixed) not in page + notes
        assert_harmless(page + notes)
        client = Client(app.url, verbose=False, download_files=False)
        assert client.predict(prompt="x", steps=1, api_name="/text_to_image")[1]["status"] == "done"
        client.close()


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("cut", "this picture is damaged"),
        ("text", "not a picture that can be read"),
        ("huge", "100 megapixels; at most 50 are allowed"),
    ],
)
def test_an_upload_that_cannot_be_used_is_refused(
    app: RunningApp, tmp_path: Path, kind: str, sentence: str
) -> None:
    path = tmp_path / "upload.png"
    Image.effect_noise((200, 200), 90).save(path)
    if kind == "cut":
        path.write_bytes(path.read_bytes()[:9000])
    elif kind == "text":
        path.write_text("hello")
    else:
        Image.new("1", (10_000, 10_000)).save(path)
    client = Client(app.url, verbose=False, download_files=False)
    with pytest.raises(AppError) as refusal:
        client.predict(image=handle_file(str(path)), api_name="/upscale")
    assert sentence in str(refusal.value)
    assert_harmless(str(refusal.value))
    client.close()
