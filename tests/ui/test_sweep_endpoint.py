"""Endpoints of sweeps for programs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from tests.faults.scenario import await_that
from tests.sweeps.running import await_sweep
from tests.ui.running import RunningApp

pytestmark = pytest.mark.app


@pytest.fixture(scope="module")
def client(app: RunningApp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Connect a gradio_client to the app."""
    client = Client(app.url, verbose=False, download_files=tmp_path_factory.mktemp("downloads"))
    yield client
    client.close()


def call(client: Client, axes: Any, values: Any = None, name: str = "text_to_image") -> Any:
    """Run a sweep; return its points and its info."""
    return client.predict(axes=axes, values=values or {}, api_name=f"/{name}_sweep")


def test_it_stands_beside_the_preset_with_typed_parameters(client: Client) -> None:
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    parameters = {
        p["parameter_name"]: p["type"] for p in endpoints["/text_to_image_sweep"]["parameters"]
    }
    assert (
        list(parameters) == ["axes", "values", "carry"] and parameters["carry"]["type"] == "boolean"
    )


def test_points_come_with_their_files_values_and_labels(client: Client) -> None:
    axes = [{"cfg": "2, 3"}, {"steps": [1, 2], "sampler": "euler, heun"}]
    points, info = call(client, axes, {"prompt": "a cat", "seed": str(2**64 - 1)})
    assert (info["status"], info["done"], info["total"], info["progress"]) == ("done", 4, 4, 1.0)
    assert [point["index"] for point in points] == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert points[1]["labels"] == ["2", "2, heun"] and points[1]["values"]["steps"] == 2
    assert info["values"]["seed"] == str(2**64 - 1) and info["axes"][0]["labels"] == ["2", "3"]
    for point in points:
        (file,) = point["files"]
        with Image.open(file) as picture:
            values = json.loads(picture.info["comfygradio"])["values"]
        assert (values["cfg"], values["steps"], values["prompt"]) == (
            point["values"]["cfg"],
            point["values"]["steps"],
            "a cat",
        )


def test_json_texts_are_taken_too_and_progress_is_told(client: Client) -> None:
    job = client.submit(
        axes='{"steps": "4-9"}',
        values='{"seed": 7, "prompt": "slow"}',
        api_name="/text_to_image_sweep",
    )
    points, info = job.result()
    assert info["done"] == 6 and len(points) == 6
    told = [info["progress"] for points, info in job.outputs()[:-1]]
    assert (
        told == sorted(told)
        and len(told) >= 2
        and all(not points for points, _ in job.outputs()[:-1])
    )


def test_uploaded_pictures_can_be_an_axis(client: Client, tmp_path: Path) -> None:
    for name in ("red", "blue"):
        Image.new("RGB", (40, 30), name).save(tmp_path / f"{name}.png")
    files = [handle_file(str(tmp_path / f"{name}.png")) for name in ("red", "blue")]
    points, info = call(client, {"image": files}, name="upscale")
    assert info["done"] == 2 and [point["labels"] for point in points] == [
        ["red.png"],
        ["blue.png"],
    ]
    colors = []
    for point in points:
        with Image.open(point["files"][0]) as picture:
            colors.append(picture.convert("RGB").getpixel((5, 5)))
    assert colors[0] != colors[1]


@pytest.mark.parametrize(
    ("name", "axes", "values", "told"),
    [
        ("text_to_image", {"cfgg": "1"}, {}, "did you mean cfg?"),
        ("text_to_image", {"cfg": "1-x"}, {}, "cfg"),
        ("text_to_image", {"cfg": "1"}, {"steps": 9999}, "steps: "),
        (
            "text_to_image",
            {"cfg": "1-9 [200]", "seed": "1-200"},
            {},
            "40,000 points; at most 10,000",
        ),
        ("text_to_image", "{", {}, "axes: this is not JSON."),
        ("text_to_image", 5, {}, "axes: axes are a list of fields and their values"),
        ("text_to_image", {"cfg": "1"}, [1], "values: write field: value, a line each."),
        ("upscale", {"image": "/etc/*"}, {}, "files cannot be named here"),
        ("upscale", {"image": ["/etc/passwd"]}, {}, ""),
        ("upscale", {"model": "*"}, {"image": "/etc/passwd"}, "files cannot be named here"),
        ("upscale", {"model": "*"}, {"image": {"path": "/etc/passwd"}}, "image: "),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    client: Client, app: RunningApp, name: str, axes: Any, values: Any, told: str
) -> None:
    before = len(app.app.service.sweeps.list_sweeps("api:127.0.0.1"))
    with pytest.raises(AppError) as caught:
        client.predict(axes=axes, values=values, api_name=f"/{name}_sweep")
    assert told in str(caught.value) and "Traceback" not in str(caught.value)
    assert len(app.app.service.sweeps.list_sweeps("api:127.0.0.1")) == before
    assert not any(
        os.path.basename(str(path)) == "passwd" for path in app.app.service.queue.outputs.rglob("*")
    )


def test_a_program_that_goes_away_stops_its_sweep(client: Client, app: RunningApp) -> None:
    job = client.submit(
        axes={"seed": "1-40"}, values={"steps": 30}, api_name="/text_to_image_sweep"
    )
    await_that(job.outputs)
    job.cancel()
    record = app.app.service.sweeps.list_sweeps("api:127.0.0.1")[0]
    sweep = app.app.service.sweeps.find(record.token)
    assert sweep and sweep.counts.total == 40
    await_sweep(sweep, lambda sweep: sweep.phase == "stopped" and not sweep.is_posted)
    assert sweep.counts.done < 10
