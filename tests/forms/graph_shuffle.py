"""The same graph as another program might have stored it: other ids, another order,
other titles.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from comfygradio.comfy.workflow import Link


def renumber(
    graph: Mapping[str, Any], seed: int = 0, has_titles: bool = True
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """The graph with its nodes shuffled under new ids, and the new id of each old one."""
    dice = random.Random(seed)
    keys = sorted(graph)
    dice.shuffle(keys)
    names = {key: f"{100 + place}" if place % 2 else f"7:{place}" for place, key in enumerate(keys)}
    return {names[key]: _copy(graph[key], names, has_titles) for key in keys}, names


def _copy(node: Mapping[str, Any], names: Mapping[str, str], has_titles: bool) -> dict[str, Any]:
    inputs = {}
    for name, value in node["inputs"].items():
        link = Link.parse(value)
        inputs[name] = [names.get(link.node_id, link.node_id), link.slot] if link else value
    meta = {"_meta": node["_meta"]} if has_titles and "_meta" in node else {}
    return {"class_type": node["class_type"], "inputs": inputs, **meta}


def change_literals(graph: dict[str, dict[str, Any]], seed: int = 0) -> dict[str, dict[str, Any]]:
    """The graph with about half of its numbers and texts changed, in place."""
    dice = random.Random(seed)
    for node in graph.values():
        for name, value in node["inputs"].items():
            if (
                dice.random() < 0.5
                and isinstance(value, str | int | float)
                and not isinstance(value, bool)
            ):
                node["inputs"][name] = (
                    f"{value} changed" if isinstance(value, str) else value * 2 + 1
                )
    return graph
