from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from comfygradio.binding.preset import load_preset
from comfygradio.comfy.workflow import Workflow
from comfygradio.drafting.draft import draft_preset
from comfygradio.drafting.preset_folder import save_draft, suggest_name
from comfygradio.drafting.writer import write_draft, write_value
from comfygradio.errors import PresetError
from tests.effort import scale
from tests.forms.draft_graph import bind_draft, draft, info, node, sample, text_to_image

TEXTS = st.text(st.characters(codec="utf-8"))
SCALARS = TEXTS | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=8
)


@settings(deadline=None)
@given(VALUES)
def test_any_value_is_read_back_by_any_reader(value: Any) -> None:
    written = write_value({"key": value})
    assert "\n" not in written
    assert yaml.safe_load(written) == {"key": value} == yaml.load(written, Loader=yaml.CSafeLoader)


@pytest.mark.parametrize(
    "text",
    ["null", "1.5", "2024-01-01", "12:30", "no", "a: b", "a #b", "[x]", "", "é\u2028x", "\x07"],
)
def test_texts_that_look_like_something_else_stay_texts(text: str) -> None:
    assert yaml.safe_load(write_value([text])) == [text]


def test_it_looks_written_by_hand() -> None:
    lines = write_draft(draft(text_to_image()), "lighthouse.json").splitlines()
    assert lines[0] == "# yaml-language-server: $schema=preset.schema.json"
    assert 'icon: "🎨"' in lines and "workflow: lighthouse.json" in lines
    assert "  # feeds positive of KSampler (node 3)" in lines
    expected = (
        'prompt:          {slot: {node: "6", class: CLIPTextEncode, input: text}, label: '
        '"What do you want to see?"'
    )
    assert any(line.startswith(f"  {expected}") for line in lines)
    assert lines[-2:] == [
        "examples:",
        "  - {title: Example, prompt: a lighthouse, seed: 7}",
    ]


@settings(deadline=None, max_examples=scale(40))
@given(TEXTS, TEXTS)
def test_no_title_or_text_breaks_out(title: str, text: str) -> None:
    graph = text_to_image(
        n6=node("CLIPTextEncode", title or "x", text=text, clip=["4", 1]), n3=sample(title or "x")
    )
    made = draft(graph)
    written = write_draft(made, "graph.json")
    assert set(yaml.safe_load(written)["fields"]) == {field.name for field in made.fields}


@settings(deadline=None, max_examples=scale(40))
@given(st.dictionaries(TEXTS.filter(bool), st.sampled_from(["4", "6", "3"]), max_size=3))
def test_any_node_id_is_written_safely(ids: dict[str, str]) -> None:
    graph = text_to_image()
    graph.update({name: graph[copied] for name, copied in ids.items() if name not in graph})
    assert yaml.safe_load(write_draft(draft(graph), "graph.json"))["title"] == "Text to image"


def test_huge_and_odd_numbers(tmp_path: Path) -> None:
    graph = text_to_image(
        n3=sample(seed=2**64 - 1, steps=10**30, cfg=float("inf"), denoise=float("nan"))
    )
    made = draft(graph)
    assert made.examples[0]["seed"] == 2**64 - 1
    bind_draft(made, tmp_path)


def test_a_saved_draft_is_a_preset(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "presets"
    saved = save_draft(draft(text_to_image()), folder, "lighthouse")
    assert sorted(path.name for path in folder.iterdir()) == [
        "lighthouse.json",
        "lighthouse.yaml",
        "preset.schema.json",
    ]
    found = load_preset(folder / "lighthouse.yaml")
    assert found == saved and found.bind(info()).problems == ()


def test_nothing_is_overwritten_unless_asked(tmp_path: Path) -> None:
    made = draft(text_to_image())
    (tmp_path / "mine.json").write_text("precious", encoding="utf-8")
    with pytest.raises(PresetError, match=r"mine\.json exists already"):
        save_draft(made, tmp_path, "mine")
    assert (
        not (tmp_path / "mine.yaml").exists() and (tmp_path / "mine.json").read_text() == "precious"
    )
    save_draft(made, tmp_path, "mine", overwrite=True)
    assert load_preset(tmp_path / "mine.yaml").title == "Text to image"


@pytest.mark.parametrize("name", ["Big", "a b", "../x", "", "1st", "ä"])
def test_names_are_checked(tmp_path: Path, name: str) -> None:
    with pytest.raises(PresetError, match=r"is not a name for a preset|needs a name"):
        save_draft(draft(text_to_image()), tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PresetError, match="cannot be written"):
        save_draft(draft(text_to_image()), tmp_path / "file", "mine")


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("ComfyUI_00012_", "text_to_image"),
        ("2024-05-01", "text_to_image"),
        ("Flux dev (fast)", "flux_dev_fast"),
        ("workflow", "text_to_image"),
        ("雪", "text_to_image"),
    ],
)
def test_names_come_from_the_file_or_the_kind(stem: str, name: str) -> None:
    assert suggest_name(stem, draft(text_to_image())) == name


def test_lone_surrogates_do_no_harm(tmp_path: Path) -> None:
    graph = text_to_image(n6=node("CLIPTextEncode", "odd \ud800", text="odd \ud800", clip=["4", 1]))
    made = draft_preset(Workflow.from_json(graph), info())
    saved = save_draft(made, tmp_path, "odd")
    assert load_preset(saved.path).bind(info()).problems == ()
