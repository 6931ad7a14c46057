"""Mutations of workflows in UI format that random changes of JSON hardly ever make: subgraphs in
circles, deep nesting, doubled ids, lost links, wrong types, and thousands of nodes.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

from tests.fuzz.mutation import make_value

Json = dict[str, Any]

LARGE = 5000
"""Number of nodes of a large workflow."""

LARGE_SHARE = 0.002
"""How many workflows are large ones. They take a hundred times as long as others."""

NODE_KEYS = ("id", "type", "mode", "inputs", "outputs", "properties", "widgets_values", "title")


def restructure(chance: random.Random, file: Json) -> None:
    """Change the graphs of a workflow."""
    if chance.random() < LARGE_SHARE:
        _fill(chance, file)
        return
    change: Callable[[random.Random, Json], None] = chance.choice(
        [_make_circle, _nest_subgraphs, _nest_groups, _double_ids, _lose_links, _change_types]
    )
    change(chance, file)


def _make_circle(chance: random.Random, file: Json) -> None:
    """Let a subgraph or group node contain another one, and maybe itself."""
    definitions = file["definitions"]["subgraphs"]
    graph = chance.choice([*definitions, file["extra"]["groupNodes"]["Draw"]])
    kinds = [definition["id"] for definition in definitions]
    graph["nodes"].append({"id": 99, "type": chance.choice([*kinds, "workflow>Draw"])})


def _nest_subgraphs(chance: random.Random, file: Json) -> None:
    """Nest subgraphs, each with one or more instances of the next."""
    depth = chance.choice([3, 20, 49, 50, 51, 60])
    width = chance.choice([1, 1, 1, 2])
    for level in range(depth):
        kind = f"level {level + 1}" if level + 1 < depth else "blur"
        nodes = [{"id": number, "type": kind, "inputs": []} for number in range(width)]
        definition = {"id": f"level {level}", "nodes": nodes, "links": []}
        file["definitions"]["subgraphs"].append(definition)
    file["nodes"].append({"id": 98, "type": "level 0", "widgets_values": [1.0]})


def _nest_groups(chance: random.Random, file: Json) -> None:
    """Nest group nodes."""
    depth = chance.choice([3, 49, 50, 51, 400])
    groups = file["extra"]["groupNodes"]
    for level in range(depth):
        kind = f"workflow>{level + 1}" if level + 1 < depth else "workflow>Draw"
        groups[str(level)] = {"nodes": [{"type": kind, "index": 0}], "links": []}
    file["nodes"].append({"id": 97, "type": "workflow>0", "widgets_values": ["a cat", 2.0]})


def _double_ids(chance: random.Random, file: Json) -> None:
    """Give nodes, links or definitions the id of another one."""
    lists = [file["definitions"]["subgraphs"]]
    for graph in _list_graphs(file):
        lists += [graph["nodes"], graph["links"]]
    for _ in range(chance.randint(1, 5)):
        entries = chance.choice(lists)
        first = chance.choice(entries)
        other = copy.deepcopy(chance.choice(entries))
        key: Any = 0 if isinstance(other, list) else "id"
        other[key] = first[key]
        entries.insert(chance.randint(0, len(entries)), other)


def _lose_links(chance: random.Random, file: Json) -> None:
    """Remove links, let them begin or end elsewhere, or put them in an object."""
    graph = chance.choice([*_list_graphs(file)])
    links = graph["links"]
    for _ in range(chance.randint(1, 3)):
        if not links:
            break
        link = chance.choice(links)
        if chance.random() < 0.5:
            links.remove(link)
            continue
        keys = range(1, 5) if isinstance(link, list) else [*link]
        link[chance.choice([*keys])] = chance.choice([-20, -10, 0, 1, 4, 99, "1", "9" * 5000])
    if chance.random() < 0.3:
        graph["links"] = {str(number): link for number, link in enumerate(links)}


def _change_types(chance: random.Random, file: Json) -> None:
    """Give parts of nodes values of any type."""
    for _ in range(chance.randint(1, 6)):
        graph = chance.choice([*_list_graphs(file)])
        node = chance.choice(graph["nodes"])
        node[chance.choice(NODE_KEYS)] = make_value(chance)


def _fill(chance: random.Random, file: Json) -> None:
    """Fill the workflow up to thousands of nodes, copies of one, that may be linked in a row."""
    model = chance.choice(file["nodes"])
    is_linked = chance.random() < 0.5
    for number in range(100, 100 + LARGE):
        node = {**model, "id": number}
        if is_linked:
            node["inputs"] = [{"name": "image", "type": "IMAGE", "link": number}]
            file["links"].append([number, number - 1, 0, number, 0, "IMAGE"])
        file["nodes"].append(node)


def _list_graphs(file: Json) -> Iterator[Json]:
    yield file
    yield from file["definitions"]["subgraphs"]
