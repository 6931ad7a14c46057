from __future__ import annotations

import copy
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.forms.bypass import bypass_nodes, find_lost_required

from .preset_folder import WORKFLOW, load_object_info

FLOAT = ["FLOAT", {"default": 1.0}]
ALLOWED = {"template": {"template_id": "t", "allowed_types": "IMAGE,MASK"}}
ROW = {
    "template": {
        "input": {"required": {"image": ["IMAGE", {}]}},
        "prefix": "image",
        "min": 1,
        "max": 9,
    }
}
NAMED_ROW = {
    "template": {"input": {"optional": {"value": ["*", {}]}}, "names": ["a", "b"], "min": 1}
}


def define(
    required: dict[str, Any], output: list[str], optional: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {"input": {"required": required, "optional": optional or {}}, "output": output}


CLASSES = {
    "Source": define(
        {}, ["MODEL", "CLIP", "VAE", "IMAGE", "MASK", "LATENT", "CONDITIONING", "INT"]
    ),
    "Sink": define(
        {
            "model": ["MODEL"],
            "clip": ["CLIP"],
            "image": ["IMAGE"],
            "any": ["*"],
            "union": ["IMAGE,MASK"],
        },
        [],
        {
            "mask": ["MASK"],
            "vae": ["VAE"],
            "latent": ["LATENT"],
            "number": ["INT", {}],
            "lower": ["image"],
        },
    ),
    "ControlNetApplyAdvanced": define(
        {
            "positive": ["CONDITIONING"],
            "negative": ["CONDITIONING"],
            "control_net": ["CONTROL_NET"],
            "image": ["IMAGE"],
            "strength": FLOAT,
        },
        ["CONDITIONING", "CONDITIONING"],
        {"vae": ["VAE"]},
    ),
    "Reroute": define({"": ["*"]}, ["*"]),
    "Mixed": define(
        {"mode": [["a", "b"], {}], "first": ["IMAGE"], "second": ["IMAGE"]}, ["IMAGE", "IMAGE"]
    ),
    "Forced": define(
        {"first": ["IMAGE"], "number": ["INT", {"forceInput": True}], "third": ["IMAGE"]},
        ["X", "IMAGE"],
    ),
    "Swapped": define({"mask": ["MASK"], "both": ["IMAGE,MASK"], "image": ["IMAGE"]}, ["IMAGE"]),
    "Loose": define({"mask": ["MASK"], "both": ["MASK,IMAGE"]}, ["IMAGE"]),
    "Match": define({"input": ["COMFY_MATCHTYPE_V3", ALLOWED]}, ["COMFY_MATCHTYPE_V3"]),
    "Batch": define({"images": ["COMFY_AUTOGROW_V3", ROW]}, ["IMAGE"]),
    "Format": define({"values": ["COMFY_AUTOGROW_V3", NAMED_ROW]}, ["STRING"]),
    "Upper": define({"image": ["IMAGE"], "image2": ["IMAGE"]}, ["IMAGE"]),
}
INFO = ObjectInfo.from_json({**load_object_info("v0.33.0"), **CLASSES})


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def lora(model: list[Any], clip: list[Any]) -> dict[str, Any]:
    return node(
        "LoraLoader", model=model, clip=clip, lora_name="a", strength_model=1.0, strength_clip=1.0
    )


def lora_workflow() -> dict[str, Any]:
    """The usual workflow with two LoRAs in a row before everything that takes a model or a text
    encoder.
    """
    graph: dict[str, Any] = copy.deepcopy(dict(WORKFLOW))
    graph |= {"20": lora(["4", 0], ["4", 1]), "21": lora(["20", 0], ["20", 1])}
    graph["3"]["inputs"]["model"] = ["21", 0]
    graph["6"]["inputs"]["clip"] = graph["7"]["inputs"]["clip"] = ["21", 1]
    return graph


def reach(bypassed: dict[str, Any], want: str, slot: int = 0) -> Any:
    """What feeds the sink's input `want` after node b, which fed it from output `slot`, was
    bypassed.
    """
    graph = {
        "s": node("Source"),
        "t": node("Source"),
        "b": bypassed,
        "z": node("Sink", **{want: ["b", slot]}),
    }
    lost = bypass_nodes(graph, ["b"], INFO)
    assert lost == ([] if want in graph["z"]["inputs"] else [("z", want)])
    return graph["z"]["inputs"].get(want)


@pytest.mark.parametrize(
    ("node_ids", "model", "clip"),
    [
        (["21"], ["20", 0], ["20", 1]),
        (["20"], ["21", 0], ["21", 1]),
        (["20", "21"], ["4", 0], ["4", 1]),
        ({"21", "20", "no such node"}, ["4", 0], ["4", 1]),
        ([], ["21", 0], ["21", 1]),
    ],
)
def test_a_chain_of_loras(node_ids: Any, model: list[Any], clip: list[Any]) -> None:
    graph = lora_workflow()
    assert bypass_nodes(graph, node_ids, INFO) == []
    assert graph["3"]["inputs"]["model"] == model
    assert graph["6"]["inputs"]["clip"] == graph["7"]["inputs"]["clip"] == clip
    assert not {"20", "21"} & graph.keys() & set(node_ids)
    if node_ids == ["20"]:
        assert graph["21"]["inputs"]["model"] == ["4", 0]


def test_a_control_net_lets_both_conditionings_through() -> None:
    graph: dict[str, Any] = copy.deepcopy(dict(WORKFLOW))
    graph["30"] = node(
        "ControlNetApplyAdvanced", positive=["6", 0], negative=["7", 0], strength=1.0
    )
    graph["3"]["inputs"] |= {"positive": ["30", 0], "negative": ["30", 1]}
    assert bypass_nodes(graph, ["30"], INFO) == []
    assert graph == dict(WORKFLOW)


def test_what_nothing_can_replace_is_lost() -> None:
    graph: dict[str, Any] = copy.deepcopy(dict(WORKFLOW))
    assert bypass_nodes(graph, ["8"], INFO) == [("9", "images")]
    assert graph["9"]["inputs"] == {"filename_prefix": "test"}
    assert find_lost_required(graph, [("9", "images")], INFO) == [("9", "images")]


def test_a_sampler_hands_on_its_latent() -> None:
    graph: dict[str, Any] = copy.deepcopy(dict(WORKFLOW))
    assert bypass_nodes(graph, ["3"], INFO) == []
    assert graph["8"]["inputs"]["samples"] == ["5", 0]


@pytest.mark.parametrize(
    ("bypassed", "want", "slot", "expected"),
    [
        (node("Reroute", **{"": ["s", 3]}), "image", 0, ["s", 3]),
        (node("Upper", image=["s", 3], image2=["t", 3]), "image", 0, ["s", 3]),
        (
            node("Upper", image2=["t", 3]),
            "image",
            0,
            None,
        ),  # an input that nothing feeds still comes first
        (node("Upper", image=["s", 3]), "lower", 0, ["s", 3]),
        (node("Mixed", mode="a", first=["s", 3], second=["t", 3]), "image", 0, ["s", 3]),
        (node("Mixed", mode="a", first=["s", 3], second=["t", 3]), "image", 1, ["t", 3]),
        (node("Forced", first=["s", 3], number=["s", 7], third=["t", 3]), "image", 1, ["s", 3]),
        (node("Forced", first=["s", 3], number=["s", 7], third=["t", 3]), "any", 1, ["s", 7]),
        (node("Swapped", mask=["s", 4], both=["t", 3], image=["s", 3]), "image", 0, ["s", 3]),
        (node("Swapped", mask=["s", 4], both=["t", 3], image=["s", 3]), "union", 0, ["t", 3]),
        (node("Loose", mask=["s", 4], both=["t", 3]), "image", 0, ["t", 3]),
        (node("Loose", mask=["s", 4], both=["t", 3]), "any", 0, ["s", 4]),
        (node("Upper", image=["s", 3], image2=["t", 3]), "any", 5, None),
        (node("Match", input=["s", 3]), "image", 0, ["s", 3]),
        (node("Match", input=["s", 3]), "model", 0, None),
        (
            node("Batch", **{"images.image0": ["s", 3], "images.image1": ["t", 3]}),
            "image",
            0,
            ["s", 3],
        ),
        (node("Source"), "model", 0, None),
        (node("Source"), "any", 0, None),
        (node("Missing", image=["s", 3]), "image", 0, None),
        (node("Upper", image="a value"), "image", 0, None),
        (node("Upper", image=["gone", 0]), "image", 0, None),
        (node("Upper", image=["s", 3]), "unknown", 0, ["s", 3]),
        (node("Upper", image=["s", 3]), "image", 9, None),
        (node("Upper", image=["s", 3]), "image", -1, None),
        (node("Format", **{"values.a": ["s", 3]}), "image", 0, ["s", 3]),
        (node("Upper", image=["b", 0]), "image", 0, None),
    ],
)
def test_which_input_takes_the_place(
    bypassed: dict[str, Any], want: str, slot: int, expected: Any
) -> None:
    assert reach(bypassed, want, slot) == expected


def test_a_chain_keeps_to_the_type_asked_for() -> None:
    graph = {
        "s": node("Source"),
        "a": lora(["s", 0], ["s", 1]),
        "b": node("Reroute", **{"": ["a", 1]}),
        "c": node("Match", input=["b", 0]),
        "z": node("Sink", clip=["b", 0], any=["b", 0], image=["c", 0]),
    }
    assert bypass_nodes(graph, ["a", "b", "c"], INFO) == [("z", "image")]
    assert graph["z"]["inputs"] == {"clip": ["s", 1], "any": ["s", 1]}


def test_inputs_of_dynamic_classes_keep_their_type() -> None:
    graph = {
        "s": node("Source"),
        "b": node("Swapped", mask=["s", 4], image=["s", 3]),
        "r": node(
            "ResizeImageMaskNode",
            **{"input": ["b", 0], "resize_type": "match size", "resize_type.match": 1},
        ),
        "g": node("Batch", **{"images.image0": ["b", 0], "images.image1": ["s", 3]}),
    }
    assert bypass_nodes(graph, ["b"], INFO) == [
        ("r", "input")
    ]  # IMAGE,MASK would be fed by `both`, which is empty
    assert graph["g"]["inputs"]["images.image0"] == ["s", 3]


def test_only_required_inputs_stop_a_node() -> None:
    graph = {
        "b": node("Source"),
        "z": node("Sink", model=["b", 0], vae=["b", 2], unknown=["b", 3]),
        "g": node("Batch", **{"images.image0": ["b", 3], "images.image1": ["b", 3]}),
        "f": node("Format", **{"values.a": ["b", 0]}),
        "m": node("Missing", x=["b", 0]),
    }
    lost = bypass_nodes(graph, ["b"], INFO)
    assert len(lost) == 7
    assert [node["inputs"] for node in graph.values()] == [{}, {}, {}, {}]
    assert find_lost_required(graph, lost, INFO) == [("z", "model"), ("g", "images.image0")]
    assert find_lost_required(graph, [("gone", "x")], INFO) == []


def test_circles_end() -> None:
    graph = {
        "a": node("Upper", image=["b", 0]),
        "b": node("Upper", image=["a", 0]),
        "z": node("Sink", image=["a", 0]),
    }
    assert bypass_nodes(graph, ["a", "b"], INFO) == [("z", "image")]


@pytest.mark.deep
def test_long_chains_take_no_time() -> None:
    graph = {
        str(place): lora([str(place - 1), 0], [str(place - 1), 1]) for place in range(1, 20_000)
    }
    graph |= {"0": node("Source"), "z": node("Sink", clip=["19999", 1])}
    start = time.process_time()
    bypass_nodes(graph, [str(place) for place in range(1, 20_000)], INFO)
    assert graph["z"]["inputs"] == {"clip": ["0", 1]}
    assert time.process_time() - start < 5


IDS = st.sampled_from("abcdef")
VALUES = (
    st.tuples(IDS, st.integers(-1, 8)).map(list)
    | st.integers()
    | st.text(max_size=3)
    | st.lists(st.none())
)
NAMES = st.sampled_from(
    [
        "model",
        "clip",
        "image",
        "any",
        "union",
        "mask",
        "",
        "images.image0",
        "images.x.y",
        "values.a",
    ]
)
NODES = st.builds(
    lambda class_type, inputs: {"class_type": class_type, "inputs": inputs},
    st.sampled_from([*CLASSES, "Missing", "LoraLoader", "ResizeImageMaskNode"]),
    st.dictionaries(NAMES, VALUES, max_size=6),
)


@given(st.dictionaries(IDS, NODES), st.sets(IDS))
def test_any_graph_can_be_bypassed(graph: dict[str, Any], node_ids: set[str]) -> None:
    before = copy.deepcopy(graph)
    lost = bypass_nodes(graph, node_ids, INFO)
    assert graph.keys() == before.keys() - node_ids
    assert {*find_lost_required(graph, lost, INFO)} <= {*lost}
    for node_id, left in graph.items():
        names = {name for key, name in lost if key == node_id}
        assert left["inputs"].keys() == before[node_id]["inputs"].keys() - names
        for name, value in left["inputs"].items():
            assert value == before[node_id]["inputs"][name] or value[0] in graph.keys() - node_ids
            assert not (
                isinstance(value, list) and len(value) == 2 and value[0] in node_ids & before.keys()
            )
