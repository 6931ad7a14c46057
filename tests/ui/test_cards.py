"""Cards of presets: their style, and the route of their covers."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from comfygradio.forms.cover import Cover
from comfygradio.ui.cover_route import COVER_PIXELS, make_cover_route, make_cover_url
from comfygradio.ui.page import shows_cards
from comfygradio.ui.preset_card import PresetCard, write_card_style


def test_a_card_shows_its_cover_else_its_icon_else_letters() -> None:
    style = write_card_style(
        [
            PresetCard("Paint", "x", "cover/paint/1"),
            PresetCard("Ask", '"}<'),
            PresetCard("Enlarge", ""),
        ]
    )
    assert 'nth-of-type(1){--cg-cover:url("cover/paint/1")}' in style
    assert 'nth-of-type(2){--cg-icon:"\\22 \\7d \\3c "/""}' in style
    assert 'nth-of-type(3){--cg-icon:"\\45 \\6e "/""}' in style


def test_more_than_three_presets_are_cards() -> None:
    counts = [count for count in range(12) if shows_cards("abcdefghijkl"[:count])]
    assert counts == [4, 5, 6, 7, 8]


def test_a_cover_is_sent_small_and_only_by_its_own_address(tmp_path: Path) -> None:
    path = tmp_path / "cover.png"
    Image.new("RGB", (900, 600), "red").save(path)
    cover = Cover(path, "5-7")
    covers = {"paint": cover}
    client = TestClient(Starlette(routes=[make_cover_route(covers.get)]))
    answer = client.get(f"/{make_cover_url('paint', cover)}")
    assert answer.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(answer.content)).size == (COVER_PIXELS, COVER_PIXELS * 2 // 3)
    for other in (Cover(path, "5-8"), Cover(path, "..%2f5-7")):
        assert client.get(f"/{make_cover_url('paint', other)}").status_code == 404
    assert client.get(f"/{make_cover_url('other', cover)}").status_code == 404


def test_a_cover_that_is_gone_is_not_found(tmp_path: Path) -> None:
    cover = Cover(tmp_path / "gone.png", "1-1")
    client = TestClient(Starlette(routes=[make_cover_route({"paint": cover}.get)]))
    assert client.get(f"/{make_cover_url('paint', cover)}").status_code == 404
