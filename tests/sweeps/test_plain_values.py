"""What a sweep file says without quotes reaches the points as that text or that number, whatever
YAML makes of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfygradio.binding.form_binding import bind_form
from comfygradio.comfy.workflow import Workflow
from comfygradio.errors import AxisError, PresetError, ValuesRefused
from comfygradio.forms.fill import RANDOM_SEED
from comfygradio.forms.form import Form
from comfygradio.forms.plain_scalar import PlainScalar
from comfygradio.forms.preset_file import PresetFile
from comfygradio.sweeps.definition import Definition, load_definition, write_definition
from comfygradio.sweeps.space import build_space, resolve_definition
from tests.effort import scale
from tests.forms.plain_slots import (
    KNOWN,
    NULL,
    OTHER,
    REFUSED,
    SCALARS,
    expect,
    make_flow,
    make_info,
)

SLOTS = ("text", "real", "whole", "switch", "listed")
PLACES = ("values", "short", "entry", "list")


def make_form(*entries: Any, **keys: Any) -> Form:
    fields = {slot: {"slot": f"1.{slot}", **keys} for slot in SLOTS}
    file = PresetFile.model_validate({"title": "T", "workflow": "w.json", "fields": fields})
    form = bind_form("t", file, Workflow.from_json(make_flow()), make_info(OTHER, *entries))
    assert form.problems == ()
    return form


def post(folder: Path, form: Form, place: str, slot: str, scalar: str) -> Any:
    """What the first point posts for a scalar at a place of a sweep file, REFUSED where that is
    told.
    """
    values, axes = "", f"- {slot}: [{scalar}]"
    if place == "values":
        values = f"values:\n  {slot}: {scalar}\n"
        axes = "- whole: [3]" if slot != "whole" else "- real: [3]"
    elif place == "short":
        axes = f"  {slot}: {scalar}"
    elif place == "entry":
        axes = f"- {slot}:\n  - {scalar}"
    path = folder / "sweep.yaml"
    path.write_text(f"preset: t\n{values}axes:\n{axes}\n", encoding="utf-8")
    try:
        space = build_space(form, load_definition(path))
    except (AxisError, PresetError, ValuesRefused):
        return REFUSED
    again = build_space(form, read_again(folder, resolve_definition_of(path, space)))
    found = [one.form.build(one.form.check(one.values((0,)))).graph["1"] for one in (space, again)]
    assert found[0] == found[1], "a sweep that is gone on with is the same"
    return found[0]["inputs"][slot]


def resolve_definition_of(path: Path, space: Any) -> Definition:
    return resolve_definition(load_definition(path), space, path.parent)


def read_again(folder: Path, definition: Definition) -> Definition:
    write_definition(definition, folder / "again.yaml")
    return load_definition(folder / "again.yaml")


def check_one(folder: Path, scalar: str, slot: str, place: str) -> None:
    if "," in scalar and place in ("list", "short"):
        return  # it parts two values there
    expected = expect(slot, scalar)
    form = make_form(scalar)
    found = post(folder, form, place, slot, scalar)
    if slot == "real" and expected is not REFUSED and found is not REFUSED:
        found, expected = float(found), float(expected)  # axes hold the numbers of a FLOAT as such
    is_same = found == expected and isinstance(found, bool) == isinstance(expected, bool)
    assert is_same, (scalar, slot, place, found, expected)


@pytest.mark.deep
@settings(deadline=None, max_examples=scale(300))
@given(SCALARS, st.sampled_from(SLOTS), st.sampled_from(PLACES))
def test_a_scalar_of_a_sweep_reaches_the_points_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, scalar: str, slot: str, place: str
) -> None:
    check_one(tmp_path_factory.mktemp("sweep"), scalar, slot, place)


@pytest.mark.deep
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("slot", SLOTS)
def test_known_scalars(tmp_path: Path, slot: str, place: str) -> None:
    for scalar in KNOWN:
        check_one(tmp_path, scalar, slot, place)


def test_nothing_leaves_an_optional_field_empty(tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text(
        "preset: t\nvalues: {whole: null, switch: ~, real: }\naxes: [{listed: [a]}]\n",
        encoding="utf-8",
    )
    form = make_form("a", optional=True)
    values = load_definition(path).values
    assert [values[name] is None for name in ("whole", "switch", "real")] == [False, False, True]
    with pytest.raises(ValuesRefused, match="neither on nor off"):
        build_space(form, load_definition(path))
    path.write_text(path.read_text(encoding="utf-8").replace("switch: ~, ", ""), encoding="utf-8")
    space = build_space(form, load_definition(path))
    assert (space.base["whole"], space.base["real"]) == (None, None)
    again = read_again(tmp_path, resolve_definition_of(path, space))
    assert build_space(form, again).base == space.base


@pytest.mark.parametrize("scalar", NULL)
def test_nothing_is_a_word_where_a_text_has_to_be(tmp_path: Path, scalar: str) -> None:
    assert post(tmp_path, make_form(scalar), "values", "text", scalar) == scalar
    assert post(tmp_path, make_form(scalar), "list", "listed", scalar) == scalar


def test_what_chance_decided_is_kept(tmp_path: Path) -> None:
    definition = Definition("t", {RANDOM_SEED: 12345, "text": "{a|b}"}, ({"whole": [3]},))
    path = tmp_path / "sweep.yaml"
    write_definition(definition, path)
    assert build_space(make_form(), load_definition(path)).base[RANDOM_SEED] == 12345


def test_words_of_the_file_itself(tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text("preset: t\ntitle: 007\ncarry: no\naxes: [{a: 1}]\n", encoding="utf-8")
    read = load_definition(path)
    assert (read.title, read.carry) == ("007", False)


def test_a_definition_with_plain_scalars_is_written_as_it_was(tmp_path: Path) -> None:
    values = {
        name: PlainScalar.parse(name) for name in ("007", "7", "1.10", "0.5", "yes", "true", "~")
    }
    written = Definition("t", values, ({"a": [PlainScalar.parse("0x1F")]},)).to_json()
    assert written["values"] == {
        **{name: name for name in ("007", "1.10", "yes")},
        **{"7": 7, "0.5": 0.5, "true": True, "~": None},
    }
    assert written["axes"] == [{"a": ["0x1F"]}]


@pytest.mark.parametrize("text", ["1e3", "0o17", "007", "on", "1.10", "null", "12:30", "5."])
def test_texts_are_written_so_that_no_reader_changes_them(tmp_path: Path, text: str) -> None:
    definition = Definition("t", {"a": text}, ({"b": [text]},))
    read = read_again(tmp_path, definition)
    assert [type(read.values["a"]), read.values["a"], read.axes] == [str, text, ({"b": [text]},)]
