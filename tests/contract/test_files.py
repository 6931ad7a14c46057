from __future__ import annotations

import io
import json
import uuid
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.contract.plain_client import PlainClient, node, only, plain_graph

pytestmark = pytest.mark.real


def png(color: tuple[int, ...], size: tuple[int, int] = (16, 16)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGBA" if len(color) == 4 else "RGB", size, color).save(buffer, "PNG")
    return buffer.getvalue()


def upload(
    comfy: PlainClient, name: str, data: bytes, path: str = "/upload/image", **fields: str
) -> httpx.Response:
    return comfy.http.post(path, files={"image": (name, data, "image/png")}, data=fields)


@pytest.fixture
def name() -> str:
    return f"contract ü {uuid.uuid4().hex[:8]}.png"


def test_other_bytes_under_a_known_name_get_a_number(comfy: PlainClient, name: str) -> None:
    first = upload(comfy, name, png((255, 0, 0)))
    assert first.json() == {"name": name, "subfolder": "", "type": "input"}
    assert upload(comfy, name, png((255, 0, 0))).json()["name"] == name
    assert upload(comfy, name, png((0, 255, 0))).json()["name"] == name.replace(".png", " (1).png")
    assert upload(comfy, name, png((0, 0, 255)), overwrite="true").json()["name"] == name
    shown = comfy.http.get("/view", params={"filename": name, "type": "input"})
    assert shown.content == png((0, 0, 255))


def test_uploads_show_up_in_the_list(comfy: PlainClient, name: str) -> None:
    upload(comfy, name, png((1, 2, 3)))
    loader = comfy.http.get("/object_info/LoadImage").json()["LoadImage"]
    assert name in loader["input"]["required"]["image"][0]


def test_subfolders_and_types_are_kept(comfy: PlainClient, name: str) -> None:
    answer = upload(comfy, name, png((1, 2, 3)), subfolder="clip space/a", type="temp")
    assert answer.json() == {"name": name, "subfolder": "clip space/a", "type": "temp"}
    asked = {"filename": name, "subfolder": "clip space/a", "type": "temp"}
    assert comfy.http.get("/view", params=asked).status_code == 200


@pytest.mark.parametrize(
    ("fields", "status"), [({"subfolder": "../../x"}, 400), ({"type": "nonsense"}, 500)]
)
def test_bad_places_are_refused(
    comfy: PlainClient, name: str, fields: dict[str, str], status: int
) -> None:
    assert upload(comfy, name, png((1, 2, 3)), **fields).status_code == status


def test_uploads_without_a_file_or_outside_are_refused(comfy: PlainClient) -> None:
    assert comfy.http.post("/upload/image", files={"other": ("x.png", b"1")}).status_code == 400
    assert comfy.http.post("/upload/image", json={"image": "x"}).status_code == 400
    assert upload(comfy, "../x.png", png((1, 2, 3))).status_code == 400
    assert upload(comfy, "absent folder/x.png", png((1, 2, 3))).status_code == 500


def test_a_mask_becomes_the_alpha_of_its_original(comfy: PlainClient, name: str) -> None:
    upload(comfy, name, png((200, 100, 50)))
    reference = json.dumps({"filename": name, "type": "input"})
    answer = upload(
        comfy, "m" + name, png((0, 0, 0, 77)), "/upload/mask", original_ref=reference, type="input"
    )
    assert answer.json() == {"name": "m" + name, "subfolder": "", "type": "input"}
    shown = comfy.http.get("/view", params={"filename": "m" + name, "type": "input"})
    with Image.open(io.BytesIO(shown.content)) as picture:
        assert picture.convert("RGBA").getpixel((3, 3)) == (200, 100, 50, 77)


def test_the_traps_of_masks(comfy: PlainClient, name: str) -> None:
    lost = json.dumps({"filename": "absent.png", "type": "input"})
    answer = upload(comfy, name, png((0, 0, 0, 77)), "/upload/mask", original_ref=lost)
    assert (answer.status_code, answer.json()["name"]) == (200, name)
    assert comfy.http.get("/view", params={"filename": name, "type": "input"}).status_code == 404
    upload(comfy, name, png((1, 1, 1)))
    known = json.dumps({"filename": name, "type": "input"})
    other_size = png((0, 0, 0, 77), (8, 8))
    assert (
        upload(comfy, "m" + name, other_size, "/upload/mask", original_ref=known).status_code == 500
    )
    assert upload(comfy, "m" + name, png((0, 0, 0, 77)), "/upload/mask").status_code == 500


def test_an_upload_can_be_loaded_and_its_mask_is_one_minus_alpha(
    comfy: PlainClient, name: str
) -> None:
    upload(comfy, name, png((10, 20, 30, 0)), subfolder="deep")
    graph = {
        "1": node("LoadImage", image=f"deep/{name}"),
        "2": node("PreviewImage", images=["1", 0]),
        "3": node("MaskToImage", mask=["1", 1]),
        "4": node("PreviewImage", images=["3", 0]),
    }
    _, messages = comfy.run(graph)
    files = {data["node"]: data["output"]["images"][0] for data in only(messages, "executed")}
    with Image.open(io.BytesIO(comfy.http.get("/view", params=files["4"]).content)) as mask:
        assert mask.convert("RGB").getpixel((3, 3)) == (255, 255, 255)


def test_new_content_under_the_same_name_runs_again(comfy: PlainClient, name: str) -> None:
    graph = {"1": node("LoadImage", image=name), "2": node("PreviewImage", images=["1", 0])}
    upload(comfy, name, png((1, 1, 1)))
    comfy.run(graph)
    upload(comfy, name, png((2, 2, 2)), overwrite="1")
    _, messages = comfy.run(graph)
    assert only(messages, "execution_cached")[0]["nodes"] == []


@pytest.fixture
def saved(comfy: PlainClient) -> dict[str, Any]:
    _, messages = comfy.run(plain_graph(color=0x102030))
    image: dict[str, Any] = only(messages, "executed")[0]["output"]["images"][0]
    return image


def test_view_serves_files_with_ranges_and_etags(comfy: PlainClient, saved: dict[str, Any]) -> None:
    whole = comfy.http.get("/view", params=saved)
    assert whole.headers["content-type"] == "image/png"
    assert whole.headers["content-disposition"] == f'filename="{saved["filename"]}"'
    part = comfy.http.get("/view", params=saved, headers={"Range": "bytes=0-9"})
    assert (part.status_code, part.content) == (206, whole.content[:10])
    tag = {"If-None-Match": whole.headers["etag"]}
    assert comfy.http.get("/view", params=saved, headers=tag).status_code == 304
    assert comfy.http.head("/view", params=saved).headers["content-length"] == str(
        len(whole.content)
    )
    if comfy.since(0, 33):
        assert whole.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("wanted", "kind"),
    [("webp;90", "webp"), ("jpeg;50", "jpeg"), ("gif;1", "webp"), ("jpeg", "jpeg")],
)
def test_view_converts_for_previews(
    comfy: PlainClient, saved: dict[str, Any], wanted: str, kind: str
) -> None:
    answer = comfy.http.get("/view", params={**saved, "preview": wanted})
    assert answer.headers["content-type"] == f"image/{kind}"
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert (picture.format or "").lower() == kind


@pytest.mark.parametrize("channel", ["rgb", "a"])
def test_channels_are_plain_png(comfy: PlainClient, saved: dict[str, Any], channel: str) -> None:
    answer = comfy.http.get("/view", params={**saved, "channel": channel})
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert (picture.format, "prompt" in picture.info) == ("PNG", False)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, 404),
        ({"filename": "absent.png"}, 404),
        ({"filename": "../x.png"}, 400),
        ({"filename": "/etc/passwd"}, 400),
        ({"filename": "x.png", "type": "nope"}, 400),
        ({"filename": "x.png", "subfolder": "../.."}, 403),
    ],
)
def test_view_errors_have_empty_bodies(
    comfy: PlainClient, asked: dict[str, str], status: int
) -> None:
    answer = comfy.http.get("/view", params=asked)
    assert (answer.status_code, answer.content) == (status, b"")


def test_the_name_may_carry_its_folder(comfy: PlainClient, saved: dict[str, Any]) -> None:
    asked = {"filename": f"{saved['filename']} [output]", "type": "input"}
    assert comfy.http.get("/view", params=asked).status_code == 200


@pytest.mark.deep
def test_too_large_a_body_is_refused(comfy: PlainClient) -> None:
    limit = comfy.http.get("/features").json()["max_upload_size"]
    answer = comfy.http.post("/prompt", content=b" " * (limit + 1))
    assert answer.status_code == 413
    assert answer.text.startswith("Maximum request body size ")
