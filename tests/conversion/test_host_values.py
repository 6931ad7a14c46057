"""Values that an instance of a subgraph has: where they go, and what becomes of those that do not
fit.
"""

from __future__ import annotations

from typing import Any

import pytest

from comfygradio.conversion.host_values import BY_TYPE, IN_ORDER
from comfygradio.conversion.result import NO_WIDGET, Conversion
from comfygradio.conversion.write_back import write_back
from tests.conversion.ui_file import (
    CONTROL,
    Json,
    convert,
    list_inputs,
    make_file,
    make_info,
    make_node,
    make_subgraph,
    socket,
    widget,
)


def make_graph() -> Json:
    """Make a subgraph that shows seed, steps and sampler, and the model between them."""
    names = (("seed", "INT"), ("model", "MODEL"), ("steps", "INT"), ("sampler", "COMBO"))
    inputs = []
    links = []
    slots = []
    for number, (name, kind) in enumerate(names):
        make = socket if kind == "MODEL" else widget
        inputs.append(make(name, kind, number + 1))
        links.append([number + 1, -10, number, 3, number, kind])
        slots.append((name, kind, [number + 1]))
    node = make_node(3, "Sampler", [1, CONTROL, 2, 3.0, "euler"], tuple(inputs))
    return make_subgraph("draw", [node], links, tuple(slots))


def convert_host(values: Any, **more: Any) -> Conversion:
    """Convert a file with one instance."""
    return convert(make_file([make_node(5, "draw", values, **more)], [], make_graph()))


def list_promoted(conversion: Conversion) -> list[Any]:
    """List the values of the promoted widgets."""
    inputs = list_inputs(conversion)["5:3"]
    return [inputs["seed"], inputs["steps"], inputs["sampler"]]


def test_names_that_are_older_than_the_values_do_not_count() -> None:
    named = {"seed": 8, "steps": 9, "sampler": "euler"}
    conversion = convert_host([5, 30], widgets_values_named=named)
    assert list_promoted(conversion) == [5, 30, "euler"]
    assert [str(note) for note in conversion.notes] == [f"Node 5: {IN_ORDER}"]


def test_values_in_their_order_are_not_said_to_be_placed_by_name() -> None:
    named = {"seed": 5, "steps": 30, "sampler": "heun", "gone": 7}
    conversion = convert_host(list(named.values()), widgets_values_named=named)
    assert list_promoted(conversion) == [5, 30, "heun"]
    assert [str(note) for note in conversion.notes] == [f"Node 5, gone = 7: {NO_WIDGET}"]


def test_values_may_have_keys() -> None:
    conversion = convert_host({"steps": 30, "sampler": None, "gone": 7})
    assert list_promoted(conversion) == [1, 30, "euler"]
    assert conversion.places["5:3", "steps"].hosts[0].index == "steps"
    assert [str(note) for note in conversion.notes] == [f"Node 5, gone = 7: {NO_WIDGET}"]


def test_values_with_keys_may_be_named_by_proxies() -> None:
    proxies = {"proxyWidgets": [["3", "steps"], ["-1", "seed"], ["3", "cfg"]]}
    values = {"steps": 30, "cfg": 7.5, "sampler": "heun", "gone": 7}
    conversion = convert_host(values, properties=proxies)
    assert list_promoted(conversion) == [1, 30, "heun"]
    assert list_inputs(conversion)["5:3"]["cfg"] == 7.5
    assert [str(note) for note in conversion.notes] == [f"Node 5, gone = 7: {NO_WIDGET}"]


def test_values_with_keys_are_written_back() -> None:
    file = make_file([make_node(5, "draw", {"steps": 30})], [], make_graph())
    prompt = convert(file).prompt
    prompt["5:3"]["inputs"]["steps"] = 40
    written = write_back(file, make_info(), prompt)
    assert written.differences == ()
    assert written.workflow["nodes"][0]["widgets_values"] == {"steps": 40}


@pytest.mark.parametrize("has_names", [False, True])
def test_values_come_into_the_order_of_the_subgraph(has_names: bool) -> None:
    named = {"gone": "old", "seed": 5, "steps": 30, "sampler": "heun"}
    more: Json = {"widgets_values_named": named} if has_names else {}
    file = make_file([make_node(5, "draw", list(named.values()), **more)], [], make_graph())
    prompt = convert(file).prompt
    written = write_back(file, make_info(), prompt)
    host = written.workflow["nodes"][0]
    assert host["widgets_values"] == [5, 30, "heun"]
    place = "node 5"
    if has_names:
        assert host["widgets_values_named"] == {"seed": 5, "steps": 30, "sampler": "heun"}
        place = "node 5, gone"
    assert [note.partition(": ")[2] for note in written.notes] == [f'{place} = "old".']
    again = convert(dict(written.workflow))
    assert again.prompt == prompt
    assert again.notes == ()


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (["gone", 5, 30, "heun"], [5, 30, "heun"]),
        ([5, 30, True, "heun"], [5, 30, "heun"]),
        ([5, "increment", 30, 0.5, "heun"], [5, 30, "heun"]),
        ([5, "none", "heun"], [5, 2, "heun"]),
    ],
    ids=str,
)
def test_values_that_do_not_fit_in_their_order_are_placed_by_type(
    values: list[Any], wanted: list[Any]
) -> None:
    conversion = convert_host(values)
    assert list_promoted(conversion) == wanted
    assert str(conversion.notes[0]) == f"Node 5: {BY_TYPE}"
    lost = [value for value in values if value not in wanted and value != "increment"]
    assert [note.value for note in conversion.notes[1:]] == lost


def test_a_value_that_its_proxy_does_not_fit_is_named() -> None:
    proxies = [["3", "steps"], ["3", "cfg"], ["-1", "sampler"], ["-1", "model"]]
    values = ["many", "warm", "heun", "a.ckpt"]
    conversion = convert_host(values, properties={"proxyWidgets": proxies})
    assert list_promoted(conversion) == [1, 2, "heun"]
    assert list_inputs(conversion)["5:3"]["cfg"] == 3.0
    assert [str(note) for note in conversion.notes] == [
        f'Node 5, steps = "many": {NO_WIDGET}',
        f'Node 5, cfg = "warm": {NO_WIDGET}',
        f'Node 5, model = "a.ckpt": {NO_WIDGET}',
    ]


def test_only_the_page_uses_controls_and_previews() -> None:
    proxies = [["-1", "steps"], ["3", "control_after_generate"], ["3", "$$canvas-image-preview"]]
    conversion = convert_host([30, "fixed", "x"], properties={"proxyWidgets": proxies})
    assert conversion.notes == ()
    reasons = {note.value: note.reason for note in conversion.unused if note.node == "5"}
    assert reasons == {
        "fixed": "only ComfyUI's page uses it.",
        "x": "only ComfyUI's page uses it.",
    }


def test_the_control_of_an_instance_is_the_pages() -> None:
    conversion = convert_host([5, "fixed", 30, "heun"])
    assert conversion.notes == ()
    reasons = [note.reason for note in conversion.unused if note.node == "5"]
    assert reasons == ["only ComfyUI's page uses it."]


def test_a_value_in_quarantine_that_fits_nothing_is_named() -> None:
    entries = [
        {"originalEntry": ["-1", "steps"], "hostValue": "many"},
        {"originalEntry": ["-1", "gone"], "hostValue": 7},
    ]
    conversion = convert_host([5, 30], properties={"proxyWidgetErrorQuarantine": entries})
    assert list_promoted(conversion) == [5, 30, "euler"]
    assert [(note.input, note.value) for note in conversion.notes] == [
        ("steps", "many"),
        ("gone", 7),
    ]
