from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from comfygradio.forms.preset_file import FieldEntry, PresetFile
from comfygradio.forms.preset_schema import (
    SCHEMA_COMMENT,
    SCHEMA_FILE,
    build_schema,
    dump_schema,
    write_schema,
)
from comfygradio.forms.strict_yaml import Loader
from comfygradio.settings import shipped_presets


def accepts(preset: Any) -> bool:
    return jsonschema.Draft202012Validator(build_schema()).is_valid(preset)


def test_the_checked_in_schema_is_fresh() -> None:
    """If this fails: comfygradio schema --out presets"""
    assert (shipped_presets() / SCHEMA_FILE).read_text(encoding="utf-8") == dump_schema()


def test_every_key_has_a_description() -> None:
    schema = build_schema()
    for model, keys in (
        (PresetFile, schema["properties"]),
        (FieldEntry, schema["$defs"]["FieldEntry"]["properties"]),
    ):
        assert keys.keys() == {field.alias or name for name, field in model.model_fields.items()}
        assert [name for name, key in keys.items() if not key.get("description")] == []


@pytest.mark.parametrize(
    "path", sorted(shipped_presets().glob("*.yaml")), ids=lambda path: path.stem
)
def test_shipped_presets_name_the_schema_and_fit_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"{SCHEMA_COMMENT}\n")
    assert accepts(yaml.load(text, Loader=Loader))


@pytest.mark.parametrize(
    ("field", "fits"),
    [
        ({"slot": "6.text"}, True),
        ({"slot": ["6.text", {"node": "7", "class": "CLIPTextEncode", "input": "text"}]}, True),
        ({"slots": {"width": "5.width", "height": "5.height"}}, True),
        ({"choices": {"Photo": {"3.cfg": 6, "6.text": "photo of {prompt}"}}}, True),
        ({"slot": "3.seed", "show_if": {"mode": ["a", "b"]}}, True),
        ({"slot": "3.seed", "optional": True, "bypass": [12, "ControlNet"]}, True),
        ({"slot": "3.seed", "lable": "Seed"}, False),
        ({"slot": "3.seed", "widget": "knob"}, False),
        ({"slot": 3}, False),
        ({"slot": "3.steps", "step": 0}, False),
    ],
)
def test_the_schema_knows_the_language(field: dict[str, Any], fits: bool) -> None:
    assert accepts({"title": "T", "workflow": "w.json", "fields": {"f": field}}) is fits


def test_a_file_that_extends_another_may_take_away() -> None:
    field = {"slot": "3.steps", "advanced": None, "optional": None}
    assert accepts({"title": "T", "extends": "base"})
    assert accepts({"title": "T", "extends": "base", "fields": {"a": None, "b": field}})
    assert not accepts({"title": "T"})
    assert not accepts({"title": "T", "workflow": "w.json", "fields": {"a": None}})


def test_writing_into_a_folder(tmp_path: Path) -> None:
    assert json.loads(write_schema(tmp_path).read_text(encoding="utf-8")) == build_schema()
