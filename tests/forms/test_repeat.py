"""Several jobs of one press differ in their seeds alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from comfygradio import load_preset
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.forms.form import Form, repeat_values
from comfygradio.settings import shipped_presets


@pytest.fixture
def form(new_info: ObjectInfo) -> Form:
    return load_preset(shipped_presets() / "text_to_image.yaml").bind(new_info)


def list_seeds(form: Form, seed: Any, count: int) -> list[Any]:
    repeated = repeat_values(form, {"prompt": "a fox", "seed": seed}, count)
    assert all(values["prompt"] == "a fox" for values in repeated)
    return [values["seed"] for values in repeated]


@pytest.mark.parametrize("seed", ["", None, -1, "random"])
def test_a_seed_that_is_left_to_chance_stays_so(form: Form, seed: Any) -> None:
    assert list_seeds(form, seed, 4) == [seed] * 4


def test_a_seed_that_was_typed_is_counted_up(form: Form) -> None:
    assert list_seeds(form, "41", 3) == ["41", "42", "43"]
    assert list_seeds(form, 41, 2) == [41, "42"]


def test_after_the_largest_seed_the_smallest_follows(form: Form) -> None:
    largest = str(2**64 - 1)
    assert list_seeds(form, largest, 3) == [largest, "0", "1"]
    narrow = replace(form, fields={**form.fields, "seed": replace(form.fields["seed"], maximum=9)})
    assert list_seeds(narrow, "9", 2) == ["9", "0"]


def test_what_is_no_seed_is_left_for_the_check(form: Form) -> None:
    assert list_seeds(form, "many", 2) == ["many", "many"]


def test_a_form_without_a_seed_makes_one_job(form: Form) -> None:
    fields = {name: field for name, field in form.fields.items() if name != "seed"}
    assert len(repeat_values(replace(form, fields=fields), {"prompt": "a fox"}, 4)) == 1
