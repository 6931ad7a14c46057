"""Drafts of the whole corpus: everything that a person would look for is found, and the form can be
posted.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from comfygradio.drafting.draft import Draft, draft_preset
from tests.forms.draft_graph import bind_draft, info, list_slots

from .corpus import Case, fill_defaults, list_cases, make_media

pytestmark = pytest.mark.deep

TEXTS = {"prompt", "text", "tags", "lyrics"}
MODELS = {"checkpoint", "model", "upscale_model", "text_encoder", "model_file"}


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    return make_media(tmp_path_factory.mktemp("media"))


def find_roles(made: Draft) -> dict[str, str]:
    """Slot → role of the field that fills it."""
    return {slot: field.role for field in made.fields for slot in list_slots(field)}


@pytest.mark.parametrize("case", list_cases(), ids=str)
def test_everything_is_found_and_the_form_can_be_posted(
    case: Case, tmp_path: Path, media: Mapping[str, Path]
) -> None:
    made = draft_preset(case.workflow, info())
    roles, told = find_roles(made), case.expected
    for slots, allowed in (
        (told.prompt, TEXTS),
        (told.negative, {"negative_prompt"}),
        (told.seed, {"seed"}),
        (told.model, MODELS),
        (told.size.values(), {"size"}),
        (told.loras, {"loras", "lora"}),
        (told.images, {"image", "mask"}),
        (told.masks, {"mask"}),
        (told.video, {"video"}),
        (told.audio, {"audio"}),
    ):
        assert {slot: roles.get(slot) for slot in slots if roles.get(slot) not in allowed} == {}
    assert set(made.outputs) <= told.outputs
    form = bind_draft(made, tmp_path)
    assert form.problems == ()
    assert fill_defaults(form, media).graph.keys() >= {node.id for node in case.workflow}


@pytest.mark.parametrize("case", list_cases(), ids=str)
def test_a_draft_asks_for_the_main_things_first(case: Case) -> None:
    made = draft_preset(case.workflow, info())
    simple = [field for field in made.fields if not field.entry.advanced]
    main = {slot for field in simple for slot in list_slots(field)}
    told = case.expected
    assert main >= {*told.media, *told.seed[:1], *told.prompt[:1], *told.size.values()}
    assert 1 <= len(simple) <= 12 and simple == list(made.fields[: len(simple)])
    assert all(field.entry.label and field.why and "\n" not in field.why for field in made.fields)
