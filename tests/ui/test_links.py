"""Pictures named by their address on the web, over real sockets."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from comfygradio.demo import DemoServer
from comfygradio.net.external_client import ExternalClient, FetchLimits
from comfygradio.service.upload_quota import FILES_PER_HOUR, TOTAL_FACTOR, Quota
from comfygradio.service.web_file import QUOTA_KEY
from tests.clocks import ManualClock
from tests.net.hosts import Names, answer, lead, run_host
from tests.ui.running import RunningApp, run_app

pytestmark = pytest.mark.app

MAX_BYTES = 100_000


@pytest.fixture
def linked(demo: DemoServer, tmp_path: Path) -> Any:
    """An app for which `pictures.test` is a host on the internet that lies on this machine."""
    with run_app(demo.url, tmp_path / "outputs") as running:
        guard = Names(pictures_test=[["127.0.0.1"]], inner_test=[["127.0.0.2"]]).guard()
        running.app.service.web_files.client = ExternalClient(guard, FetchLimits(size=MAX_BYTES))
        yield running


def draw(size: int = 64) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (size, size), "teal").save(file, "PNG")
    return file.getvalue()


def ask(app: RunningApp, url: str, name: str = "/image_to_image") -> Any:
    client = Client(app.url, verbose=False, download_files=False)
    try:
        if name.endswith("_sweep"):
            values = {"image": handle_file(url)}
            return client.predict(axes={"steps": "1"}, values=values, api_name=name)
        return client.predict(image=handle_file(url), steps=1, api_name=name)
    finally:
        client.close()


@pytest.mark.parametrize("name", ["/image_to_image", "/image_to_image_sweep"])
def test_a_picture_from_the_web_is_used(linked: RunningApp, name: str) -> None:
    with run_host(answer(draw())) as host:
        files, info = ask(linked, f"http://pictures.test:{host.port}/cat.png?size=1", name)
    assert files and info["status"] == "done"
    assert b"comfygradio" in host.heads[0]


def test_links_have_a_quota_of_their_own(linked: RunningApp) -> None:
    """What programs let the app fetch takes nothing away from what people upload."""
    service = linked.app.service
    service.web_files.quota = Quota(
        clock=ManualClock()
    )  # by the real one a file is back after 1.8 s
    service.web_files.quota.take(QUOTA_KEY, FILES_PER_HOUR, 0)
    with run_host(answer(draw())) as host:
        with pytest.raises(AppError, match="As many files were fetched from the web as may be"):
            ask(linked, f"http://pictures.test:{host.port}/cat.png")
        assert host.heads == []
    for number in range(TOTAL_FACTOR):
        service.upload_quota.take(f"user:{number}", FILES_PER_HOUR, 0)


@pytest.mark.parametrize(
    "url",
    [
        "http://inner.test:{port}/cat.png",
        "http://127.0.0.2:{port}/cat.png",
        "http://[::ffff:127.0.0.2]:{port}/cat.png",
        "http://0x7f.2:{port}/cat.png",
        "https://user:word@pictures.test:{port}/cat.png",
    ],
)
def test_nothing_inside_is_asked(linked: RunningApp, url: str) -> None:
    with run_host(answer(draw()), "127.0.0.2") as inner:
        for name in ("/image_to_image", "/image_to_image_sweep"):
            with pytest.raises(AppError, match=r"open internet|Leave the user|no server"):
                ask(linked, url.format(port=inner.port), name)
    assert inner.heads == []


def test_what_is_too_large_or_no_picture_says_so(linked: RunningApp) -> None:
    large = answer(b"x" * (MAX_BYTES + 1))
    with run_host(large) as host, pytest.raises(AppError, match="too large"):
        ask(linked, f"http://pictures.test:{host.port}/cat.png")
    with run_host(answer(b"<html>", "text/html")) as host, pytest.raises(AppError, match="text/h"):
        ask(linked, f"http://pictures.test:{host.port}/cat.png")
    with run_host(lead("http://inner.test/")) as host, pytest.raises(AppError, match="internet"):
        ask(linked, f"http://pictures.test:{host.port}/cat.png")


def call_event(app: RunningApp, event: dict[str, Any], value: Any) -> None:
    """Call an event of the page with this in the place of each value, and wait for its end."""
    call = {
        "data": [value for _ in event["inputs"]],
        "event_data": {},
        "fn_index": event["id"],
        "session_hash": "abc",
    }
    api = f"{app.url}gradio_api/"
    if not event["queue"]:
        httpx.post(f"{api}run/predict", json=call, timeout=60)
        return
    httpx.post(f"{api}queue/join", json=call, timeout=60)
    with httpx.stream("GET", f"{api}queue/data?session_hash=abc", timeout=60) as messages:
        for line in messages.iter_lines():
            if "process_completed" in line or "close_stream" in line:
                return


def test_every_event_of_the_page_asks_through_us(
    linked: RunningApp, capfd: pytest.CaptureFixture[str]
) -> None:
    """Gradio follows an address in whatever a component gets, and makes components anew after it
    has changed them. Its own client, safehttpx, would stand in the traceback of a refusal.
    """
    events = httpx.get(f"{linked.url}config").json()["dependencies"]
    events = [event for event in events if event["backend_fn"]]
    with_inputs = [event for event in events if event["inputs"]]
    with run_host(answer(draw()), "127.0.0.2") as inner:
        file = handle_file(f"http://127.0.0.2:{inner.port}/cat.png")
        for _ in range(2):
            for event in events:
                call_event(linked, event, file)
    assert inner.heads == []
    assert linked.app.service.web_files.asked == 2 * len(with_inputs) >= 20
    assert "safehttpx" not in capfd.readouterr().err


def test_a_page_that_is_drawn_anew_asks_through_us_too(linked: RunningApp) -> None:
    linked.app.rebuild()
    with run_host(answer(draw())) as host:
        files, _ = ask(linked, f"http://pictures.test:{host.port}/cat.png")
    assert files and host.heads
