"""Who expands `{a|b}`: texts of the page are expanded, and those of programs stay as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.forms.form import Form
from comfygradio.ui.form.field_component import sent_to_component_value
from comfygradio.ui.form.panel import read_values
from comfygradio.ui.sweep.sweep_draft import parse_draft
from tests.forms.preset_folder import PresetFolder, load_object_info

WILD = "{fern|moss} // {x}"


@pytest.fixture
def form(tmp_path: Path) -> Form:
    info = ObjectInfo.from_json(load_object_info("v0.33.0"))
    return PresetFolder(tmp_path).bind("f: {slot: 6.text}\nseed: {slot: 3.seed}", info)


def test_what_people_write_is_drawn(form: Form) -> None:
    values = read_values(form, (WILD, "7"))
    assert form.fill(values).graph["6"]["inputs"]["text"] in ("fern // {x}", "moss // {x}")


def test_what_people_write_for_a_sweep_is_drawn(form: Form) -> None:
    axes = [[{"field": "f", "text": WILD}]]
    definition = parse_draft(form, {"values": {"f": "a", "seed": "7"}, "axes": axes}).define()
    filled = form.fill({**definition.values, "f": WILD})
    assert filled.graph["6"]["inputs"]["text"] in ("fern // {x}", "moss // {x}")


def test_what_a_program_sent_comes_back_as_it_stood(form: Form) -> None:
    sent = form.values_to_json(form.check({"f": WILD, "seed": 7}))
    shown = sent_to_component_value(form.fields["f"], sent["f"], sent)
    assert shown != WILD
    assert form.fill(read_values(form, (shown, "7"))).graph["6"]["inputs"]["text"] == WILD


def test_what_people_wrote_comes_back_as_they_wrote_it(form: Form) -> None:
    sent = form.values_to_json(form.check(read_values(form, (WILD, "7"))))
    assert sent_to_component_value(form.fields["f"], sent["f"], sent) == WILD
