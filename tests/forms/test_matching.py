from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfygradio.comfy.workflow import Workflow
from comfygradio.metadata.match import estimate_max_score, match_nodes
from tests.effort import scale
from tests.forms.graph_shuffle import change_literals, renumber

from .corpus import Case, list_cases

CASES = list_cases()


def node(class_type: str, title: str = "", **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs, "_meta": {"title": title or class_type}}


BASE = {
    "4": node("CheckpointLoaderSimple", ckpt_name="a.safetensors"),
    "5": node("EmptyLatentImage", width=512, height=512, batch_size=1),
    "6": node("CLIPTextEncode", text="a cat", clip=["4", 1]),
    "7": node("CLIPTextEncode", text="blurry", clip=["4", 1]),
    "3": node(
        "KSampler",
        seed=1,
        model=["4", 0],
        positive=["6", 0],
        negative=["7", 0],
        latent_image=["5", 0],
    ),
    "8": node("VAEDecode", samples=["3", 0], vae=["4", 2]),
    "9": node("SaveImage", filename_prefix="x", images=["8", 0]),
}


def match(ours: Any, theirs: Any, **forgiven: Any) -> Any:
    return match_nodes(Workflow.from_json(ours), Workflow.from_json(theirs), **forgiven)


@pytest.mark.parametrize("has_titles", [True, False])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_nodes_are_found_again_under_other_ids(case: Case, has_titles: bool) -> None:
    graph, names = renumber(case.workflow.to_json(), len(case.name), has_titles)
    found = match_nodes(case.workflow, Workflow.from_json(change_literals(graph)))
    assert found.pairs == names
    assert (
        found.is_same
        and found.score == pytest.approx(1)
        and (found.missing, found.added) == ((), ())
    )


def test_the_two_texts_are_told_apart_by_what_they_feed() -> None:
    swapped = {
        **BASE,
        "6": {**BASE["7"]},
        "7": {**BASE["6"]},
        "3": node("KSampler", **BASE["3"]["inputs"]),
    }
    swapped["3"]["inputs"].update(positive=["7", 0], negative=["6", 0])
    found = match(BASE, swapped)
    assert (found.pairs["6"], found.pairs["7"]) == ("7", "6") and found.is_same


def test_added_and_missing_nodes_are_named_and_cost_something() -> None:
    changed, names = renumber(BASE)
    del changed[names["5"]]
    changed["20"] = node("VAEEncode", pixels=["21", 0], vae=[names["4"], 2])
    changed["21"] = node("LoadImage", image="x.png")
    changed[names["3"]]["inputs"]["latent_image"] = ["20", 0]
    found = match(BASE, changed)
    assert (found.missing, set(found.added), found.is_same) == (("5",), {"20", "21"}, False)
    assert {key: partner for key, partner in names.items() if key != "5"} == found.pairs
    assert 0.7 < found.score < 0.9


def test_nodes_that_may_be_bypassed_or_added_are_forgiven() -> None:
    chain = {**BASE, "20": node("LoraLoaderModelOnly", lora_name="a", model=["4", 0])}
    chain["3"] = node("KSampler", **{**BASE["3"]["inputs"], "model": ["20", 0]})
    assert match(chain, BASE).is_same is False and match(BASE, chain).is_same is False
    assert (
        match(chain, BASE, may_miss={"20"}).is_same
        and match(BASE, chain, may_add={"LoraLoaderModelOnly"}).is_same
    )


def test_carried_along_nodes_are_loose_and_cost_nothing() -> None:
    more = {
        **BASE,
        "30": node("UpscaleModelLoader", model_name="x"),
        "31": node("LoraLoader", model=["4", 0]),
    }
    found = match(BASE, more)
    assert (found.added, set(found.disconnected), found.score, found.is_same) == (
        (),
        {"30", "31"},
        1.0,
        True,
    )


def test_a_partner_without_a_part_in_the_picture_is_idle() -> None:
    ours = {
        **BASE,
        "20": node("ImageScaleBy", image=["8", 0]),
        "9": node("SaveImage", images=["20", 0]),
    }
    theirs = {**ours, "9": node("SaveImage", images=["8", 0])}
    found = match(ours, theirs)
    assert (found.pairs["20"], found.find_active("20"), found.find_active("8")) == ("20", None, "8")


def test_graphs_without_a_common_class() -> None:
    found = match(BASE, {"1": node("LoadAudio"), "2": node("SaveAudio", audio=["1", 0])})
    assert (found.pairs, found.score, found.is_same) == ({}, 0.0, False)
    assert match({"1": node("A")}, {"2": node("A")}).pairs == {"1": "2"}


LINKS = st.tuples(st.integers(0, 9).map(str), st.integers(-1, 2)).map(list)
NODES = st.builds(
    lambda kind, inputs: {"class_type": kind, "inputs": inputs},
    st.sampled_from(["A", "B", "SaveImage"]),
    st.dictionaries(
        st.sampled_from(["x", "y", "z"]),
        LINKS | st.integers() | st.none() | st.lists(st.integers()),
    ),
)
GRAPHS = st.dictionaries(st.integers(0, 9).map(str), NODES, min_size=1)


@settings(max_examples=scale(150), deadline=None)
@given(GRAPHS, GRAPHS)
def test_any_two_graphs_are_matched_one_to_one_within_class(ours: Any, theirs: Any) -> None:
    """Circles, links to nowhere and nodes that feed themselves included."""
    one, other = Workflow.from_json(ours), Workflow.from_json(theirs)
    found = match_nodes(one, other)
    assert len(set(found.pairs.values())) == len(found.pairs)
    assert all(
        one.nodes[key].class_type == other.nodes[partner].class_type
        for key, partner in found.pairs.items()
    )
    assert 0 <= found.score <= estimate_max_score(one, other) + 1e-9 <= 1 + 2e-9
    assert {*found.missing} == one.nodes.keys() - found.pairs.keys()
    assert {*found.added, *found.disconnected} == other.nodes.keys() - {*found.pairs.values()}
    assert match_nodes(one, one).score == pytest.approx(1) or any(
        link.node_id not in one.nodes for each in one for link in each.links.values()
    )


def test_a_hostile_graph_is_matched_in_bounded_time() -> None:
    graph = {
        str(key): node("CLIPTextEncode", text=str(key), clip=[str(key * 7 % 5000), 1])
        for key in range(5000)
    }
    start = time.process_time()
    match(BASE, {**graph, **renumber(BASE)[0]})
    assert time.process_time() - start < 5
