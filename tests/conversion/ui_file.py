"""Writes small workflows in UI format, and the classes of a small server."""

from __future__ import annotations

from typing import Any

from comfygradio.conversion.convert import convert_workflow
from comfygradio.conversion.result import Conversion

Json = dict[str, Any]

CONTROL = "randomize"


def make_class(
    required: Json | None = None,
    optional: Json | None = None,
    output: tuple[str, ...] = (),
    **more: Any,
) -> Json:
    """Make one value of `/object_info`."""
    required = required or {}
    optional = optional or {}
    return {
        "input": {"required": required, "optional": optional},
        "input_order": {"required": list(required), "optional": list(optional)},
        "output": list(output),
        "output_node": not output,
        **more,
    }


def make_info() -> Json:
    """Make the `/object_info` of a server with a few classes."""
    number = ["FLOAT", {"default": 8.0, "min": 0.0, "max": 100.0}]
    return {
        "Loader": make_class({"name": [["a.ckpt", "b.ckpt"]]}, output=("MODEL", "CLIP")),
        "Encode": make_class(
            {"clip": ["CLIP"], "text": ["STRING", {"multiline": True}]}, output=("CONDITIONING",)
        ),
        "Sampler": make_class(
            {
                "model": ["MODEL"],
                "seed": ["INT", {"default": 0, "min": 0, "max": 2**64 - 1}],
                "steps": ["INT", {"default": 20, "min": 1, "max": 1000}],
                "cfg": number,
                "sampler": [["euler", "heun"]],
                "positive": ["CONDITIONING"],
            },
            output=("LATENT",),
        ),
        "Blur": make_class({"image": ["IMAGE"], "radius": number}, output=("IMAGE",)),
        "Decode": make_class({"samples": ["LATENT"]}, output=("IMAGE",)),
        "LoadImage": make_class(
            {"image": [["cat.png"], {"image_upload": True}]}, output=("IMAGE", "MASK")
        ),
        "Save": make_class({"images": ["IMAGE"], "prefix": ["STRING", {"default": "ComfyUI"}]}),
    }


def socket(name: str, type: str, link: int | None = None) -> Json:
    """Make an input of a node that links feed."""
    return {"name": name, "type": type, "link": link}


def widget(name: str, type: str, link: int | None = None) -> Json:
    """Make an input of a node that stands for a widget."""
    return {"name": name, "type": type, "link": link, "widget": {"name": name}}


def make_node(
    node_id: int | str,
    type: str,
    values: Any = None,
    inputs: tuple[Json, ...] = (),
    outputs: tuple[str, ...] = (),
    **more: Any,
) -> Json:
    """Make a node. Outputs are given by their types."""
    node: Json = {
        "id": node_id,
        "type": type,
        "mode": 0,
        "inputs": list(inputs),
        "outputs": [{"name": kind, "type": kind} for kind in outputs],
        "properties": {},
        **more,
    }
    if values is not None:
        node["widgets_values"] = values
    return node


def make_file(nodes: list[Json], links: list[list[Any]], *subgraphs: Json, **more: Any) -> Json:
    """Make a workflow. A link is `[id, origin, slot, target, slot, type]`."""
    return {
        "nodes": nodes,
        "links": links,
        "definitions": {"subgraphs": list(subgraphs)},
        "version": 0.4,
        **more,
    }


def make_subgraph(
    graph_id: str,
    nodes: list[Json],
    links: list[list[Any]],
    inputs: tuple[tuple[str, str, list[int]], ...] = (),
    outputs: tuple[tuple[str, str, list[int]], ...] = (),
) -> Json:
    """Make the definition of a subgraph. Its inputs and outputs are name, type, and links inside;
    -10 and -20 are their node ids there.
    """
    keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    return {
        "id": graph_id,
        "name": graph_id,
        "nodes": nodes,
        "links": [dict(zip(keys, link, strict=True)) for link in links],
        "inputs": [_make_slot(*entry) for entry in inputs],
        "outputs": [_make_slot(*entry) for entry in outputs],
    }


def make_everything() -> Json:
    """Make a workflow with one of each: reroutes, getters, primitives, nested and shared
    subgraphs, a group node, and values that are stored in every known way.
    """
    blur = make_subgraph(
        "blur",
        [
            make_node(
                7,
                "Blur",
                [1.0],
                (socket("image", "IMAGE", 1), widget("radius", "FLOAT", 2)),
                ("IMAGE",),
            ),
            make_node(8, "Save", ["inside"], (socket("images", "IMAGE", 4),)),
        ],
        [
            [1, -10, 0, 7, 0, "IMAGE"],
            [2, -10, 1, 7, 1, "FLOAT"],
            [3, 7, 0, -20, 0, "IMAGE"],
            [4, 7, 0, 8, 0, "IMAGE"],
        ],
        (("picture", "IMAGE", [1]), ("strength", "FLOAT", [2])),
        (("result", "IMAGE", [3]),),
    )
    inner = make_node(4, "blur", [4.0], (socket("picture", "IMAGE", 1),), ("IMAGE",))
    outer = make_subgraph(
        "outer",
        [inner],
        [[1, -10, 0, 4, 0, "IMAGE"], [3, 4, 0, -20, 0, "IMAGE"]],
        (("picture", "IMAGE", [1]),),
        (("result", "IMAGE", [3]),),
    )
    quarantine = [{"originalEntry": ["-1", "strength"], "hostValue": 6.0}]
    nodes = [
        make_node(1, "LoadImage", ["cat.png", "image"], (), ("IMAGE", "MASK")),
        make_node(2, "Reroute", None, (socket("", "*", 1),), ("IMAGE",)),
        make_node(3, "SetNode", ["picture"], (socket("IMAGE", "IMAGE", 2),), ("*",)),
        make_node(4, "GetNode", ["picture"], (), ("IMAGE",)),
        make_node(
            5,
            "blur",
            [2.0, "inside"],
            (socket("picture", "IMAGE", 3), widget("strength", "FLOAT", 8)),
            ("IMAGE",),
            properties={"proxyWidgets": [["7", "radius"], ["8", "prefix"]]},
        ),
        make_node(6, "outer", [], (socket("picture", "IMAGE", 4),), ("IMAGE",), mode=4),
        make_node(7, "PrimitiveNode", [3.5, "fixed"], (), ("FLOAT",)),
        make_node(8, "blur", [1.5], properties={"proxyWidgetErrorQuarantine": quarantine}),
        make_node(9, "Save", ["x"], (socket("images", "IMAGE", 6),)),
        make_node(10, "Sampler", [5, CONTROL, 30, 7.5, "heun"], (socket("model", "MODEL"),)),
        make_node(11, "Sampler", ["new", 5, CONTROL, 30, 7.5, "heun"]),
        make_node(12, "Sampler", {"seed": 5, "cfg": 7.5, "other": [1]}),
        make_node(13, "workflow>Draw", ["a cat", 3.0]),
        make_node(14, "Unknown", ["y"], (socket("images", "IMAGE", 7),), ("IMAGE",)),
        make_node(15, "Note", ["for people"]),
    ]
    links = [
        [1, 1, 0, 2, 0, "*"],
        [2, 2, 0, 3, 0, "IMAGE"],
        [3, 4, 0, 5, 0, "IMAGE"],
        [4, 5, 0, 6, 0, "IMAGE"],
        [6, 6, 0, 9, 0, "IMAGE"],
        [7, 5, 0, 14, 0, "IMAGE"],
        [8, 7, 0, 5, 1, "FLOAT"],
    ]
    group = {
        "nodes": [
            {**make_node(0, "Encode", ["old"], (socket("clip", "CLIP"),)), "index": 0},
            {**make_node(0, "Blur", [1.0], (socket("image", "IMAGE"),)), "index": 1},
        ],
        "links": [[0, 0, 1, 0, 5, "*"]],
        "config": {"0": {"input": {"text": {"name": "words"}}}},
    }
    return make_file(nodes, links, blur, outer, extra={"groupNodes": {"Draw": group}})


def convert(file: Json, info: Json | None = None) -> Conversion:
    """Convert a workflow for the small server, or for another one."""
    return convert_workflow(file, make_info() if info is None else info)


def list_inputs(conversion: Conversion) -> dict[str, Json]:
    """Map the ids of a prompt's nodes to their inputs."""
    return {node_id: node["inputs"] for node_id, node in conversion.prompt.items()}


def _make_slot(name: str, type: str, links: list[int]) -> Json:
    return {"id": name, "name": name, "type": type, "linkIds": links}
