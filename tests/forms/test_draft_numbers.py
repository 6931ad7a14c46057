"""Numbers that belong together: seeds that differ, and the steps at which samplers take over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from comfygradio.drafting.numbers import is_count
from tests.forms.draft_graph import bind_draft, draft, find, node, sample, slots, text_to_image

from .test_draft_annotations import hint


def decode(source: str) -> dict[str, Any]:
    return node("VAEDecode", samples=[source, 0], vae=["4", 2])


def three_seeds(*seeds: int) -> Any:
    """Samplers 3, 30 and 31 one after the other."""
    return text_to_image(
        n3=sample(seed=seeds[0]),
        n30=sample("Second", latent_image=["3", 0], seed=seeds[1]),
        n31=sample("Third", latent_image=["30", 0], seed=seeds[2]),
        n8=decode("31"),
    )


@pytest.mark.parametrize(
    ("value", "is_one"), [(20, True), (0, False), (True, False), (20.0, False), (10**400, False)]
)
def test_a_count_is_a_number_that_a_float_can_hold(value: Any, is_one: bool) -> None:
    assert is_count(value) is is_one


def test_seeds_that_differ_keep_their_distance(tmp_path: Path) -> None:
    made = draft(three_seeds(500, 500, 123))
    assert slots(made)["seed"] == ["3.seed", "30.seed", "31.seed"]
    assert (
        "The seeds differ; seed sets all and keeps their distance: "
        "seed of Third (node 31) (value - 377)."
    ) in made.notes
    graph = bind_draft(made, tmp_path).fill({"seed": 1000}).graph
    assert [graph[n]["inputs"]["seed"] for n in ("3", "30", "31")] == [1000, 1000, 623]


def test_equal_seeds_are_told_nothing_about() -> None:
    assert not any("distance" in note for note in draft(three_seeds(9, 9, 9)).notes)


def test_a_seed_of_chance_is_no_distance_from_anything() -> None:
    """Nodes of unknown classes may store -1 for a new seed each time."""
    made = draft(three_seeds(40, -1, 41))
    assert slots(made)["seed"] == ["3.seed", "31.seed"]
    assert slots(made)["seed_2"] == ["30.seed"]


def test_a_draft_without_texts_has_its_seed_in_the_example() -> None:
    graph = {
        "1": node("EmptyImage", width=64, height=64, batch_size=1, color=7),
        "2": node("ImageAddNoise", image=["1", 0], seed=4711, strength=0.5),
        "3": node("SaveImage", filename_prefix="x", images=["2", 0]),
    }
    assert draft(graph).examples == ({"title": "Example", "seed": 4711},)


def test_one_marked_seed_leaves_the_others_with_their_distance() -> None:
    made = draft(three_seeds(7, 20, 30), hints=(hint("3.seed"), hint("6.text")))
    assert slots(made)["seed"] == ["3.seed"] and slots(made)["seed_2"] == ["30.seed", "31.seed"]
    assert any("seed of Third (node 31) (value + 10)" in note for note in made.notes)


def stages(steps: Any, end: Any, start: Any, last: int = 10000, **more: Any) -> Any:
    """Two samplers that share their steps."""
    common: Any = {"cfg": 5.0, "sampler_name": "euler", "scheduler": "normal", "model": ["4", 0]}
    common |= {"positive": ["6", 0], "negative": ["7", 0], "noise_seed": 3, "steps": steps}
    first: Any = {
        **{**common, "add_noise": "enable", "start_at_step": 0, "end_at_step": end},
        **{"return_with_leftover_noise": "enable", "latent_image": ["5", 0]},
    }
    second: Any = {
        **{**common, "add_noise": "disable", "start_at_step": start, "end_at_step": last},
        **{"return_with_leftover_noise": "disable", "latent_image": ["40", 0]},
    }
    coarse = node("KSamplerAdvanced", "Coarse", **first)
    fine = node("KSamplerAdvanced", "Fine", **second)
    return text_to_image(n3=None, n40=coarse, n41=fine, n8=decode("41"), **more)


def run_stages(graph: Any, folder: Path, steps: int) -> list[tuple[int, ...]]:
    made = draft(graph)
    posted = bind_draft(made, folder).fill({"steps": steps}).graph
    names = ("steps", "start_at_step", "end_at_step")
    return [tuple(posted[n]["inputs"][name] for name in names) for n in ("40", "41")]


def test_the_step_at_which_samplers_take_over_moves_along(tmp_path: Path) -> None:
    assert run_stages(stages(25, 15, 15), tmp_path, 40) == [(40, 0, 24), (40, 24, 10000)]


def test_shares_that_are_no_short_decimals_are_exact(tmp_path: Path) -> None:
    graph = stages(30, 20, 20)
    assert run_stages(graph, tmp_path, 30) == [(30, 0, 20), (30, 20, 10000)]
    assert run_stages(graph, tmp_path, 45) == [(45, 0, 30), (45, 30, 10000)]


def test_an_end_at_the_last_step_stays_at_the_last(tmp_path: Path) -> None:
    assert run_stages(stages(24, 6, 6, last=24), tmp_path, 48) == [(48, 0, 12), (48, 12, 48)]


@pytest.mark.parametrize(("split", "least"), [(10, 2), (16, 3), (2, 5), (19, 11)])
def test_there_are_enough_steps_for_both(split: int, least: int, tmp_path: Path) -> None:
    made = draft(stages(20, split, split))
    assert find(made, "steps").entry.min == least
    first, second = run_stages(stages(20, split, split), tmp_path, least)
    assert 0 < first[2] == second[1] < least
    assert any(
        note.startswith("With steps moves along in proportion: end_at_step of Coarse (node 40)")
        and note.endswith(f"it is at least {least}, so that each part runs.")
        for note in made.notes
    )


def test_numbers_of_their_own_nodes_move_along(tmp_path: Path) -> None:
    graph = stages(
        ["50", 0],
        ["51", 0],
        ["51", 0],
        n50=node("PrimitiveInt", "Steps", value=20),
        n51=node("PrimitiveInt", "Hand over at", value=8),
    )
    made = draft(graph)
    assert slots(made)["steps"] == ["50.value", "51.value"]
    posted = bind_draft(made, tmp_path).fill({"steps": 30}).graph
    assert (posted["50"]["inputs"]["value"], posted["51"]["inputs"]["value"]) == (30, 12)


def test_sigmas_are_cut_in_proportion(tmp_path: Path) -> None:
    inputs: Any = {
        **{"add_noise": True, "noise_seed": 5, "cfg": 4.0, "model": ["4", 0]},
        **{"positive": ["6", 0], "negative": ["7", 0], "sampler": ["21", 0]},
        **{"sigmas": ["22", 0], "latent_image": ["5", 0]},
    }
    graph = text_to_image(
        n3=node("SamplerCustom", **inputs),
        n20=node("BasicScheduler", model=["4", 0], scheduler="normal", steps=12, denoise=1.0),
        n21=node("KSamplerSelect", sampler_name="euler"),
        n22=node("SplitSigmas", sigmas=["20", 0], step=9),
    )
    made = draft(graph)
    assert slots(made)["steps"] == ["20.steps", "22.step"]
    assert bind_draft(made, tmp_path).fill({"steps": 20}).graph["22"]["inputs"]["step"] == 15


def test_a_marked_split_is_a_field_of_its_own() -> None:
    made = draft(stages(20, 10, 10), hints=(hint("40.steps"), hint("41.start_at_step")))
    listed = slots(made)
    assert "41.start_at_step" in listed["start_at_step"]
    assert listed["steps"] == ["40.steps", "40.end_at_step"]


def test_marked_limits_leave_enough_steps_for_both() -> None:
    marks = (hint("40.steps", "41.steps", minimum=1, maximum=30, default=20), hint("6.text"))
    line = find(draft(stages(20, 16, 16), hints=marks), "steps").entry
    assert (line.min, line.max, line.default) == (3, 30, 20)


def test_other_words_of_one_encoder_may_be_given_apart(tmp_path: Path) -> None:
    encoder = node("CLIPTextEncodeFlux", clip=["4", 1], clip_l="fox", t5xxl="a fox", guidance=3.5)
    made = draft(text_to_image(n6=encoder))
    name = "other_words_for_t5xxl"
    assert slots(made)["prompt"] == ["6.clip_l", "6.t5xxl"] and slots(made)[name] == ["6.t5xxl"]
    assert made.examples[0] == {
        **{"title": "Example", "prompt": "fox"},
        **{name: "a fox", "seed": 7},
    }
    inputs = bind_draft(made, tmp_path).fill({"prompt": "a hare"}).graph["6"]["inputs"]
    assert (inputs["clip_l"], inputs["t5xxl"]) == ("a hare", "a hare")
