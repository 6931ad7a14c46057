"""Which results points share, learnt from a few prompts, against the keys that whole
prompts give.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comfygradio.comfy.object_info import InputSpec, NodeDef, ObjectInfo
from comfygradio.comfy.workflow import Prompt
from comfygradio.errors import ValuesRefused
from comfygradio.forms.field import Field
from comfygradio.forms.form import Form
from comfygradio.sweeps.axes.axis import Change, Index
from comfygradio.sweeps.planner.input_axes import (
    MAX_EXHAUSTIVE_POINTS,
    MAX_SAMPLED_PROMPTS,
    PromptSource,
)
from comfygradio.sweeps.planner.workload import Workload
from comfygradio.sweeps.space import Space
from tests.effort import scale
from tests.forms.corpus import Case, corpus_info, draft_form, list_cases, make_media

from .chain import make_axis
from .grids import GraphSpace, Part, random_space
from .maze import draw_axes, make_maze
from .oracle import make_keys

INFO = corpus_info()
CASES = list_cases()


def draw_points(space: PromptSource, count: int, seed: int = 5) -> list[Index]:
    chance = random.Random(seed)
    return [tuple(chance.randrange(size) for size in space.sizes) for _ in range(count)]


def assert_exact(
    space: PromptSource, known: ObjectInfo, points: Sequence[Index], least: bool = False
) -> None:
    """Two nodes of two points have one number where they have one key, and only there; `least`:
    only there.
    """
    workload = Workload(space, known)
    by_key: dict[Any, int] = {}
    by_number: dict[int, Any] = {}
    for index in points:
        keys, numbers = make_keys(space.prompt(index).graph), workload.node_ids(index)
        for node_id, number in numbers.items():
            if not least:
                assert by_key.setdefault(keys[node_id], number) == number, (index, node_id)
            assert by_number.setdefault(number, keys[node_id]) == keys[node_id], (index, node_id)


class Spy:
    """Counts the prompts that are built."""

    def __init__(self, space: PromptSource) -> None:
        self._space = space
        self.sizes = space.sizes
        self.built = 0

    def prompt(self, index: Index) -> Prompt:
        self.built += 1
        return self._space.prompt(index)


def offer(field: Field, chance: random.Random) -> list[Any]:
    """Some values that the field takes, and some that bypass or hide things."""
    numbers = [1, 2, 3, 7, 20, 0.25, 0.5, 0.75, 512, 1024]
    texts = ["a cat", "a dog", "a {red|blue} cat", "", "night // comment", "{x|y|z} {1|2}"]
    choices = [choice.value for choice in field.choices or ()]
    tried: list[Any] = [*numbers, True, False, None, *texts, *choices[:6], "512x512", "768x512"]
    chance.shuffle(tried)
    return tried


def draw_case_axes(
    form: Form, base: dict[str, Any], chance: random.Random
) -> list[tuple[str, list[Any]]]:
    """Three fields with eight or more positions each, so that the sweep is not read whole."""
    found: list[tuple[str, list[Any]]] = []
    names = [name for name, field in form.fields.items() if not field.kind.is_media]
    chance.shuffle(names)
    for name in names:
        values: list[Any] = []
        for value in offer(form.fields[name], chance):
            try:
                values.append(form.check({**base, name: value})[name])
            except ValuesRefused:
                continue
        if len(values) > 2:
            found.append((name, values[:9]))
    return found[:4]


@pytest.mark.deep
@pytest.mark.parametrize("case", CASES[::4], ids=str)
def test_what_is_learnt_of_a_workflow_is_what_its_prompts_say(case: Case, tmp_path: Path) -> None:
    form = draft_form(case, INFO, tmp_path)
    media = make_media(tmp_path)
    given = {name: media[one.widget] for name, one in form.fields.items() if one.kind.is_media}
    base = form.check(given)
    axes = draw_case_axes(form, base, random.Random(case.name))
    space = Space(form, tuple(make_axis(name, values) for name, values in axes), base)
    assert_exact(space, INFO, draw_points(space, 80))


@settings(max_examples=scale(25), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10**9))
def test_fields_that_hide_bypass_and_mix_are_understood(seed: int) -> None:
    form = make_maze()
    axes = draw_axes(random.Random(seed))
    space = Space(form, axes, form.check({"seed": 5}))
    assert_exact(space, form.object_info, draw_points(space, 100, seed))


@settings(max_examples=scale(20), deadline=None)
@given(st.integers(0, 10**9))
def test_random_graphs_are_understood(seed: int) -> None:
    space = random_space(seed)
    assert_exact(space, space.known, list(space))


def test_few_prompts_are_built_of_a_large_sweep() -> None:
    space = Spy(
        GraphSpace(
            (100, 100),
            (Part("A", 1, (0,)), Part("B", 1, (1,), ("A",)), Part("Save", 0, (), ("B",))),
        )
    )
    workload = Workload(space, ObjectInfo({}))
    for first in range(100):
        for second in range(100):
            workload.needed((first, second))
    assert MAX_EXHAUSTIVE_POINTS < space.built < 1.2 * MAX_SAMPLED_PROMPTS
    assert len(workload.classes) == 100 + 2 * 100 * 100


def test_a_rare_position_that_masks_another_axis_is_found() -> None:
    """One of sixty positions hides what the other axis sets, and one shows what
    nothing else does.
    """

    class Masked:
        sizes = (60, 40)

        def prompt(self, index: Index) -> Prompt:
            first, second = index
            inputs = {
                "mode": first,
                "strength": 0 if first == 31 else second,
                "extra": second if first == 47 else 0,
            }
            return Prompt({"1": {"class_type": "Save", "inputs": inputs}})

    space = Masked()
    points = [(first, second) for first in (0, 31, 47, 59) for second in range(40)]
    assert_exact(space, ObjectInfo({}), points)


def test_positions_of_a_very_long_axis_count_as_different() -> None:
    space = GraphSpace(
        (5000,), (Part("A", 1, ()), Part("B", 1, (0,), ("A",)), Part("Save", 0, (), ("B",)))
    )
    workload = Workload(space, space.known, space.seconds)
    needed = [workload.needed((place,)) for place in range(5000)]
    assert len(set().union(*needed)) == 1 + 2 * 5000
    assert_exact(space, space.known, [(place,) for place in range(0, 5000, 7)], least=True)


def test_equal_values_share_their_results() -> None:
    form = make_maze()
    space = Space(
        form,
        (make_axis("cfg", [5, 5.0, 7]), make_axis("strength", [0.3, 0.6])),
        form.check({"seed": 5}),
    )
    workload = Workload(space, form.object_info)
    assert workload.needed((0, 0)) == workload.needed((1, 1)), (
        "5 is 5.0, and the strength is hidden"
    )
    assert workload.needed((0, 0)) != workload.needed((2, 0))


def test_replaced_words_reach_the_texts_that_have_them() -> None:
    form = make_maze()
    words = make_axis("prompt", ["a cat", "a dog", "a bird"])
    steps = [make_axis("prompt", [word]).steps[0] for word in ("cat", "fish", "owl")]
    swaps = [(Change("prompt", step.label, "replace", "cat"),) for step in steps]
    axis = make_axis("prompt", ["cat", "fish", "owl"])
    axis = type(axis)(
        "S/R", axis.texts, tuple(type(axis.steps[0])(str(swap[0].value), swap) for swap in swaps)
    )
    space = Space(form, (words, axis), form.check({"seed": 5}))
    assert_exact(space, form.object_info, [(one, other) for one in range(3) for other in range(3)])


def test_only_nodes_that_lead_to_a_picture_are_needed() -> None:
    parts = (
        Part("A", 1, (0,)),
        Part("Lost", 9, (1,), ("A",)),
        Part("B", 1, (), ("A",)),
        Part("Save", 0, (), ("B",)),
    )
    space = GraphSpace((2, 3), parts)
    workload = Workload(space, space.known, space.seconds)
    assert [workload.classes[result] for result in sorted(workload.needed((0, 0)))] == [
        "A",
        "B",
        "Save",
    ]
    assert len(workload.present((0, 0))) == 4
    assert workload.needed((0, 0)) == workload.needed((0, 2))


def test_a_switch_needs_the_side_that_it_takes() -> None:
    lazy = {
        name: InputSpec(name, "*", "optional", options={"lazy": True})
        for name in ("on_true", "on_false")
    }
    known = ObjectInfo(
        {
            "Switch": NodeDef("Switch", "Switch", lazy, ("IMAGE",), False),
            "Save": NodeDef("Save", "Save", {}, (), True),
        }
    )

    class Switched:
        sizes = (2,)

        def prompt(self, index: Index) -> Prompt:
            switch = {"switch": index[0] == 1, "on_true": ["1", 0], "on_false": ["2", 0]}
            return Prompt(
                {
                    "1": {"class_type": "Left", "inputs": {}},
                    "2": {"class_type": "Right", "inputs": {}},
                    "3": {"class_type": "Switch", "inputs": switch},
                    "4": {"class_type": "Save", "inputs": {"images": ["3", 0]}},
                }
            )

    workload = Workload(Switched(), known)
    classes = [
        {workload.classes[result] for result in workload.needed((place,))} for place in (0, 1)
    ]
    assert classes == [{"Right", "Switch", "Save"}, {"Left", "Switch", "Save"}]


def test_some_classes_never_come_from_the_cache_and_some_only_under_their_own_id() -> None:
    parts = (Part("A", 1), Part("SaveImageWebsocket", 0, (), ("A",)))
    space = GraphSpace((3,), parts)
    workload = Workload(space, space.known)
    assert len(set().union(*(workload.needed((place,)) for place in range(3)))) == 1 + 3
    twins = GraphSpace((2,), (Part("A_1"), Part("Save", 0, (0,), ("A_1",))))
    shown = {"input": {}, "has_intermediate_output": True}
    by_id = {"input": {"hidden": {"node": "UNIQUE_ID"}}}
    new_style = {"input": {"hidden": {"node": ["UNIQUE_ID"]}}}
    for data, expected in (({}, {"A"}), (shown, set()), (by_id, set()), (new_style, {"A"})):
        known = ObjectInfo({"A": NodeDef.from_json("A", data), "Save": twins.known.nodes["Save"]})
        workload = Workload(twins, known)
        pinned = {
            workload.classes[result] for result in workload.needed((0,)) if workload.can_pin(result)
        }
        assert pinned == expected, "Save is shown"


def test_measured_times_come_before_the_table() -> None:
    space = GraphSpace(
        (2,), (Part("CheckpointLoader"), Part("Save", 0, (0,), ("CheckpointLoader",)))
    )
    known = {"CheckpointLoader": 3.5}
    for seconds, first in ((None, 10.0), (lambda node_id, inputs: known.get(node_id), 3.5)):
        workload = Workload(space, space.known, seconds)
        assert [workload.seconds[result] for result in workload.node_ids((0,)).values()] == [
            first,
            0.1,
        ]
