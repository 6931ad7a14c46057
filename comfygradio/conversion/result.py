"""What a conversion gives: the prompt, what could not be placed, and what the server lacks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from comfygradio.conversion.shown_text import show_name, show_text

MAX_SHOWN = 200
"""Maximum length of a value in the text of a note, in characters."""

MAX_NODES = 20
"""Maximum number of nodes that a sentence names."""

CORE = "comfy-core"
"""The name of ComfyUI itself where a file names the pack of a node."""

NO_WIDGET = "no input of the node takes the value on this server, so it is not used."
"""Why a value of the file is not in the prompt."""


@dataclass(frozen=True)
class Note:
    """Something that a person should know of: a value of the file that is not in the prompt, or
    that was placed otherwise than by its position.

    `node` is the node's id in the prompt, or where it would stand there. `input` is "" where the
    note is about the whole node, or where no input is known.
    """

    node: str
    input: str
    value: Any
    reason: str

    def __str__(self) -> str:
        place = f"Node {show_name(self.node)}"
        if self.input:
            place = f"{place}, {show_name(self.input)}"
        if self.value is None:
            return f"{place}: {self.reason}"
        return f"{place} = {show_value(self.value)}: {self.reason}"


@dataclass(frozen=True)
class MissingClass:
    """A node class that the server lacks, with the ids of its nodes.

    `pack` is its custom node's name in the registry of ComfyUI, or its `owner/repository` on
    GitHub; "" where the file names none.
    """

    class_type: str
    nodes: tuple[str, ...]
    pack: str = ""

    @property
    def advice(self) -> str:
        """How the class is brought to the server, as a part of a sentence."""
        if self.pack == CORE:
            return "update ComfyUI"
        if "/" in self.pack:
            return f"clone https://github.com/{self.pack} into ComfyUI's custom_nodes folder"
        if self.pack:
            return f"install the custom node {self.pack} with ComfyUI's manager"
        return (
            "the file does not say whether it takes a newer ComfyUI or a custom node; update "
            "ComfyUI, or look for it in ComfyUI's manager"
        )

    @property
    def install(self) -> str:
        """How the class is brought to the server, as a sentence."""
        return f"{self.advice[0].upper()}{self.advice[1:]}."

    def __str__(self) -> str:
        nodes = ", ".join(show_name(node) for node in self.nodes[:MAX_NODES])
        more = len(self.nodes) - MAX_NODES
        if more > 0:
            nodes = f"{nodes} and {more:,} more"
        word = "node" if len(self.nodes) == 1 else "nodes"
        return f"The server lacks {show_name(self.class_type)} ({word} {nodes}). {self.install}"


@dataclass(frozen=True)
class Place:
    """Where a value stands in the file.

    `graph` is "" for the root graph, else the id of a subgraph's definition, and `node` the id of
    the node there. `index` is the position in the node's `widgets_values`, the key where these
    are an object, and None where the file holds no value and the widget's default is used.

    `hosts` are the places of the instances that show the widget outside, the outermost first. Its
    value is the one that counts.
    """

    graph: str
    node: str
    widget: str
    index: int | str | None
    hosts: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Conversion:
    """A workflow of the UI format as the prompt that ComfyUI's page would post.

    `unused` are the values of the file that have no effect in ComfyUI either: a link or an instance
    outside counts instead, the node is off, or only the page uses the value. `places` tells for
    each plain value of the prompt, by node id and input, where it stands in the file.
    """

    prompt: dict[str, dict[str, Any]]
    notes: tuple[Note, ...] = ()
    missing: tuple[MissingClass, ...] = ()
    unused: tuple[Note, ...] = field(default=(), repr=False)
    places: Mapping[tuple[str, str], Place] = field(default_factory=dict, repr=False)


def show_value(value: Any) -> str:
    """Show a value of a file in a sentence."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = type(value).__name__
    return show_text(text, MAX_SHOWN)
