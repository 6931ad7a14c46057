"""Titles: the author's name for a node, if it says more than the class does."""

from __future__ import annotations

import re

from comfygradio.drafting.graph import Graph
from comfygradio.drafting.naming import clean_label

TYPES = "int|float|string|boolean|text|number|primitive"

TYPED = re.compile(rf"(?:{TYPES})\s*\((.+)\)|(.*\S)\s*\((?:{TYPES})\)", re.IGNORECASE)
"""A type and, in parentheses, what the value is for; or the other way round."""

GENERIC_WORDS = frozenset(
    {
        "clip",
        "text",
        "encode",
        "prompt",
        "positive",
        "negative",
        "load",
        "image",
        "input",
        "multiline",
        "string",
        "primitive",
        "int",
        "float",
        "boolean",
        "integer",
        "number",
        "value",
        "conditioning",
        "the",
        "checkpoint",
        "model",
        "picture",
        "video",
        "audio",
        "mask",
        "lora",
        "loader",
        "node",
        "diffusion",
        "vae",
        "upload",
        "file",
    }
)
"""Words that say nothing about what a node is for."""


def find_author_title(graph: Graph, node_id: str) -> str:
    """Return the author's own title of a node, on one line; "" if it is the class's title or says
    nothing.

    Of a title such as `Int (Steps)` only the part in parentheses counts.
    """
    node = graph.node(node_id)
    title = clean_label(node.title)
    definition = graph.object_info.get(node.class_type)
    class_title = definition.title if definition else ""
    class_names = {_squeeze(node.class_type), _squeeze(class_title)}
    if _squeeze(title) in class_names:
        return ""
    typed = TYPED.fullmatch(title)
    if typed is None:
        return title
    return typed[1] or typed[2]


def is_descriptive(title: str) -> bool:
    """Whether a title says more than the type of the node."""
    words = re.findall(r"\w+", title.lower())
    # Which of the two a prompt is, its links tell more surely.
    if "positive" in words or "negative" in words:
        return False
    telling = [word for word in words if word not in GENERIC_WORDS]
    return not all(word.isdigit() for word in telling)


def _squeeze(text: str) -> str:
    """Return the letters, digits and _ of a text in lower case."""
    letters = re.sub(r"\W+", "", text)
    return letters.lower()
