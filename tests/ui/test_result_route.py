"""Results as a page gets them: whole, or as thumbnails for a strip of many."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from comfygradio.ui.job.result_route import RESULT_PREFIX, make_result_route
from comfygradio.ui.job.thumbnails import THUMB_PIXELS

HIDDEN = ".comfygradio"


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    """A client of an app with nothing but the route."""
    (tmp_path / HIDDEN).mkdir()
    for path in (tmp_path / "large.png", tmp_path / HIDDEN / "kept.png"):
        Image.effect_noise((900, 600), 80).save(path)
    (tmp_path / "notes.txt").write_text("a lighthouse", "utf-8")
    (tmp_path / "damaged.png").write_bytes(b"\x89PNG" + bytes(30_000))
    return TestClient(Starlette(routes=[make_result_route(tmp_path, HIDDEN)]))


def test_a_picture_comes_whole_or_small(client: TestClient, tmp_path: Path) -> None:
    whole = client.get(f"/{RESULT_PREFIX}large.png")
    assert whole.content == (tmp_path / "large.png").read_bytes()
    small = client.get(f"/{RESULT_PREFIX}large.png?small=1")
    assert small.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(small.content)).size == (THUMB_PIXELS, THUMB_PIXELS * 2 // 3)


@pytest.mark.parametrize("name", ["notes.txt", "damaged.png"])
def test_what_is_no_picture_comes_as_it_is(client: TestClient, tmp_path: Path, name: str) -> None:
    assert client.get(f"/{RESULT_PREFIX}{name}?small=1").content == (tmp_path / name).read_bytes()


@pytest.mark.parametrize("name", [f"{HIDDEN}/kept.png", "../large.png", "gone.png", ""])
def test_nothing_else_is_given_small(client: TestClient, tmp_path: Path, name: str) -> None:
    assert client.get(f"/{RESULT_PREFIX}{name}?small=1").status_code == 404


def test_a_picture_that_is_gone_is_gone_in_small_too(client: TestClient, tmp_path: Path) -> None:
    address = f"/{RESULT_PREFIX}large.png?small=1"
    assert client.get(address).status_code == 200
    (tmp_path / "large.png").unlink()
    assert client.get(address).status_code == 404
