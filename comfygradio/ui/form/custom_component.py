"""Components that Gradio lacks, each a `gr.HTML` with a script: long lists, rows of LoRAs, sizes,
problems.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from comfygradio.forms.choice_search import search_choices
from comfygradio.forms.field import Field
from comfygradio.forms.kinds.value import Choice
from comfygradio.ui.static import build_mount_script, read_static

Choices = Callable[[], Sequence[Choice]]
"""Returns the newest choices of a field: lists are read again while a page stays open."""


def build_picker(field: Field, choices: Choices, elem_id: str) -> gr.HTML:
    """Build a list that the server searches; its value is that of the chosen entry."""
    offered = choices()
    return _build(
        "picker",
        field,
        elem_id,
        field.default,
        choices,
        initial=field.default,
        shown=_find_label(offered, field.default),
        total=len(offered),
    )


def _find_label(choices: Sequence[Choice], value: Any) -> str:
    """Find the label of the choice with this value; "" if there is none."""
    for choice in choices:
        if choice.value == value:
            return choice.label
    return ""


def build_loras(field: Field, choices: Choices, elem_id: str) -> gr.HTML:
    """Build rows of a name and a strength; the value is a list of {"name", "strength"}."""
    total = len(choices())
    return _build(
        "loras",
        field,
        elem_id,
        field.default or [],
        choices,
        total=total,
        low=field.minimum,
        high=field.maximum,
        step=field.step or 0.05,
    )


def build_size(field: Field, elem_id: str) -> gr.HTML:
    """Build inputs for width and height, with buttons for ratios and for swapping them; the value
    is "WIDTHxHEIGHT".
    """
    grid = field.size_grid
    return _build(
        "size",
        field,
        elem_id,
        field.default,
        None,
        low=field.minimum,
        high=field.maximum,
        step=grid.step,
        start=grid.start,
    )


def build_embeddings(names: Sequence[str], field_id: str) -> gr.HTML:
    """Build a list that writes `embedding:NAME` into the text box with this id."""
    found = [Choice(name, name) for name in names]
    search = _make_search(lambda: found)
    return gr.HTML(
        None,
        html_template='<div class="cg-body"></div>',
        js_on_load=build_mount_script("form/embeddings.js"),
        server_functions=[search],
        elem_classes="cg-embeddings",
        field=field_id,
    )


def build_problem(preset: str) -> gr.HTML:
    """Build the note above the button that says what was refused; its script marks the fields.

    Its value is {"lines": [text, …], "fields": [[element id, text], …]}, with `"late": true` if
    the problem did not come in answer to a click: then the cursor stays where it is. Jobs that were
    started come with `"seeds": [[element id, text sent, next seed], …]`, for seeds that count up.
    """
    return gr.HTML(
        None,
        html_template='<div class="cg-note" role="alert" hidden></div>',
        js_on_load=build_mount_script("form/problem.js"),
        elem_classes="cg-problem",
        preset=preset,
    )


def _build(
    module: str, field: Field, elem_id: str, value: Any, choices: Choices | None, **props: Any
) -> gr.HTML:
    return gr.HTML(
        value,
        html_template=read_static("form/custom_field.html"),
        js_on_load=build_mount_script(f"form/{module}.js", events=("change",)),
        server_functions=[_make_search(choices)] if choices else None,
        elem_id=elem_id,
        elem_classes="cg-custom",
        title=field.label,
        info=field.help,
        **props,
    )


def _make_search(choices: Choices) -> Callable[[Any], Any]:
    async def search(data: Any) -> dict[str, Any]:
        query = _parse_query(data)
        offered = choices()
        found, count = search_choices(offered, query)
        pairs = [[choice.label, choice.value] for choice in found]
        return {"found": pairs, "count": count}

    return search


def _parse_query(data: Any) -> str:
    """Parse the query out of a script's call, which sends a list; anybody may send anything."""
    if not isinstance(data, list) or not data:
        return ""
    query = data[0]
    if not isinstance(query, str):
        return ""
    return query[:200]
