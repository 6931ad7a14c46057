"""What holds for any value: what a form takes the server takes too, and what it took once it takes
again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from comfygradio import ComfyClient
from comfygradio.binding.form_binding import bind_form
from comfygradio.comfy.object_info import NodeDef, ObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.errors import PromptRejected, ValuesRefused
from comfygradio.forms.form import Form
from comfygradio.forms.literals import check_literal
from comfygradio.forms.preset_file import PresetFile
from comfygradio.forms.step_grid import build_step_grid
from tests.effort import scale

from .corpus import corpus_info
from .random_classes import (
    COUNT,
    INPUT,
    draw_typed,
    draw_values,
    is_allowed,
    make_classes,
    make_form,
    parse_classes,
)
from .test_loras import build_flow

CLASSES = make_classes(2026)
INFO = parse_classes(CLASSES)
CORPUS = corpus_info()
quick = settings(
    max_examples=scale(40), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
many = settings(max_examples=scale(200), deadline=None)

KINDS = {
    "whole": "number",
    "signed": "seed",
    "seed": "seed",
    "real": "slider",
    "unlimited": "number",
    "switch": "checkbox",
    "line": "text",
    "words": "textarea",
    "mode": "dropdown",
    "seconds": "radio",
    "scale": "dropdown",
    "tags": "dropdown",
    "color": "color",
    "either": "slider",
    "secret": "text",
}
SLEEP = {"1": {"class_type": "LabSleep", "inputs": {"seconds": 600.0}}}


class Judge:
    """A server that checks prompts and never comes to run them, since it sleeps over the first."""

    def __init__(self, client: ComfyClient) -> None:
        self.client = client
        self.info = client.object_info()

    def find_refused(self, graph: Mapping[str, Any]) -> dict[str, str]:
        """Ids of the nodes that the server refuses, and why."""
        try:
            errors = self.client.queue_prompt(graph).node_errors
        except PromptRejected as rejected:
            assert rejected.node_errors, rejected
            errors = rejected.node_errors
        return {error.node_id: f"{error.type}: {error.details}" for error in errors}


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    folder = tmp_path_factory.mktemp("judge")
    (folder / "classes.json").write_text(json.dumps(CLASSES), encoding="utf-8")
    options = DemoOptions(lab_nodes=True, step_seconds=0.0, extra_classes=folder / "classes.json")
    with DemoServer(options, folder=folder) as server, ComfyClient(server.url) as client:
        sleeping = client.queue_prompt(SLEEP)
        yield Judge(client)
        client.clear_queue()
        client.cancel(sleeping.prompt_id)


@cache
def find_form(class_type: str) -> Form:
    """The form of one field for the class."""
    form = make_form(INFO, class_type)
    assert form.problems == ()
    return form


def list_samples(size: int) -> st.SearchStrategy[list[tuple[str, Any]]]:
    """Lists of a class and a value for its input."""
    sample = st.integers(0, COUNT - 1).flatmap(
        lambda index: st.tuples(
            st.just(f"Random{index}"), draw_values(INFO.nodes[f"Random{index}"].inputs[INPUT])
        )
    )
    return st.lists(sample, min_size=size, max_size=size)


@given(list_samples(30))
@quick
def test_literals_are_judged_as_the_server_does(
    judge: Judge, samples: list[tuple[str, Any]]
) -> None:
    graph = {
        str(i): {"class_type": name, "inputs": {INPUT: value}}
        for i, (name, value) in enumerate(samples)
    }
    refused = judge.find_refused(graph)
    for key, (name, value) in enumerate(samples):
        spec = INFO.nodes[name].inputs[INPUT]
        problem = check_literal(spec, value)
        if problem is None:
            assert str(key) not in refused, (spec, value, refused[str(key)])
        elif not ("nan" in str(value).lower() or isinstance(value, dict)):
            assert str(key) in refused, (spec, value, problem)


@given(list_samples(30))
@quick
def test_what_a_form_takes_the_server_takes(judge: Judge, samples: list[tuple[str, Any]]) -> None:
    graph, tried = {}, {}
    for index, (name, value) in enumerate(samples):
        form = find_form(name)
        try:
            graph[str(index)] = form.fill({"f": value}).graph["1"]
            tried[str(index)] = (form.fields["f"], value)
        except ValuesRefused:
            continue
    assume(graph)
    refused = judge.find_refused(graph)
    assert not refused, [(tried[key], why) for key, why in refused.items()]


@given(st.sampled_from([node for node in INFO if node.inputs[INPUT].type != "COLOR"]), st.data())
@many
def test_what_a_form_refuses_is_out_of_its_limits(node: NodeDef, data: st.DataObject) -> None:
    spec, form = node.inputs[INPUT], find_form(node.class_type)
    value = data.draw(draw_typed(spec))
    grid = build_step_grid(spec)
    is_between = grid is not None and not grid.contains(value)
    allowed = is_allowed(spec, value) and not is_between
    if form.fields["f"].widget == "seed" and value == -1:
        return
    try:
        form.check({"f": value})
    except ValuesRefused as refused:
        assert not allowed or abs(value) >= 10**60, (spec, value, refused)
    else:
        assert allowed, (spec, value)


@given(st.integers(0, COUNT - 1), st.data())
@many
def test_what_a_form_took_it_takes_again(index: int, data: st.DataObject) -> None:
    keys = {"optional": True} if data.draw(st.booleans()) else {}
    form = make_form(INFO, f"Random{index}", **keys)
    value = data.draw(draw_values(INFO.nodes[f"Random{index}"].inputs[INPUT]))
    try:
        checked = form.check({"f": value})
    except ValuesRefused:
        return
    described = form.values_to_json(checked)
    again = json.loads(json.dumps(described, allow_nan=False))
    assert form.check(again) == checked and form.values_to_json(form.check(again)) == described


@given(
    st.sampled_from([node for node in INFO if node.inputs[INPUT].type in ("INT", "FLOAT")]),
    st.data(),
)
@many
def test_a_preset_never_widens_the_servers_limits(node: NodeDef, data: st.DataObject) -> None:
    spec = node.inputs[INPUT]
    limits = st.none() | st.integers(-(2**65), 2**65)
    keys = {"min": data.draw(limits), "max": data.draw(limits)}
    form = make_form(
        INFO, node.class_type, **{name: value for name, value in keys.items() if value is not None}
    )
    if form.problems:
        return
    value = data.draw(draw_values(spec))
    try:
        checked = form.check({"f": value})["f"]
    except ValuesRefused:
        return
    lows = [low for low in (keys["min"], spec.minimum) if low is not None]
    highs = [high for high in (keys["max"], spec.maximum) if high is not None]
    assert all(low <= checked for low in lows) and all(checked <= high for high in highs)


def bind_kinds(info: ObjectInfo) -> Form:
    """A form with each kind of field on the demo server's node that has an input of each kind."""
    fields = {name: {"slot": f"1.{name}", "widget": widget} for name, widget in KINDS.items()}
    file = PresetFile.model_validate({"title": "T", "workflow": "w.json", "fields": fields})
    form = bind_form(
        "t",
        file,
        Workflow.from_json({"1": {"class_type": "LabKinds", "inputs": {"unlimited": 1.5}}}),
        info,
    )
    assert form.problems == ()
    return form


@given(st.data())
@quick
def test_every_kind_of_field_at_once(judge: Judge, data: st.DataObject) -> None:
    form = bind_kinds(judge.info)
    specs = judge.info.nodes["LabKinds"].inputs
    values = {
        name: data.draw(draw_values(specs[name]))
        for name in data.draw(st.sets(st.sampled_from([*KINDS])))
    }
    try:
        prompt = form.fill(values)
    except ValuesRefused as refused:
        values = {name: value for name, value in values.items() if name not in refused.problems}
        prompt = form.fill(values)
    assert judge.find_refused(prompt.graph) == {}
    written = json.loads(json.dumps(prompt.extra_pnginfo["comfygradio"]["values"], allow_nan=False))
    assert form.fill(written).graph == prompt.graph


@given(seed=st.integers(0, 2**64 - 1))
@many
def test_seeds_of_64_bits_stay_exact(seed: int) -> None:
    classes = {
        "A": {
            "input": {"required": {INPUT: ["INT", {"min": 0, "max": 2**64 - 1}]}},
            "output_node": True,
        }
    }
    form = make_form(ObjectInfo.from_json(classes), "A", widget="seed")
    for value in (seed, str(seed)):
        prompt = form.fill({"f": value})
        assert prompt.graph["1"]["inputs"][INPUT] == seed
        text = json.dumps(prompt.extra_pnginfo)
        assert form.fill(json.loads(text)["comfygradio"]["values"]).graph == prompt.graph


SIZES = st.integers(-9, 2**32) | st.text("0123456789x", max_size=9)
ROW = st.tuples(
    st.sampled_from(["add_detail", "flux/film_grain_v3.safetensors", "gone", ""]),
    st.floats() | st.integers(),
)


@given(st.one_of(st.tuples(SIZES, SIZES), SIZES), st.lists(ROW, max_size=4))
@many
def test_sizes_and_lora_lists_come_back(size: Any, rows: list[tuple[str, Any]]) -> None:
    fields = {
        "size": {"slots": {"width": "5.width", "height": "5.height"}},
        "loras": {"slots": {"model": "3.model", "clip": ["6.clip", "7.clip"]}},
    }
    file = PresetFile.model_validate({"title": "T", "workflow": "w.json", "fields": fields})
    form = bind_form("t", file, Workflow.from_json(build_flow()), CORPUS)
    assert form.problems == ()
    for values in (
        {"size": size},
        {"loras": rows},
        {"loras": [{"name": n, "strength": s} for n, s in rows]},
    ):
        try:
            checked = form.check(values)
        except ValuesRefused:
            continue
        described = json.loads(json.dumps(form.values_to_json(checked), allow_nan=False))
        assert form.check(described) == checked
        assert form.build(checked).graph == form.fill(described).graph


@given(
    st.sampled_from(["plain", "size", "nested", "odd"]), st.integers(-9, 5000) | st.text(max_size=5)
)
@quick
def test_every_choice_of_a_dynamic_combo_is_complete(judge: Judge, mode: str, width: Any) -> None:
    inputs = {"mode": "size", "mode.width": 64, "mode.height": 64}
    fields = {"mode": {"slot": "1.mode"}, "width": {"slot": "1.mode.width"}}
    file = PresetFile.model_validate({"title": "T", "workflow": "w.json", "fields": fields})
    form = bind_form(
        "t",
        file,
        Workflow.from_json({"1": {"class_type": "LabDynamic", "inputs": inputs}}),
        judge.info,
    )
    assert form.problems == ()
    try:
        prompt = form.fill({"mode": mode, "width": width})
    except ValuesRefused:
        return
    assert judge.find_refused(prompt.graph) == {}


def test_the_random_classes_are_of_every_kind() -> None:
    specs = [node.inputs[INPUT] for node in INFO]
    assert {spec.type for spec in specs} == {"INT", "FLOAT", "STRING", "BOOLEAN", "COLOR", "COMBO"}
    assert any(spec.is_seed for spec in specs) and any(
        spec.options.get("multiselect") for spec in specs
    )


def test_the_judge_says_no_too(judge: Judge, tmp_path: Path) -> None:
    graph = {
        "1": {"class_type": "LabKinds", "inputs": {}},
        "2": {"class_type": "LabText", "inputs": {"text": "x"}},
    }
    assert set(judge.find_refused(graph)) == {"1"}
