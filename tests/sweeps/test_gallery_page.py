"""Gallery pages: one file, nothing from outside, nothing that breaks out, and files where they are
found.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from comfygradio.jobs.results import Result
from comfygradio.sweeps.export.contact_sheet import load_sweep
from comfygradio.sweeps.export.export import export_all
from comfygradio.sweeps.export.gallery_page import build_gallery, encode_json, write_gallery
from comfygradio.sweeps.export.grid import Grid, GridCell, Layout
from tests.effort import scale
from tests.sweeps.exporting import (
    DEFINITION,
    HOSTILE,
    PICTURES,
    SEED,
    fill_grid,
    make_grid,
    save_picture,
)


class Elements(HTMLParser):
    """Every element of a page with its attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], str]] = [("", {}, "")]
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self.found.append(("", {}, ""))

    def handle_data(self, data: str) -> None:
        tag, attributes, text = self.found[-1]
        self.found[-1] = tag, attributes, text + data

    def find(self, id: str) -> str | None:
        return next(
            (text for _, attributes, text in self.found if attributes.get("id") == id), None
        )

    def find_all(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [(attributes, text) for one, attributes, text in self.found if one == tag]


def build(grid: Grid, folder: Path | None = None, embed_bytes: int = 0) -> Elements:
    return Elements(b"".join(build_gallery(grid, folder, embed_bytes)).decode())


def read(elements: Elements) -> Any:
    return json.loads(elements.find("data") or "")


def read_result(elements: Elements) -> Any:
    return read(elements)["cells"][0]["r"][0]


def test_a_file_beside_the_page_is_linked_and_shown_small(tmp_path: Path) -> None:
    result = save_picture(tmp_path / "my pictures" / "a ü#1.png", "red", (900, 450))
    page = Elements(
        write_gallery(fill_grid({"A": ["1"]}, result), tmp_path / "sweep.html").read_text("utf-8")
    )
    told = read_result(page)
    assert told["u"] == "my%20pictures/a%20%C3%BC%231.png" and (told["w"], told["h"]) == (900, 450)
    kind, _, content = (page.find(f"t{told['t']}") or "").partition(",")
    with Image.open(BytesIO(base64.b64decode(content))) as small:
        assert kind == "data:image/webp;base64" and small.size == (320, 160)
        assert small.convert("RGB").getpixel((9, 9)) == pytest.approx((255, 0, 0), abs=8)


def test_a_file_elsewhere_is_not_named_with_its_folders(tmp_path: Path) -> None:
    result = save_picture(tmp_path / "private" / "a.png", "red")
    page = b"".join(build_gallery(fill_grid({"A": ["1"]}, result), tmp_path / "out")).decode()
    assert "private" not in page and str(tmp_path) not in page
    data = read(Elements(page))
    assert "u" not in data["cells"][0]["r"][0] and data["note"].startswith("1 file is too large")


def test_files_are_put_into_the_page_where_there_is_room(tmp_path: Path) -> None:
    result = save_picture(tmp_path / "a.png", "red")
    assert result.path
    content = result.path.read_bytes()
    page = build(fill_grid({"A": ["1"]}, result), None, len(content))
    told = read_result(page)
    assert (
        base64.b64decode(page.find(f"f{told['f']}") or "") == content and told["m"] == "image/png"
    )
    assert read(page)["note"] == ""
    page = build(fill_grid({"A": ["1"]}, result), None, len(content) - 1)
    assert "f" not in read_result(page) and page.find("f0") is None


def test_light_copies_are_put_in_where_not_everything_has_room(tmp_path: Path) -> None:
    large = save_picture(tmp_path / "a.png", "red", (900, 900))
    light = save_picture(tmp_path / "b.jpg", "red", (8, 8))
    assert light.path and large.path
    grid = fill_grid({"A": ["1", "2"]}, replace(large, display=light.path))
    page = build(grid, None, large.path.stat().st_size + 1)
    assert (
        base64.b64decode(page.find("f1") or "") == light.path.read_bytes()
        and read_result(page)["m"] == "image/jpeg"
    )


def test_videos_sounds_and_moving_pictures_are_files_too(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (16, 16), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / "moving.webp", save_all=True, append_images=frames[1:])
    for name in ("video.mp4", "sound.flac"):
        shutil.copyfile(PICTURES / name, tmp_path / name)
    cells = {
        (0,): GridCell((0,), {}, "done", (Result("video", tmp_path / "video.mp4"),)),
        (1,): GridCell((1,), {}, "done", (Result("audio", tmp_path / "sound.flac"),)),
        (2,): GridCell((2,), {}, "done", (Result("image", tmp_path / "moving.webp"),)),
    }
    page = build(make_grid({"A": ["1", "2", "3"]}, cells), tmp_path)
    video, sound, animated = (cell["r"][0] for cell in read(page)["cells"])
    assert video["u"] == "video.mp4" and page.find(f"t{video['t']}")
    assert sound["u"] == "sound.flac" and "t" not in sound
    assert animated["a"] is True


def test_what_is_gone_broken_or_failed_is_told(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    cells = {
        (0,): GridCell((0,), {}, "failed", error="Out of memory"),
        (1,): GridCell((1,), {}, "done", (Result("image", tmp_path / "gone.png"),)),
        (2,): GridCell((2,), {}, "done", (Result("image", tmp_path / "broken.png"),)),
        (3,): GridCell((3,), {}, "done", (Result("image", problem="It could not be fetched."),)),
    }
    page = build(make_grid({"A": ["1", "2", "3", "4", "5"]}, cells), tmp_path)
    failed, gone, broken, absent, none = read(page)["cells"]
    assert failed["p"] == "failed" and failed["e"] == "Out of memory"
    assert (
        gone["r"][0]["x"] == "This file has gone."
        and absent["r"][0]["x"] == "It could not be fetched."
    )
    assert page.find(f"t{broken['r'][0]['t']}") is None and broken["r"][0]["u"] == "broken.png"
    assert none is None


def test_values_are_kept_once_and_with_every_digit() -> None:
    data = read(build(fill_grid({"CFG": ["1", "7"], "Sampler": ["euler", "ddim"]}, None)))
    fields = {field["name"]: field["values"] for field in data["fields"]}
    assert fields["CFG"] == ['"1"', '"7"'] and fields["seed"][0] == str(SEED)
    assert [cell["v"][1] for cell in data["cells"]] == [0, 0, 1, 1]
    assert data["axes"][1] == {"title": "Sampler", "labels": ["euler", "ddim"]}


def test_nothing_comes_from_outside(tmp_path: Path) -> None:
    page = build(fill_grid({"A": ["1"]}, save_picture(tmp_path / "a.png", "red")), tmp_path)
    assert not [
        attributes
        for _, attributes, _ in page.found
        if {"src", "href", "onclick"} & attributes.keys()
    ]
    (policy,) = [
        attributes for attributes, _ in page.find_all("meta") if "http-equiv" in attributes
    ]
    rules = dict(rule.split(" ", 1) for rule in (policy["content"] or "").split("; "))
    assert rules["default-src"] == "'none'"
    assert not re.search(r"https?:|\*|unsafe", policy["content"] or "")
    ((_, style),) = page.find_all("style")
    scripts = [text for attributes, text in page.find_all("script") if "type" not in attributes]
    for rule, text in (("style-src", style), ("script-src", scripts[0])):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert len(scripts) == 1


def test_nothing_breaks_out(tmp_path: Path) -> None:
    cell = GridCell(
        (0,), {HOSTILE: HOSTILE}, "done", (Result("text", text=HOSTILE),), HOSTILE, server=HOSTILE
    )
    grid = replace(
        make_grid({HOSTILE: [HOSTILE]}, {(0,): cell}), title=HOSTILE, fields={HOSTILE: HOSTILE}
    )
    page, plain = build(grid), build(fill_grid({"A": ["1"]}, None))
    assert [tag for tag, _, _ in page.found] == [tag for tag, _, _ in plain.found]
    data = read(page)
    assert data["title"] == data["axes"][0]["labels"][0] == data["cells"][0]["e"] == HOSTILE
    assert page.find_all("title")[0][1] == HOSTILE


@pytest.mark.deep
@settings(max_examples=scale(60), deadline=None)
@given(
    st.recursive(
        st.text() | st.integers() | st.none(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_is_encoded_for_a_script_reads_as_itself(data: Any) -> None:
    text = encode_json(data)
    assert not {"<", ">", "&"} & set(text) and text.isascii() and json.loads(text) == data


def test_everything_is_written_at_once_and_again(tmp_path: Path) -> None:
    result = save_picture(tmp_path / "pictures" / "a.png", "red")
    grid = fill_grid(
        {"Steps": ["1", "2"], "CFG": ["1"], "Sampler": ["x"]}, result, Layout((0,), (1,), (2,))
    )
    names = {"sweep.csv", "sweep.json", "sweep.html", "sheet.png"}
    for _ in range(2):
        paths = export_all(grid, tmp_path)
        assert (
            {path.name for path in paths}
            == names
            == {path.name for path in tmp_path.iterdir()} - {"pictures"}
        )
    assert load_sweep(tmp_path / "sheet.png") == load_sweep(tmp_path / "sweep.json") == DEFINITION
