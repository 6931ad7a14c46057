"""The example "Example" of every draft posts exactly the workflow's own prompt."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.drafting.draft import Draft, draft_preset
from comfygradio.forms.form import Form
from tests.forms import annotated_workflow
from tests.forms.draft_graph import bind_draft, info

from .corpus import Case, list_cases, make_media

EXAM = os.environ.get("COMFYGRADIO_EXAM", "")

NO_EXAM = (
    "set COMFYGRADIO_EXAM to the folder of the exam (workflows with the real frontend's prompts) "
    "to draft every one of them"
)

DATE = (
    "its file name holds %date:…%, which is written out when it is posted, as ComfyUI's page does"
)

OTHER: Mapping[str, Mapping[str, str]] = {
    "image_composite": {"1.filename_prefix": DATE},
    "sd15_embedding_clip_skip": {"12.filename_prefix": DATE},
}
"""Workflow of tests/data → slot that is posted otherwise → why."""

NEWER = "the workflow's own choice is newer than this server, and the form says what it starts with"

SWAPPED: Mapping[str, str] = {
    "templates__api_grok_imagine_video_1_5_lite_i2v": NEWER,
    "templates__api_grok_imagine_video_1_5_lite_t2v": NEWER,
    "templates__api_nano_banana_2_1_t2i": NEWER,
    "templates__api_recraft_v4_1_flash_t2i": NEWER,
}
"""Prompt of the exam that names a choice which the server does not offer → why it differs."""

CUSTOM = "the choices of a CustomCombo stand in the node itself, and object_info lists none"
CLAUDE = "the model is newer than this server; ComfyUI does not check the choice of a dynamic list"

CLOSED: Mapping[str, str] = {
    "blueprints__Image Edit (Bernini-R)": CUSTOM,
    "mutant__m1_006__video_bernini_r_image_editing": CUSTOM,
    "templates__basic_image_color_adjustment": CUSTOM,
    "templates__image_ideogram4_t2i_int8": CUSTOM,
    "templates__templates_graphic_design_recomposer": CUSTOM,
    "templates__video_bernini_r_image_editing": CUSTOM,
    "mutant__m1_032__api_anthropic_claude_opus_5_5": CLAUDE,
    "mutant__m1_070__api_anthropic_claude_fable5_1": CLAUDE,
    "templates__api_anthropic_claude_fable5_1": CLAUDE,
    "templates__api_anthropic_claude_opus_5_5": CLAUDE,
    "templates__api_openai_gpt_image_25_flare_t2i": CLAUDE,
    "templates__api_openai_gpt_image_25_sunburst_t2i": CLAUDE,
}
"""Prompt of the exam that ComfyUI takes although the form is closed → why."""


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    return make_media(tmp_path_factory.mktemp("media"))


def post_example(made: Draft, form: Form, media: Mapping[str, Path]) -> dict[str, Any]:
    """The graph of a draft's example; its files are put in, since an example cannot bring them."""
    examples = [one for one in made.examples if one["title"] == "Example"]
    values = {name: value for one in examples for name, value in one.items() if name != "title"}
    files = {
        name: media.get(field.widget, media["image"])
        for name, field in form.fields.items()
        if field.kind.is_media
    }
    return dict(form.fill({**values, **files}).graph)


def list_differences(workflow: Workflow, graph: Mapping[str, Any], form: Form) -> set[str]:
    """Every NODE.INPUT, and every node, in which a graph is not the workflow; files apart."""
    own = workflow.to_json()
    files = {
        (slot.node_id, slot.input)
        for field in form.fields.values()
        if field.kind.is_media
        for slot in field.all_slots
    }
    found = set(own.keys() ^ graph.keys())
    for node_id in own.keys() & graph.keys():
        mine, posted = own[node_id], graph[node_id]
        names = mine["inputs"].keys() | posted["inputs"].keys()
        found |= {
            f"{node_id}.{name}"
            for name in names
            if (node_id, name) not in files and _read(mine, name) != _read(posted, name)
        }
        found |= {node_id} if mine["class_type"] != posted["class_type"] else set()
    return found


def _read(node: Mapping[str, Any], name: str) -> str:
    """An input as JSON, which tells 1 from 1.0 and from true, and nothing from null."""
    inputs = node["inputs"]
    return json.dumps(inputs[name], sort_keys=True) if name in inputs else ""


@pytest.mark.deep
@pytest.mark.parametrize("case", list_cases(), ids=str)
def test_workflows(case: Case, tmp_path: Path, media: Mapping[str, Path]) -> None:
    made = draft_preset(case.workflow, info())
    form = bind_draft(made, tmp_path, info())
    graph = post_example(made, form, media)
    assert list_differences(case.workflow, graph, form) == OTHER.get(case.name, {}).keys()


CHANCE: Mapping[str, Mapping[str, str]] = {
    "comfydeploy": {
        "45.default_value": "-1 stands for a seed of chance, which the form draws itself"
    }
}
"""Marked workflow → slot that is posted otherwise → why."""


@pytest.mark.parametrize("server", ["PLAIN", "FULL"])
@pytest.mark.parametrize(
    "path", sorted((annotated_workflow.DATA / "markers").glob("*.json")), ids=lambda p: p.stem
)
def test_marked_workflows(
    path: Path, server: str, tmp_path: Path, media: Mapping[str, Path]
) -> None:
    """Marker nodes give way to what every ComfyUI has; that is the prompt which is meant."""
    if path.stem == "rival_classes":
        return
    known: ObjectInfo = getattr(annotated_workflow, server)
    made = draft_preset(*_with_info(path.stem, known))
    form = bind_draft(made, tmp_path, known)
    found = list_differences(made.workflow, post_example(made, form, media), form)
    assert found <= CHANCE.get(path.stem, {}).keys()


def _with_info(name: str, known: ObjectInfo) -> tuple[Workflow, ObjectInfo, Any]:
    workflow, saved = annotated_workflow.load_workflow(name)
    return workflow, known, saved


@cache
def exam_info() -> ObjectInfo:
    return ObjectInfo.from_json(_read_exam("object_info.json"))


@cache
def exam_index() -> dict[str, Any]:
    index: dict[str, Any] = _read_exam("index.json")
    return index


def _read_exam(name: str) -> Any:
    return json.loads((Path(EXAM) / name).read_text(encoding="utf-8"))


def list_exam() -> list[Any]:
    """The names of the exam's prompts, without the empty ones and those with nodes that the real
    frontend could not name.
    """
    if not EXAM:
        return [pytest.param("", marks=pytest.mark.skip(reason=NO_EXAM), id="exam")]
    found = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((Path(EXAM) / "oracle").glob("*.json"))
    }
    return [name for name, graph in found.items() if graph and all(map(_is_known, graph.values()))]


def _is_known(node: Mapping[str, Any]) -> bool:
    return isinstance(node["class_type"], str)


def is_taken(name: str) -> bool:
    """Whether ComfyUI takes the whole of a prompt of the exam, as it was asked itself."""
    return "accepted" in exam_index()[name]["server"].values()


@pytest.mark.deep
@pytest.mark.parametrize("name", list_exam())
def test_prompts_of_the_exam(name: str, tmp_path: Path, media: Mapping[str, Path]) -> None:
    workflow = Workflow.from_json(_read_exam(f"oracle/{name}.json"))
    made = draft_preset(workflow, exam_info())
    form = bind_draft(made, tmp_path, exam_info())
    if form.problems:
        assert not is_taken(name) or name in CLOSED, form.problems
        return
    differences = list_differences(workflow, post_example(made, form, media), form)
    assert not differences or name in SWAPPED
