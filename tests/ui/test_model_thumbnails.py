"""The pictures of models: fetched once, kept small, and only of what a form offers."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from PIL import Image

from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.jobs.backend import Backend
from comfygradio.media.thumbnail import shrink_picture
from comfygradio.service.model_thumbnails import ABSENT_SECONDS, PIXELS, ModelThumbnails
from comfygradio.service.thumbnail_store import ThumbnailStore
from tests.clocks import HANG_SECONDS, ManualClock
from tests.ui.running import RunningApp

SHOWN = "sub folder/ink-sd15.safetensors"
PLAIN = "v1-5-pruned-emaonly.safetensors"


class CountingClient(ComfyClient):
    """Counts the pictures that are fetched, and how many of them at once; waits for `gate`."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.gate = threading.Event()
        self.gate.set()
        self.began = threading.Semaphore(0)
        self.fetched: list[str] = []
        self.at_once = 0
        self.most_at_once = 0
        self._lock = threading.Lock()

    def model_preview(self, folder: str, path_index: int, name: str) -> bytes:
        with self._lock:
            self.fetched.append(name)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.began.release()
        assert self.gate.wait(HANG_SECONDS)
        try:
            return super().model_preview(folder, path_index, name)
        finally:
            with self._lock:
                self.at_once -= 1


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    with DemoServer(DemoOptions(extra_models=12)) as running:
        yield running


@pytest.fixture
def client(server: DemoServer) -> Iterator[CountingClient]:
    client = CountingClient(server.url)
    yield client
    client.close()


def make_thumbnails(
    client: ComfyClient, folder: Path, clock: ManualClock | None = None
) -> ModelThumbnails:
    backends = [Backend(client)]
    return ModelThumbnails(ThumbnailStore(folder), lambda: backends, clock or ManualClock())


def test_a_picture_is_small_and_fetched_once(client: CountingClient, tmp_path: Path) -> None:
    thumbnails = make_thumbnails(client, tmp_path)
    content = thumbnails.get("checkpoints", SHOWN)
    assert content is not None
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.format == "WEBP" and max(picture.size) == PIXELS
    assert thumbnails.get("checkpoints", SHOWN) == content
    # The next start finds it in the folder.
    assert make_thumbnails(client, tmp_path).get("checkpoints", SHOWN) == content
    assert client.fetched == [SHOWN]


def test_a_model_without_a_picture_is_asked_for_again_later(
    client: CountingClient, tmp_path: Path
) -> None:
    clock = ManualClock()
    thumbnails = make_thumbnails(client, tmp_path, clock)
    absent = find_absent(thumbnails)
    asked = client.fetched.count(absent)
    assert thumbnails.get("checkpoints", absent) is None
    assert client.fetched.count(absent) == asked
    clock.advance(ABSENT_SECONDS + 1)
    assert thumbnails.get("checkpoints", absent) is None
    assert client.fetched.count(absent) == asked + 1


def find_absent(thumbnails: ModelThumbnails) -> str:
    """Find a model without a picture."""
    names = [f"folder-000/model-{number:05}.safetensors" for number in range(12)]
    return next(name for name in names if thumbnails.get("checkpoints", name) is None)


def test_a_server_is_asked_for_two_pictures_at_once(client: CountingClient, tmp_path: Path) -> None:
    thumbnails = make_thumbnails(client, tmp_path)
    client.gate.clear()
    names = [f"folder-000/model-{number:05}.safetensors" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        wanted = [pool.submit(thumbnails.get, "checkpoints", name) for name in names]
        for _ in range(2):
            assert client.began.acquire(timeout=HANG_SECONDS)
        client.gate.set()
        for one in wanted:
            one.result(HANG_SECONDS)
    assert (client.most_at_once, sorted(client.fetched)) == (2, names)


@pytest.mark.parametrize(
    "options",
    [
        DemoOptions(model_previews="none"),
        DemoOptions(model_previews="broken"),
        DemoOptions(version="2024-01"),
        DemoOptions(fail_on={"/experiment/models/checkpoints": 500}),
        DemoOptions(html_on=("/experiment/models/checkpoints",)),
        DemoOptions(cut_on=("/experiment/models/checkpoints",)),
    ],
)
def test_servers_without_pictures_look_alike(options: DemoOptions, tmp_path: Path) -> None:
    with DemoServer(options) as server:
        client = ComfyClient(server.url)
        assert make_thumbnails(client, tmp_path).get("checkpoints", SHOWN) is None
        client.close()


def test_a_server_that_is_gone_is_not_waited_for(tmp_path: Path) -> None:
    with DemoServer() as server:
        client = ComfyClient(server.url)
    thumbnails = make_thumbnails(client, tmp_path)
    assert thumbnails.get("checkpoints", SHOWN) is None
    client.close()


def test_the_first_server_with_a_picture_counts(server: DemoServer, tmp_path: Path) -> None:
    with DemoServer(DemoOptions(model_previews="none")) as plain:
        backends = [Backend(ComfyClient(plain.url)), Backend(ComfyClient(server.url))]
        thumbnails = ModelThumbnails(ThumbnailStore(tmp_path), lambda: backends)
        assert thumbnails.get("checkpoints", SHOWN) is not None
        for backend in backends:
            backend.client.close()


@pytest.mark.parametrize("content", [b"", b"no picture", b"RIFF\0\0\0\0WEBPVP8 "])
def test_what_is_no_picture_is_not_shown(content: bytes) -> None:
    assert shrink_picture(content, PIXELS) is None


def test_the_store_keeps_what_was_used_last(tmp_path: Path) -> None:
    store = ThumbnailStore(tmp_path / "kept", max_bytes=100)
    for number in range(3):
        store.put(b"x" * 30, "server", str(number))
        age_all(tmp_path / "kept")
    assert store.get("server", "0") is not None
    store.put(b"x" * 30, "server", "3")
    kept = [number for number in range(4) if store.get("server", str(number))]
    assert kept == [0, 3]


def age_all(folder: Path) -> None:
    """Make all files older than whatever is used next, in the order in which they were used."""
    for path in folder.iterdir():
        seconds = path.stat().st_mtime - 1000
        os.utime(path, (seconds, seconds))


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = ThumbnailStore(tmp_path / "file" / "kept")
    store.put(b"x", "a")
    assert store.get("a") is None


@pytest.mark.app
def test_the_route_shows_what_a_form_offers(app: RunningApp) -> None:
    address = f"{app.url}gradio_api/comfygradio/model/text_to_image"
    shown = httpx.get(f"{address}/checkpoint", params={"name": SHOWN})
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/webp")
    assert "private" in shown.headers["cache-control"]
    for path, name in (
        ("checkpoint", "film-grain.safetensors"),
        ("checkpoint", "../../x"),
        ("prompt", SHOWN),
        ("nothing", SHOWN),
    ):
        answer = httpx.get(f"{address}/{path}", params={"name": name})
        assert (answer.status_code, answer.content) == (204, b"")
    assert httpx.get(f"{address}/checkpoint").status_code == 204
