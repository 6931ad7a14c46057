"""Endpoints of presets for programs: their names, typed parameters and answers."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.settings import Settings
from comfygradio.ui.serve import build
from tests.benchmarks.presets import COLOR, write_preset
from tests.ui.running import RunningApp, run_app

pytestmark = pytest.mark.app


@pytest.fixture(scope="module")
def client(app: RunningApp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Connect a gradio_client to the app."""
    client = Client(app.url, verbose=False, download_files=tmp_path_factory.mktemp("downloads"))
    yield client
    client.close()


def test_every_preset_is_a_named_endpoint_with_typed_parameters(client: Client) -> None:
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    names = ["/image_to_image", "/inpaint", "/text_to_image", "/upscale"]
    assert sorted(endpoints) == sorted(names + [f"{name}_sweep" for name in names])
    types = {
        p["parameter_name"]: p["type"]["type"] for p in endpoints["/text_to_image"]["parameters"]
    }
    assert types == {
        "prompt": "string",
        "size": "string",
        "checkpoint": "string",
        "seed": "string",
        "negative_prompt": "string",
        "steps": "integer",
        "cfg": "number",
        "sampler": "string",
        "scheduler": "string",
        "pictures": "integer",
    }


def test_an_endpoint_has_its_presets_name_whatever_events_are_called(
    apps_server: DemoServer, tmp_path: Path
) -> None:
    """Gradio numbers a name that another event of the page has, and "x_sweep" is two things."""
    folder = tmp_path / "presets"
    names = ["generate", "look", "save", "stop", "x", "x_sweep"]
    for name in names:
        write_preset(folder, name, COLOR, {"color": {"slot": "1.color", "widget": "number"}})
    settings = Settings(
        server=apps_server.url, presets=(folder,), outputs=tmp_path / "outputs", port=0
    )
    app = build(settings)
    try:
        endpoints = {fn.api_name for fn in app.blocks.fns.values() if fn.api_visibility == "public"}
    finally:
        app.close()
    sweeps = {"generate_sweep", "look_sweep", "save_sweep", "stop_sweep"}
    assert endpoints == {*names, *sweeps, "x_sweep_1", "x_sweep_sweep"}


def test_a_run_returns_the_original_file_and_the_values_that_were_used(client: Client) -> None:
    files, info = client.predict(
        prompt="a cat", seed=str(2**64 - 1), steps=2, size="768x512", api_name="/text_to_image"
    )
    with Image.open(files[0]) as picture:
        assert (
            picture.size == (768, 512) and '"seed": 18446744073709551615' in picture.info["prompt"]
        )
    assert info["status"] == "done" and info["progress"] == 1.0
    assert info["values"]["seed"] == "18446744073709551615" and info["values"]["steps"] == 2


def test_an_open_seed_is_drawn_and_reported(client: Client) -> None:
    seeds = {
        client.predict(prompt="x", steps=1, api_name="/text_to_image")[1]["values"]["seed"]
        for _ in range(2)
    }
    assert len(seeds) == 2 and all(seed.isdigit() for seed in seeds)


@pytest.fixture
def slow(apps_server: DemoServer) -> Iterator[DemoServer]:
    """Make the app's server slow: a picture takes until the test calls `set_step_seconds`."""
    pace = apps_server.options.step_seconds
    apps_server.set_step_seconds(1.0)
    yield apps_server
    apps_server.set_step_seconds(pace)


@pytest.mark.parametrize("values", [{"steps": 61}, {"checkpoint": "none such"}])
def test_the_loop_of_the_readme_ends_with_the_error(
    client: Client, values: dict[str, object]
) -> None:
    job = client.submit(prompt="a lighthouse", seed="7", api_name="/text_to_image", **values)
    assert [info for _, info in job] == []
    with pytest.raises(AppError, match=f"{next(iter(values))}: "):
        job.result()


def test_progress_is_streamed(client: Client, slow: DemoServer) -> None:
    job = client.submit(prompt="a dog", steps=40, api_name="/text_to_image")
    reports = []
    previews = []
    for _, info in job:
        reports.append(info["progress"])
        previews.append(info["preview"])
        if info["preview"]:
            slow.set_step_seconds(0)
    assert reports == sorted(reports) and reports[-1] == 1.0 and any(0 < p < 1 for p in reports)
    assert any(preview.startswith("data:image/jpeg;base64,") for preview in previews)
    assert previews[-1] == ""


def test_stopping_the_call_stops_exactly_that_prompt(tmp_path: Path) -> None:
    with DemoServer(DemoOptions(step_seconds=0.2)) as server, run_app(server.url, tmp_path) as app:
        clients = [Client(app.url, verbose=False, download_files=False) for _ in range(2)]
        stopped = clients[0].submit(prompt="to be stopped", steps=60, api_name="/text_to_image")
        wait_until_running(server)
        other = clients[1].submit(prompt="to be finished", steps=3, api_name="/text_to_image")
        stopped.cancel()
        assert other.result(timeout=60)[1]["status"] == "done"
        jobs = httpx.get(f"{server.url}/api/jobs").json()["jobs"]
        assert sorted(job["status"] for job in jobs) == ["cancelled", "completed"]
        for client in clients:
            client.close()


def wait_until_running(demo: DemoServer) -> None:
    """Poll the server's queue until a prompt runs."""
    for _ in range(400):
        if httpx.get(f"{demo.url}/queue").json()["queue_running"]:
            return
        threading.Event().wait(0.01)
    raise AssertionError("nothing started to run")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"steps": 100}, "steps: 100 is not possible; whole numbers from 1 to 60 are allowed."),
        (
            {"seed": str(2**64)},
            "seed: 18446744073709551616 is not possible; whole numbers from 0 to",
        ),
        (
            {"checkpoint": "other"},
            "checkpoint: other is not in the list; allowed: dream-sd15.safetensors",
        ),
        ({"size": "9x9"}, "size: 9x9 is not in the list; allowed: 512 × 512"),
        ({"prompt": ["a"]}, "prompt: text is expected."),
    ],
)
def test_a_value_outside_of_the_limits_is_refused_by_name(
    client: Client, values: dict[str, object], sentence: str
) -> None:
    with pytest.raises(AppError) as refusal:
        client.predict(api_name="/text_to_image", **values)
    assert sentence in str(refusal.value)


def test_an_upload_travels_through(client: Client, tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), "teal").save(tmp_path / "small.png")
    files, _ = client.predict(
        image=handle_file(str(tmp_path / "small.png")), model="soft-x2.pth", api_name="/upscale"
    )
    with Image.open(files[0]) as picture:
        assert picture.size == (80, 60)


@pytest.mark.parametrize("shape", ["bare", "tagged", "text"])
def test_a_file_of_the_server_cannot_be_named(
    client: Client, app: RunningApp, tmp_path: Path, shape: str
) -> None:
    secret = tmp_path / "secret.png"
    Image.new("RGB", (40, 30)).save(secret)
    named: object = {
        "bare": {"path": str(secret)},
        "tagged": {"path": str(secret), "meta": {"_type": "gradio.FileData"}},
        "text": str(secret),
    }[shape]
    answer = call(app, "upscale", {"image": named})
    assert "event: error" in answer and "complete" not in answer


def call(app: RunningApp, name: str, values: dict[str, object]) -> str:
    """Call an endpoint by plain HTTP, as curl would; return the event stream."""
    event = httpx.post(f"{app.url}gradio_api/call/v2/{name}", json=values).json()["event_id"]
    return httpx.get(f"{app.url}gradio_api/call/{name}/{event}", timeout=30).text


def test_no_answer_holds_a_path_of_this_project_or_a_traceback(app: RunningApp) -> None:
    answer = call(app, "text_to_image", {"steps": "many"})
    assert "steps: many is not possible" in answer
    assert "Traceback" not in answer and os.getcwd() not in answer
