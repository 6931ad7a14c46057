from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from comfygradio.binding.preset import load_preset
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.drafting.draft import draft_preset
from comfygradio.forms.form import Form
from comfygradio.forms.kinds.registry import KINDS
from comfygradio.forms.text_expansion import expand_dynamic, has_alternatives
from comfygradio.metadata.inversion import escape_dynamic
from comfygradio.metadata.load import Metadata
from comfygradio.metadata.restore import RestoredField, RestoredForm, restore_values
from tests.effort import scale
from tests.forms.draft_graph import bind_draft as load_draft
from tests.forms.draft_graph import info as draft_info
from tests.forms.graph_shuffle import renumber
from tests.forms.metadata_form import (
    NOON,
    WORKFLOW,
    make_changed_metadata,
    make_form,
    make_metadata,
    rows,
)

from .conftest import OLD
from .corpus import Case, list_cases, make_media


@pytest.fixture(scope="module", params=[OLD, "v0.33.0"])
def form(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Form:
    """A form with a field of every kind, on an old and a new server."""
    return make_form(tmp_path_factory.mktemp("form"), version=request.param)


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "my cat.png"
    Image.new("RGB", (9, 9), "red").save(path)
    return path


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SIDES = st.integers(2, 256).map(lambda eighths: 8 * eighths)
VALUES = st.fixed_dictionaries(
    {
        "prompt": TEXTS
        | st.sampled_from(["{a|b} fox", r"\{a\}", "see http://x // y", "/* no */ yes", "photo of"]),
        "negative": TEXTS.filter(lambda text: not has_alternatives(text)),
        "size": st.tuples(SIDES, SIDES),
        "checkpoint": st.sampled_from(["tiny-a.safetensors", "tiny-b.safetensors"]),
        "seed": st.integers(0, 2**64 - 1),
        "steps": st.integers(1, 60),
        "strength": st.floats(0, 1),
        "scheduler": st.sampled_from(["Even", "karras", "Very soft"]),
        "loras": st.lists(
            st.tuples(
                st.just("tiny-lora.safetensors"), st.floats(-2, 2).map(lambda x: round(x, 2))
            ),
            max_size=4,
        ),
        "tags": st.lists(st.sampled_from(["red", "green", "blue, deep"]), unique=True),
        "color": st.integers(0, 0xFFFFFF),
        "tint": st.integers(0, 0xFFFFFF).map(lambda color: f"#{color:06x}"),
        "double": st.booleans(),
        "look": st.sampled_from(["Plain", "Photo", "Ink"]),
    }
)
quick = settings(
    max_examples=scale(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.deep
@quick
@given(VALUES, st.booleans())
def test_pictures_of_ours_restore_exactly(
    form: Form, picture: Path, values: Any, has_picture: bool
) -> None:
    checked = form.check({**values, "picture": str(picture) if has_picture else None})
    restored = restore_values(form, make_metadata(form.build(checked), own=True))
    expected = form.values_to_json(checked)
    if has_picture:
        assert expected.pop("picture") == "my cat.png"
        told = "the picture itself is not in the file; add it again (it was called my cat.png)."
        assert rows(restored)["picture"] == RestoredField(
            "picture", "Picture", None, "missing", told
        )
    assert restored.values == expected and restored.notes == ()
    assert {row.state for row in restored.fields if row.name != "picture"} == {"exact"}


@quick
@given(VALUES, st.booleans())
def test_the_graph_alone_gives_values_that_make_the_same_graph(
    form: Form, picture: Path, values: Any, has_picture: bool
) -> None:
    media = {"picture": str(picture) if has_picture else None}
    prompt = form.build(form.check({**values, **media}), NOON)
    text = prompt.graph["6"]["inputs"]["text"]
    before, after = {"Plain": ("", ""), "Photo": ("photo of ", ", 35mm"), "Ink": ("", ", ink")}[
        values["look"]
    ]
    assume(
        text.startswith(before) and text.endswith(after)
    )  # a comment or an open brace swallows what follows it
    assume(expand_dynamic(escape_dynamic(text), Random(0)) == text)
    restored = restore_values(form, make_metadata(prompt))
    assert restored.notes == ()
    assert {row.name for row in restored.fields if row.state == "missing"} == (
        {"picture"} if has_picture else set()
    )
    again = form.build(form.check({**restored.values, **(media if has_picture else {})}), NOON)
    assert again.graph == prompt.graph
    uploads = {widget for widget, kind in KINDS.items() if kind.is_media}
    invertible = form.fields.keys() - uploads - {"prompt", "picture"}
    expected = form.values_to_json(form.check({**values, **media}))
    assert {k: v for k, v in restored.values.items() if k in invertible} == {
        k: expected[k] for k in invertible
    }


def test_plain_texts_come_back_from_the_graph_as_they_were_typed(form: Form) -> None:
    restored = restore_values(
        form, make_metadata(form.fill({"prompt": "a fox (red:1.2), 50|50", "look": "Ink"}))
    )
    assert restored.values["prompt"] == "a fox (red:1.2), 50|50"
    restored = restore_values(
        form, make_metadata(form.fill({"prompt": "http:{/}/x \\{y\\}", "look": "Plain"}))
    )
    assert restored.values["prompt"] == "http:{/}/x \\{y\\}"


def test_hidden_fields_are_no_gap(tmp_path: Path) -> None:
    lines = (
        "double: {bypass: 22, default: false}\nscale: {slot: 22.scale_by, show_if: {double: true}}"
    )
    form = make_form(tmp_path, lines)
    restored = restore_values(form, make_metadata(form.fill({"double": False})))
    assert [row.name for row in restored.fields] == ["double"]
    restored = restore_values(form, make_metadata(form.fill({"double": True, "scale": 3})))
    assert restored.values == {"double": True, "scale": 3.0}


def test_what_was_drawn_by_chance_is_kept(tmp_path: Path) -> None:
    form = make_form(tmp_path, "prompt: {slot: 6.text, dynamic: true}")
    prompt = form.fill({"prompt": "{a|b|c|d|e|f|g|h} cat"})
    restored = restore_values(form, make_metadata(prompt, own=True))
    assert form.fill(restored.values).graph["6"] == prompt.graph["6"]


def own(form: Form, values: Any) -> RestoredForm:
    return restore_values(
        form, Metadata("png", None, comfygradio={"preset": form.name, "values": values})
    )


def test_our_own_values_are_checked_like_any(tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    Image.new("RGB", (9, 9)).save(secret)
    form = make_form(tmp_path)
    restored = own(
        form,
        {
            "prompt": "x" * 200_000,
            "seed": None,
            "steps": 10**400,
            "size": ["a"],
            "picture": str(secret),
            "loras": [{"name": "TINY-lora.safetensors", "strength": 1}],
            "checkpoint": "old\\tiny-a.safetensors",
            "look": ["Ink"],
            "negative": None,
            "color": "red",
            "gone": 1,
            "double": "maybe",
            "strength": True,
            "tags": {"a": []},
        },
    )
    found = rows(restored)
    assert restored.values == {
        "loras": [{"name": "tiny-lora.safetensors", "strength": 1.0}],
        "checkpoint": "tiny-a.safetensors",
        "negative": "",
    }
    assert found["checkpoint"].state == found["loras"].state == "repaired"
    assert found["tint"].note == "the picture was made before this form had it."
    assert restored.notes == (
        "The picture also had a value for gone, a field that this form no longer has.",
    )
    assert all(
        row.note and "\n" not in row.note for row in restored.fields if row.state == "missing"
    )


def test_a_picture_of_another_form_of_ours_is_read_from_its_graph(tmp_path: Path) -> None:
    form = make_form(tmp_path, "steps: {slot: 3.steps}")
    graph = make_changed_metadata(WORKFLOW, **{"3.steps": 11}).prompt
    metadata = Metadata("png", graph, comfygradio={"preset": "other", "values": {"steps": 99}})
    assert restore_values(form, metadata).fields[0] == RestoredField("steps", "Steps", 11, "read")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.just(["4", 0]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


@quick
@given(st.data())
def test_any_graph_and_any_values_restore_without_an_error(form: Form, data: st.DataObject) -> None:
    graph = copy.deepcopy(WORKFLOW)
    for key in data.draw(st.lists(st.sampled_from(sorted(graph)), max_size=6)):
        name = data.draw(st.sampled_from([*graph[key]["inputs"], "lora_name", "model"]))
        graph[key]["inputs"][name] = data.draw(JSON)
    for key in data.draw(st.lists(st.sampled_from(sorted(graph)), max_size=4, unique=True)):
        del graph[key]
    values = data.draw(st.dictionaries(st.sampled_from([*form.fields, "_drawn", "x"]), JSON))
    for preset in (form.name, "other"):
        restored = restore_values(
            form, Metadata("png", graph, None, {"preset": preset, "values": values})
        )
        assert {row.name for row in restored.fields} <= form.fields.keys()
        form.check(restored.values)


def test_shipped_presets_restore(info: ObjectInfo) -> None:
    form = load_preset(Path(__file__).parent.parent.parent / "presets" / "text_to_image.yaml").bind(
        info
    )
    assert form.problems == ()
    values = {
        "prompt": "a fox",
        "seed": 2**64 - 1,
        "size": "768x512",
        "steps": 7,
        "cfg": 3.5,
        "pictures": 2,
    }
    prompt = form.fill(values)
    for metadata in (make_metadata(prompt), make_metadata(prompt, own=True)):
        restored = restore_values(form, metadata)
        assert restored.notes == () and form.fill(restored.values).graph == prompt.graph
        assert {name: restored.values[name] for name in values} == values


CASES = list_cases()


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    return make_media(tmp_path_factory.mktemp("media"))


@pytest.mark.deep
@pytest.mark.parametrize("case", CASES[::3], ids=str)
def test_drafted_forms_of_many_workflows_restore(
    case: Case, tmp_path: Path, media: Mapping[str, Path]
) -> None:
    """From the graph alone, under other ids and without titles; only files have to be
    added again.
    """
    form = load_draft(draft_preset(case.workflow, draft_info()), tmp_path)
    files = {name: media[one.widget] for name, one in form.fields.items() if one.kind.is_media}
    checked = form.check(files)
    prompt = form.build(checked, NOON)
    restored = restore_values(form, Metadata("png", renumber(prompt.graph, 5, has_titles=False)[0]))
    assert restored.notes == ()
    assert {row.name for row in restored.fields if row.state == "missing"} <= files.keys()
    assert form.build(form.check({**restored.values, **files}), NOON).graph == prompt.graph
    again = restore_values(form, make_metadata(prompt, own=True))
    assert (
        again.values == {k: v for k, v in form.values_to_json(checked).items() if k not in files}
        and again.notes == ()
    )
