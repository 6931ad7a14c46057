"""Calls of programs that leave out parameters, and files inside calls."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from comfygradio.demo import DemoServer
from comfygradio.net.external_client import ExternalClient, FetchLimits
from comfygradio.service.upload_quota import Quota
from comfygradio.ui.form.program_file import NO_FILE, decode_content, has_file
from tests.net.hosts import Names, answer, lead, run_host
from tests.ui.running import RunningApp, run_app

pytestmark = pytest.mark.app


def draw(width: int = 36, height: int = 24) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "olive").save(file, "PNG")
    return file.getvalue()


ENCODED = base64.b64encode(draw()).decode()


def call(app: RunningApp, name: str, data: Any, way: str = "call") -> tuple[str, Any]:
    """Call an endpoint as curl does; return the name and the data of the last event."""
    event = httpx.post(f"{app.url}gradio_api/{way}/{name}", json=data).json()["event_id"]
    told = httpx.get(f"{app.url}gradio_api/call/{name}/{event}", timeout=120).text
    last = [block for block in told.split("\n\n") if block and "heartbeat" not in block][-1]
    kind, _, text = last.partition("\n")
    return kind.removeprefix("event: "), json.loads(text.removeprefix("data: "))


@pytest.mark.parametrize("sent", [["dawn"], ["dawn", None], ["dawn", "512x512"]])
def test_what_is_left_out_has_its_default(app: RunningApp, sent: list[Any]) -> None:
    kind, (files, info) = call(app, "text_to_image", {"data": sent})
    assert kind == "complete" and files
    form = app.app.service.forms["text_to_image"]
    assert info["values"]["prompt"] == "dawn"
    for name in ("checkpoint", "steps", "cfg", "sampler", "pictures", "size"):
        assert info["values"][name] == form.fields[name].default


def test_nothing_at_all_says_what_is_missing(app: RunningApp) -> None:
    assert call(app, "upscale", {"data": []}) == (
        "error",
        {**call(app, "upscale", {"data": []})[1], "error": "image: please add a picture."},
    )


@pytest.mark.parametrize(
    "sent",
    [
        f"data:image/png;base64,{ENCODED}",
        f"DATA:image/png;charset=x;BASE64,{ENCODED}",
        f"data:;base64,{ENCODED}",
        ENCODED,
        ENCODED.rstrip("="),
        "\n".join(ENCODED[at : at + 76] for at in range(0, len(ENCODED), 76)),
        base64.urlsafe_b64encode(draw()).decode(),
    ],
)
@pytest.mark.parametrize("way", ["call", "call/v2"])
def test_a_picture_may_be_inside_of_a_call(app: RunningApp, sent: str, way: str) -> None:
    data = {"data": [sent]} if way == "call" else {"image": sent}
    kind, (files, _) = call(app, "upscale", data, way)
    assert kind == "complete"
    with Image.open(files[0]["path"]) as picture:
        assert picture.width % 36 == picture.height % 24 == 0


@pytest.mark.parametrize(
    "sent",
    [
        "/etc/passwd",
        "cat.png",
        "C:\\pictures\\cat.png",
        "file:///etc/passwd",
        "ftp://example.org/cat.png",
        {"path": "/etc/passwd"},
        {"url": "file:///etc/passwd"},
        ["x"],
        17,
    ],
)
def test_anything_else_is_refused_with_what_is_possible(app: RunningApp, sent: Any) -> None:
    kind, told = call(app, "upscale", {"data": [sent]})
    assert (kind, told["error"]) == ("error", f"image: {NO_FILE}")


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("data:image/png;base64,@@@@", "cannot be read; send it again"),
        ("data:image/png,%89PNG", "cannot be read; send it again"),
        ("data:image/png;base64," + base64.b64encode(b"no picture " * 9).decode(), "picture"),
    ],
)
def test_a_broken_picture_is_refused(app: RunningApp, sent: str, told: str) -> None:
    kind, said = call(app, "upscale", {"data": [sent]})
    assert kind == "error" and told in said["error"]


@pytest.fixture
def linked(demo: DemoServer, tmp_path: Path) -> Any:
    """An app for which `files.test` is a host on the internet that lies on this machine."""
    with run_app(demo.url, tmp_path / "outputs") as running:
        guard = Names(files_test=[["127.0.0.1"]], inner_test=[["127.0.0.2"]]).guard()
        running.app.service.web_files.client = ExternalClient(guard, FetchLimits(size=50_000))
        yield running


def test_a_picture_may_be_named_by_its_address(linked: RunningApp) -> None:
    with run_host(answer(draw())) as host:
        address = f"http://files.test:{host.port}/owl"
        for sent in (address, {"url": address}, {"path": address}):
            kind, (files, info) = call(linked, "upscale", {"data": [sent]})
            assert kind == "complete" and files and info["status"] == "done"
        points, _ = call(
            linked, "upscale_sweep", {"data": [{"model": "*"}, {"image": address}, True]}
        )[1]
    assert points and all(point["status"] == "done" for point in points)


def test_addresses_are_guarded(linked: RunningApp) -> None:
    def refuse(address: str) -> str:
        kind, told = call(linked, "upscale", {"data": [address]})
        assert kind == "error" and told["error"].startswith("image: ")
        return str(told["error"])

    with run_host(answer(draw())) as host:
        assert "not on the open internet" in refuse(f"http://inner.test:{host.port}/a.png")
        assert host.heads == []
    with run_host(answer(b"x" * 60_000)) as host:
        assert "too large" in refuse(f"http://files.test:{host.port}/a.png")
    with run_host(answer(b"<p>", "text/html")) as host:
        assert "text/html" in refuse(f"http://files.test:{host.port}/a.png")
    with run_host(lead("http://inner.test/")) as host:
        assert "not on the open internet" in refuse(f"http://files.test:{host.port}/a.png")


def test_a_sweep_takes_pictures_that_were_sent(app: RunningApp) -> None:
    other = "data:image/png;base64," + base64.b64encode(draw(48, 48)).decode()
    kind, (points, info) = call(app, "upscale_sweep", {"data": [{"image": [ENCODED, other]}]})
    assert kind == "complete" and info["done"] == 2
    sizes = set()
    for point in points:
        with Image.open(point["files"][0]["path"]) as picture:
            sizes.add(picture.width / picture.height)
    assert sizes == {1.5, 1.0}


def test_sent_files_count_as_uploads(demo: DemoServer, tmp_path: Path) -> None:
    with run_app(demo.url, tmp_path / "outputs") as running:
        running.app.service.upload_quota = Quota(files=1)
        assert call(running, "upscale", {"data": [ENCODED]})[0] == "complete"
        kind, told = call(running, "upscale", {"data": [ENCODED]})
        assert kind == "error" and "as much as is allowed in an hour" in told["error"]


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        (b"\0\0\0\x20ftypisom" + bytes(40), ".mp4"),
        (b"fLaC" + bytes(40), ".flac"),
        (b"RIFF" + bytes(40), ".wav"),
        (b"\x1aE\xdf\xa3" + bytes(40), ".webm"),
        (bytes(40), ""),
    ],
)
def test_what_only_its_content_names_gets_a_suffix(content: bytes, suffix: str) -> None:
    assert decode_content(base64.b64encode(content).decode()) == (content, suffix)


@pytest.mark.parametrize("name", ["", "cat", "sub/cat.png", "a cat", "x" * 39, 5, None, ["a"]])
def test_names_are_no_files(name: Any) -> None:
    assert not has_file(name)
