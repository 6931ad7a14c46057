"""Expand `filename_prefix` as ComfyUI's own page does before it posts a prompt: dates and values of
other nodes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

PLACEHOLDER = re.compile("%([^%]+)%")
DATE_TOKEN = re.compile("y{2,4}|MM?|dd?|hh?|mm?|ss?")
# The characters that the frontend replaces (formatUtil.ts, 1.58), and DEL.
UNSAFE = re.compile(r'[/?<>\\:*|"\x00-\x1f\x7f]')
FILENAME_PREFIX = "filename_prefix"


def expand_prefix(text: str, graph: Mapping[str, Any], now: datetime) -> str:
    """Expand `%date:FORMAT%` and `%NODE.INPUT%` in a prefix. Unknown names stay as they are.

    FORMAT may contain yyyy yy MM M dd d hh h (24 hours) mm m ss s and any other text; slashes make
    folders. NODE is a class, or else a title; the first such node counts. `%width%`, `%year%` and
    the like are left to the server. A value never creates or leaves a folder: characters that file
    names cannot have become `_`, and so do names of dots alone.
    """
    nodes = _name_nodes(graph)

    def replace(placeholder: re.Match[str]) -> str:
        return _expand_placeholder(placeholder, nodes, now)

    return PLACEHOLDER.sub(replace, text)


def expand_prefixes(graph: dict[str, Any], now: datetime) -> None:
    """Expand the `filename_prefix` of every node of an API-format graph in place."""
    expanded: dict[str, str] = {}
    for key, node in graph.items():
        text = _get_input(node, FILENAME_PREFIX)
        if isinstance(text, str):
            expanded[key] = expand_prefix(text, graph, now)
    # Only now, since a prefix may name the prefix of another node.
    for key, text in expanded.items():
        graph[key]["inputs"][FILENAME_PREFIX] = text


def _name_nodes(graph: Mapping[str, Any]) -> dict[str, Any]:
    """Map classes and titles to nodes. Classes take precedence, since ComfyUI's page names nodes by
    them.
    """
    nodes = [node for node in graph.values() if isinstance(node, dict)]
    named: dict[str, Any] = {}
    for node in nodes:
        class_type = node.get("class_type")
        if isinstance(class_type, str):
            named.setdefault(class_type, node)
    for node in nodes:
        meta = node.get("_meta")
        title = meta.get("title") if isinstance(meta, dict) else None
        if isinstance(title, str):
            named.setdefault(title, node)
    return named


def _expand_placeholder(placeholder: re.Match[str], nodes: Mapping[str, Any], now: datetime) -> str:
    name = placeholder[1]
    if name.startswith("date:"):
        return _format_date(name.removeprefix("date:"), now)
    node_name, _, input_name = name.partition(".")
    value = _get_input(nodes.get(node_name), input_name)
    written = _write_value(value)
    return placeholder[0] if written is None else written


def _format_date(form: str, now: datetime) -> str:
    year = str(now.year)
    known = {"yyyy": year, "yy": year[2:]}
    numbers = {"M": now.month, "d": now.day, "h": now.hour, "m": now.minute, "s": now.second}
    for letter, number in numbers.items():
        known[letter] = str(number)
        known[letter * 2] = f"{number:02}"

    def replace(match: re.Match[str]) -> str:
        token = match[0]
        return known.get(token, token)

    return DATE_TOKEN.sub(replace, form)


def _write_value(value: Any) -> str | None:
    """Write a literal as JavaScript does, made safe for a file name. Returns None for links and
    other values.
    """
    # Before the numbers, since a bool of Python is one.
    if isinstance(value, bool):
        return str(value).lower()
    # JavaScript writes 7.0 as 7, and numbers from 1e21 on with an exponent.
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    if not isinstance(value, str | int | float):
        return None
    text = UNSAFE.sub("_", str(value))
    # A name of dots alone would be this folder, or the one above.
    if text and not text.strip(". "):
        return "_"
    return text


def _get_input(node: Any, name: str) -> Any:
    """Return the value of an input, or None for what is no node or has no such input."""
    if not isinstance(node, dict):
        return None
    inputs = node.get("inputs")
    if not isinstance(inputs, dict):
        return None
    return inputs.get(name)
