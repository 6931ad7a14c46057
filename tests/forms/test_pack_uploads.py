"""Lists of files that people upload with a button of a node pack's own page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from comfygradio.binding.field_binding import bind_field
from comfygradio.comfy.object_info import InputSpec, ObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.forms.field import Field
from comfygradio.forms.preset_file import FieldEntry
from tests.forms.draft_graph import Graph, bind_draft, draft, find, info, list_basic_fields, node

from .corpus import make_media

CLIPS = ["dusk.mp4", "harbour (2).MOV", "loop.gif"]
SONGS = ["bells.wav", "choir.mp3", "interview.mp4"]
PHOTOS = ["cat ü.png", "clipspace/painted.png [input]", "garden.JPEG"]
MODELS = ["rust.safetensors", "moss.ckpt", "old.pth"]


def describe(name: str, spec: Any, makes: str) -> dict[str, Any]:
    numbers = {"skip": ["INT", {"default": 0, "min": 0, "max": 100}]}
    return {"input": {"required": {name: spec, **numbers}}, "output": [makes], "name": "x"}


CLASSES = {
    "VHS_LoadVideo": describe("video", [CLIPS], "IMAGE"),
    "PackMovie": describe("source", [CLIPS], "IMAGE"),
    "PackSong": describe("track", ["COMBO", {"options": SONGS}], "AUDIO"),
    "PackPhoto": describe("picture_file", [PHOTOS, {"tooltip": "A photo."}], "IMAGE"),
    "PackAnything": describe("source", [[*CLIPS, *SONGS, *PHOTOS]], "IMAGE"),
    "PackModel": describe("model_name", [MODELS], "MODEL"),
    "PackVoice": describe("voice_name", [["anna.wav", "ben.wav"]], "AUDIO"),
    "PackPaper": describe("paper", [["rough.png", "fine.png"], {"default": "fine.png"}], "IMAGE"),
    "Show": {"input": {"required": {"source": ["*"]}}, "output": [], "output_node": True},
}
KNOWN = ObjectInfo({**info().nodes, **ObjectInfo.from_json(CLASSES).nodes})

UPLOADS = [
    pytest.param("VHS_LoadVideo", "video", "dusk.mp4", "video", id="VHS"),
    pytest.param("PackMovie", "source", "loop.gif", "video", id="videos"),
    pytest.param("PackSong", "track", "choir.mp3", "audio", id="sounds"),
    pytest.param("PackPhoto", "picture_file", "cat ü.png", "image", id="pictures"),
    pytest.param("PackAnything", "source", "bells.wav", "file", id="several kinds"),
]


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    return make_media(tmp_path_factory.mktemp("media"))


def write(class_type: str, name: str, value: str) -> Graph:
    inputs: dict[str, Any] = {name: value, "skip": 0}
    return {"1": node(class_type, **inputs), "2": node("Show", source=["1", 0])}


def bind(class_type: str, name: str, value: str, **line: Any) -> Field:
    workflow = Workflow.from_json(write(class_type, name, value))
    file = FieldEntry.model_validate({"slot": f"1.{name}", **line})
    return bind_field("source", file, workflow, KNOWN).field


def guess(class_type: str, name: str, entries: list[Any], **options: Any) -> str | None:
    return InputSpec.from_json(name, "required", [entries, options], class_type).media


@pytest.mark.parametrize(("class_type", "name", "value", "kind"), UPLOADS)
def test_it_is_drafted_and_posted_as_an_upload(
    tmp_path: Path,
    media: Mapping[str, Path],
    class_type: str,
    name: str,
    value: str,
    kind: str,
) -> None:
    made = draft(write(class_type, name, value), KNOWN)
    assert find(made, kind).entry.widget == kind and kind in list_basic_fields(made)
    form = bind_draft(made, tmp_path, KNOWN)
    assert form.problems == () and form.fields[kind].choices is None
    request = form.fill({kind: media.get(kind, media["audio"])})
    (upload,) = request.uploads
    assert upload.path in media.values() and upload.slots == (("1", name),)
    assert request.graph["1"]["inputs"] == {name: upload.name, "skip": 0}


@pytest.mark.parametrize(("class_type", "name", "value", "kind"), UPLOADS)
def test_a_line_without_a_widget_is_one_too(
    class_type: str, name: str, value: str, kind: str
) -> None:
    assert bind(class_type, name, value).widget == kind


@pytest.mark.parametrize(
    ("class_type", "name", "value"),
    [
        ("PackModel", "model_name", "moss.ckpt"),
        ("PackVoice", "voice_name", "ben.wav"),
        ("PackPaper", "paper", "rough.png"),
    ],
)
def test_what_comes_with_a_pack_stays_a_list(
    tmp_path: Path, class_type: str, name: str, value: str
) -> None:
    made = draft(write(class_type, name, value), KNOWN)
    form = bind_draft(made, tmp_path, KNOWN)
    field = next(one for one in form.fields.values() if str(one.all_slots[0]) == f"1.{name}")
    assert (field.widget, field.default) == ("dropdown", value)


@pytest.mark.parametrize(
    "line", [{"widget": "dropdown"}, {"choices": "*.mp4"}, {"default": "dusk.mp4"}], ids=str
)
def test_an_author_may_want_the_list(line: dict[str, Any]) -> None:
    field = bind("PackMovie", "source", "dusk.mp4", **line)
    assert (field.widget, field.default) == ("dropdown", "dusk.mp4")


def test_lists_without_files_go_by_their_names() -> None:
    assert guess("VHS_LoadVideo", "video", []) == "video"
    assert guess("FancyLoadSound", "audio_file", []) == "audio"
    assert guess("GLIGENLoader", "gligen_name", []) is None
    assert guess("ImageScale", "image", []) is None
    assert guess("LoadUpscaler", "image_model", []) is None


def test_other_lists_are_none() -> None:
    assert guess("LoadX", "source", ["none", "a.png"]) is None
    assert guess("LoadX", "source", [*PHOTOS, "rust.safetensors"]) is None
    assert guess("LoadX", "source", ["png", "jpg"]) is None
    assert guess("LoadX", "source", [1, 2]) is None
    assert guess("LoadX", "source", PHOTOS, image_upload=False) is None
    assert guess("LoadX", "source", PHOTOS, multiselect=True) is None
    assert guess("LoadX", "source", PHOTOS, remote={"route": "/x"}) is None


def test_servers_are_merged() -> None:
    empty = ObjectInfo.from_json({"PackMovie": describe("source", [[]], "IMAGE")})
    full = ObjectInfo.from_json({"PackMovie": CLASSES["PackMovie"]})
    for merged in (empty.merge(full), full.merge(empty)):
        spec = merged.spec("PackMovie", "source")
        assert spec is not None and spec.media == "video"
