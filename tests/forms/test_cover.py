"""Covers: pictures beside a preset, which its card shows."""

from __future__ import annotations

import pytest
from PIL import Image

from comfygradio.binding.cover import MAX_COVER_BYTES
from comfygradio.binding.preset import Preset, load_preset
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.errors import PresetError

from .preset_folder import PresetFolder

FIELDS = "{title: Test, workflow: workflow.json, cover: %s, fields: {prompt: {slot: 6.text}}}"


def load(presets: PresetFolder, cover: str) -> Preset:
    """A preset that names this cover."""
    return load_preset(presets.write(FIELDS % cover))


def test_a_cover_is_found_beside_the_preset(presets: PresetFolder, info: ObjectInfo) -> None:
    Image.new("RGB", (40, 30), "red").save(presets.folder / "red.webp")
    preset = load(presets, "red.webp")
    assert preset.cover is not None and preset.cover.path.name == "red.webp"
    assert preset.bind(info).notes == ()


@pytest.mark.parametrize("cover", ["../red.webp", "/etc/passwd", "link.webp"])
def test_a_cover_does_not_lead_out_of_the_folder(presets: PresetFolder, cover: str) -> None:
    outside = presets.folder.parent / "red.webp"
    Image.new("RGB", (4, 3), "red").save(outside)
    (presets.folder / "link.webp").symlink_to(outside)
    with pytest.raises(PresetError, match="lies outside of the preset's folder"):
        load(presets, cover)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "there is no such file."),
        (b"<svg/>", "it is no PNG, JPEG or WebP picture."),
        (b" " * (MAX_COVER_BYTES + 1), "it has more than 2 MB."),
    ],
)
def test_a_form_works_without_its_cover(
    presets: PresetFolder, info: ObjectInfo, content: bytes | None, problem: str
) -> None:
    if content is not None:
        (presets.folder / "cover.png").write_bytes(content)
    preset = load(presets, "cover.png")
    form = preset.bind(info)
    assert preset.cover is None and form.problems == ()
    assert form.notes == (f"cover cover.png: {problem} The icon is shown instead.",)
