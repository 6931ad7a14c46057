"""What is typed on a command line reaches the prompt as that text or that number, and so does what
its presets say without quotes.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfygradio.binding.form_binding import bind_form
from comfygradio.cli.run import parse_assignments
from comfygradio.cli.sweep import parse_axes
from comfygradio.comfy.workflow import Workflow
from comfygradio.demo import DemoServer
from comfygradio.errors import AxisError, ValuesRefused
from comfygradio.forms.form import Form
from comfygradio.forms.preset_file import PresetFile
from comfygradio.settings import shipped_presets
from comfygradio.sweeps.axes.axis_parser import parse_all_axes
from tests.effort import scale
from tests.forms.scalar_slot import (
    KNOWN,
    OTHER,
    REFUSED,
    SCALARS,
    expect,
    make_flow,
    make_info,
)

from .shell import Shell

SLOTS = ("text", "real", "whole", "switch", "listed")


def make_form(*entries: Any) -> Form:
    fields = {slot: {"slot": f"1.{slot}"} for slot in SLOTS}
    file = PresetFile.model_validate({"title": "T", "workflow": "w.json", "fields": fields})
    return bind_form("t", file, Workflow.from_json(make_flow()), make_info(OTHER, *entries))


def expect_typed(slot: str, text: str) -> Any:
    """As in a file, but nobody types numbers of other bases."""
    is_based = slot in ("real", "whole") and re.match(r"0[xo]", text)
    return REFUSED if is_based else expect(slot, text)


def check_one(text: str, slot: str) -> None:
    form, expected = make_form(text), expect_typed(slot, text)
    try:
        found = form.fill(parse_assignments([f"{slot}={text}"])).graph["1"]["inputs"][slot]
    except ValuesRefused:
        found = REFUSED
    assert found == expected and isinstance(found, bool) == isinstance(expected, bool), (slot, text)


@settings(deadline=None, max_examples=scale(300))
@given(SCALARS, st.sampled_from(SLOTS))
def test_a_typed_value_is_what_was_typed(text: str, slot: str) -> None:
    check_one(text, slot)


@pytest.mark.deep
@pytest.mark.parametrize("slot", SLOTS)
def test_known_values(slot: str) -> None:
    for text in KNOWN:
        check_one(text, slot)


@settings(deadline=None, max_examples=scale(300))
@given(SCALARS, st.sampled_from(["text", "real", "whole", "listed"]))
def test_an_axis_of_one_value_is_what_was_typed(text: str, slot: str) -> None:
    form, expected = make_form(text), expect_typed(slot, text)
    if slot == "whole" and re.fullmatch(r"[+-]?[0-9.]+[eE].*|[+-]?[0-9]+\.0+", text):
        return  # an axis works numbers out exactly, so that 1e17 is whole there
    entries = parse_axes([f"{slot}={text}"])
    try:
        (axis,) = parse_all_axes(form, entries, form.check({}))
    except AxisError:
        assert expected is REFUSED or "," in text
        return
    found = [change.value for step in axis.steps for change in step.changes]
    if slot in ("real", "whole"):
        assert found == [float(expected) if slot == "real" else expected] or "," in text
    else:
        assert found == [text] or ("," in text and slot == "listed")


def test_a_preset_and_what_is_typed_for_it(shell: Shell, demo: DemoServer, tmp_path: Path) -> None:
    (tmp_path / "own.json").write_bytes((shipped_presets() / "text_to_image.json").read_bytes())
    (tmp_path / "own.yaml").write_text(
        "title: 2024\nworkflow: own.json\nfields:\n"
        "  prompt: {slot: 6.text, choices: [007, 1.10, no, 12:30, 2024-01-05]}\n"
        "  steps: {slot: 3.steps, choices: [02, 3]}\n"
        "  cfg: {slot: 3.cfg, default: 1.50}\n",
        encoding="utf-8",
    )
    typed = ("prompt=1.10", "steps=2")
    answer = shell("run", "own.yaml", *typed, "--json", "--server", demo.url)
    assert answer.code == 0, answer
    assert json.loads(answer.out)["values"] == {"prompt": "1.10", "steps": 2, "cfg": 1.5}
    lost = shell("run", "own.yaml", "cfg=7,5", "--server", demo.url)
    assert lost.code != 0 and "7,5 is not possible; write 7.5." in lost.err


def test_check_tells_the_line_of_what_does_not_fit(
    shell: Shell, demo: DemoServer, tmp_path: Path
) -> None:
    (tmp_path / "own.json").write_bytes((shipped_presets() / "text_to_image.json").read_bytes())
    (tmp_path / "own.yaml").write_text(
        "title: T\nworkflow: own.json\nfields:\n  a:\n    slot: 3.steps\n    default: 1_0\n"
        "  b: {slot: 3.cfg}\n  c:\n    choices:\n      A: {3.denoise: on}\n",
        encoding="utf-8",
    )
    answer = shell("check", "own.yaml", "--server", demo.url)
    assert answer.code == 1 and answer.out.splitlines() == [
        "own: Field a: the default does not fit: 1_0 is not possible; write 10. (own.yaml:6)",
        "own: Field c: the choice A sets 3.denoise, but denoise takes a number, not on. "
        "(own.yaml:9)",
    ]
    told = json.loads(shell("check", "own.yaml", "--json", "--server", demo.url).out)
    assert [(p["key"], p["line"]) for p in told["presets"]["own"]["problems"]] == [
        ("default", 6),
        ("choices", 9),
    ]
    (tmp_path / "own.yaml").write_text(
        "title: T\nworkflow: own.json\nfields:\n  cfg: {slot: 3.cfg}\n"
        "examples:\n  - title: 007\n    cfg: 12:30\n",
        encoding="utf-8",
    )
    noted = shell("check", "own.yaml", "--server", demo.url).out
    assert "The example 007 does not fit here (line 7 of the preset): Cfg: 12:30 is not" in noted
