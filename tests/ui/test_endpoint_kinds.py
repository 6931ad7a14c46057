"""Endpoints of presets with files, masks, LoRA lists, conditions and choices that set several
slots.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from comfygradio.demo import DemoServer
from tests.browser.widgets import write_presets
from tests.ui.running import RunningApp, run_app

pytestmark = pytest.mark.app


@pytest.fixture(scope="module")
def app(demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    presets = write_presets(tmp_path_factory.mktemp("presets"))
    with run_app(demo.url, tmp_path_factory.mktemp("outputs"), presets) as running:
        yield running


@pytest.fixture(scope="module")
def client(app: RunningApp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = Client(app.url, verbose=False, download_files=tmp_path_factory.mktemp("downloads"))
    yield client
    client.close()


def read_prompt(demo: DemoServer) -> dict[str, Any]:
    """Read the graph that ran last on the server."""
    history = httpx.get(f"{demo.url}/history").json()
    graph: dict[str, Any] = max(history.values(), key=lambda entry: entry["prompt"][0])["prompt"][2]
    return graph


def test_the_parameters_are_typed(client: Client) -> None:
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert sorted(endpoints) == ["/everything", "/everything_sweep", "/inpaint", "/inpaint_sweep"]
    kinds = {p["parameter_name"]: p["type"]["type"] for p in endpoints["/everything"]["parameters"]}
    assert (kinds["loras"], kinds["enlarge"], kinds["look"]) == ("array", "boolean", "string")
    needed = {
        p["parameter_name"]: not p["parameter_has_default"]
        for p in endpoints["/inpaint"]["parameters"]
    }
    assert needed == {"picture": True, "prompt": False, "seed": False}


@pytest.mark.parametrize(
    "loras",
    [[{"name": "watercolor.safetensors", "strength": 0.5}], [["watercolor.safetensors", 0.5]]],
)
def test_values_of_every_kind_reach_the_prompt(
    client: Client, demo: DemoServer, loras: list[Any]
) -> None:
    files, info = client.predict(
        prompt="a fox", look="Photo", loras=loras, enlarge=False, api_name="/everything"
    )
    graph = read_prompt(demo)
    assert graph["6"]["inputs"]["text"] == "photo of a fox" and graph["3"]["inputs"]["cfg"] == 6
    assert graph["10"]["inputs"]["lora_name"] == "watercolor.safetensors"
    assert graph["9"]["inputs"]["images"] == ["8", 0] and len(files) == 1
    assert info["values"]["loras"] == [{"name": "watercolor.safetensors", "strength": 0.5}]


def test_a_mask_is_the_transparent_part_of_a_picture(
    client: Client, demo: DemoServer, tmp_path: Path
) -> None:
    picture = Image.new("RGBA", (64, 64), (70, 130, 180, 255))
    picture.paste((0, 0, 0, 0), (16, 16, 48, 48))
    picture.save(tmp_path / "hole.png")
    files, _ = client.predict(picture=handle_file(tmp_path / "hole.png"), api_name="/inpaint")
    assert len(files) == 1 and read_prompt(demo)["10"]["inputs"]["image"].startswith("comfygradio-")


def test_an_opaque_picture_is_no_mask(client: Client, tmp_path: Path) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "opaque.png")
    with pytest.raises(AppError, match="nothing is marked yet"):
        client.predict(picture=handle_file(tmp_path / "opaque.png"), api_name="/inpaint")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"loras": [{"name": "gone", "strength": 1}]}, "loras: gone is not in the list"),
        (
            {"loras": [{"name": "watercolor.safetensors", "strength": 9}]},
            "loras: the strength 9 is not possible",
        ),
        ({"loras": {"name": "watercolor.safetensors"}}, "loras: a list of LoRAs is expected"),
        ({"look": "Oil"}, "look: Oil is not in the list; allowed: Plain, Photo."),
        ({"size": "9000x64"}, "size: the width 9000 is not possible"),
    ],
)
def test_what_does_not_fit_is_refused(
    client: Client, values: dict[str, Any], expected: str
) -> None:
    with pytest.raises(AppError, match=expected):
        client.predict(**values, api_name="/everything")


def test_a_page_that_speaks_of_a_stream_that_has_ended_did_nothing_wrong(
    app: RunningApp,
) -> None:
    path = "gradio_api/comfygradio/stream/unknown?painted=1&show=x&close=1"
    answer = httpx.post(f"{app.url}{path}", headers={"Origin": app.url.rstrip("/")})
    assert (answer.status_code, answer.content) == (204, b"")
