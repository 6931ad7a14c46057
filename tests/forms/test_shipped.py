from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from comfygradio.binding.preset import Preset, load_presets
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.forms.form import Form
from comfygradio.settings import shipped_presets

PRESETS, ERRORS = load_presets([shipped_presets()])


def test_there_are_three() -> None:
    assert ERRORS == []
    assert [preset.name for preset in PRESETS] == [
        "text_to_image",
        "image_to_image",
        "inpaint",
        "upscale",
    ]


@pytest.fixture(params=PRESETS, ids=lambda preset: preset.name)
def preset(request: pytest.FixtureRequest) -> Preset:
    found: Preset = request.param
    return found


@pytest.fixture
def form(preset: Preset, info: ObjectInfo) -> Form:
    return preset.bind(info)


def test_they_bind_on_an_old_and_a_new_server(form: Form) -> None:
    assert form.problems == ()
    assert set(form.fields) == set(form.file.fields)


def test_they_fill(form: Form, tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    Image.new("RGBA", (64, 64)).save(picture)
    pictures = {
        name: picture for name, field in form.fields.items() if field.widget in ("image", "mask")
    }
    prompt = form.fill(pictures)
    assert len(prompt.uploads) == len(pictures)


def test_their_examples_are_valid(form: Form) -> None:
    for example in form.file.examples:
        values = {name: value for name, value in example.items() if name != "title"}
        form.check(values)


def test_their_labels_are_for_people(form: Form) -> None:
    assert form.title and form.file.description and form.file.icon
    assert all(field.label and "_" not in field.label for field in form.fields.values())
