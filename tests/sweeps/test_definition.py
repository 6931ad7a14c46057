"""Definitions of sweeps: the same from a file, from JSON and from Python, and errors that name the
place.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygradio.errors import DefinitionError
from comfygradio.sweeps.definition import (
    Definition,
    is_definition,
    load_definition,
    write_definition,
)

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
VALUES = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | TEXTS | st.lists(TEXTS, max_size=3)
)


def write(folder: Path, text: str, name: str = "sweep.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_whole_definition(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "preset: text_to_image\ntitle: Cats\ncarry: false\nvalues: {prompt: a cat, seed: "
        "18446744073709551615}\n"
        "axes:\n- cfg: 1-10 (+3)\n- {sampler_name: 'euler, heun', steps: [20, 30]}\n- clip: 2\n",
    )
    read = load_definition(path)
    axes: tuple[dict[str, Any], ...] = (
        {"cfg": "1-10 (+3)"},
        {"sampler_name": "euler, heun", "steps": [20, 30]},
        {"clip": [2]},
    )
    assert read == Definition(
        "text_to_image", {"prompt": "a cat", "seed": 2**64 - 1}, axes, False, "Cats"
    )
    assert load_definition(read.to_json()) == read
    assert load_definition(write(tmp_path, json.dumps(read.to_json()), "sweep.json")) == read


def test_axes_of_one_field_each_are_written_short() -> None:
    short = load_definition({"preset": "x", "axes": {"cfg": "1-3", "steps": [2]}})
    assert short.axes == ({"cfg": "1-3"}, {"steps": [2]}) and short.carry and short.values == {}


@pytest.mark.deep
@given(
    st.dictionaries(TEXTS, VALUES, max_size=4),
    st.lists(st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=3)),
)
def test_what_is_written_reads_as_the_same(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any], axes: list[dict[str, str]]
) -> None:
    definition = Definition("some_preset", values, tuple(axes))
    path = tmp_path_factory.mktemp("definition") / "sweep.yaml"
    write_definition(definition, path)
    assert load_definition(path) == definition and is_definition(path)


def test_paths_are_written_as_texts() -> None:
    read = load_definition(
        Definition("x", {"image": Path("a.png")}, ({"image": [Path("b.png")]},)).to_json()
    )
    assert read.values == {"image": "a.png"} and read.axes == ({"image": ["b.png"]},)


def test_a_preset_is_no_definition(tmp_path: Path) -> None:
    assert not is_definition(write(tmp_path, "title: x\nworkflow: x.json\n"))


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("preset: x\naxis: {cfg: 1-3}", 2, "unknown key axis; did you mean axes?"),
        (
            "preset: x\naxes: {}\nfoo: 1",
            3,
            "unknown key foo; there are preset, values, axes, carry, title.",
        ),
        ("preset: 3\naxes: {}", 1, "preset: 3 is not a text; put it in quotes."),
        (
            "preset: x\naxes: 1-3",
            2,
            "axes: axes are a list of fields and their values, for example {cfg: 1-10 (+3)}.",
        ),
        (
            "preset: x\naxes:\n- cfg: 1-3\n- 4",
            2,
            "axes.1: an axis maps fields to their values, for example",
        ),
        ("preset: x\naxes:\n- cfg: 1-3\n- {}", 2, "axes.1: an axis maps fields to their values"),
        (
            "preset: x\naxes:\n- cfg: 1\n-\n  steps: {}",
            5,
            "axes.1.steps: write its values as a text such as 1-10 (+3)",
        ),
        ("preset: x\naxes:\n- cfg: []", 3, "axes.0.cfg: write its values as a text"),
        ("preset: x\naxes: []\nvalues: [a]", 3, "values: write field: value, a line each."),
        ("preset: x\naxes: []\ncarry: 1", 3, "carry: 1 is neither true nor false."),
        ("preset: x\naxes: []\naxes: []", 3, "the key axes stands twice."),
        ("preset: x\naxes: []\n1: 2", 3, 'write the key 1 in quotes ("1").'),
        ("preset: x\naxes: [", 3, "no valid YAML"),
    ],
)
def test_errors_name_file_line_and_key(tmp_path: Path, text: str, line: int, told: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(DefinitionError) as caught:
        load_definition(path)
    where, _, sentence = str(caught.value).partition(f"sweep.yaml:{line}: ")
    assert where == f"{tmp_path}/" and sentence.startswith(told), str(caught.value)


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        ("axes: []", "a.yaml", "a.yaml: this sweep needs the key preset."),
        (
            "preset: x",
            "a.yaml",
            "a.yaml: this sweep needs the key axes, for example {cfg: 1-10 (+3)}.",
        ),
        ("- 1", "a.yaml", "a.yaml: a sweep is a list of keys such as preset, values and axes."),
        ("[]", "a.json", "a.json: a sweep is a list of keys such as preset, values and axes."),
        ('{"preset":\n"x"', "a.json", "a.json:2: no valid JSON"),
        ('{"preset": "x", "axes": 1}', "a.json", "a.json: axes: axes are a list"),
    ],
)
def test_errors_of_whole_files(tmp_path: Path, text: str, name: str, told: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        load_definition(write(tmp_path, text, name))
    assert str(caught.value).startswith(f"{tmp_path}/{told}")
    with pytest.raises(DefinitionError, match="cannot be read: No such file"):
        load_definition(tmp_path / f"no-{name}")


@given(
    st.recursive(
        VALUES, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=8
    )
)
def test_any_json_is_read_or_refused(data: Any) -> None:
    for given_ in (
        {"preset": "x", "axes": data},
        {"preset": "x", "axes": [], "values": data},
        {"preset": data},
    ):
        try:
            read = load_definition(given_)
        except DefinitionError as error:
            assert str(error).endswith(".")
        else:
            assert load_definition(read.to_json()) == read
