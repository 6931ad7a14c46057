from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfygradio.binding.preset import Preset, load_preset
from comfygradio.forms.preset_file import PresetFile
from comfygradio.metadata.load import Metadata
from comfygradio.metadata.preset_search import find_preset
from tests.effort import scale
from tests.forms.graph_shuffle import change_literals, renumber
from tests.forms.metadata_form import WORKFLOW, load, make_info, make_metadata, node

from .corpus import list_cases

pytestmark = pytest.mark.deep

PRESETS = Path(__file__).parent.parent.parent / "presets"
CASES = list_cases()
CORPUS = [
    Preset(
        case.name,
        Path(case.name),
        PresetFile(title=case.expected.title, workflow="x.json"),
        case.workflow,
    )
    for case in CASES
]


@pytest.fixture(scope="module")
def shipped() -> list[Preset]:
    return [load_preset(path) for path in sorted(PRESETS.glob("*.yaml"))]


def picture(graph: Any, **comfygradio: Any) -> Metadata:
    return Metadata("png", renumber(graph, 1)[0], None, comfygradio or None)


def test_our_own_pictures_name_their_preset(tmp_path: Path) -> None:
    preset = load(tmp_path)
    prompt = preset.bind(make_info("v0.33.0")).fill({})
    assert find_preset(make_metadata(prompt, own=True), [preset]) == (
        preset,
        "comfygradio made this file with the form Test.",
    )
    only_values = Metadata("png", comfygradio={"preset": "test", "values": {}})
    assert find_preset(only_values, [preset])[0] is preset


def test_another_form_of_the_same_name_is_not_believed(
    tmp_path: Path, shipped: list[Preset]
) -> None:
    preset = load(tmp_path, name="upscale")
    upscale = next(one for one in shipped if one.name == "upscale")
    found, reason = find_preset(
        picture(upscale.workflow.to_json(), preset="upscale", values={}), [preset]
    )
    assert found is None and "called upscale, whose workflow is another one here." in reason
    found, reason = find_preset(
        picture(upscale.workflow.to_json(), preset="gone", values={}), shipped
    )
    assert found is upscale
    assert (
        reason == "It was made with a form called gone, which is not here. Its workflow is that of "
        f"the form {upscale.title}."
    )


@pytest.mark.parametrize("has_titles", [True, False])
@pytest.mark.parametrize("place", range(0, len(CORPUS), 4))
def test_foreign_graphs_find_their_preset_among_many(place: int, has_titles: bool) -> None:
    preset = CORPUS[place]
    graph = change_literals(renumber(preset.workflow.to_json(), place, has_titles)[0])
    found, reason = find_preset(Metadata("png", graph), CORPUS)
    assert found is not None and reason.startswith(
        f"Its workflow is that of the form {found.title}."
    )
    assert found is preset or (preset.title in reason and not has_titles)


@pytest.mark.parametrize("place", range(1, len(CORPUS), 4))
def test_without_their_preset_nothing_is_claimed_for_sure(place: int) -> None:
    """Two workflows of the corpus are the same but for ids and titles; of all others something
    differs.
    """
    others = [preset for preset in CORPUS if preset is not CORPUS[place]]
    found, reason = find_preset(Metadata("png", CORPUS[place].workflow.to_json()), others)
    if found is None:
        assert reason == f"None of the {len(others)} forms resembles the workflow of this file."
    elif "is that of the form" in reason:
        classes = [
            sorted(node.class_type for node in preset.workflow) for preset in (found, CORPUS[place])
        ]
        assert classes[0] == classes[1]
    else:
        assert reason.startswith(
            f"Its workflow resembles that of the form {found.title}, but is not the same"
        )


def test_what_differs_is_named(tmp_path: Path) -> None:
    graph = copy.deepcopy(WORKFLOW)
    graph["60"] = node("LatentUpscaleBy", "Larger", samples=["3", 0], scale_by=2.0)
    graph["8"]["inputs"]["samples"] = ["60", 0]
    graph["30"]["inputs"]["image"] = ["21", 0]
    del graph["22"]
    found, reason = find_preset(picture(graph), [load(tmp_path, "seed: {slot: 3.seed}")])
    assert found is not None
    assert reason == (
        "Its workflow resembles that of the form Test, but is not the same: it has Larger and it "
        "lacks ImageScaleBy."
    )


def test_bypassed_nodes_and_added_loras_do_not_count_as_differences(tmp_path: Path) -> None:
    preset = load(tmp_path)
    values = {"double": False, "loras": [("tiny-lora.safetensors", 1.0)] * 3}
    prompt = preset.bind(make_info("v0.33.0")).fill(values)
    assert "22" not in prompt.graph and len(prompt.graph) == len(WORKFLOW)
    assert find_preset(make_metadata(prompt), [preset]) == (
        preset,
        "Its workflow is that of the form Test.",
    )


def test_of_equal_graphs_titles_decide_then_values_and_the_rest_is_said(tmp_path: Path) -> None:
    other = copy.deepcopy(WORKFLOW)
    other["6"]["_meta"]["title"] = "Words"
    fast = copy.deepcopy(WORKFLOW)
    fast["3"]["inputs"].update(steps=4, cfg=1.0)
    named = [("one", WORKFLOW), ("two", other), ("three", fast)]
    presets = []
    for name, flow in named:
        (tmp_path / name).mkdir()
        presets.append(load(tmp_path / name, "seed: {slot: 3.seed}", flow, name, name))
    for place, (name, flow) in enumerate(named):
        found, reason = find_preset(picture(flow), presets)
        assert found is presets[place]
        rivals = [rival for rival, _ in named if rival != name]
        assert reason.startswith(f"Its workflow is that of the form {name}. ") and reason.endswith(
            " would fit as well."
        )
        assert all(rival in reason for rival in rivals)


def test_files_without_a_prompt_say_so(shipped: list[Preset]) -> None:
    assert find_preset(Metadata("png", workflow={"nodes": []}), shipped) == (
        None,
        "The file holds only ComfyUI's own workflow (UI format), which cannot be compared with "
        "the forms.",
    )
    assert find_preset(Metadata("png", comfygradio={"preset": "gone", "values": {}}), shipped) == (
        None,
        "It was made with a form called gone, which is not here.",
    )


ANY = (
    st.none()
    | st.integers()
    | st.text(max_size=3)
    | st.lists(st.integers(0, 9) | st.text(max_size=2), max_size=2)
)
NODES = st.fixed_dictionaries(
    {"class_type": st.sampled_from(["KSampler", "VAEDecode", "SaveImage", "CLIPTextEncode", "X"])},
    optional={
        "inputs": ANY | st.dictionaries(st.sampled_from(["samples", "images", "text"]), ANY),
        "_meta": ANY,
    },
)


@settings(max_examples=scale(80), deadline=None)
@given(st.dictionaries(st.text(max_size=2), NODES, min_size=1, max_size=9), ANY)
def test_any_graph_gives_an_answer_in_a_sentence(
    shipped: list[Preset], graph: Any, name: Any
) -> None:
    _, reason = find_preset(Metadata("png", graph, None, {"preset": name, "values": {}}), shipped)
    assert reason.endswith(".") and "\n" not in reason.replace(str(name), "")
