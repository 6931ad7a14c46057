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


def convert(file: Json, info: Json | None = None) -> Conversion:
    """Convert a workflow for the small server, or for another one."""
    return convert_workflow(file, make_info() if info is None else info)


def list_inputs(conversion: Conversion) -> dict[str, Json]:
    """Map the ids of a prompt's nodes to their inputs."""
    return {node_id: node["inputs"] for node_id, node in conversion.prompt.items()}


def _make_slot(name: str, type: str, links: list[int]) -> Json:
    return {"id": name, "name": name, "type": type, "linkIds": links}
