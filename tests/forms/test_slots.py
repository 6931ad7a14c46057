from __future__ import annotations

import pytest

from comfygradio.comfy.workflow import Workflow
from comfygradio.errors import PresetError
from comfygradio.forms.preset_file import SlotEntry
from comfygradio.forms.slots import Slot, find_slot, get_slot_value

from .preset_folder import RESIZE, change_workflow

FLOW = Workflow.from_json(change_workflow(n20=RESIZE))


@pytest.mark.parametrize(
    ("address", "slot"),
    [
        ("6.text", Slot("6", "text")),
        ("Positive.text", Slot("6", "text")),
        ("Negative v1.5.text", Slot("7", "text")),
        ("KSampler.seed", Slot("3", "seed")),
        ("EmptyLatentImage.width", Slot("5", "width")),
        ("20.resize_type.width", Slot("20", "resize_type.width")),
        ("Resize.resize_type.width", Slot("20", "resize_type.width")),
        ("ResizeImageMaskNode.resize_type.width", Slot("20", "resize_type.width")),
    ],
)
def test_addresses(address: str, slot: Slot) -> None:
    assert find_slot(FLOW, address) == slot


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("text", "text is no slot: write NODE.INPUT, for example 6.text."),
        (".text", "is no slot"),
        ("6.", "is no slot"),
        ("99.text", "the workflow has no node 99; it has 4 (CheckpointLoaderSimple), 5 "),
        ("Positiv.text", "Did you mean Positive?"),
        ("CLIPTextEncode.text", "more than one node is called CLIPTextEncode; use its id: 4 ("),
        ("CLIPTextEncode.a.b", "more than one node is called CLIPTextEncode"),
    ],
)
def test_addresses_that_name_no_slot(address: str, expected: str) -> None:
    with pytest.raises(PresetError) as caught:
        find_slot(FLOW, address)
    assert expected in str(caught.value)


def describe(**keys: str) -> SlotEntry:
    return SlotEntry.model_validate({"input": "text", **keys})


@pytest.mark.parametrize(
    ("address", "node"),
    [
        (describe(node="6"), "6"),
        (describe(node="6", **{"class": "CLIPTextEncode"}, title="Positive"), "6"),
        (describe(node="99", **{"class": "CLIPTextEncode"}, title="Positive"), "6"),
        (describe(node="3", **{"class": "CLIPTextEncode"}, title="Positive"), "6"),
        (describe(node="99", **{"class": "SaveImage"}, title="gone"), "9"),
        (describe(title="Positive"), "6"),
    ],
)
def test_the_long_form_survives_renumbering(address: SlotEntry, node: str) -> None:
    assert find_slot(FLOW, address) == Slot(node, "text")


@pytest.mark.parametrize(
    "address",
    [
        describe(node="99", **{"class": "CLIPTextEncode"}, title="gone"),
        describe(node="99"),
        describe(),
    ],
)
def test_a_long_form_that_fits_no_node_or_two(address: SlotEntry) -> None:
    with pytest.raises(PresetError, match="no node fits the slot"):
        find_slot(FLOW, address)


def test_the_value_of_a_slot() -> None:
    assert get_slot_value(FLOW, Slot("3", "steps")) == 20
    assert get_slot_value(FLOW, Slot("3", "nothing")) is None
