"""A posted prompt is written back into the UI file that it came from."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from comfygradio import convert_workflow
from comfygradio.conversion.write_back import WrittenWorkflow, write_back
from comfygradio.errors import WorkflowError
from tests.conversion.test_convert import make_flat
from tests.conversion.test_group_nodes import make_group, make_grouped
from tests.conversion.ui_file import (
    CONTROL,
    Json,
    make_class,
    make_file,
    make_info,
    make_node,
    make_subgraph,
    socket,
    widget,
)


def change(file: Json, info: Json | None = None, **values: Any) -> tuple[Json, WrittenWorkflow]:
    """Change values of the prompt of a file, named `n3_cfg` or, in a subgraph, `n8_3__cfg`, and
    write it back. Returns the prompt as well.
    """
    info = make_info() if info is None else info
    prompt: Json = convert_workflow(file, info).prompt
    for key, value in values.items():
        node_id, _, name = key[1:].partition("__" if "__" in key else "_")
        prompt[node_id.replace("_", ":")]["inputs"][name] = value
    return prompt, write(file, prompt, info)


def write(file: Json, prompt: Json, info: Json | None = None) -> WrittenWorkflow:
    """Write a prompt back; file, prompt and classes stay as they are."""
    info = make_info() if info is None else info
    before = json.dumps([file, prompt, info])
    written = write_back(file, info, prompt)
    assert json.dumps([file, prompt, info]) == before
    return written


def convert_inputs(written: WrittenWorkflow, info: Json | None = None) -> Json:
    """Map the node ids of a written file's prompt to their inputs."""
    info = make_info() if info is None else info
    prompt = convert_workflow(dict(written.workflow), info).prompt
    return {node_id: node["inputs"] for node_id, node in prompt.items()}


def list_inputs(prompt: Json) -> Json:
    """Map the node ids of a prompt to their inputs."""
    return {node_id: node["inputs"] for node_id, node in prompt.items()}


def find(graph: Any, node_id: int) -> Json:
    """Find a node of a graph."""
    found: Json = next(node for node in graph["nodes"] if node["id"] == node_id)
    return found


def list_graphs(written: WrittenWorkflow) -> list[Json]:
    """List the definitions of a written file."""
    graphs: list[Json] = written.workflow["definitions"]["subgraphs"]
    return graphs


def make_inner() -> list[Json]:
    """Make the nodes of a subgraph with a text and a blur."""
    return [
        make_node(3, "Blur", [2.0], (socket("image", "IMAGE", 1), widget("radius", "FLOAT", 2))),
    ]


def make_hosted(*hosts: Json) -> Json:
    """Make a file with instances of a subgraph that shows the radius of its only node."""
    nodes = [make_node(1, "LoadImage", ["cat.png", "image"], outputs=("IMAGE", "MASK")), *hosts]
    links = []
    for number, host in enumerate(hosts):
        host["inputs"] = [socket("image", "IMAGE", 10 + number), widget("radius", "FLOAT")]
        links.append([10 + number, 1, 0, host["id"], 0, "IMAGE"])
    inner = make_inner()
    inner[0]["outputs"] = [{"name": "IMAGE", "type": "IMAGE"}]
    graph = make_subgraph(
        "blurring",
        [*inner, make_node(4, "Save", ["out"], (socket("images", "IMAGE", 3),))],
        [[1, -10, 0, 3, 0, "IMAGE"], [2, -10, 1, 3, 1, "FLOAT"], [3, 3, 0, 4, 0, "IMAGE"]],
        inputs=(("image", "IMAGE", [1]), ("radius", "FLOAT", [2])),
    )
    return make_file(nodes, links, graph)


def test_an_unchanged_prompt_gives_the_same_file() -> None:
    file = make_flat()
    _, written = change(file)
    assert written.workflow == file
    assert written.notes == ()


def test_values_go_into_their_widgets() -> None:
    prompt, written = change(make_flat(), n3_cfg=4.5, n2_text="a dog", n1_name="a.ckpt")
    assert written.differences == ()
    assert find(written.workflow, 3)["widgets_values"] == [5, CONTROL, 30, 4.5, "heun"]
    assert find(written.workflow, 2)["widgets_values"] == ["a dog"]
    assert convert_inputs(written) == list_inputs(prompt)


def test_named_values_agree_with_the_list() -> None:
    file = make_flat()
    find(file, 3)["widgets_values_named"] = {
        "seed": 5,
        "control_after_generate": CONTROL,
        "steps": 30,
        "cfg": 7.5,
        "sampler": "heun",
    }
    _, written = change(file, n3_cfg=4.5)
    node = find(written.workflow, 3)
    assert node["widgets_values"][3] == 4.5
    assert node["widgets_values_named"]["cfg"] == 4.5
    assert node["widgets_values_named"]["steps"] == 30


def test_values_in_an_object_are_set_by_key() -> None:
    file = make_flat()
    find(file, 3)["widgets_values"] = {"seed": 5, "steps": 30, "cfg": 7.5, "sampler": "heun"}
    prompt, written = change(file, n3_cfg=4.5)
    assert find(written.workflow, 3)["widgets_values"]["cfg"] == 4.5
    assert convert_inputs(written) == list_inputs(prompt)


def test_a_value_that_the_file_lacks_is_added() -> None:
    file = make_flat()
    find(file, 3)["widgets_values"] = [5, CONTROL]
    prompt, written = change(file, n3_cfg=4.5)
    assert find(written.workflow, 3)["widgets_values"] == [5, CONTROL, 20, 4.5, "euler"]
    assert convert_inputs(written) == list_inputs(prompt)


def test_lists_are_taken_out_of_their_wrapping() -> None:
    info = {"Boxes": make_class({"boxes": ["BOUNDING_BOXES", {}]})}
    file = make_file([make_node(1, "Boxes", [[1, 2]])], [])
    prompt, written = change(file, info, n1_boxes={"__value__": [3]})
    assert find(written.workflow, 1)["widgets_values"] == [[3]]
    assert convert_inputs(written, info) == list_inputs(prompt)


def test_another_choice_brings_its_own_inputs() -> None:
    options = [
        {"key": "none", "inputs": {}},
        {"key": "big", "inputs": {"required": {"width": ["INT", {"default": 8}]}}},
    ]
    info = {
        "Resize": make_class(
            {"mode": ["COMFY_DYNAMICCOMBO_V3", {"options": options}], "note": ["STRING"]}
        )
    }
    file = make_file([make_node(1, "Resize", ["none", "hello"])], [])
    prompt = convert_workflow(file, info).prompt
    prompt["1"]["inputs"] = {"mode": "big", "mode.width": 64, "note": "hello"}
    written = write(file, prompt, info)
    assert find(written.workflow, 1)["widgets_values"] == ["big", 64, "hello"]
    assert convert_inputs(written, info) == list_inputs(prompt)


def test_an_instance_and_the_widget_inside_agree() -> None:
    file = make_hosted(make_node(8, "blurring", [3.0]))
    prompt, written = change(file, n8_3__radius=9.0)
    assert find(written.workflow, 8)["widgets_values"] == [9.0]
    assert find(list_graphs(written)[0], 3)["widgets_values"] == [9.0]
    assert convert_inputs(written) == list_inputs(prompt)


def test_an_instance_without_a_value_has_that_of_the_widget_inside() -> None:
    file = make_hosted(make_node(8, "blurring"))
    prompt, written = change(file, n8_3__radius=9.0)
    assert find(list_graphs(written)[0], 3)["widgets_values"] == [9.0]
    assert convert_inputs(written) == list_inputs(prompt)


def test_values_shown_by_proxies_go_to_the_instance() -> None:
    host = make_node(8, "blurring", [3.0, "shown"])
    host["properties"] = {"proxyWidgets": [["3", "radius"], ["4", "prefix"]]}
    prompt, written = change(make_hosted(host), n8_4__prefix="new", n8_3__radius=9.0)
    assert find(written.workflow, 8)["widgets_values"] == [9.0, "new"]
    assert convert_inputs(written) == list_inputs(prompt)


def test_a_value_of_one_of_two_instances_stays_with_it() -> None:
    file = make_hosted(make_node(8, "blurring", [3.0]), make_node(9, "blurring", [4.0]))
    prompt, written = change(file, n9_3__radius=9.0)
    assert [graph["id"] for graph in list_graphs(written)] == ["blurring"]
    assert find(written.workflow, 9)["widgets_values"] == [9.0]
    assert convert_inputs(written) == list_inputs(prompt)


def test_an_inner_value_of_one_of_two_instances_copies_the_definition() -> None:
    host = make_node(9, "blurring", [4.0, "shown"])
    host["properties"] = {"proxyWidgets": [["3", "radius"]]}
    file = make_hosted(make_node(8, "blurring", [3.0]), host)
    _, written = change(file, n9_4__prefix="other")
    assert written.differences == ()
    first, second = list_graphs(written)
    assert first == list_graphs(WrittenWorkflow(file))[0]
    assert second["id"] == find(written.workflow, 9)["type"]
    assert find(written.workflow, 8)["type"] == "blurring"
    # The copy's nodes have ids of their own, and the instance names them.
    ids = {node["id"] for node in second["nodes"]}
    assert ids.isdisjoint({1, 3, 4, 8, 9})
    blur, save = second["nodes"]
    properties = find(written.workflow, 9)["properties"]
    assert properties["proxyWidgets"] == [[str(blur["id"]), "radius"]]
    found = convert_inputs(written)
    assert found["8:4"]["prefix"] == "out"
    assert found[f"9:{save['id']}"] == {"prefix": "other", "images": [f"9:{blur['id']}", 0]}
    assert found[f"9:{blur['id']}"] == {"radius": 4.0, "image": ["1", 0]}


def test_equal_inner_values_of_two_instances_share_the_definition() -> None:
    file = make_hosted(make_node(8, "blurring", [3.0]), make_node(9, "blurring", [4.0]))
    prompt, written = change(file, n8_4__prefix="other", n9_4__prefix="other")
    assert len(list_graphs(written)) == 1
    assert convert_inputs(written) == list_inputs(prompt)


def make_nested() -> Json:
    """Make a file whose two instances each contain one of another subgraph."""
    file = make_hosted(make_node(8, "outer"), make_node(9, "outer"))
    middle = make_node(
        6, "blurring", [5.0], (socket("image", "IMAGE", 1), widget("radius", "FLOAT", 2))
    )
    outer = make_subgraph(
        "outer",
        [middle],
        [[1, -10, 0, 6, 0, "IMAGE"], [2, -10, 1, 6, 1, "FLOAT"]],
        inputs=(("image", "IMAGE", [1]), ("radius", "FLOAT", [2])),
    )
    file["definitions"]["subgraphs"].append(outer)
    for host in file["nodes"][1:]:
        host["widgets_values"] = [7.0]
    return file


def test_the_outermost_instance_counts() -> None:
    prompt, written = change(make_nested(), n9_6_3__radius=1.5)
    assert find(written.workflow, 9)["widgets_values"] == [1.5]
    assert len(list_graphs(written)) == 2
    assert convert_inputs(written) == list_inputs(prompt)


def test_a_value_deep_inside_copies_all_definitions_around_it() -> None:
    _, written = change(make_nested(), n9_6_4__prefix="other")
    assert written.differences == ()
    assert len(list_graphs(written)) == 4
    prefixes = {}
    for node_id, inputs in convert_inputs(written).items():
        if "prefix" in inputs:
            prefixes[node_id.partition(":")[0]] = inputs["prefix"]
    assert prefixes == {"8": "out", "9": "other"}


def make_shared() -> Json:
    """Make a file in which one primitive node writes into two widgets."""
    return make_file(
        [
            make_node(1, "Encode", ["a"], (widget("text", "STRING", 1),)),
            make_node(2, "Encode", ["a"], (widget("text", "STRING", 2),)),
            make_node(3, "PrimitiveNode", ["a cat"], outputs=("STRING",)),
        ],
        [[1, 3, 0, 1, 0, "STRING"], [2, 3, 0, 2, 0, "STRING"]],
    )


def test_a_primitive_node_gets_the_value_of_all_its_widgets() -> None:
    prompt, written = change(make_shared(), n1_text="a dog", n2_text="a dog")
    assert find(written.workflow, 3)["widgets_values"] == ["a dog"]
    assert convert_inputs(written) == list_inputs(prompt)


def test_a_widget_with_a_value_of_its_own_leaves_the_primitive_node() -> None:
    prompt, written = change(make_shared(), n2_text="a dog")
    assert find(written.workflow, 3)["widgets_values"] == ["a cat"]
    assert find(written.workflow, 2)["inputs"][0]["link"] is None
    assert [link[0] for link in written.workflow["links"]] == [1]
    assert convert_inputs(written) == list_inputs(prompt)


def test_a_bypassed_node_is_bypassed() -> None:
    file = make_hosted(make_node(8, "blurring", [3.0]))
    prompt = convert_workflow(file, make_info()).prompt
    del prompt["8:3"]
    prompt["8:4"]["inputs"]["images"] = ["1", 0]
    written = write(file, prompt)
    assert find(list_graphs(written)[0], 3)["mode"] == 4
    assert convert_inputs(written) == list_inputs(prompt)


@pytest.mark.parametrize("mode", [2, 4])
def test_a_node_that_was_used_is_on(mode: int) -> None:
    file = make_flat()
    prompt = convert_workflow(file, make_info()).prompt
    find(file, 5)["mode"] = mode
    prompt["5"]["inputs"]["prefix"] = "new"
    written = write(file, prompt)
    assert find(written.workflow, 5)["mode"] == 0
    assert convert_inputs(written) == list_inputs(prompt)


def make_lora_info() -> Json:
    """Make the classes of a server with a LoRA loader."""
    number = ["FLOAT", {"default": 1.0}]
    loader = make_class(
        {
            "model": ["MODEL"],
            "clip": ["CLIP"],
            "lora_name": [["a", "b"]],
            "strength_model": number,
            "strength_clip": number,
        },
        output=("MODEL", "CLIP"),
    )
    return {**make_info(), "LoraLoader": loader}


def add_loras(prompt: Json, source: str, model: str, clip: str) -> Json:
    """Put two LoRA loaders between a loader and what it feeds, as a form does."""
    sources = [[source, 0], [source, 1]]
    for number, name in enumerate(("a", "b"), 1):
        prompt[f"loras-lora-{number}"] = {
            "class_type": "LoraLoader",
            "inputs": {
                "lora_name": name,
                "strength_model": 0.5,
                "strength_clip": 0.5,
                "model": sources[0],
                "clip": sources[1],
            },
            "_meta": {"title": f"LoRAs: {name}"},
        }
        sources = [[f"loras-lora-{number}", 0], [f"loras-lora-{number}", 1]]
    prompt[model]["inputs"]["model"] = sources[0]
    prompt[clip]["inputs"]["clip"] = sources[1]
    return prompt


def test_loras_become_loaders() -> None:
    info = make_lora_info()
    file = {**make_flat(), "last_node_id": 6, "last_link_id": 5}
    prompt = add_loras(convert_workflow(file, info).prompt, "1", "3", "2")
    written = write(file, prompt, info)
    assert written.differences == ()
    first = find(written.workflow, 7)
    assert first["type"] == "LoraLoader"
    assert first["title"] == "LoRAs: a"
    assert first["widgets_values"] == ["a", 0.5, 0.5]
    assert written.workflow["last_node_id"] == 8
    found = convert_inputs(written, info)
    assert found["7"]["model"] == ["1", 0]
    assert found["8"]["clip"] == ["7", 1]
    assert found["3"]["model"] == ["8", 0]
    assert found["2"]["clip"] == ["8", 1]
    # Each output lists the links that begin there, and no others.
    for node in written.workflow["nodes"]:
        for slot, output in enumerate(node["outputs"]):
            starting = []
            for link in written.workflow["links"]:
                if link[1:3] == [node["id"], slot]:
                    starting.append(link[0])
            if "links" in output:
                assert sorted(output["links"]) == sorted(starting)


def test_loras_stand_where_the_loader_feeds_a_subgraph() -> None:
    info = make_lora_info()
    inner = [
        make_node(
            3, "Sampler", [5, CONTROL, 30, 7.5, "heun"], (socket("model", "MODEL", 1),), ("LATENT",)
        ),
        make_node(2, "Encode", ["a cat"], (socket("clip", "CLIP", 2),), ("CONDITIONING",)),
    ]
    graph = make_subgraph(
        "drawing",
        inner,
        [[1, -10, 0, 3, 0, "MODEL"], [2, -10, 1, 2, 0, "CLIP"]],
        inputs=(("model", "MODEL", [1]), ("clip", "CLIP", [2])),
    )
    host = make_node(8, "drawing", None, (socket("model", "MODEL", 1), socket("clip", "CLIP", 2)))
    file = make_file(
        [make_node(1, "Loader", ["b.ckpt"], outputs=("MODEL", "CLIP")), host],
        [[1, 1, 0, 8, 0, "MODEL"], [2, 1, 1, 8, 1, "CLIP"]],
        graph,
    )
    prompt = add_loras(convert_workflow(file, info).prompt, "1", "8:3", "8:2")
    written = write(file, prompt, info)
    assert written.differences == ()
    found = convert_inputs(written, info)
    assert found["8:3"]["model"][1] == 0
    assert found[found["8:3"]["model"][0]]["lora_name"] == "b"


def test_what_cannot_be_written_is_named() -> None:
    prompt, written = change(make_flat())
    prompt["3"]["inputs"]["unknown"] = 1
    written = write(make_flat(), prompt)
    assert [str(difference) for difference in written.differences] == ["node 3, unknown"]
    assert "node 3, unknown" in written.notes[0]


def test_what_the_page_itself_changes_is_told() -> None:
    info = make_info()
    info["Encode"]["input"]["required"]["text"] = ["STRING", {"dynamicPrompts": True}]
    _, written = change(make_flat(), info, n3_seed=2**53 + 1, n2_text="{a|b} // c")
    assert written.differences == ()
    rounded, expanded = written.notes
    assert "2^53" in rounded
    assert "node 3, seed" in rounded
    assert "node 2, text" in expanded


def test_a_number_that_the_page_can_write_is_not_told() -> None:
    _, written = change(make_flat(), n3_seed=2**60)
    assert written.notes == ()


def test_other_files_are_refused() -> None:
    with pytest.raises(WorkflowError):
        write_back({"nodes": "none"}, make_info(), {})


def test_the_same_prompt_gives_the_same_file() -> None:
    file = make_nested()
    prompt, first = change(file, n9_6_4__prefix="other")
    second = write(copy.deepcopy(file), prompt)
    assert json.dumps(first.workflow) == json.dumps(second.workflow)


def test_values_of_an_earlier_version_come_into_the_order_of_this_one() -> None:
    file = make_flat()
    # The seed had no control, and a text stood before all others.
    find(file, 3)["widgets_values"] = ["old", 5, CONTROL, 30, 7.5, "heun"]
    prompt, written = change(file)
    assert find(written.workflow, 3)["widgets_values"] == [5, CONTROL, 30, 7.5, "heun"]
    assert convert_inputs(written) == list_inputs(prompt)
    prompt, written = change(file, n3_cfg=4.5)
    assert find(written.workflow, 3)["widgets_values"] == [5, CONTROL, 30, 4.5, "heun"]
    # What no widget takes goes out of the list, and is named.
    assert written.notes == (
        "The author's layout no longer has the values that no widget of this server's nodes takes: "
        'node 3 = "old".',
    )


def test_values_behind_all_others_stay() -> None:
    """A pack's page may have put them there, and takes them back."""
    file = make_flat()
    values = {"name": "b.ckpt", "of the pack": "js mode", "weight": 0.7}
    find(file, 1)["widgets_values"] = list(values.values())
    find(file, 1)["widgets_values_named"] = values
    prompt, written = change(file)
    assert written.workflow == file
    assert written.notes == ()
    prompt, written = change(file, n1_name="a.ckpt")
    assert find(written.workflow, 1)["widgets_values"] == ["a.ckpt", "js mode", 0.7]
    assert convert_inputs(written) == list_inputs(prompt)


def test_a_choice_that_leaves_out_values_names_them() -> None:
    mode = {"options": [{"key": "on", "inputs": {}}, {"key": "off", "inputs": {}}]}
    info = {"One": make_class({"mode": ["COMFY_DYNAMICCOMBO_V3", mode]})}
    file = make_file([make_node(1, "One", ["on", 7, None, ""])], [])
    _, written = change(file, info, n1_mode="off")
    assert written.differences == ()
    assert find(written.workflow, 1)["widgets_values"] == ["off"]
    assert [note.partition(": ")[2] for note in written.notes] == ["node 1 = 7."]


def test_a_choice_keeps_the_widget_of_a_pack() -> None:
    mode = {"options": [{"key": "on", "inputs": {}}, {"key": "off", "inputs": {}}]}
    inputs = {"mode": ["COMFY_DYNAMICCOMBO_V3", mode], "table": ["TABLE", {}], "n": ["INT", {}]}
    info = {"One": make_class(inputs)}
    # Files of old frontends do not list it among the inputs.
    file = make_file([make_node(1, "One", ["on", "1,2", 6])], [])
    prompt, written = change(file, info, n1_mode="off")
    assert find(written.workflow, 1)["widgets_values"] == ["off", "1,2", 6]
    assert convert_inputs(written, info) == list_inputs(prompt)


def test_named_values_agree_with_an_object_of_values() -> None:
    file = make_flat()
    values = {"seed": 5, "steps": 30, "cfg": 7.5, "sampler": "heun"}
    find(file, 3)["widgets_values"] = values
    find(file, 3)["widgets_values_named"] = dict(values)
    _, written = change(file, n3_cfg=4.5)
    assert find(written.workflow, 3)["widgets_values_named"]["cfg"] == 4.5


def test_a_value_that_was_not_carried_over_is_that_of_its_input_alone() -> None:
    host = make_node(8, "blurring", [3.0])
    inner = {"originalEntry": ["3", "radius"], "hostValue": 5.0}
    own = {"originalEntry": ["-1", "radius"], "hostValue": 6.0}
    host["properties"] = {"proxyWidgetErrorQuarantine": [inner, own]}
    prompt, written = change(make_hosted(host), n8_3__radius=9.0)
    found = find(written.workflow, 8)["properties"]["proxyWidgetErrorQuarantine"]
    assert found == [inner, {**own, "hostValue": 9.0}]
    assert convert_inputs(written) == list_inputs(prompt)


def make_sockets() -> tuple[Json, Json]:
    """Make a file in which one value outside goes to two sockets and a widget, and its classes."""
    info = make_info()
    info["Pass"] = make_class({"text": ["STRING", {"forceInput": True}]}, output=("STRING",))
    inner = [
        make_node(2, "Encode", ["a"], (widget("text", "STRING", 1),), ("CONDITIONING",)),
        make_node(3, "Pass", None, (socket("text", "STRING", 2),), ("STRING",)),
        make_node(4, "Pass", None, (socket("text", "STRING", 3),), ("STRING",)),
    ]
    links = [[number, -10, 0, number + 1, 0, "STRING"] for number in (1, 2, 3)]
    graph = make_subgraph("telling", inner, links, inputs=(("text", "STRING", [1, 2, 3]),))
    host = make_node(8, "telling", ["a"], (widget("text", "STRING"),))
    return make_file([host], [], graph), info


def test_a_socket_without_a_widget_stays_linked() -> None:
    file, info = make_sockets()
    _, written = change(file, info, n8_3__text="b")
    assert [str(difference) for difference in written.differences] == ["node 8:3, text"]
    assert written.workflow == file
    # A person's value goes before one that stayed.
    _, written = change(file, info, n8_2__text="b", n8_4__text="b")
    assert [str(difference) for difference in written.differences] == ["node 8:3, text"]
    assert find(written.workflow, 8)["widgets_values"] == ["b"]
    assert len(list_graphs(written)[0]["links"]) == 3


def test_a_renamed_input_leaves_the_primitive_node() -> None:
    file = make_shared()
    find(file, 2)["inputs"][0]["name"] = "words"
    prompt, written = change(file, n2_text="a dog")
    assert written.differences == ()
    assert find(written.workflow, 2)["inputs"][0]["link"] is None
    assert convert_inputs(written) == list_inputs(prompt)


def test_texts_that_the_page_leaves_alone_are_not_told() -> None:
    info = make_info()
    info["Encode"]["input"]["required"]["text"] = ["STRING", {"dynamicPrompts": True}]
    for text in ("a } b", "a /* b", "*/ a", "a | b", "a \\\\"):
        assert change(make_flat(), info, n2_text=text)[1].notes == ()
    for text in ("{a|b}", r"a \| b", "a /* b */ c", "a // b", "a { b", "a \\"):
        assert len(change(make_flat(), info, n2_text=text)[1].notes) == 1


def test_each_chain_of_loras_begins_below_its_loader() -> None:
    info = make_lora_info()
    first = convert_workflow(make_flat(), info).prompt
    prompt = add_loras(copy.deepcopy(first), "1", "3", "2")
    prompt["more-1"] = copy.deepcopy(prompt["loras-lora-1"])
    prompt["more-1"]["inputs"].update(model=["1", 0], clip=["1", 1])
    # Only the model of it is used, by the first node of the other chain.
    prompt["loras-lora-1"]["inputs"]["model"] = ["more-1", 0]
    written = write(make_flat(), prompt, info)
    assert written.differences == ()
    loaders = [node for node in written.workflow["nodes"] if node["type"] == "LoraLoader"]
    columns = sorted(node["pos"][0] for node in loaders)
    assert columns == [0, 330, 660]


def make_group_node() -> Json:
    """Make a file with a group node of a blur and a sampler whose steps are hidden."""
    file = make_grouped("workflow>", make_group())
    file["extra"]["groupNodes"]["Draw"]["config"] = {"1": {"input": {"steps": {"visible": False}}}}
    file["nodes"][1]["widgets_values"] = ["a cat", 5, CONTROL, 7.5, "heun"]
    return file


def test_values_of_a_group_node_stand_in_it() -> None:
    file = make_group_node()
    prompt, written = change(file, n4_0__text="a dog", n4_1__cfg=4.5)
    assert written.differences == ()
    assert find(written.workflow, 4)["widgets_values"] == ["a dog", 5, CONTROL, 4.5, "heun"]
    assert written.workflow["extra"] == file["extra"]
    assert convert_inputs(written) == list_inputs(prompt)


def test_a_value_that_only_the_definition_of_a_group_node_has_is_told() -> None:
    file = make_group_node()
    _, written = change(file, n4_1__steps=44)
    assert [str(difference) for difference in written.differences] == ["node 4:1, steps"]
    assert written.workflow == file


def test_a_group_node_keeps_its_nodes_together() -> None:
    file = make_group_node()
    prompt = convert_workflow(file, make_info()).prompt
    del prompt["4:0"]
    del prompt["4:1"]["inputs"]["positive"]
    written = write(file, prompt)
    assert "node 4:0" in written.notes[0]
    assert written.workflow["extra"] == file["extra"]


def test_a_group_node_in_a_shared_subgraph_has_its_own_value() -> None:
    group = make_node(5, "workflow>Draw", ["a cat", 5, CONTROL, 30, 7.5, "heun"])
    graph = make_subgraph("grouped", [group], [])
    hosts = [make_node(8, "grouped"), make_node(9, "grouped")]
    file = make_file(hosts, [], graph, extra={"groupNodes": {"Draw": make_group()}})
    _, written = change(file, n9_5_0__text="a dog")
    assert written.differences == ()
    texts = [node["widgets_values"][0] for one in list_graphs(written) for node in one["nodes"]]
    assert texts == ["a cat", "a dog"]
